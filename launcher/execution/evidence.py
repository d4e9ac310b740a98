"""Whether a run's processes are still there. On its own host that is seen; from elsewhere only its silence is heard."""

from __future__ import annotations

import os
import time
import uuid
from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from launcher.execution.descendants import left_behind, signal_all
from launcher.execution.identity import is_alive, process_start
from launcher.execution.owner import Owner, read_owner
from launcher.models import Run, Status
from launcher.output.spool import Spool, host_name

STARTING_SECONDS = 8
"""How long a run may be without a process before somebody must have died between storing and starting it."""
UNSTARTED_SECONDS = 3
LOADING_SECONDS = 300
"""How long a process that lives may take to load the project before it forks the run."""
SILENT_SECONDS = 60
"""How old the heartbeat of a run on another machine may be."""
SECOND_LOOK_SECONDS = 7
"""A silent run gets the time for one more heartbeat, by this process's own clock: another one may have jumped."""


def owner_of(run: Run) -> Owner | None:
    """Return the process that has the run, as far as that was noted on this machine."""
    return read_owner(Spool(run.uid).folder)


def supervisor_of(run: Run) -> Owner | None:
    """Return the run's supervisor, if it lives on this machine."""
    if run.host != host_name():
        return None
    owner = owner_of(run)
    if owner is None or not owner.is_supervisor or not owner.is_alive:
        # Its spool may have been cleared up by somebody, or name a second start that came too late; the record has it.
        owner = Owner(pid=run.pid or 0, started=run.pid_started, is_supervisor=True)
    return owner if owner.is_alive else None


def is_gone(run: Run) -> bool:
    """Tell, by evidence, that no process carries the unfinished run and none will."""
    if run.host not in ("", host_name()):
        return _is_silent(run)
    if run.status == Status.RUNNING and run.pid is not None:
        return not is_alive(run.pid, run.pid_started)
    owner = owner_of(run)
    if owner is not None and (owner.is_supervisor or not owner.is_alive):
        return not owner.is_alive
    if owner is not None:
        return timezone.now() - run.queued_at > timedelta(seconds=LOADING_SECONDS)
    # It may have been stored in a transaction that took long: it counts from when it was first seen, too.
    seen_at = _seen_at.setdefault(run.uid, time.monotonic())
    is_late = timezone.now() - run.queued_at > timedelta(seconds=STARTING_SECONDS)
    return is_late and time.monotonic() - seen_at > UNSTARTED_SECONDS


_seen_at: dict[uuid.UUID, float] = {}
"""When runs without a process were first seen, by uid."""
_silent: dict[uuid.UUID, tuple[object, float]] = {}
"""Runs found silent, by uid: the heartbeat they had then, and when that was by this process's own clock."""


def _is_silent(run: Run) -> bool:
    """Tell whether the database has not heard of the run for long, by its own clock, at two looks."""
    if timezone.now() - (run.heartbeat_at or run.queued_at) < timedelta(seconds=SILENT_SECONDS / 2):
        return False  # whatever the clocks are like; it spares a query for each run of a list
    found = Run.objects.filter(pk=run.pk, heartbeat_at__lt=Now() - timedelta(seconds=SILENT_SECONDS))
    if run.heartbeat_at is None:
        found = Run.objects.filter(pk=run.pk, queued_at__lt=Now() - timedelta(seconds=SILENT_SECONDS))
    if not found.exists():
        _silent.pop(run.uid, None)
        return False
    heartbeat, since = _silent.setdefault(run.uid, (run.heartbeat_at, time.monotonic()))
    if heartbeat != run.heartbeat_at:
        del _silent[run.uid]
        return False
    return time.monotonic() - since > SECOND_LOOK_SECONDS


def end_what_is_left(run: Run) -> None:
    """Kill the processes that a run left on this machine when its supervisor was killed."""
    owner = owner_of(run)
    if owner is None or not owner.is_supervisor or "/" not in owner.started or owner.is_alive:
        return
    boot, _, ticks = owner.started.rpartition("/")
    if boot and process_start(os.getpid()).startswith(f"{boot}/"):
        signal_all(left_behind(run.uid.hex, owner.pid, int(ticks)), 9)
