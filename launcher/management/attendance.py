"""A run attended from a shell: its output is printed as it comes, its prompts are answered, and signals stop it."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import Error, close_old_connections

from launcher import runs
from launcher.engines import engine
from launcher.execution.prompting import LONGEST_ANSWER_BYTES, prompt_of
from launcher.management.doors import Keyboard, Printer, Signals
from launcher.management.streams import Divider, Echo
from launcher.models import Run, Status
from launcher.output.raw import RawReader
from launcher.output.store import Output, Spool, SpooledOutput, host_name, open_output

QUICK_SECONDS, SLOW_SECONDS = 0.02, 0.2
"""How soon output is looked for again: while some comes, and at most, while none does."""
LOOK_SECONDS = 1.0
"""How often the database is asked how the run is, as long as its spool says that it goes on."""
READ_BYTES = 64 * 1024
WRITE_BYTES = 4096
"""A pipe that takes bytes at all takes so many without waiting (PIPE_BUF on Linux; pipe(7))."""
TIMED_OUT = 124
"""The exit code that timeout(1) has for it."""


class Attendance:
    """Attends one run, from its start to its end or until this process is to leave."""

    def __init__(self, run: Run, signals: Signals, *, user: Any, who: str, is_colour_forced: bool) -> None:
        self._run = run
        self._signals = signals
        self._user = user
        self._who = who
        self._printers = [Printer(stream, is_colour_forced=is_colour_forced) for stream in (sys.stdout, sys.stderr)]
        self._keyboard = Keyboard(sys.stdin)
        self._echo = Echo()
        self._divider = Divider()
        self._output: Output | None = None
        self._raw = RawReader()
        self._look_at = 0.0
        self._stopped_by = 0
        self._has_said_queued = False

    def attend(self) -> int:
        """Stay until the run has ended, and return the exit code to end with."""
        try:
            with self._keyboard:
                self._stay()
        except KeyboardInterrupt:
            self._say(f"Run {self._run.pk} is being stopped, but has not ended yet.")
            return 128 + (self._stopped_by or signal.SIGINT)
        self._say_why()
        return exit_code(self._run, self._stopped_by)

    def _stay(self) -> None:
        delay = QUICK_SECONDS
        while not self._has_ended():
            if self._print_more():
                delay = QUICK_SECONDS
            else:
                self._serve_prompt()
                self._signals.wait(delay)
                delay = min(delay * 1.5, SLOW_SECONDS)
            self._heed_signals()
        while self._print_more():
            self._heed_signals()
        self._print(b"", is_end=True)

    def _has_ended(self) -> bool:
        now = time.monotonic()
        if now < self._look_at and self._is_seen_going():
            return False
        self._look_at = now + LOOK_SECONDS
        try:
            self._run.refresh_from_db()
            runs.reconcile([self._run])
            self._say_if_queued()
        except Run.DoesNotExist:
            self._run.status, self._run.reason = Status.LOST, "Its record was deleted."
        except Error:  # it can't be told now; the output is still shown
            close_old_connections()
        return self._run.is_finished

    def _is_seen_going(self) -> bool:
        spool = Spool(self._run.uid)
        is_here = self._run.host == host_name() and spool.folder.exists()
        return is_here and not spool.outcome_path.exists()

    def _say_if_queued(self) -> None:
        """Say to a person, not to a log, why nothing happens."""
        if self._has_said_queued or not self._printers[1].is_terminal or engine().place(self._run) is None:
            return
        self._has_said_queued = True
        self._say(f"Run {self._run.pk} waits for its turn.")

    # Output

    def _print_more(self) -> bool:
        """Print what was written meanwhile; False if that is nothing."""
        try:
            if not isinstance(self._output, SpooledOutput):
                self._output = open_output(self._run)
            data = self._raw.read(self._output, READ_BYTES, is_finished=self._run.is_finished)
        except Error:
            close_old_connections()
            return False
        if data:
            self._print(data)
        return bool(data)

    def _print(self, data: bytes, *, is_end: bool = False) -> None:
        data = self._echo.strip(data, is_end=is_end)
        for is_error, part in self._divider.divide(data, is_end=is_end):
            self._write(self._printers[is_error], self._printers[is_error].prepared(part))
        if is_end:
            for printer in self._printers:
                self._write(printer, printer.prepared(b"", is_end=True))

    def _write(self, printer: Printer, data: bytes) -> None:
        """Write all of it, however slowly it is taken, and stop the run once nobody takes it any more."""
        rest = memoryview(data)
        while rest and printer.descriptor is not None:
            try:
                if self._signals.wait(None, to_write=printer.descriptor):
                    rest = rest[printer.write(rest[:WRITE_BYTES]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                printer.descriptor = None
                if not isinstance(error, BrokenPipeError):
                    self._say(f"The output can't be written: {error}")
                self._stop(signal.SIGPIPE)
            self._heed_signals()

    def _say(self, text: str) -> None:
        """Tell something of its own, on stderr."""
        with suppress(OSError):
            print(text, file=sys.stderr, flush=True)

    def _say_why(self) -> None:
        """Tell what neither the run's output nor the person at the keyboard has said."""
        run = self._run
        is_told = run.exit_code is not None and run.exit_code >= 0
        is_own_stop = run.status == Status.STOPPED and self._stopped_by
        if run.status == Status.SUCCEEDED or is_own_stop or (run.status == Status.FAILED and is_told):
            return
        name = run.stopped_by_name
        text = f"Stopped by {name}." if run.status == Status.STOPPED and name else run.reason
        self._say(f"Run {run.pk}: {text}")

    # Prompts

    def _serve_prompt(self) -> None:
        """Pass on a line if the run waits for one and there is one."""
        prompt = prompt_of(self._run)
        self._keyboard.show_typing(prompt is not None and not prompt.is_secret)
        line = self._keyboard.line() if prompt is not None else None
        if prompt is None or line is None:
            return
        answer = line.removesuffix(b"\n")
        if len(answer) > LONGEST_ANSWER_BYTES and not self._keyboard.is_terminal:
            # Data, not an answer. What comes after it must not be taken without it.
            self._say(f"The run can't be given a line of {len(answer)} bytes. Put such data into a file.")
            self._stop(signal.SIGPIPE)
            return
        if line and not prompt.is_secret:
            self._echo.expect(answer)
        text = answer.decode("utf-8", "surrogateescape") if line else None
        try:
            obstacle = runs.answer(self._run, prompt.number, text, user=self._user)
        except PermissionDenied as error:  # the right to it was taken away meanwhile
            obstacle = str(error)
        self._keyboard.show_typing(False)  # before the next question is seen, which may be a secret one
        if obstacle and self._keyboard.is_terminal:
            self._say(obstacle)
        elif obstacle:  # somebody was quicker; it is for the next prompt then
            self._keyboard.give_back(line)

    # The end

    def _heed_signals(self) -> None:
        if self._signals.first and not self._stopped_by:
            self._stop(self._signals.first)

    def _stop(self, number: int) -> None:
        if self._stopped_by:
            return
        self._stopped_by = number
        # Who started it here may end it here, as on the shell, whatever has become of his or her rights.
        with suppress(Error):  # the stop itself goes on
            runs.stop_run(self._run, user=None, who=self._who)
        self._look_at = 0.0


def exit_code(run: Run, stopped_by: int = 0) -> int:
    """Return what a shell would be told of a finished run; `stopped_by` is the signal for which it was stopped here."""
    code = run.exit_code
    if run.status == Status.TIMED_OUT:
        return TIMED_OUT
    if run.status == Status.STOPPED and not (code and (code > 0 or not stopped_by)):
        return 128 + (stopped_by or signal.SIGINT)  # half done must not look like done
    if run.status == Status.LOST or code is None:
        return 1
    return code if code >= 0 else 128 - code
