"""The part of a run's output that a page shows: lines after a cursor, or those before a place; bounded, always."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO

from launcher.output.marks import START, Gap, Mark
from launcher.output.store import Output, left_out
from launcher.output.terminal import (
    ERROR_OFF,
    ERROR_ON,
    Span,
    Style,
    draw_line,
    is_only_marks,
    parse_style,
    uncut_length,
    whole_length,
)

WINDOW_BYTES = 256 * 1024
WINDOW_LINES = 500
FOLLOWED_LINES = 2000
"""Lines that a reader gets at once; many, since a reader who waits for the rest falls behind a quick command."""
SKIP_BYTES = 1024 * 1024
"""A reader further behind than this is taken to the end, with a mark where the gap is."""
ROW_CHARACTERS = 4096
"""A longer line goes on in further rows, so that no browser has to lay out one of megabytes."""
PENDING_BYTES = 32 * 1024
"""An unfinished line longer than this is shown for good as far as it goes, so that a reader never reads it twice."""

_MOST_MARKS = 8
"""Marks of stderr looked through for the beginning of a line; more follow each other only where someone forges them."""

_CURSOR = re.compile(r"(\d{1,15})-(\d{1,15})-([01])-([0-9;]{0,64})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line, or a further part of one (then `number` is None), or a notice in place of lines that are left out."""

    number: int | None
    offset: int
    spans: tuple[Span, ...]
    is_error: bool = False
    """Whether any of it was written to stderr."""
    at: float | None = None
    """When its first byte was written, in seconds since the epoch, to a tenth; None if that is not known."""
    notice: str = ""


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """How far a reader has read: everything before `mark`, which may stand within a line."""

    mark: Mark = START
    is_within_line: bool = False

    def __str__(self) -> str:
        return f"{self.mark.offset}-{self.mark.line}-{int(self.is_within_line)}-{self.mark.style}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str` wrote; raises ValueError for anything else, since it comes from a browser."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise ValueError("Not a cursor.")
        mark = Mark(offset=int(match[1]), line=int(match[2]), style=parse_style(match[4]).code())
        cursor = cls(mark=mark, is_within_line=match[3] == "1")
        if str(cursor) != text or mark.line > mark.offset:
            raise ValueError("Not a cursor.")
        return cursor


@dataclass(frozen=True, kw_only=True)
class Window:
    """Rows that a page adds, and the unfinished line after them, which it shows until the next look."""

    rows: tuple[Row, ...]
    pending: tuple[Row, ...]
    cursor: Cursor
    start: int
    """Where the first row begins, in bytes; 0 means that nothing is before it."""
    skipped_from: int | None = None
    """Where a gap before the rows begins, if the reader was too far behind."""


def newest(output: Output, *, is_finished: bool) -> Window:
    """Return the last lines of an output, none of those before its gap."""
    return _tail(output, output.size, is_finished=is_finished)


def following(output: Output, cursor: Cursor, *, is_finished: bool) -> Window:
    """Return the next lines after a cursor; or the newest ones, where those are far away.

    There are none behind the end: a forged cursor gets nothing, one that another host gave out waits for the rest.
    Where lines are left out, a reader first gets a notice that says so, and then goes on behind them.
    """
    size = output.size
    begin = cursor.mark.offset
    gap = output.gap
    if gap is not None and gap.holds(begin):
        notice = _notice(gap, begin, max(0, gap.end.line - cursor.mark.line))
        return Window(rows=(notice,), pending=(), cursor=Cursor(mark=gap.end), start=begin)
    if size - begin > SKIP_BYTES:
        window = _tail(output, size, floor=begin, is_finished=is_finished)
        return replace(window, skipped_from=begin)
    data = _first_lines(output.read(begin, WINDOW_BYTES))
    reached = begin + len(data)
    gap = output.gap
    is_at_gap = gap is not None and reached == gap.start.offset  # the rest of the line is left out
    return _draw(output, data, cursor, is_finished=is_at_gap or (is_finished and reached >= size))


def preceding(output: Output, end: int, floor: int = 0) -> Window:
    """Return the lines that end at a place and begin no earlier than at another, where a reader has the rest.

    They end at a gap's end, if that is between; from there on back, a notice is the last of them.
    """
    end = min(end, output.size)
    floor = min(floor, end)
    gap = output.gap
    if gap is None or not gap.holds(end - 1):
        return _tail(output, end, floor=floor, is_finished=True)
    begin = max(gap.start.offset, floor)
    notice = _notice(gap, begin, gap.end.line - gap.start.line if begin == gap.start.offset else None)
    if floor >= gap.start.offset:
        return Window(rows=(notice,), pending=(), cursor=Cursor(mark=gap.end), start=floor)
    window = _tail(output, gap.start.offset, floor=floor, is_finished=True)
    return replace(window, rows=(*window.rows, notice))


def _notice(gap: Gap, begin: int, lines: int | None) -> Row:
    text = left_out(gap.end.offset - begin, lines, gap.start.offset)
    return Row(number=None, offset=begin, spans=(), notice=text)


