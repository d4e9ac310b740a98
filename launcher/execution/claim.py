"""Taking a queued run: the move from QUEUED to RUNNING, where limits that hold across hosts are enforced as well."""

from __future__ import annotations

import os
import sys
import time

from django.db import Error, IntegrityError, connections, router, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from launcher.conf import command_options, options
from launcher.execution.evidence import is_gone
from launcher.execution.identity import own_start
from launcher.execution.job import Job
from launcher.execution.record import make_outcome, record_outcome
from launcher.execution.stopping import is_stop_wanted, pause
from launcher.models import Run, Status
from launcher.output.spool import host_name

CLAIM_SECONDS = 3600
"""How long a run waits for a database that can't be written, before it is given up."""
FULL_SECONDS = 0.5
"""How often a run looks whether its command, at its limit on other hosts, has room again."""


class _Full(Exception):
    """The command is at its limit."""


def claim(job: Job) -> Run | None:
    """Return the run, which is this process's from now on, or None if it has ended before it started.

    Waits while the database is locked or away, and leaves no connection open: the supervisor's threads make their own.
    """
    delay, deadline = 0.2, time.monotonic() + CLAIM_SECONDS
    is_claimed = False
    while True:
        try:
            is_claimed = is_claimed or _claim(job)
            run = _runs(job).first()
            # Whoever ended or deleted it has removed the spool, but not what came to be there at the same time.
            if run is None or run.is_finished:
                job.spool.remove()
            return run if is_claimed else None
        except _Full:
            if job.limits.is_refused or pause(FULL_SECONDS):
                end_unstarted(job, is_stopped=is_stop_wanted())
                return None
        except Error as error:
            if time.monotonic() > deadline:
                raise
            if delay == 0.2:
                print(f"The run waits for the database: {error}", file=sys.stderr, flush=True)
            if not is_claimed and pause(delay):
                end_unstarted(job, is_stopped=True)
                return None
            if is_claimed:
                time.sleep(delay)
            delay = min(delay * 1.5, 5.0)
        finally:
            connections.close_all()


def _runs(job: Job) -> QuerySet[Run]:
    # A replica that lags behind would not know the run yet.
    return Run.objects.using(router.db_for_write(Run)).filter(pk=job.run_pk)


def _claim(job: Job) -> bool:
    limit = job.limits.of_command
    if not limit:
        return _take(job, None)
    for number in range(limit):
        slot = f"{job.command}:{number}"
        try:
            with transaction.atomic(using=router.db_for_write(Run)):
                return _take(job, slot)
        except IntegrityError:  # another run has it
            holder = Run.objects.filter(command_slot=slot).first()
            if holder is not None and is_gone(holder):
                Run.objects.filter(pk=holder.pk, command_slot=slot).update(command_slot=None)
    raise _Full


def _take(job: Job, slot: str | None) -> bool:
    limit = command_options(job.command).timeout_seconds or options().timeout_seconds
    return bool(
        _runs(job)
        .filter(status=Status.QUEUED)  # one that was called lost must not start after all
        .update(
            status=Status.RUNNING,
            started_at=timezone.now(),
            heartbeat_at=Now(),
            host=host_name(),
            pid=os.getpid(),
            pid_started=own_start(),
            command_slot=slot,
            timeout_seconds=limit or None,
            why_cold=job.why_cold[:255],
        )
    )


def end_unstarted(job: Job, *, is_stopped: bool) -> None:
    """Record that the run never started: somebody stopped it, or its command was at its limit."""
    if is_stopped:
        outcome = make_outcome(Status.STOPPED, _("Stopped before it started."))
    else:
        reason = _("Not started: as many runs of this command as are allowed at once were going on.")
        outcome = make_outcome(Status.FAILED, reason)
    spool = job.spool
    spool.write_outcome(outcome)  # should the database not take it now, the next look at the run finds it here
    try:
        record_outcome(job.run_pk, outcome)
    except Error as error:
        print(f"How the run ended can't be recorded now: {error}", file=sys.stderr, flush=True)
    else:
        spool.remove()
    finally:
        connections.close_all()
