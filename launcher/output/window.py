"""The part of a run's output that a page shows: lines after a cursor, or the lines before a place. Bounded, however long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from launcher.output.store import Mark, Output
from launcher.output.terminal import Span, draw_line, parse_style

WINDOW_BYTES = 256 * 1024
WINDOW_ROWS = 500
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

    mark: Mark = Mark()
    is_within_line: bool = False

    def __str__(self) -> str:
        return f"{self.mark.offset}-{self.mark.line}-{int(self.is_within_line)}-{self.mark.style}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str` wrote; raises ValueError for anything else, since it comes from a browser."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise ValueError("Not a cursor.")
        mark = Mark(offset=int(match[1]), line=int(match[2]), style=match[4])
        return cls(mark=mark, is_within_line=match[3] == "1")


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
    """Return the lines after a cursor, at most WINDOW_BYTES of them; or the newest ones, where those are far away."""
    size = output.size
    if cursor.mark.offset > size:  # another run's cursor, or a forged one
        return newest(output, is_finished=is_finished)
    if size - cursor.mark.offset > SKIP_BYTES:
        window = _tail(output, size, is_finished=is_finished)
        return Window(
            rows=window.rows,
            pending=window.pending,
            cursor=window.cursor,
            start=window.start,
            skipped_from=cursor.mark.offset,
        )
    data = output.read(cursor.mark.offset, WINDOW_BYTES)
    reached_end = cursor.mark.offset + len(data) >= size
    return _draw(data, cursor, is_finished=is_finished and reached_end)


def preceding(output: Output, end: int) -> Window:
    """Return the lines that end at a place."""
    return _tail(output, min(end, output.size), is_finished=True)


def _tail(output: Output, end: int, *, is_finished: bool) -> Window:
    mark = output.mark_before(max(0, end - WINDOW_BYTES))
    data = output.read(mark.offset, end - mark.offset)
    cursor = Cursor(mark=mark)
    excess = len(data) - 2 * WINDOW_BYTES
    if excess > 0:  # no mark was near
        cursor = Cursor(mark=mark.after(data[:excess]))
        data = data[excess:]
    if cursor.mark.offset:
        cursor, data = _from_line_start(cursor, data)
    window = _draw(data, cursor, is_finished=is_finished)
    rows = window.rows[-WINDOW_ROWS:]
    return Window(
        rows=rows,
        pending=window.pending,
        cursor=window.cursor,
        start=rows[0].offset if rows else window.start,
    )


def _from_line_start(cursor: Cursor, data: bytes) -> tuple[Cursor, bytes]:
    """Leave out the end of a line whose beginning is not there; where there is nothing else, show that."""
    newline = data.find(b"\n")
    if newline == -1 or newline == len(data) - 1:
        while data and data[0] & 0xC0 == 0x80:  # the rest of a character
            cursor, data = Cursor(mark=cursor.mark.after(data[:1])), data[1:]
        return Cursor(mark=cursor.mark, is_within_line=True), data
    return Cursor(mark=cursor.mark.after(data[: newline + 1])), data[newline + 1 :]


def _draw(data: bytes, cursor: Cursor, *, is_finished: bool) -> Window:
    end = len(data) if is_finished else data.rfind(b"\n") + 1
    overwritten = 0
    if len(data) - end > PENDING_BYTES:
        # A bar that only ever returns the carriage keeps its last state; a line without end goes on in a further row.
        overwritten = max(0, data.rfind(b"\r", end) + 1 - end)
        end = end if overwritten else _character_border(data)
    rows: list[Row] = []
    position = cursor
    for line in _lines(data[:end]):
        rows += _rows(line, position)
        position = Cursor(mark=position.mark.after(line), is_within_line=not line.endswith(b"\n"))
    rest = data[end + overwritten :]
    if overwritten:
        skipped = position.mark.after(data[end : end + overwritten])
        position = Cursor(mark=skipped, is_within_line=position.is_within_line)
    return Window(
        rows=tuple(rows),
        pending=tuple(_rows(rest, position)) if rest else (),
        cursor=position,
        start=cursor.mark.offset,
    )


def _lines(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        yield data[start:end]
        start = end


def _character_border(data: bytes) -> int:
    """Return the length without a last character that is cut off."""
    for back in range(1, min(4, len(data)) + 1):
        if data[-back] & 0xC0 != 0x80:
            return len(data) - back if data[-back] >= 0xC0 else len(data)
    return len(data)


def _rows(line: bytes, cursor: Cursor) -> list[Row]:
    spans, _ = draw_line(line.removesuffix(b"\n"), parse_style(cursor.mark.style))
    number = None if cursor.is_within_line else cursor.mark.line + 1
    parts = list(_parts(spans)) or [()]
    return [
        Row(number=number if index == 0 else None, offset=cursor.mark.offset, spans=part)
        for index, part in enumerate(parts)
    ]


def _parts(spans: list[Span]) -> Iterator[tuple[Span, ...]]:
    part: list[Span] = []
    room = ROW_CHARACTERS
    for text, style in spans:
        rest = text
        while len(rest) > room:
            yield (*part, (rest[:room], style))
            part, rest, room = [], rest[room:], ROW_CHARACTERS
        if rest:
            part.append((rest, style))
            room -= len(rest)
    if part:
        yield tuple(part)
