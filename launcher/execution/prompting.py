"""Whether a run waits for somebody to type. The kernel tells: a process of it sleeps in a read of its terminal."""

from __future__ import annotations

import os
import platform
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from launcher.execution.channel import Channel
from launcher.execution.descendants import quick_descendants
from launcher.execution.ring import is_readable
from launcher.models import Run
from launcher.output.spool import Spool, host_name, read_noted, write_whole
from launcher.output.terminal import plain_text

QUIET_SECONDS = 0.15
"""So long nothing must have been written: a prompt comes before the wait for its answer."""
GUESS_SECONDS = 1.5
"""So long it must be quiet after an unfinished line, where the kernel does not tell or the program does not read."""
LOOK_SECONDS = 0.2
TEXT_CHARACTERS = 500
ECHO_SECONDS = 0.02
LONGEST_ANSWER_BYTES = 4000
"""A terminal takes lines of 4095 bytes (termios(3), canonical mode); a longer one would be cut in silence."""

_READ = {"x86_64": 0, "aarch64": 63, "riscv64": 63, "i686": 3, "armv7l": 3, "ppc64le": 3, "s390x": 3}
"""The number of the system call read, by machine."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A question that waits for its answer."""

    number: int
    """1 for the run's first; an answer names the prompt it is for, so that two people don't answer one twice."""
    text: str
    is_secret: bool
    since: float
    """When it was first seen (epoch seconds)."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as values that JSON can hold."""
        return asdict(self)


def write_prompt(spool: Spool, prompt: dict[str, Any] | None) -> None:
    """Note what the run waits for, or that it does not wait: pages on the same host look here."""
    path = spool.folder / "prompt.json"
    with suppress(OSError):
        if prompt is None:
            path.unlink(missing_ok=True)
        else:
            write_whole(path, prompt)


def prompt_of(run: Run) -> Prompt | None:
    """Return what a run waits for, as far as that is known; on its own host at once."""
    found = run.prompt
    if run.host == host_name():
        found = read_noted(Spool(run.uid).folder / "prompt.json")
    return Prompt(**found) if found and not run.is_finished else None


class PromptWatch:
    """Looks for prompts, now and then, for as long as a run goes on."""

    def __init__(self, channel: Channel, child: int) -> None:
        self._channel = channel
        self._child = child
        self._count = 0
        self._written_at = time.monotonic()
        self._looked_at = 0.0
        self._tail = b""
        self.prompt: Prompt | None = None

    def note_output(self, data: bytes) -> None:
        """Take note of what was written: the question is in its end."""
        self._tail = (self._tail + data[-2048:])[-2048:]
        self._written_at = time.monotonic()

    def look(self) -> bool:
        """Look whether there is a prompt, if it is time to; True if that has changed."""
        now = time.monotonic()
        is_quiet = now - self._written_at > QUIET_SECONDS
        if not self._channel.terminal_name or now - self._looked_at < LOOK_SECONDS or not (is_quiet or self.prompt):
            return False
        self._looked_at = now
        before = self.prompt
        if not self._is_waiting():
            self.prompt = None
        else:
            text, is_secret = self._text(), not self._channel.is_echoing()
            if before is None or before.is_secret != is_secret:
                self._count += 1
                self.prompt = Prompt(number=self._count, text=text, is_secret=is_secret, since=time.time())
            elif before.text != text:  # something else is written meanwhile; it is the same wait all the same
                self.prompt = replace(before, text=text)
        return self.prompt != before

    def answer(self, text: str) -> None:
        """Type a line into the terminal."""
        self._type(text.encode("utf-8", "surrogateescape") + (b"\r" if self._channel.is_raw() else b"\n"))

    def end_input(self) -> None:
        """Say that there is nothing more to read, as Ctrl-D does."""
        self._type(b"\x04")

    def _type(self, data: bytes) -> None:
        with suppress(OSError):
            os.write(self._channel.terminal, data)
            # Its echo comes before whatever the command says to it.
            is_readable(self._channel.terminal, ECHO_SECONDS)
        self.prompt = None
        self._written_at = self._looked_at = time.monotonic()

    def _text(self) -> str:
        """Return the question: the unfinished line, or else the last one."""
        lines = [line for line in self._tail.rsplit(b"\n", 2) if line.strip()]
        return plain_text(lines[-1]).strip()[-TEXT_CHARACTERS:] if lines else ""

    def _is_waiting(self) -> bool:
        number = _READ.get(platform.machine()) if sys.platform == "linux" else None
        quiet = time.monotonic() - self._written_at
        if number is None or not os.path.exists(f"/proc/{self._child}/syscall"):
            is_unfinished = bool(self._tail) and not self._tail.endswith(b"\n")
            return quiet > GUESS_SECONDS and is_unfinished
        group = [self._child, *quick_descendants(self._child)]
        if any(_reads_terminal(pid, number) for pid in group):
            return True
        # An editor of lines polls before it reads, with the terminal set to give it each key.
        return quiet > GUESS_SECONDS and self._channel.is_raw()


def _reads_terminal(pid: int, number: int) -> bool:
    """Tell whether one of a process's threads sleeps in a read of a terminal."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return False
    return any(_thread_reads_terminal(pid, thread, number) for thread in threads[:64])


def _thread_reads_terminal(pid: int, thread: str, number: int) -> bool:
    try:
        with open(f"/proc/{pid}/task/{thread}/syscall") as file:
            words = file.read().split()
        if len(words) < 2 or words[0] != str(number):
            return False
        target = os.readlink(f"/proc/{pid}/fd/{int(words[1], 16)}")
    except (OSError, ValueError):
        return False
    return target.startswith(("/dev/pts/", "/dev/tty"))
