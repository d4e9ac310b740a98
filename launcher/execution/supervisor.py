"""The process beside a run: takes what the child writes, stores it, stops the child when asked, and says how it ended.

This thread reads and never touches the database; the other one (`Shipper`) carries everything there, since a command's
own transaction may keep the database locked for as long as it likes.
"""

from __future__ import annotations

import errno
import json
import os
import selectors
import signal
import time
from contextlib import suppress
from typing import Any

from django.utils.translation import gettext as _

from launcher.conf import options
from launcher.execution import control, stopping
from launcher.execution.channel import Channel
from launcher.execution.progress import ProgressWatch, write_doing
from launcher.execution.prompting import LONGEST_ANSWER_BYTES, PromptWatch, write_prompt
from launcher.execution.record import Outcome, make_outcome
from launcher.execution.ring import WAKE
from launcher.execution.shipper import Shipper
from launcher.execution.stop_steps import StopSteps
from launcher.models import Run, Status
from launcher.output.store import Spool, SpoolWriter

READ_BYTES = 64 * 1024
GATHER_SECONDS = 0.05
"""While a command writes without pause, what it writes is stored so often; a first line after a pause at once."""
IDLE_SECONDS = 0.1
DRAIN_SECONDS = 0.25
"""How long it must be quiet after the child's end, since processes that it left behind may still write."""
DRAIN_LIMIT_SECONDS = 2.0


