"""What is to be seen of a run from outside: its command's notes, its processes, and what is stored of its output."""

import os
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from launcher.output.terminal import ERROR_OFF, ERROR_ON
from launcher.reporting import RUN_VARIABLE

ROLES = "msdf"
"""The command itself, a subprocess, a daemon that is another program, a daemon that is a fork."""
_LINE = re.compile(rb"(([msdf]) (\d{7}) [oe] x*) ([0-9a-f]{8})\n")
_PIECE = re.compile(rb"([msdf]) (\d{7}) [oe]")


@dataclass(kw_only=True)
class Notes:
    """What one process has noted. Times are those of the machine's monotonic clock, in nanoseconds."""

    pid: int = 0
    ticks: int = 0
    done: list[tuple[int, int, int]] = field(default_factory=list)
    """How many lines were certainly written, the bytes of the latest of them, and since when."""
    direct_at: int = 0
    """Since when it has written to the terminal, not to the memory that it shares with the supervisor."""
    ended_at: int = 0

    @classmethod
    def read(cls, path: Path) -> "Notes":
        """Return the notes in a file; none if there is no such file."""
        notes = cls()
        text = path.read_text() if path.exists() else ""
        for what, *words in (entry.split() for entry in text.splitlines()):
            numbers = list(map(int, words))
            match what:
                case "here":
                    notes.pid, notes.ticks = numbers[:2]
                case "done":
                    notes.done.append((numbers[0], numbers[1], numbers[2]))
                case "direct":
                    notes.direct_at = notes.direct_at or numbers[0]
                case "end":
                    notes.ended_at = numbers[0]
        return notes

    def certain(self, until: int) -> int:
        """Return how many lines were certainly written at a time."""
        return max((count for count, _size, when in self.done if when < until), default=0)

    def bytes_between(self, found: int, certain: int) -> int:
        """Return about how many bytes the lines have that are missing from one number on to another."""
        before, lost = 0, 0.0
        for count, size, _when in self.done:
            missing = max(0, min(count, certain) - max(before, found))
            lost += size * missing / (count - before)
            before = count
        return round(lost)


@dataclass(kw_only=True)
class Process:
    """A living process, or a zombie."""

    pid: int
    parent: int
    group: int
    session: int
    ticks: int
    is_zombie: bool
    name: str
    words: str

    @property
    def is_warm(self) -> bool:
        """Whether it is a warm process, or a fork of one."""
        return "launcher.execution.zygote" in self.words

    @property
    def is_child(self) -> bool:
        """Whether it looks like the child of a supervisor: in its parent's session, leading a group of its own."""
        return self.session == self.parent and self.group == self.pid and "launcher.execution" in self.words


def processes() -> dict[int, Process]:
    """Return all processes of the machine."""
    return {process.pid: process for process in _processes()}


def _processes() -> Iterator[Process]:
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError):
                told, _, rest = Path(f"/proc/{name}/stat").read_text().rpartition(")")
                stat = rest.split()
                words = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                parent, group, session = map(int, stat[1:4])
                yield Process(
                    pid=int(name),
                    parent=parent,
                    group=group,
                    session=session,
                    ticks=int(stat[19]),
                    is_zombie=stat[0] in "ZX",
                    name=told.partition("(")[2],
                    words=words,
                )


def warm_processes() -> list[int]:
    """Return the ids of the warm processes that use this test's database."""
    mark = f"LAUNCHER_TEST_DATABASE={settings.TEST_DATABASE}".encode()
    found = processes()
    warm = {pid for pid, process in found.items() if process.is_warm and not process.is_zombie}
    return [
        pid for pid in warm if found[pid].parent not in warm and _has(pid, "environ", mark) and _is_leader(found[pid])
    ]


def _is_leader(process: Process) -> bool:
    """Tell a warm process from a supervisor whose warm process is gone: it has the socket's lock open."""
    with suppress(OSError):
        for name in os.listdir(f"/proc/{process.pid}/fd"):
            with suppress(OSError):
                if os.readlink(f"/proc/{process.pid}/fd/{name}").endswith(".lock"):
                    return True
    return False


def processes_of(uid: str, supervisors: set[int], notes: dict[str, Notes]) -> dict[int, str]:
    """Return the living processes of a run, and how each was told; whichever way shows it."""
    left = {}
    mark, spool = f"{RUN_VARIABLE}={uid}".encode(), f"run-{uid}".encode()
    noted = {note.pid: (role, note.ticks) for role, note in notes.items() if note.pid}
    for pid, process in processes().items():
        if process.is_zombie:
            continue
        role, ticks = noted.get(pid, ("", 0))
        if role and process.ticks == ticks:
            left[pid] = f"{role}: noted by itself"
        elif _has(pid, "environ", mark):
            left[pid] = "by its variable"
        elif _has(pid, "maps", spool):
            left[pid] = "by what it has mapped"
        elif process.session in supervisors and "launcher.execution" in process.words:
            left[pid] = "by its session"
    return left


def zombies_below(parents: set[int]) -> dict[int, str]:
    """Return the zombies whose parents are these: the name and the parent of each, by its id."""
    return {
        process.pid: f"{process.name}, of {process.parent}: {words_of(process.parent)}"
        for process in processes().values()
        if process.is_zombie and process.parent in parents
    }


def words_of(pid: int) -> str:
    """Return the words of a process, or nothing if it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def _has(pid: int, name: str, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return False


@dataclass(kw_only=True)
class Found:
    """The stored output, taken apart."""

    numbers: dict[str, list[int]]
    """By role: the numbers of the lines that are whole, in the order in which they stand there."""
    pieces: list[tuple[str, int]]
    """Role and number of lines that are not whole."""

    @classmethod
    def read(cls, output: bytes) -> "Found":
        """Take stored output apart."""
        text = output.replace(ERROR_ON, b"").replace(ERROR_OFF, b"")
        numbers: dict[str, list[int]] = {role: [] for role in ROLES}
        rest, position = [], 0
        for match in _LINE.finditer(text):
            if zlib.crc32(match[1]) == int(match[4], 16):
                numbers[match[2].decode()].append(int(match[3]))
                rest.append(text[position : match.start()])
                position = match.end()
        rest.append(text[position:])
        pieces = [(piece[1].decode(), int(piece[2])) for piece in _PIECE.finditer(b"\n".join(rest))]
        return cls(numbers=numbers, pieces=pieces)

    def trouble(self, role: str, certain: int) -> str:
        """Return what is wrong with one process's lines, of which so many have to be there."""
        numbers = self.numbers[role]
        if numbers != list(range(len(numbers))):
            odd = next(index for index, number in enumerate(numbers) if index != number)
            return (
                f"{role}: line {odd} is followed by {numbers[odd - 1 : odd + 2]} (of {len(numbers)}, {certain} certain)"
            )
        if len(numbers) < certain:
            return f"{role}: {certain - len(numbers)} lines are lost: {len(numbers)} of {certain}"
        # What was being written when the process, or whoever read from it, ended.
        torn = [number for found, number in self.pieces if found == role and number != max(certain, len(numbers))]
        return f"{role}: torn lines {torn}" if torn else ""
