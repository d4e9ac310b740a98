"""One look at an output that may be growing: a consistent view of it, and finding lines in it by their number.

Whatever the output is like, a look reads a bounded amount: a line of megabytes is passed by way of the marks.
"""

from __future__ import annotations

from launcher.output.held import TAIL_BYTES, settled_length
from launcher.output.marks import Mark
from launcher.output.reading import Output
from launcher.output.style import ERROR_OFF, ERROR_ON
from launcher.output.terminal import uncut_length

WINDOW_BYTES = 256 * 1024

_MOST_MARKS = 8
"""Marks of stderr looked through for the beginning of a line; more follow each other only where someone forges them."""


class Look:
    """An output as it stood at one moment; `is_steady` says afterwards whether it still stands so."""

    def __init__(self, output: Output, *, is_finished: bool) -> None:
        self.output = output
        self._generation, self.drawn, self.size = output.standing()
        self.gap = output.gap
        self.is_finished = is_finished and not self.drawn
        """Whether everything is settled. A run may have ended without anybody who settles what is on its screen."""

    def is_steady(self) -> bool:
        """Tell whether what was read can't have been taken back or left out meanwhile."""
        if self.is_finished:
            return True
        is_same = self.drawn is not None or self.output.standing().generation == self._generation
        return is_same and self.output.gap == self.gap

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes between two places, as far as they are there."""
        return self.output.read(start, max(0, min(end, self.size) - start))

    def settled_end(self, known: int = 0) -> int:
        """Return where the end begins that may still change; everything before `known` doesn't."""
        if self.drawn or self.is_finished:
            return self.size
        gap = self.gap
        start = max(known, gap.end.offset if gap else 0, self.size - TAIL_BYTES)
        return min(start, self.size) + settled_length(self.read(start, self.size))

    def mark_at(self, offset: int) -> Mark:
        """Return the mark of a place that is not within an escape sequence; near to it, where marks are missing."""
        mark = self.output.mark_before(offset)
        while mark.offset < offset:
            data = self.read(mark.offset, min(offset, mark.offset + WINDOW_BYTES))
            if mark.offset + len(data) < offset:
                data = data[: uncut_length(data)]
            if not data:
                break
            mark = mark.after(data)
        return mark

    def line_start(self, number: int) -> int | None:
        """Return where a line begins, by its number; None if there is no such line, or it is left out.

        A line of which only the end is there begins with that.
        """
        before = number - 1
        if before <= 0:
            return 0
        gap = self.gap
        if gap is not None and gap.start.line < before <= gap.end.line:
            return gap.end.offset if before == gap.end.line else None
        mark = self.output.mark_before_line(before)
        position, missing = mark.offset, before - mark.line
        while data := self.read(position, position + WINDOW_BYTES):
            if (count := data.count(b"\n")) < missing:
                position, missing = position + len(data), missing - count
                continue
            place = -1
            for _ in range(missing):
                place = data.find(b"\n", place + 1)
            return position + place + 1
        return None

    def is_line_start(self, offset: int) -> bool:
        """Tell whether nothing of a line is before a place; marks of stderr are nothing."""
        gap = self.gap
        origin = gap.end.offset if gap is not None and gap.end.offset <= offset else 0
        begin = max(origin, offset - _MOST_MARKS * len(ERROR_ON))
        before = self.read(begin, offset)
        while before.endswith((ERROR_ON, ERROR_OFF)):
            before = before[: -len(ERROR_ON)]
        return before.endswith(b"\n") or (not before and begin == origin)

    def is_returned(self, offset: int) -> bool:
        """Tell whether the carriage was returned right before a place: what is before that is written over."""
        return offset > 0 and self.read(offset - 1, offset) == b"\r"
