"""The end of an output that may still change, as rows that are made anew at each look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from io import BytesIO

from launcher.output.held import Drawn
from launcher.output.look import Look
from launcher.output.marks import Mark
from launcher.output.reading import Output
from launcher.output.rows import Cursor, Row, line_rows, rows_of, with_times
from launcher.output.style import PLAIN, parse_style
from launcher.output.terminal import style_after, uncut_length


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What is behind a cursor and may still change; drawn only when it is asked for."""

    cursor: Cursor
    data: bytes
    """What the output has of it."""
    drawn: Drawn | None
    """What is on the screen behind that."""
    output: Output

    @classmethod
    def behind(cls, look: Look, cursor: Cursor) -> Pending | None:
        """Return what is behind a cursor, None if that is nothing."""
        offset = cursor.mark.offset
        data = look.read(offset, look.size)
        drawn = look.drawn if offset <= look.size else None  # else the reader has seen more than there is here
        if look.is_finished or not (data or drawn):
            return None
        return cls(cursor=cursor, data=data, drawn=drawn, output=look.output)

    @property
    def digest(self) -> str:
        """What tells it from what was there at another look."""
        found = blake2b(f"{self.cursor} {len(self.data)}".encode() + self.data, digest_size=8)
        if self.drawn:
            found.update(f"{self.drawn.base} {self.drawn.end}".encode())
            for piece in self.drawn.pieces:
                found.update(piece.data)
        return found.hexdigest()

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The rows."""
        rows, place = self._plain()
        return (*rows, *self._drawn(place)) if self.drawn else tuple(rows)

    def _plain(self) -> tuple[list[Row], Cursor]:
        """Return the rows of the output's own lines, and the place behind them."""
        data, place = self.data, self.cursor
        rows: list[Row] = []
        style = parse_style(place.mark.style)
        if place.is_cut:
            rest = data.find(b"\n") + 1 or len(data)
            style = style_after(data[:rest], style)
            place = replace(place.after(data[:rest], style), is_cut=not data[:rest].endswith(b"\n"))
            data = data[rest:]
        for line in BytesIO(data):
            whole = line if line.endswith(b"\n") else line[: uncut_length(line)]
            found, style = line_rows(whole, place, style)
            if found and found[-1].cut and not line.endswith(b"\n"):
                found[-1] = found[-1]._replace(cut=0)  # it is not known how long it will be
            rows += found
            place = place.after(line, style)
        begin = self.cursor.mark.offset
        return with_times(rows, self.output.times(begin, begin + len(self.data))) if rows else rows, place

    def _drawn(self, place: Cursor) -> Iterator[Row]:
        """Yield the rows of what is on the screen; its first line may go on with one that was settled in part."""
        assert self.drawn is not None  # noqa: S101  the caller has looked
        screen = self.drawn.replayed.screen
        for line in self.drawn.unsettled:
            if not place.is_cut:
                yield from (row._replace(at=line.at) for row in line_rows(line.data, place, PLAIN)[0])
            place = _next_line(place) if line.data.endswith(b"\n") else replace(place, is_within_line=True)
        for shown in screen.lines():
            if not place.is_cut:
                yield from rows_of(shown.spans, place, is_error=shown.is_error, at=shown.at)
            place = _next_line(place)


def _next_line(place: Cursor) -> Cursor:
    """Return the place of the next line that the output doesn't have yet."""
    return Cursor(mark=Mark(offset=place.mark.offset, line=place.mark.line + 1))
