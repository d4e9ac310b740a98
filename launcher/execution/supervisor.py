"""The process beside a run: takes what the child writes, stores it, stops the child when asked, and says how it ended.

One thread reads and never touches the database; the other (`Shipper`) carries the spool and the status there, since a
command's own transaction may keep the database locked for as long as it likes.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import selectors
import signal
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connections
from django.utils import timezone

from launcher.conf import options
from launcher.execution.job import Job
from launcher.models import Run, Status, sources_of
from launcher.output.store import Spool, SpooledOutput, SpoolWriter, ship_all
from launcher.output.terminal import plain_text

logger = logging.getLogger(__name__)

READ_BYTES = 64 * 1024
SHIP_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0
DRAIN_SECONDS = 0.25
"""How long it must be quiet after the child's end, since processes that it left behind may still write."""
DRAIN_LIMIT_SECONDS = 2.0
MOST_REFUSALS = 10
"""How often a database that is there may refuse what is recorded."""
STEPS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


class Supervisor:
    """Watches one child until it has ended and everything about it is recorded."""

    def __init__(self, run: Run, job: Job, *, child: int, terminal: int, report: int) -> None:
        self._run = run
        self._job = job
        self._child = child
        self._terminal = terminal
        self._report = report
        self._report_data = b""
        self._spool = Spool(run.uid)
        self._writer = SpoolWriter(self._spool)
        self._steps: list[tuple[str, str]] = []
        self._shipper = Shipper(run.pk, self._spool, self._steps)
        self._next_step_at = float("inf")
        self._wait_status: int | None = None

    def watch(self) -> None:
        """Stay until the child has ended and its end is recorded."""
        self._take_signals()
        self._shipper.start()
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._terminal, self._report, self._wakeup):
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            self._loop(selector)
        self._writer.close()
        outcome = self._outcome()
        self._spool.write_outcome(outcome)
        self._shipper.finish(outcome)

    def _take_signals(self) -> None:
        self._wakeup, wakeup_end = os.pipe()
        os.set_blocking(wakeup_end, False)
        signal.set_wakeup_fd(wakeup_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda number, frame: self._shipper.stop_wanted.set())
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # only to wake the loop
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def _loop(self, selector: selectors.BaseSelector) -> None:
        ended_at = quiet_since = float("inf")
        while True:
            ready = [key.fd for key, _ in selector.select(0.1)]
            if self._wakeup in ready:
                self._drain(self._wakeup)
            if self._report in ready:
                self._read_report(selector)
            got_output = self._terminal in ready and self._read_terminal(selector)
            self._step_towards_stop()
            if self._wait_status is None:
                self._reap()
            if self._wait_status is None:
                continue
            now = time.monotonic()
            ended_at = min(ended_at, now)
            quiet_since = now if got_output else min(quiet_since, now)
            is_quiet = now - quiet_since > DRAIN_SECONDS or now - ended_at > DRAIN_LIMIT_SECONDS
            if is_quiet or not self._is_open(selector, self._terminal):
                self._read_report(selector)
                return

    @staticmethod
    def _is_open(selector: selectors.BaseSelector, descriptor: int) -> bool:
        return any(key.fd == descriptor for key in selector.get_map().values())

    def _read_terminal(self, selector: selectors.BaseSelector) -> bool:
        """Store what is there; a pseudo-terminal says EIO once nobody has its other end open."""
        try:
            data = os.read(self._terminal, READ_BYTES)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if data:
            self._writer.append(data)
            return True
        selector.unregister(self._terminal)
        return False

    def _read_report(self, selector: selectors.BaseSelector) -> None:
        if not self._is_open(selector, self._report):
            return
        try:
            data = os.read(self._report, READ_BYTES)
        except BlockingIOError:
            return
        self._report_data += data
        if not data:
            selector.unregister(self._report)

    def _drain(self, descriptor: int) -> None:
        with suppress(BlockingIOError):
            while os.read(descriptor, 1024):
                pass

    def _reap(self) -> None:
        pid, status = os.waitpid(self._child, os.WNOHANG)
        if pid:
            self._wait_status = status
            if self._steps:  # what it left behind was asked to end with it
                self._signal(signal.SIGKILL)

    def _step_towards_stop(self) -> None:
        """Ask, tell, kill: each step once, the next one when its time has come."""
        if self._wait_status is not None or not self._shipper.stop_wanted.is_set():
            return
        if self._steps and time.monotonic() < self._next_step_at:
            return
        if len(self._steps) < len(STEPS):
            step = STEPS[len(self._steps)]
            self._steps.append((step.name, timezone.now().isoformat()))
            self._next_step_at = time.monotonic() + options().stop_grace_seconds
            self._signal(step)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child, number)

    def _outcome(self) -> dict[str, Any]:
        exit_code = os.waitstatus_to_exitcode(self._wait_status or 0)
        said = self._said_by_child()
        if self._steps:
            # It may have caught the signal and returned as if nothing was: half done must not look like done.
            status, reason = Status.STOPPED, f"Stopped by {self._steps[-1][0]}."
            reason += f" It ended with exit code {exit_code}." if exit_code >= 0 else ""
        elif exit_code == 0:
            status, reason = Status.SUCCEEDED, ""
        elif exit_code < 0:
            status, reason = Status.FAILED, f"Killed by signal {_signal_name(-exit_code)}."
        else:
            status, reason = Status.FAILED, said.get("reason") or f"Ended with exit code {exit_code}."
        if self._writer.lost_bytes:
            reason = f"{reason} The disk was full: {self._writer.lost_bytes} bytes of output are missing.".strip()
        return {
            "status": str(status),
            "exit_code": exit_code,
            "reason": _storable("\n".join(plain_text(line.encode("utf-8", "replace")) for line in reason.splitlines())),
            "traceback": _storable(said.get("traceback", "")),
            "stop_steps": self._steps,
            "finished_at": timezone.now().isoformat(),
        }

    def _said_by_child(self) -> dict[str, str]:
        """Return what came by the pipe; whatever else the command wrote into it counts as nothing."""
        try:
            said = json.loads(self._report_data)
        except ValueError:
            return {}
        is_ours = isinstance(said, dict) and all(isinstance(value, str) for value in said.values())
        return said if is_ours else {}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return str(number)


