"""Waiting for one's turn: tickets and slots as locked files of one host, which a dead process gives up by dying.

A run that may not start yet waits with a locked ticket, first among the runs of its command, where that has a limit,
then among all of its host. The oldest takes the first free slot. Knows no Django: a run can wait before the project
is loaded.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

HEAD_SECONDS = 0.05
"""How often the first in a line looks for a free slot; those behind it look less often."""
LONGEST_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many runs may go on at once; None is no limit."""

    on_host: int | None = None
    of_command: int | None = None
    is_refused: bool = False
    """Whether a run that finds its command at its limit is refused, instead of waiting."""


NO_LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a waiting run stands: so many are before it, in the line for its command or for the host."""

    before: int
    is_for_command: bool


class Refused(Exception):
    """The command is at its limit, and its runs are not to wait."""


class Turn:
    """One run's way to its turn. Its files stay locked until it is released, or its process ends."""

    def __init__(self, folder: Path, *, run_pk: int, uid: str, command: str, limits: Limits) -> None:
        self._folder = folder
        self._name = f"{run_pk:020d}-{uid}"
        self._limits = limits
        self._command = f"command-{hashlib.sha256(command.encode()).hexdigest()[:16]}"
        self._ticket: int | None = None
        self._slots: list[int] = []
        self._stages = [
            (line, limit) for line, limit in ((self._command, limits.of_command), ("host", limits.on_host)) if limit
        ]

    def take_ticket(self) -> int | None:
        """Stand in line, where runs come in order; returns the ticket's descriptor, None where none is needed."""
        if self._stages:
            self._ticket = self._lock_ticket(self._stages[0][0])
        return self._ticket

    def inherit_ticket(self, descriptor: int) -> None:
        """Go on with a ticket that the parent process took."""
        self._ticket = descriptor

    def wait(self, pause: Callable[[float], bool]) -> bool:
        """Wait for every slot that is needed; `pause` waits so many seconds and tells whether to give up.

        Returns False if it was given up. Raises Refused.
        """
        for position, (line, limit) in enumerate(self._stages):
            if self._ticket is None:
                self._ticket = self._lock_ticket(line)
            while (slot := self._take_slot(line, limit)) is None:
                if line == self._command and self._limits.is_refused:
                    raise Refused
                if pause(self._pause_seconds(line)):
                    return False
            self._slots.append(slot)
            following = self._lock_ticket(self._stages[position + 1][0]) if position + 1 < len(self._stages) else None
            self._drop_ticket(line)
            self._ticket = following
        return True

    def release(self) -> None:
        """Give up ticket and slots."""
        for line, _limit in self._stages:
            self._drop_ticket(line)
        for slot in self._slots:
            os.close(slot)
        self._slots.clear()

    def forget(self) -> None:
        """In another process than the run's: close the files, which stay locked for as long as the run's has them."""
        for descriptor in [*self._slots, *([self._ticket] if self._ticket is not None else [])]:
            with suppress(OSError):
                os.close(descriptor)
        self._slots.clear()
        self._ticket = None

    def place(self) -> Place | None:
        """Return where the run stands, None if it is in no line or about to start. Asked by any process of the host."""
        for line, limit in ((self._command, self._limits.of_command), ("host", self._limits.on_host)):
            if (self._folder / line / self._name).exists():
                before = len(self._before(line))
                if before < self._free_slots(line, limit or 0):
                    return None
                return Place(before=before, is_for_command=line == self._command)
        return None

    def _lock_ticket(self, line: str) -> int:
        path = self._folder / line / self._name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Between the two lines above, another may have taken it for a dead one's and removed it.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
            os.close(descriptor)

    def _drop_ticket(self, line: str) -> None:
        if self._ticket is not None:
            (self._folder / line / self._name).unlink(missing_ok=True)
            os.close(self._ticket)
            self._ticket = None

    def _take_slot(self, line: str, limit: int) -> int | None:
        """Return the descriptor of a free slot, if this is the oldest of its line."""
        # Only as far as the first that lives: with all looking at all, some hundred would keep a core busy.
        if any(_is_held(self._folder / line / name) for name in self._names_before(line)):
            return None
        for number in range(limit):
            descriptor = os.open(self._folder / f"{line}-slot-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _lock(descriptor):
                return descriptor
            os.close(descriptor)
        return None

    def _free_slots(self, line: str, limit: int) -> int:
        slots = (self._folder / f"{line}-slot-{number}" for number in range(limit))
        return sum(not _is_held(slot, is_kept=True) for slot in slots)

    def _before(self, line: str) -> list[str]:
        """Return the tickets before this one; those of dead processes are removed."""
        return [name for name in self._names_before(line) if _is_held(self._folder / line / name)]

    def _names_before(self, line: str) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self._folder / line) if name < self._name)
        except OSError:
            return []

    def _pause_seconds(self, line: str) -> float:
        return min(HEAD_SECONDS * (1 + len(self._names_before(line))), LONGEST_SECONDS)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_held(path: Path, *, is_kept: bool = False) -> bool:
    """Tell whether a process has the file locked; one that none has is removed, unless it is to be kept."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if not _lock(descriptor):
            return True
        if not is_kept:
            path.unlink(missing_ok=True)
        return False
    finally:
        os.close(descriptor)
