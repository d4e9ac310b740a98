"""Runs on this very machine, each in a session of its own, so that they outlive the web server that started them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.core.checks import Error as CheckError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from launcher.conf import command_options, options
from launcher.engines.base import Engine, EngineError
from launcher.execution import control, dispatch
from launcher.execution.evidence import end_what_is_left, is_gone, owner_of, supervisor_of
from launcher.execution.job import Job, make_job, project_key, settings_module
from launcher.execution.turn import Limits, Place
from launcher.models import Run, Status, Via
from launcher.output.spool import Spool, SpoolError, host_name, spool_root

WARM_SECONDS = 30
"""A warm process that was asked for is not asked for again so soon, however often a form's line is drawn anew."""
_warmed: dict[str, float] = {}

_REFUSALS = {
    "gone": gettext_lazy("It does not wait for this answer any more."),
    "long": gettext_lazy("A terminal takes no line as long as this one."),
}


def _limits(command: str) -> Limits:
    said = command_options(command)
    return Limits(
        on_host=options().max_concurrent_runs, of_command=said.max_concurrent, is_refused=said.when_busy == "refuse"
    )


class LocalEngine(Engine):
    """Has each run forked from the project's warm process, or started cold where that can't be."""

    name = "local"

    def submit(self, run: Run, argv: Sequence[str], secrets: Sequence[str]) -> None:
        """Hand the run over; from then on its spool says which process has it."""
        try:
            Spool(run.uid).make()
            dispatch.start(
                self._job(
                    run.command,
                    argv,
                    secrets,
                    run_pk=run.pk,
                    uid=run.uid.hex,
                    limits=_limits(run.command),
                    is_from_shell=run.via == Via.SHELL,
                )
            )
        except OSError as error:
            raise EngineError(f"No process could be started: {error}") from error

    def warm_up(self, command: str) -> None:
        """Have a warm process import the command, unless that was asked for a moment ago."""
        now = time.monotonic()
        if now - _warmed.get(command, -WARM_SECONDS) < WARM_SECONDS:
            return
        _warmed[command] = now
        with suppress(OSError):
            spool_root()
            dispatch.warm_up(self._job(command, (), ()))

    @staticmethod
    def _job(command: str, argv: Sequence[str], secrets: Sequence[str], **more: Any) -> Job:
        return make_job(
            more.pop("run_pk", 0),
            command,
            argv,
            secrets,
            spool_root=str(options().spool_dir),
            project=project_key(),
            **more,
        )

    def place(self, run: Run) -> Place | None:
        """Return where the run stands in the lines of this machine."""
        if run.host != host_name() or run.status != Status.QUEUED:
            return None
        job = self._job(run.command, (), (), run_pk=run.pk, uid=run.uid.hex, limits=_limits(run.command))
        return job.turn.place()

    def answer(self, run: Run, number: int, text: str | None) -> str:
        """Pass an answer to the run's supervisor, on this machine."""
        if run.host != host_name():
            return _("It runs on %s: only a page that this host serves can answer it.") % run.host
        message = {"number": number, "is_end": True} if text is None else {"number": number, "text": text}
        try:
            said = control.say(Spool(run.uid), message)
        except control.CannotReach:
            return _("It can't be reached any more.")
        return "" if said.get("is_taken") else str(_REFUSALS.get(str(said.get("why")), _("It was not taken.")))

    def stop(self, run: Run) -> None:
        """Wake the supervisor, if it is on this machine."""
        owner = supervisor_of(run)
        if owner is not None:
            with suppress(ProcessLookupError, PermissionError):  # another user's finds the request in the database
                os.kill(owner.pid, signal.SIGTERM)
                os.kill(owner.pid, signal.SIGCONT)

    def is_gone(self, run: Run) -> bool:
        """Tell by the run's process, or from another machine by its silence."""
        return is_gone(run)

    def clear_up(self, run: Run) -> None:
        """Kill what a killed supervisor's run has left."""
        if run.host == host_name():
            end_what_is_left(run)

    def last_words(self, run: Run) -> str:
        """Return the last line of the log of the process that had the run, where an unusable project says why."""
        owner = owner_of(run)
        for path in (Spool(run.uid).log_path, owner.log if owner else ""):
            with suppress(OSError):
                lines = Path(path).read_text(errors="replace").strip().splitlines()
                if lines:
                    return lines[-1]
        return ""

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

    def check_way(self) -> list[CheckMessage]:
        """Say that runs start slowly, and why, where a warm process has found that out."""
        try:
            way = dispatch.last_way(spool_root(), project_key())
        except OSError:
            return []
        if not way.why_cold or not options().warm_start:
            return []
        hint = "Start threads and connections when they are first used, not when the project is loaded."
        return [Warning(f"Runs are not forked from a warm process: {way.why_cold}.", hint=hint, id="launcher.W002")]
