"""Regular expressions of people, matched in a process that can be ended.

Why a process: some patterns take longer than the universe on a short line (`(a+)+$` on thirty times "a"), and whoever
may read a log may type one, by mistake or not. Python's `re` can't be interrupted, it answers no signal before it has
finished, and it holds the interpreter's lock meanwhile: one such search in the web process, in a thread or not, would
stop every request that it serves. There is no telling such patterns from harmless ones beforehand, and another engine
would be a dependency with a syntax of its own. So each search with a pattern has a small interpreter beside it, which
takes about 20 ms to start, has loaded nothing but `re` (`launcher.output.matching`), sees no more than the pattern and
the text that it is sent, and is killed by its own id when it has not answered in time. It lives within one request:
no page that is closed, no reader who is slow, leaves one behind; one whose web process dies reads the end of its pipe,
or reaches its limit of processor time.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from array import array
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore
from types import TracebackType
from typing import Self

from launcher.conf import options
from launcher.output import matching

ANSWER_SECONDS = 2.0
"""How long the process may take over one piece of text, which is milliseconds for any harmless pattern."""
START_SECONDS = 5.0
"""How long it may take to start, on a machine that is busy, and to understand the pattern."""
MOST_AT_ONCE = 4
"""Processes that a web process has at once; further searches wait a moment, and then say that they could not begin."""
WAIT_SECONDS = 1.0
PIPE_BYTES = 64 * 1024

_places = BoundedSemaphore(MOST_AT_ONCE)
_PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{[^}]*\}|.", re.DOTALL)  # of a regular expression
_CHANGES_ALL = re.compile(r"\(\?[^:P<=!]|\\[xuUN0-9]")  # flags and comments; signs that have several characters
_SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")


class SearchRefusedError(Exception):
    """A search that can't be done."""


class BadPatternError(SearchRefusedError):
    """What was given is no regular expression; `place` is where it goes wrong, in characters from 0, if known."""

    def __init__(self, message: str, place: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class TooSlowError(SearchRefusedError):
    """A pattern took too long, and its process was ended."""


class CannotStartError(SearchRefusedError):
    """The process can't be started; the message is the system's."""


class BusyError(SearchRefusedError):
    """Too many patterns are being searched for at once."""


def is_literal(pattern: str) -> bool:
    """Tell whether a regular expression means just the text that it is."""
    return not _SPECIAL.search(pattern)


def needed_text(pattern: str) -> str:
    """Return a text that is in whatever a regular expression matches, "" where none is seen.

    Only what is plainly there counts: nothing of a group, no letter that a repetition may leave out.
    """
    if _CHANGES_ALL.search(pattern):
        return ""
    runs = [""]
    depth = 0
    for part in _PARTS.findall(pattern):
        if depth == 0 and part == "|":
            return ""
        if depth == 0 and len(part) == 1 and not _SPECIAL.match(part):
            runs[-1] += part
        elif depth == 0 and len(part) == 2 and part[0] == "\\" and not part[1].isalnum():  # an escaped sign
            runs[-1] += part[1]
        else:
            if part[0] in "*?{":  # what is before it need not be there
                runs[-1] = runs[-1][:-1]
            depth += (part == "(") - (part == ")")
            runs.append("")
    return max(runs, key=len)


class Pattern:
    """A regular expression in a process of its own; a context manager, which ends it.

    Raises BadPatternError, BusyError and CannotStartError when it begins, TooSlowError then and from whatever it is
    asked. After any of them it is of no use any more.
    """

    def __init__(self, pattern: str, *, is_case_sensitive: bool) -> None:
        if not _places.acquire(timeout=WAIT_SECONDS):
            raise BusyError
        try:
            self._process = subprocess.Popen(
                [options().python, "-I", "-S", "-W", "ignore", str(Path(matching.__file__))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd="/",
                env={},
            )
        except OSError as error:
            _places.release()
            raise CannotStartError(str(error)) from error
        except BaseException:
            _places.release()
            raise
        self._is_open = True
        try:
            assert self._process.stdin is not None  # noqa: S101  for the type checker
            assert self._process.stdout is not None  # noqa: S101
            self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
            os.set_blocking(self._to, False)
            os.set_blocking(self._from, False)
            case = "s" if is_case_sensitive else "i"
            self._ask(b"P", (case + pattern).encode("utf-8", "replace"), START_SECONDS)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def lines(self, text: bytes, *, is_continued: bool = False) -> list[int]:
        """Return which of some lines match, counted from 0; `is_continued` says that the first began elsewhere."""
        return self._numbers(b"l" if is_continued else b"L", text).tolist()

    def spans(self, text: bytes) -> list[tuple[int, int, int]]:
        """Return where the lines match: a line's number from 0, and the match's start and end in UTF-16 units.

        Of many, the first `matching.MOST_SPANS`; of a line, `matching.MOST_LINE_SPANS`.
        """
        flat = iter(self._numbers(b"S", text))
        return list(zip(flat, flat, flat, strict=True))

    def close(self) -> None:
        """End the process."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._process.kill()  # it has nothing to lose
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
        finally:
            _places.release()

    def _numbers(self, kind: bytes, text: bytes) -> array[int]:
        return array("I", self._ask(kind, text, ANSWER_SECONDS))

    def _ask(self, kind: bytes, body: bytes, seconds: float) -> bytes:
        """Write a question and return the answer's body. The process reads a question whole before it answers."""
        deadline = time.monotonic() + seconds
        data = memoryview(matching.frame(kind, body))
        with suppress(BrokenPipeError):  # it is gone: so says the end of what it writes, too
            while data:
                self._wait(self._to, select.POLLOUT, deadline)
                data = data[os.write(self._to, data[:PIPE_BYTES]) :]
        size, answer = matching.read_head(self._read(matching.HEAD_BYTES, deadline))
        body = self._read(size, deadline)
        if answer == b"E":
            place, _, message = body.decode().partition("\n")
            raise BadPatternError(message, int(place) if place else None)
        return body

    def _read(self, size: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < size:
            self._wait(self._from, select.POLLIN, deadline)
            piece = os.read(self._from, size - len(found))
            if not piece:  # it has reached a limit of its own, or somebody has ended it
                raise TooSlowError
            found += piece
        return bytes(found)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TooSlowError
