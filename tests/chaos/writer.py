"""Writes numbered lines, and notes after each what is certainly out of its hands. Knows no Django.

`python -S writer.py <role> <folder> <seconds> <seed>` does so as a process that a command has left or waits for.
"""

import os
import random
import signal
import sys
import time
import zlib
from contextlib import suppress
from pathlib import Path

LONGEST_BURST = 400
MOVE = "\x1b7\x1b8"
"""Has no effect, but only a screen can tell."""
HUGE_BURST = 30_000
"""Lines; more than the memory between child and supervisor holds."""


def line(role: str, number: int, stream: str, width: int) -> str:
    """Return a line that shows if a byte of it is missing or belongs to another."""
    text = f"{role} {number:07d} {stream} {'x' * width}"
    return f"{text} {zlib.crc32(text.encode()):08x}\n"


class Writer:
    """One process's lines, in both streams under one count."""

    def __init__(self, folder: Path, role: str, seed: str, *, draws: bool = False) -> None:
        self._notes = os.open(folder / role, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._role = role
        self._number = 0
        self._random = random.Random(seed)
        self._draws = draws
        stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        self.note("here", os.getpid(), int(stat[19]))

    def note(self, what: str, *numbers: int) -> None:
        """Write a note with some numbers and the time, whole: a kill leaves it there."""
        os.write(self._notes, f"{what} {' '.join(map(str, [*numbers, time.monotonic_ns()]))}\n".encode())

    def write(self, ways: tuple[str, ...]) -> None:
        """Write something in one of the ways, and note when it is certain to be out of this process's hands."""
        way = self._random.choice(ways)
        stream = self._random.choice("ooe")
        count = {"burst": self._random.randint(2, LONGEST_BURST), "huge": HUGE_BURST}.get(way, 1)
        first = self._number
        self._number += count
        width = 160 if way == "huge" else self._random.randint(0, 120)
        text = "".join(line(self._role, number, stream, width) for number in range(first, first + count))
        has_move = self._draws and self._random.random() < 0.1
        self._put(way, stream, MOVE + text if has_move else text)
        self.note("done", self._number, len(text))

    def _put(self, way: str, stream: str, text: str) -> None:
        file = sys.stderr if stream == "e" else sys.stdout
        if way == "os":
            self.note("direct")
            rest = text.encode()
            while rest:
                rest = rest[os.write(2 if stream == "e" else 1, rest) :]
        elif way == "halves":
            half = len(text) // 2
            for part in (text[:half], text[half:]):
                file.write(part)
                file.flush()
        else:
            file.write(text)
            file.flush()

    def write_for(self, seconds: float, ways: tuple[str, ...]) -> None:
        """Write at random pace for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.write(ways)
            if self._random.random() < 0.8:
                time.sleep(self._random.choice((0.0, 0.001, 0.01, 0.03)))


def write_as_helper(folder: Path, role: str, seconds: float, seed: str) -> None:
    """Write for so long; where nobody takes it any more, stay without a word."""
    end = time.monotonic() + seconds
    writer = Writer(folder, role, seed)
    with suppress(OSError):
        writer.write_for(seconds, ("line", "burst"))
    time.sleep(max(0.0, end - time.monotonic()))


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a helper that is not gone by itself when the terminal is
    write_as_helper(Path(sys.argv[2]), sys.argv[1], float(sys.argv[3]), sys.argv[4])
