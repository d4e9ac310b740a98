"""Runs on this very machine, each in a session of its own, so that they outlive the web server that started them."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from django.core.checks import CheckMessage
from django.core.checks import Error as CheckError
from django.db import Error
from django.utils import timezone

from launcher.conf import options
from launcher.engines.base import Engine, EngineError
from launcher.execution.identity import is_alive, process_start
from launcher.execution.job import make_job, settings_module
from launcher.models import Run, Status
from launcher.output.store import Spool, SpoolError, host_name, spool_root

logger = logging.getLogger(__name__)

STARTING_SECONDS = 30
"""How long a run may wait for its process before somebody must have died between storing and starting it."""
STALE_SECONDS = 60
"""How old the heartbeat of a run on another machine may be."""


class LocalEngine(Engine):
    """Starts `python -m launcher.execution` for each run."""

    name = "local"

    def submit(self, run: Run, argv: Sequence[str], secrets: Sequence[str]) -> None:
        """Start the run's supervisor, and note its process while the run is still queued."""
        spool = Spool(run.uid)
        try:
            spool.make()
            process = self._start(run, argv, secrets, spool)
        except OSError as error:
            raise EngineError(f"No process could be started: {error}") from error
        # A child that nobody waits for stays a zombie for as long as the web server lives.
        threading.Thread(target=process.wait, name=f"launcher-run-{run.pk}", daemon=True).start()
        try:
            # Whoever looks at a queued run can then tell a slow start from a dead one. The supervisor notes it as well.
            Run.objects.filter(pk=run.pk, status=Status.QUEUED).update(
                host=host_name(), pid=process.pid, pid_started=process_start(process.pid)
            )
        except Error as error:
            logger.warning("Run %s has started, but its process can't be noted now: %s", run.pk, error)

    def _start(self, run: Run, argv: Sequence[str], secrets: Sequence[str], spool: Spool) -> subprocess.Popen[bytes]:
        job = make_job(run.pk, run.command, argv, secrets)
        with spool.log_path.open("ab") as log:  # where its own trouble is told
            return job.start(
                options().python, "launcher.execution", str(run.pk), stdout=log, stderr=log, start_new_session=True
            )

    def stop(self, run: Run) -> None:
        """Wake the supervisor, if it is on this machine."""
        if run.host == host_name() and run.pid and is_alive(run.pid, run.pid_started):
            with suppress(ProcessLookupError):
                os.kill(run.pid, signal.SIGTERM)

    def is_gone(self, run: Run) -> bool:
        """Tell by the supervisor's process, or from another machine by its silence."""
        now = timezone.now()
        if not run.host:
            return now - run.queued_at > timedelta(seconds=STARTING_SECONDS)
        if run.host == host_name():
            return run.pid is not None and not is_alive(run.pid, run.pid_started)
        silent_since = run.heartbeat_at or run.queued_at
        return now - silent_since > timedelta(seconds=STALE_SECONDS)

    def last_words(self, run: Run) -> str:
        """Return the last line of the supervisor's log, where an unusable project says why."""
        try:
            lines = Spool(run.uid).log_path.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""

    def check(self) -> list[CheckMessage]:
        """Check what a start needs: a POSIX system, the spool folder and the interpreter."""
        if not hasattr(os, "fork"):
            return [
                CheckError(
                    "The local engine needs a POSIX system.",
                    hint="Run Launcher on Linux or macOS.",
                    id="launcher.E005",
                )
            ]
        messages: list[CheckMessage] = []
        if not settings_module():
            hint = "Put the settings into a module, and name it in DJANGO_SETTINGS_MODULE."
            messages.append(CheckError("Runs can't find the settings.", hint=hint, id="launcher.E008"))
        try:
            spool_root()
        except SpoolError as error:
            hint = "Set LAUNCHER['SPOOL_DIR'] to a folder that is the web server's user's alone."
            messages.append(CheckError(str(error), hint=hint, id="launcher.E006"))
        if not os.access(options().python, os.X_OK):
            messages.append(
                CheckError(
                    f"{options().python} is not an interpreter that can be started.",
                    hint="Set LAUNCHER['PYTHON'] to the project's Python.",
                    id="launcher.E007",
                )
            )
        return messages