class Supervisor:
    """Watches one child until it has ended and everything about it is recorded."""

    def __init__(self, run: Run, *, child: int, channel: Channel) -> None:
        self._run = run
        self._child = child
        self._channel = channel
        self._spool = Spool(run.uid)
        self._writer = SpoolWriter(self._spool)
        self._steps = StopSteps(child)
        self._shipper = Shipper(run.pk, self._spool, self._steps.taken)
        self._watch = PromptWatch(channel, child)
        self._progress = ProgressWatch()
        self._control = control.Listener(self._spool, self._hear)
        self._selector = selectors.DefaultSelector()
        self._report = b""
        self._wait_status: int | None = None
        self._started = time.monotonic()
        self._gathering_until = 0.0

    def watch(self) -> None:
        """Stay until the child has ended and its end is recorded."""
        os.set_blocking(self._channel.terminal, False)
        found = [self._channel.terminal, self._channel.link.fileno(), stopping.wakeup_descriptor()]
        if (listening := self._control.fileno()) is not None:
            found.append(listening)
        for descriptor in found:
            self._selector.register(descriptor, selectors.EVENT_READ)
        self._shipper.start()
        with self._selector:
            self._loop()
        self._control.close()
        self._writer.close()
        outcome = self._outcome()
        self._spool.write_outcome(outcome)
        self._shipper.finish(outcome)
        # Processes that the command left behind go on, as on the shell: a hang-up would be for the foreground.
        self._channel.give_foreground(os.getpgrp())

    def _loop(self) -> None:
        ended_at = quiet_since = float("inf")
        while True:
            got_output = self._take_what_comes()
            self._steps.step(self._why_stop())
            if self._watch.look():
                self._tell_prompt()
            self._tell_doing()
            self._reap()
            if self._wait_status is None or self._steps.is_under_way():
                continue
            now = time.monotonic()
            ended_at = min(ended_at, now)
            quiet_since = now if got_output else min(quiet_since, now)
            is_quiet = now - quiet_since > DRAIN_SECONDS or now - ended_at > DRAIN_LIMIT_SECONDS
            if is_quiet or not self._is_open(self._channel.terminal):
                self._read_link()
                self._take_from_ring()
                self._keep(self._progress.rest())
                self._tell_doing(is_last=True)
                return

    def _is_open(self, descriptor: int) -> bool:
        return descriptor in {key.fd for key in self._selector.get_map().values()}

    def _take_what_comes(self) -> bool:
        """Wait for something to happen, and store what was written; True if there was anything."""
        got_output = self._is_gathered() and self._take_from_ring()
        ready = {key.fd for key, _ in self._selector.select(0 if got_output else self._seconds_to_wait())}
        if stopping.wakeup_descriptor() in ready:
            stopping.drain_wakeup()
        is_woken = self._channel.link.fileno() in ready
        if is_woken:
            self._read_link()
        if self._control.fileno() in ready:
            self._control.take()
        # What the child's Python printed before somebody else wrote to the terminal came first.
        if is_woken or self._channel.terminal in ready or self._wait_status is not None:
            got_output = self._take_from_ring() or got_output
        if self._channel.terminal in ready:
            got_output = self._read_terminal() or got_output
        return got_output

    def _is_gathered(self) -> bool:
        return time.monotonic() >= self._gathering_until

    def _seconds_to_wait(self) -> float:
        """Return how long nothing need be looked at: until the ring is emptied again, or the child wakes us."""
        if not self._is_gathered():
            return max(0.0, self._gathering_until - time.monotonic())
        return IDLE_SECONDS if self._channel.ring.sleep() else 0.0

    def _take_from_ring(self) -> bool:
        taken = self._channel.ring.take(self._store, self._wake_child)
        if taken:
            self._gathering_until = time.monotonic() + GATHER_SECONDS
        return bool(taken)

    def _store(self, data: bytes) -> int:
        """Store what was written, less reports of how far it is, which are no output; return how many bytes it was."""
        return self._keep(self._progress.take(data))

    def _keep(self, data: bytes) -> int:
        if data:
            self._writer.append(data)
            self._watch.note_output(data)
            self._shipper.note_stored(self._writer.size)
        return len(data)

    def _wake_child(self) -> None:
        with suppress(OSError):
            self._channel.link.send(WAKE)

    def _read_terminal(self) -> bool:
        """Store what is there; a pseudo-terminal says EIO once nobody has its other end open."""
        try:
            data = os.read(self._channel.terminal, READ_BYTES)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if not data:
            self._selector.unregister(self._channel.terminal)
            return False
        self._channel.ring.note_stored(self._store(data))
        return True

    def _read_link(self) -> None:
        """Take what the child says besides its output: that there is some, or why it failed."""
        descriptor = self._channel.link.fileno()
        if not self._is_open(descriptor):
            return
        try:
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        self._report += data.replace(WAKE, b"")
        if not data:
            self._selector.unregister(descriptor)

    def _reap(self) -> None:
        """Take note of the child's end, and of that of processes it left to this one."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid == self._child:
                    self._wait_status = status
                    self._steps.child_has_ended = True

    def _why_stop(self) -> str:
        """Return the reason for an end: "stop", a time limit in words, or an empty string."""
        if stopping.is_stop_wanted():
            return "stop"
        if self._wait_status is not None:
            return ""
        limit = self._run.timeout_seconds
        if limit and time.monotonic() - self._started > limit:
            return _("It took longer than its time limit of %g seconds.") % limit
        prompt, patience = self._watch.prompt, options().answer_timeout_seconds
        if prompt and patience and time.time() - prompt.since > patience:
            return _("Nobody answered within %(seconds)g seconds: %(question)s") % {
                "seconds": patience,
                "question": prompt.text,
            }
        return ""

    # Prompts

    def _tell_prompt(self) -> None:
        prompt = self._watch.prompt.as_dict() if self._watch.prompt else None
        write_prompt(self._spool, prompt)
        self._shipper.tell_prompt(prompt)

    def _tell_doing(self, *, is_last: bool = False) -> None:
        doing = self._progress.look(is_last=is_last)
        if doing is not None:
            write_doing(self._spool, doing)
            self._shipper.tell_doing(doing)

    def _hear(self, message: control.Message) -> control.Message:
        """Answer what somebody says; see `control`."""
        prompt = self._watch.prompt
        if prompt is None or message.get("number") != prompt.number:
            return {"is_taken": False, "why": "gone"}
        if message.get("is_end"):
            self._watch.end_input()
        else:
            text = str(message.get("text", ""))
            if len(text.encode("utf-8", "surrogateescape")) > LONGEST_ANSWER_BYTES:
                return {"is_taken": False, "why": "long"}
            self._watch.answer(text)
        if self._is_open(self._channel.terminal):
            self._read_terminal()
        self._tell_prompt()
        return {"is_taken": True}

    # The end

    def _outcome(self) -> Outcome:
        exit_code = os.waitstatus_to_exitcode(self._wait_status or 0)
        said = self._said_by_child()
        if self._steps.taken:
            status, reason = self._stopped(exit_code)
        elif exit_code == 0:
            status, reason = Status.SUCCEEDED, ""
        elif exit_code < 0:
            status, reason = Status.FAILED, _("Killed by signal %s.") % _signal_name(-exit_code)
        else:
            status, reason = Status.FAILED, said.get("reason") or _("Ended with exit code %d.") % exit_code
        if self._writer.lost_bytes:
            reason += " " + _("The disk was full: %d bytes of output are missing.") % self._writer.lost_bytes
        return make_outcome(
            status,
            reason.strip(),
            exit_code=exit_code,
            traceback=said.get("traceback", ""),
            stop_steps=self._steps.taken,
            doing=self._progress.doing,
        )

    def _stopped(self, exit_code: int) -> tuple[Status, str]:
        """It may have caught the signal and returned as if nothing was: half done must not look like done."""
        name = self._steps.taken[-1][0]
        if self._steps.why == "stop":
            status, reason = Status.STOPPED, _("Stopped by %s.") % name
        else:
            status, reason = Status.TIMED_OUT, f"{self._steps.why} {_('Ended by %s.') % name}"
        if exit_code >= 0:
            reason += " " + _("It ended with exit code %d.") % exit_code
        return status, reason

    def _said_by_child(self) -> dict[str, str]:
        """Return what came by the link; whatever else the command wrote into it counts as nothing."""
        try:
            said: Any = json.loads(self._report)
        except ValueError:
            return {}
        is_ours = isinstance(said, dict) and all(isinstance(value, str) for value in said.values())
        return said if is_ours else {}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return str(number)
