"""`launcher.progress`: how far a command is, told to whoever shows its run. Imports nothing but Python's own.

In a run's own process a report goes into the ring, in others that the command has started to the run's terminal: an
operating system command (ECMA-48, 8.3.89; "OSC") with a number that nobody uses, which terminals swallow. The
supervisor takes it out of the output. Outside of a run nothing is written.
"""

from __future__ import annotations

import atexit
import json
import math
import os
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

RUN_VARIABLE = "LAUNCHER_RUN"
"""In the environment of every command: its run's uid. It tells whose a process is when all that knew it are dead."""

REPORT_BEGIN = b"\x1b]7711;"
REPORT_END = b"\x07"
NOTE_CHARACTERS = 200
INTERVAL_SECONDS = 0.1
"""So often a report is passed on at most, however often there is one; and besides at once when it is a step further."""
STEP = 0.001
"""Which share of the whole: where a command does much at once and then nothing for long, all of it is shown."""
ENDLESS_STEP = 0.01
"""The same of what is done, where nobody knows the whole."""
MOST_AT_ONCE = 2000
"""Reports that may be passed on without a pause; ten come back in a second."""


def progress(done: float, total: float | None = None, note: str = "") -> None:
    """Say how much is done, of how much in all if that is known, and with what.

    For a command to call, as often as it likes: the run's page shows a bar, with the rate and the time that is left.
    Where nobody shows it, as on the shell, it does nothing. It raises nothing; what is no number is not shown.
    """
    (_reporter or _find_reporter()).report(done, total, note)


class Reporter:
    """Passes on as many reports as are worth it, and at the end the last one."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._pid = os.getpid()
        self._waiting: tuple[Any, Any, Any] | None = None
        self._next_at = self._sent_at = 0.0
        self._from: Any = 0
        self._to: Any = 0
        """Between these, what is done is no step further than what was passed on last."""
        self._allowance = float(MOST_AT_ONCE)
        atexit.register(self.finish)

    def report(self, done: Any, total: Any, note: Any) -> None:
        """Take a report; called for each, so a look at the clock is most of what it does."""
        now = monotonic()
        try:
            is_to_wait = now < self._next_at and self._from <= done < self._to
        except Exception:  # noqa: BLE001  what can't be compared is no number
            return
        self._waiting = (done, total, note)
        if not is_to_wait:
            self._pass_on(now)

    def finish(self) -> None:
        """Pass on what waits; a process that was forked from this one has nothing to say in its name."""
        if os.getpid() == self._pid:
            self._allowance = 1.0
            self._pass_on(monotonic())

    def _pass_on(self, now: float) -> None:
        waiting = self._waiting
        self._allowance = min(MOST_AT_ONCE, self._allowance + (now - self._sent_at) / INTERVAL_SECONDS)
        if waiting is None or self._allowance < 1:
            return
        self._waiting = None
        self._allowance -= 1
        self._sent_at, self._next_at = now, now + INTERVAL_SECONDS
        with suppress(Exception):  # a command is not to fail by what it says of itself
            done, total = _number(waiting[0]), None if waiting[1] is None else _number(waiting[1])
            self._from = done
            self._to = done + ENDLESS_STEP * abs(done) if total is None else min(total, done + STEP * abs(total))
            self._write(written(done, total, str(waiting[2])))


class _Nobody:
    """Where nobody shows how far it is."""

    def report(self, done: Any, total: Any, note: Any) -> None:
        """Do nothing."""


_reporter: Reporter | _Nobody | None = None


def report_by(write: Callable[[bytes], object]) -> None:
    """Have this process's reports written so, and those of processes forked from it to the run's terminal."""
    global _reporter
    _reporter = Reporter(write)
    os.register_at_fork(after_in_child=_forget_reporter)


def _forget_reporter() -> None:
    global _reporter
    _reporter = None


def _find_reporter() -> Reporter | _Nobody:
    """Return how a process tells that is not the run's own: by its terminal, whatever its output is connected to."""
    global _reporter
    _reporter = _Nobody()
    if RUN_VARIABLE in os.environ:
        with suppress(OSError):
            terminal = os.open("/dev/tty", os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
            _reporter = Reporter(lambda data: os.write(terminal, data))
    return _reporter


def _number(value: Any) -> float:
    """Return a finite number, an int where it is whole; raises ValueError, TypeError or OverflowError."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return int(number) if number.is_integer() else number


def written(done: float, total: float | None, note: str) -> bytes:
    """Return a report as it is written: ASCII, without control characters between its two ends."""
    said = {"done": done, "total": total, "note": note[:NOTE_CHARACTERS]}
    return REPORT_BEGIN + json.dumps(said, separators=(",", ":")).encode() + REPORT_END