class Shipper(threading.Thread):
    """Carries output, heartbeat and outcome to the database, for as long as that takes."""

    def __init__(self, run_pk: int, spool: Spool, steps: list[tuple[str, str]]) -> None:
        super().__init__(name="shipper", daemon=True)
        self._steps = steps
        self._steps_told = 0
        self.stop_wanted = threading.Event()
        self._run_pk = run_pk
        self._spool = spool
        self._source = SpooledOutput(spool)  # stays readable whoever clears up the folder
        self._outcome: dict[str, Any] | None = None
        self._ended = threading.Event()

    def finish(self, outcome: dict[str, Any]) -> None:
        """Record the outcome once all output is stored, and wait until that is done."""
        self._outcome = outcome
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Ship until everything is in the database; a database that is away only makes it try again."""
        delay = SHIP_SECONDS
        refusals = 0
        while refusals < MOST_REFUSALS:
            self._ended.wait(delay)
            try:
                if self._look_and_ship():
                    connections.close_all()
                    self._spool.remove()
                    return
                delay = SHIP_SECONDS
            except Error as error:
                logger.warning("Run %s: the database can't be written, trying again: %s", self._run_pk, error)
                if not isinstance(error, OperationalError | InterfaceError) and self._outcome is not None:
                    refusals += 1
                    self._outcome = _simpler(self._outcome)
                with suppress(Error):
                    connections.close_all()
                # `_ended` may be set by now, so that its wait would not wait.
                time.sleep(delay)
                delay = min(delay * 2, 10.0)
        # The spool stays, with the outcome: a later look at the run tries once more.
        logger.error("Run %s: how it ended can't be recorded.", self._run_pk)

    def _look_and_ship(self) -> bool:
        """Ship what there is, beat, and look for a stop asked for on another machine; True once the end is recorded."""
        outcome = self._outcome
        run = Run.objects.filter(pk=self._run_pk)
        stops = list(run.values_list("stop_requested_at", flat=True))
        if not stops or stops[0] is not None:  # a deleted run must not leave its process behind
            self.stop_wanted.set()
        if not stops:
            return outcome is not None
        missing = ship_all(self._run_pk, self._source, is_final=outcome is not None)
        if outcome is None:
            now = timezone.now()
            run.exclude(heartbeat_at__gt=now - timedelta(seconds=HEARTBEAT_SECONDS)).update(heartbeat_at=now)
            if len(self._steps) > self._steps_told:
                told = list(self._steps)
                run.update(stop_steps=told)
                self._steps_told = len(told)
            return False
        if missing:
            outcome = {
                **outcome,
                "reason": f"{outcome['reason']} {missing} bytes of output could not be stored.".strip(),
            }
        record_outcome(self._run_pk, outcome)
        return True


def _simpler(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return the outcome with texts that any database takes: first in ASCII, and if that is refused too, without."""
    simple = {key: outcome[key].encode("ascii", "backslashreplace").decode() for key in ("reason", "traceback")}
    if all(outcome[key] == text for key, text in simple.items()):
        simple = {"reason": simple["reason"][:200], "traceback": ""}
    return {**outcome, **simple}


def record_outcome(run_pk: int, outcome: dict[str, Any]) -> bool:
    """Move the run to its final status; False if it is there already, or is gone."""
    status = Status(outcome["status"])
    run = Run.objects.filter(pk=run_pk, status__in=sources_of(status))
    return bool(
        run.update(
            status=status,
            exit_code=outcome["exit_code"],
            reason=outcome["reason"],
            traceback=outcome["traceback"],
            stop_steps=outcome["stop_steps"],
            finished_at=datetime.fromisoformat(outcome["finished_at"]),
        )
    )


def _storable(text: str) -> str:
    """Replace what PostgreSQL's text refuses: NUL and lone surrogates."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()
