"""Going over an output's settled lines, and making rows of them."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from itertools import islice

from launcher.output.look import WINDOW_BYTES, Look
from launcher.output.rows import CUT_BYTES, LONG_BYTES, Cursor, Row, line_rows, lines_rows, with_times
from launcher.output.style import Style, parse_style
from launcher.output.terminal import whole_length


class Walk:
    """Goes from a cursor on, and collects rows."""

    def __init__(self, look: Look, cursor: Cursor) -> None:
        self._look = look
        self.cursor = cursor
        self.rows: list[Row] = []

    @property
    def offset(self) -> int:
        """How far it has come."""
        return self.cursor.mark.offset

    def go(self, end: int, *, lines: int | None = None, is_whole: bool = False) -> bool:
        """Go up to a place; False if that is too far for now: more than so many lines, or too many bytes.

        Without a number of lines it is known to be near. Of a line within which the place is, only what is shown for
        good counts: none of it, unless `is_whole` says that there is nothing more of it, or it is a very long one.
        """
        room = WINDOW_BYTES
        while self.offset < end:
            if self.cursor.is_cut:
                if not self._pass_rest(end):
                    return True
                continue
            if lines is not None and (lines <= 0 or room <= 0):
                return False
            begin = self.offset
            size = room if lines is not None else WINDOW_BYTES
            data = self._look.read(begin, min(end, begin + size))
            whole = data.rfind(b"\n") + 1
            if whole:
                drawn = self._draw(data[:whole], lines)
                if lines is not None:
                    lines, room = lines - drawn, room - whole
            elif begin + len(data) >= end:
                self._part(data, end, is_whole=is_whole)
                return True
            elif self._is_before_gap(begin + len(data)):
                self._part(data, begin + len(data), is_whole=True)
                return True
            elif not data or size < WINDOW_BYTES:
                return False
            else:
                if not self._long(end, is_whole=is_whole):
                    return True
                room = 0
        return True

    def _is_before_gap(self, offset: int) -> bool:
        gap = self._look.gap
        return gap is not None and offset == gap.start.offset

    def _draw(self, data: bytes, lines: int | None) -> int:
        """Make rows of whole lines, and return of how many."""
        count = data.count(b"\n")
        if lines is not None and count > lines:
            count, data = lines, b"".join(islice(BytesIO(data), lines))
        times = self._look.output.times(self.offset, self.offset + len(data))
        rows, self.cursor = lines_rows(data, self.cursor, times)
        self.rows += rows
        return count

    def _show(self, line: bytes, style: Style, *, cut: int | None = None) -> None:
        """Make rows of a part of a line."""
        rows, _ = line_rows(line[: whole_length(line)], self.cursor, style, cut=cut)
        self.rows += with_times(rows, self._look.output.times(self.offset, self.offset + 1))

    def _part(self, data: bytes, end: int, *, is_whole: bool) -> None:
        """Pass a part of a line as far as it is shown for good."""
        style = parse_style(self.cursor.mark.style)
        is_last = is_whole and end == self._look.size
        if data.endswith(b"\r") and not is_last:  # what comes is written over it
            self.cursor = replace(self.cursor, mark=self.cursor.mark.after(data))
        elif is_whole:
            rows, style = line_rows(data, self.cursor, style)
            self.rows += with_times(rows, self._look.output.times(self.offset, end))
            self.cursor = self.cursor.after(data, style)
        elif len(data) >= CUT_BYTES:
            self._show(data[:CUT_BYTES], style, cut=0)
            self.cursor = Cursor(mark=self.cursor.mark.after(data), is_within_line=True, is_cut=True)

    def _long(self, end: int, *, is_whole: bool) -> bool:
        """Pass a line that is longer than a window; False if its end is not before `end`."""
        look, begin = self._look, self.offset
        following = look.line_start(self.cursor.mark.line + 2)
        gap = look.gap
        if gap is not None and begin < gap.start.offset < (following or end):
            following, end, is_whole = None, gap.start.offset, True
        is_over = following is not None and following <= end
        last = following - 1 if following is not None and is_over else end
        style = parse_style(self.cursor.mark.style)
        tail = look.read(max(begin, last - LONG_BYTES), last).rstrip(b"\r")
        if not is_over and not is_whole and look.is_returned(end):
            self.cursor = replace(self.cursor, mark=look.mark_at(end))
            return False
        if (is_over or is_whole) and (returned := tail.find(b"\r") + 1):
            place = max(begin, last - LONG_BYTES) + returned
            self._show(tail[returned:], parse_style(look.mark_at(place).style))
            is_cut = False
        elif is_cut := last - begin > LONG_BYTES:
            self._show(look.read(begin, begin + CUT_BYTES), style, cut=last - begin if is_over or is_whole else 0)
        else:
            self._show(look.read(begin, last), style)
        mark = look.mark_at(last + is_over)
        self.cursor = Cursor(mark=mark, is_within_line=not is_over, is_cut=not is_over and is_cut)
        return is_over

    def _pass_rest(self, end: int) -> bool:
        """Pass the rest of a line that is not shown; False if its end is not before `end`."""
        look = self._look
        following, gap = look.line_start(self.cursor.mark.line + 2), look.gap
        if gap is not None and self.offset <= gap.start.offset < (following or end):
            self.cursor = replace(self.cursor, mark=look.mark_at(gap.start.offset))
            return False
        is_over = following is not None and following <= end
        mark = look.mark_at(following if following is not None and is_over else end)
        self.cursor = Cursor(mark=mark, is_within_line=not is_over, is_cut=not is_over)
        return is_over
