"""A run's stored output, told apart again into what a shell knows as stdout and stderr. Bytes in, bytes out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from launcher.output.terminal import ERROR_OFF, ERROR_ON

LONGEST_ESCAPE = 4096
ECHO_BYTES = 4096
"""After so much else, an answer's echo is not waited for any more."""

_MARK = re.compile(b"(" + re.escape(ERROR_ON) + b"|" + re.escape(ERROR_OFF) + b")")
# CSI and OSC (ECMA-48, 5.4 and 5.6). Shorter ones are no colours, and too likely to be a part of binary data.
_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\))")
_CUT_OFF = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b\n]*\x1b?)?\Z")


class Divider:
    """Takes output in pieces, cut anywhere, and says of each part whether it was written to stderr."""

    def __init__(self) -> None:
        self._is_error = False
        self._held = b""

    def divide(self, data: bytes, *, is_end: bool = False) -> Iterator[tuple[bool, bytes]]:
        """Yield the parts in order, each with True for stderr; what may be half a mark is held until the next piece."""
        data = self._held + data
        size = len(data) if is_end else len(data) - _begun(data)
        self._held = data[size:]
        for part in _MARK.split(data[:size]):
            if part in (ERROR_ON, ERROR_OFF):
                self._is_error = part == ERROR_ON
            elif part:
                yield self._is_error, part


def _begun(data: bytes) -> int:
    """Return how many bytes at the end may be the beginning of a mark."""
    size = len(data) - data.rfind(b"\x1b", max(0, len(data) - len(ERROR_ON) + 1))
    is_begun = size < len(ERROR_ON) and any(mark.startswith(data[-size:]) for mark in (ERROR_ON, ERROR_OFF))
    return size if is_begun else 0


class Bare:
    """Takes colours and other escape sequences out of what is written in pieces, cut anywhere."""

    def __init__(self) -> None:
        self._held = b""

    def strip(self, data: bytes, *, is_end: bool = False) -> bytes:
        """Return the bytes without them; what may be half a sequence is held until the next piece."""
        data = self._held + data
        match = None if is_end else _CUT_OFF.search(data, max(0, len(data) - LONGEST_ESCAPE))
        size = match.start() if match else len(data)
        self._held = data[size:]
        return _ESCAPE.sub(b"", data[:size])


class Echo:
    """Takes out what the run's terminal repeats of an answer: who typed it has seen it, and a pipe shows nothing."""

    def __init__(self) -> None:
        self._pattern: re.Pattern[bytes] | None = None
        self._answer = b""
        self._held = b""
        self._is_line_start = False
        self._passed = 0

    def expect(self, answer: bytes) -> None:
        """Have the line taken out of what comes next. Some output that is not the terminal's own may come before it."""
        # GNU Readline ends the bracketed paste before the line's end.
        self._pattern = re.compile(rb"(?:\A|(?<=\n))" + re.escape(answer) + rb"(?:\x1b\[\?2004l)?\r*\n")
        self._answer = answer
        self._is_line_start = True
        self._passed = 0

    def strip(self, data: bytes, *, is_end: bool = False) -> bytes:
        """Return the bytes without the echo; what may be half of it is held until the next piece."""
        if self._pattern is None:
            return data
        data, self._held = self._held + data, b""
        found = self._pattern.search(data, 0 if self._is_line_start else data.find(b"\n") + 1)
        if found:
            self._pattern = None
            return data[: found.start()] + data[found.end() :]
        start = data.rfind(b"\n") + 1
        last = data[start:].rstrip(b"\r")
        if not is_end and (start or self._is_line_start) and self._answer.startswith(last):
            data, self._held = data[:start], data[start:]
        self._passed += len(data)
        if self._passed > ECHO_BYTES:
            self._pattern = None
        if data:
            self._is_line_start = data.endswith(b"\n")
        return data
