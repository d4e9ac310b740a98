"""The part of a run's output that a page shows: lines after a cursor, or those before a place; bounded, always."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO

from launcher.output.store import START, Mark, Output
from launcher.output.terminal import Span, Style, draw_line, parse_style, whole_length

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

_CURSOR = re.compile(r"(\d{1,15})-(\d{1,15})-([01])-([0-9;]{0,64})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line, or a further part of one (then `number` is None)."""

    number: int | None
    offset: int
    spans: tuple[Span, ...]


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
    """Return the last lines of an output."""
    return _tail(output, output.size, is_finished=is_finished)


def following(output: Output, cursor: Cursor, *, is_finished: bool) -> Window:
    """Return the next lines after a cursor; or the newest ones, where those are far away.

    There are none behind the end: a forged cursor gets nothing, one that another host gave out waits for the rest.
    """
    size = output.size
    begin = cursor.mark.offset
    if size - begin > SKIP_BYTES:
        window = _tail(output, size, floor=begin, is_finished=is_finished)
        return replace(window, skipped_from=begin)
    data = _first_lines(output.read(begin, WINDOW_BYTES))
    return _draw(data, cursor, is_finished=is_finished and begin + len(data) >= size)


def preceding(output: Output, end: int, floor: int = 0) -> Window:
    """Return the lines that end at a place and begin no earlier than at another, where a reader has the rest."""
    end = min(end, output.size)
    return _tail(output, end, floor=min(floor, end), is_finished=True)


def _tail(output: Output, end: int, *, floor: int = 0, is_finished: bool) -> Window:
    mark = output.mark_before(max(floor, end - WINDOW_BYTES))
    mark = _forward(output, mark, max(floor, end - 2 * WINDOW_BYTES))
    data = output.read(mark.offset, max(0, end - mark.offset))
    skipped = 0
    if mark.offset > floor:  # most likely within a line: leave out its end, unless that is most of what there is
        skipped = data.find(b"\n") + 1
        if skipped > len(data) // 2:
            skipped = 0
    skipped = max(skipped, _start_of_last_lines(data))
    is_within_line = mark.offset > 0 and not skipped and output.read(mark.offset - 1, 1) != b"\n"
    cursor = Cursor(mark=mark.after(data[:skipped]), is_within_line=is_within_line)
    return _draw(data[skipped:], cursor, is_finished=is_finished)


def _forward(output: Output, mark: Mark, offset: int) -> Mark:
    """Move a mark up to an offset; only where marks are missing is that far."""
    while mark.offset < offset:
        data = output.read(mark.offset, min(WINDOW_BYTES, offset - mark.offset))
        if not data:
            break
        mark = mark.after(data[: whole_length(data)])
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


def _draw(data: bytes, cursor: Cursor, *, is_finished: bool) -> Window:
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
        mark = Mark(offset=position.mark.offset + len(line), line=position.mark.line + line.endswith(b"\n"))
        position = Cursor(mark=mark, is_within_line=not line.endswith(b"\n"))
    mark = replace(position.mark, style=style.code()).after(data[end:pending])
    position = replace(position, mark=mark)
    rest = data[pending:]
    return Window(
        rows=tuple(rows),
        pending=tuple(_rows(rest, position, parse_style(mark.style))[0]) if rest else (),
        cursor=position,
        start=cursor.mark.offset,
    )


def _rows(line: bytes, cursor: Cursor, style: Style) -> tuple[list[Row], Style]:
    spans, style = draw_line(line.removesuffix(b"\n"), style)
    number = None if cursor.is_within_line else cursor.mark.line + 1
    parts = list(_parts(spans)) or [()]
    rows = [
        Row(number=None if index else number, offset=cursor.mark.offset, spans=part) for index, part in enumerate(parts)
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