def _tail(output: Output, end: int, *, floor: int = 0, is_finished: bool) -> Window:
    gap = output.gap
    # A line whose beginning is left out has its number all the same: nobody has seen it.
    origin = gap.end.offset if gap is not None and gap.end.offset <= end else 0
    floor = max(floor, origin)
    mark = output.mark_before(max(floor, end - WINDOW_BYTES))
    mark = _forward(output, mark, max(floor, end - 2 * WINDOW_BYTES))
    data = output.read(mark.offset, max(0, end - mark.offset))
    skipped = 0
    if mark.offset > floor:  # most likely within a line: leave out its end, unless that is most of what there is
        skipped = data.find(b"\n") + 1
        if skipped > len(data) // 2:
            skipped = 0
    skipped = max(skipped, _start_of_last_lines(data))
    is_within_line = not skipped and not _is_line_start(output, mark.offset, origin)
    cursor = Cursor(mark=mark.after(data[:skipped]), is_within_line=is_within_line)
    return _draw(output, data[skipped:], cursor, is_finished=is_finished)


def _is_line_start(output: Output, offset: int, origin: int) -> bool:
    """Tell whether nothing of a line is between `origin` and an offset; marks of stderr are nothing."""
    begin = max(origin, offset - _MOST_MARKS * len(ERROR_ON))
    before = output.read(begin, offset - begin)
    while before.endswith((ERROR_ON, ERROR_OFF)):
        before = before[: -len(ERROR_ON)]
    return before.endswith(b"\n") or (not before and begin == origin)


def _forward(output: Output, mark: Mark, offset: int) -> Mark:
    """Move a mark up to an offset, or before what is cut there; only where marks are missing is that far."""
    while mark.offset < offset:
        data = output.read(mark.offset, min(WINDOW_BYTES, offset - mark.offset))
        whole = uncut_length(data)
        if not whole:
            break
        mark = mark.after(data[:whole])
    return mark


def _first_lines(data: bytes) -> bytes:
    end = 0
    for _ in range(FOLLOWED_LINES):
        end = data.find(b"\n", end) + 1
        if not end:
            return data
    return data[:end]


def _start_of_last_lines(data: bytes) -> int:
    position = len(data)
    for _ in range(WINDOW_LINES + 1):
        position = data.rfind(b"\n", 0, position)
        if position == -1:
            return 0
    return position + 1


def _draw(output: Output, data: bytes, cursor: Cursor, *, is_finished: bool) -> Window:
    end = len(data) if is_finished else data.rfind(b"\n") + 1
    pending = end
    if len(data) - end > PENDING_BYTES:
        # A bar that only ever returns the carriage keeps its last state; a line without end goes on in a further row.
        pending = data.rfind(b"\r", end, -1) + 1
        if not pending:
            pending = end = whole_length(data)
    rows: list[Row] = []
    style = parse_style(cursor.mark.style)
    position = cursor
    for line in BytesIO(data[:end]):
        line_rows, style = _rows(line, position, style)
        rows += line_rows
        position = _position_after(line, position)
    mark = replace(position.mark, style=style.code()).after(data[end:pending])
    position = replace(position, mark=mark)
    rest = data[pending:]
    pending_rows = _rows(rest, position, parse_style(mark.style))[0]
    times = output.times(cursor.mark.offset, cursor.mark.offset + len(data)) if data else []
    return Window(
        rows=_with_times(rows, times),
        pending=_with_times(pending_rows, times),
        cursor=position,
        start=cursor.mark.offset,
    )


def _position_after(line: bytes, position: Cursor) -> Cursor:
    """Return the place behind a line or a part of one, but for its style."""
    is_whole = line.endswith(b"\n")
    mark = Mark(offset=position.mark.offset + len(line), line=position.mark.line + is_whole)
    return Cursor(mark=mark, is_within_line=not is_whole and (position.is_within_line or not is_only_marks(line)))


def _with_times(rows: Iterable[Row], times: list[tuple[int, float]]) -> tuple[Row, ...]:
    offsets = [offset for offset, _ in times]

    def time_of(row: Row) -> float | None:
        number = bisect_right(offsets, row.offset)
        return times[number - 1][1] if number else None

    return tuple(replace(row, at=time_of(row)) for row in rows)


def _rows(line: bytes, cursor: Cursor, style: Style) -> tuple[list[Row], Style]:
    spans, style = draw_line(line.removesuffix(b"\n"), style)
    if not spans and is_only_marks(line):  # behind the last line
        return [], style
    number = None if cursor.is_within_line else cursor.mark.line + 1
    parts = list(_parts(spans)) or [()]
    # An empty line comes from who wrote its end: what stands before may only be the end of the other's text.
    rows = [
        Row(
            number=None if index else number,
            offset=cursor.mark.offset,
            spans=part,
            is_error=any(look.is_error for _, look in part) if part else style.is_error,
        )
        for index, part in enumerate(parts)
    ]
    return rows, style


def _parts(spans: list[Span]) -> Iterator[tuple[Span, ...]]:
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
