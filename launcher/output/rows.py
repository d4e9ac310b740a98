"""A line's bytes as rows for a page, and cursors: how far a reader has read. Knows no output and no Django."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from launcher.output.marks import START, Mark, Times
from launcher.output.style import Span, Style, parse_style
from launcher.output.terminal import draw_line, draw_lines, is_only_marks, style_after, whole_length

ROW_CHARACTERS = 4096
"""A longer line goes on in further rows, so that no browser has to lay out one of many pages."""
LONG_BYTES = 32 * 1024
"""Of a longer line only the beginning is shown."""
CUT_BYTES = 16 * 1024
"""So much of it."""

_CURSOR = re.compile(r"(\d{1,15})-(\d{1,15})-([012])-([0-9;]{0,64})", re.ASCII)


class Row(NamedTuple):
    """A line, or a further part of one (then `number` is None), or a notice in place of lines that are left out.

    A tuple, since a page asks for thousands and a data class takes several times as long to make.
    """

    number: int | None
    offset: int
    """Of the line's first byte; for what is on a screen, the settled end."""
    spans: tuple[Span, ...]
    line: int = 0
    """The number of the line that it belongs to; 0 for a notice."""
    part: int = 0
    is_error: bool = False
    """Whether any of it was written to stderr."""
    at: float | None = None
    """When its first byte was written, in seconds since the epoch, to a tenth; None if that is not known."""
    notice: str = ""
    cut: int | None = None
    """The rest of the line is not shown: its length in bytes, 0 if that is not known; None where nothing is missing."""

    @property
    def key(self) -> str:
        """What tells it from all other rows of the output; empty for a notice."""
        return "" if not self.line else f"{self.line}.{self.part}" if self.part else str(self.line)


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """How far a reader has read: everything before `mark`, which may stand within a line."""

    mark: Mark = START
    is_within_line: bool = False
    """Whether some of the line was shown."""
    is_cut: bool = False
    """Whether the rest of the line is not to be shown."""

    def __str__(self) -> str:
        return f"{self.mark.offset}-{self.mark.line}-{self.is_within_line + self.is_cut}-{self.mark.style}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str` wrote; raises ValueError for anything else, since it comes from a browser."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise ValueError("Not a cursor.")
        mark = Mark(offset=int(match[1]), line=int(match[2]), style=parse_style(match[4]).code())
        cursor = cls(mark=mark, is_within_line=match[3] != "0", is_cut=match[3] == "2")
        if str(cursor) != text or mark.line > mark.offset:
            raise ValueError("Not a cursor.")
        return cursor

    def after(self, line: bytes, style: Style) -> Cursor:
        """Return the place behind a line or a part of one that was shown, in a style."""
        is_whole = line.endswith(b"\n")
        mark = Mark(offset=self.mark.offset + len(line), line=self.mark.line + is_whole, style=style.code())
        return Cursor(mark=mark, is_within_line=not is_whole and (self.is_within_line or not is_only_marks(line)))


FURTHER_PART = 1000
"""The least number of a part of which it is not known how many are before it."""


def line_rows(line: bytes, place: Cursor, style: Style, *, cut: int | None = None) -> tuple[list[Row], Style]:
    """Return the rows of a line, with its newline if it has one, or of a part of it; and the style after it.

    Of a line that is too long only the beginning is shown; but of one that returns the carriage, as a bar does, what it
    left there. Who gives only the beginning says so by `cut`.
    """
    shown, begin = line, style
    if cut is None and len(line) > LONG_BYTES:
        last = line.rstrip(b"\r\n")
        if returned := last.find(b"\r", max(0, len(last) - LONG_BYTES)) + 1:
            shown, begin = line[returned:], style_after(line[:returned], style)
        else:
            shown, cut = line[: whole_length(line[:CUT_BYTES])], len(line.removesuffix(b"\n"))
    spans, after = draw_line(shown.removesuffix(b"\n"), begin)
    if cut is not None:
        after = style_after(line, style)
    elif not spans and not line.endswith(b"\n"):  # behind the last line
        return [], after
    return list(rows_of(spans, place, is_error=after.is_error, cut=cut)), after


def lines_rows(data: bytes, place: Cursor, times: Times) -> tuple[list[Row], Cursor]:
    """Return the rows of whole lines, each with its newline, and the place behind them.

    They are what `line_rows` and `with_times` make of each line, in a fraction of the time: a page asks for thousands.
    """
    lines = data.split(b"\n")[:-1]
    style = parse_style(place.mark.style)
    rows: list[Row] = []
    if place.is_within_line or max(map(len, lines), default=0) > ROW_CHARACTERS:  # no line has more than its bytes
        for line in lines:
            found, style = line_rows(line + b"\n", place, style)
            rows += found
            place = place.after(line + b"\n", style)
        return with_times(rows, times), place
    drawn, after = draw_lines(data, style)
    time_of = _clock(times)
    number, offset, has_errors = place.mark.line, place.mark.offset, style.is_error or b"\x1b[771" in data
    for line, spans in zip(lines, drawn, strict=True):
        number += 1
        behind = offset + len(line) + 1
        is_error = has_errors and (
            any(look.is_error for _, look in spans)
            if spans
            else style_after(data[: behind - place.mark.offset], style).is_error
        )
        rows.append(
            Row(number=number, line=number, offset=offset, spans=tuple(spans), is_error=is_error, at=time_of(offset))
        )
        offset = behind
    return rows, Cursor(mark=Mark(offset=offset, line=number, style=after.code()))


def rows_of(
    spans: Sequence[Span], place: Cursor, *, is_error: bool, at: float | None = None, cut: int | None = None
) -> Iterator[Row]:
    """Yield the rows of a drawn line."""
    parts = list(_parts(spans)) or [()]
    first = FURTHER_PART if place.is_within_line else 0
    for index, part in enumerate(parts):
        yield Row(
            number=None if index or first else place.mark.line + 1,
            line=place.mark.line + 1,
            part=first + index,
            offset=place.mark.offset,
            spans=part,
            # An empty line comes from who wrote its end: what stands before may only be the end of the other's text.
            is_error=any(look.is_error for _, look in part) if part else is_error,
            at=at,
            cut=cut if index == len(parts) - 1 else None,
        )


def with_times(rows: Iterable[Row], times: Times) -> list[Row]:
    """Return the rows with their times."""
    time_of = _clock(times)
    return [row._replace(at=time_of(row.offset)) for row in rows]


def _clock(times: Times) -> Callable[[int], float | None]:
    """Return what tells when the byte at an offset was written."""
    offsets = [offset for offset, _ in times]

    def time_of(offset: int) -> float | None:
        number = bisect_right(offsets, offset)
        return times[number - 1][1] if number else None

    return time_of


def _parts(spans: Iterable[Span]) -> Iterator[tuple[Span, ...]]:
    part: list[Span] = []
    room = ROW_CHARACTERS
    for text, style in spans:
        start = 0
        while len(text) - start > room:
            yield (*part, (text[start : start + room], style))
            start += room
            part, room = [], ROW_CHARACTERS
        if start < len(text):
            part.append((text[start:], style))
            room -= len(text) - start
    if part:
        yield tuple(part)
