"""A row of a terminal's cells: what is where, in which style. Knows no cursor and no bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from operator import itemgetter

from launcher.output.style import PLAIN, Span, Style, transition
from launcher.output.width import MARKS_PER_CHARACTER


class Row:
    """Characters and their styles by column; what is beyond them is blank, on the ground that erased it.

    A wide character takes two cells, the second of which is empty.
    """

    __slots__ = ("_has_wide", "at", "characters", "ground", "is_error", "styles", "width", "wraps")

    def __init__(self, width: int) -> None:
        self.width = width
        self.characters: list[str] = []
        self.styles: list[Style] = []
        self.ground = PLAIN
        self.wraps = False
        """Whether the line goes on in the next row, for want of columns."""
        self.is_error = False
        """Whether the end of the line was written to stderr, where nothing else of it was."""
        self.at: float | None = None
        """When its first byte was written."""
        self._has_wide = False

    def put(self, column: int, text: str, style: Style) -> None:
        """Write text of one column for each character over what is there."""
        size = len(text)
        self._make_room(column, column + size)
        self.characters[column : column + size] = text
        self.styles[column : column + size] = [style] * size

    def put_wide(self, column: int, character: str, style: Style) -> None:
        """Write a wide character over what is there."""
        self._make_room(column, column + 2)
        self.characters[column : column + 2] = character, ""
        self.styles[column : column + 2] = style, style
        self._has_wide = True

    def combine(self, column: int, mark: str) -> None:
        """Add a mark to the character before a column, unless there is none or it has many already."""
        if not 0 < column <= len(self.characters):
            return
        cell = column - 1 if self.characters[column - 1] else column - 2
        if len(self.characters[cell]) <= MARKS_PER_CHARACTER:
            self.characters[cell] += mark

    def erase(self, start: int, end: int, style: Style) -> None:
        """Make columns blank; like on a terminal, in the background that is in force."""
        ground = _ground(style)
        if end >= self.width:
            if start < len(self.characters):
                self._mend(start)
                del self.characters[start:], self.styles[start:]
            elif ground != self.ground:
                self._make_room(start, start)
            self.ground = ground
        elif start < end:
            self._make_room(start, end)
            self.characters[start:end] = " " * (end - start)
            self.styles[start:end] = [ground] * (end - start)

    def delete(self, column: int, count: int) -> None:
        """Take cells out; those behind them move up."""
        self._mend(column)
        self._mend(column + count)
        del self.characters[column : column + count], self.styles[column : column + count]

    def insert(self, column: int, count: int, style: Style) -> None:
        """Put blank cells in; those behind them move on, and those that move beyond the width are gone."""
        if column < len(self.characters):
            self._mend(column)
            count = min(count, self.width - column)
            self.characters[column:column] = " " * count
            self.styles[column:column] = [_ground(style)] * count
            self._mend(self.width)
            del self.characters[self.width :], self.styles[self.width :]

    def _make_room(self, start: int, end: int) -> None:
        missing = start - len(self.characters)
        if missing > 0:
            self.characters += " " * missing
            self.styles += [self.ground] * missing
        if self._has_wide:
            self._mend(start)
            self._mend(end)

    def _mend(self, column: int) -> None:
        """Make a wide character that is about to be cut at a column two blanks."""
        if self._has_wide and 0 < column < len(self.characters) and not self.characters[column]:
            self.characters[column - 1 : column + 1] = "  "

    def is_blank(self) -> bool:
        """Tell whether nothing was written there, or all was erased."""
        return not self.characters

    def begins_wide(self) -> bool:
        """Tell whether its first character is a wide one."""
        return len(self.characters) > 1 and not self.characters[1]

    def spans(self) -> Iterator[Span]:
        """Yield what is in it, as neighbours of one style."""
        position = 0
        for style, group in groupby(self.styles):
            size = sum(1 for _ in group)
            yield "".join(self.characters[position : position + size]), style
            position += size
        if self.ground != PLAIN and position < self.width:
            yield " " * (self.width - position), self.ground


def _ground(style: Style) -> Style:
    return Style(background=style.background) if style.background is not None else PLAIN


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans of which no two neighbours have one style."""
    return [("".join(text for text, _ in group), style) for style, group in groupby(spans, key=itemgetter(1))]


def line_spans(rows: Sequence[Row]) -> list[Span]:
    """Return the spans of a line that takes several rows, as if there were columns enough for all of it."""
    spans: list[Span] = []
    for row, following in pairwise(rows):
        spans += row.spans()
        missing = row.width - len(row.characters) - following.begins_wide()
        if missing > 0 and row.ground == PLAIN:
            spans.append((" " * missing, PLAIN))
    return joined([*spans, *rows[-1].spans()])


def line_bytes(rows: Sequence[Row]) -> bytes:
    """Return what draws a line at the beginning of a row, from the plain style and back to it.

    The ground behind its last character is written as it came, as an erasure: a few bytes must not become many.
    """
    last = rows[-1]
    ground, last.ground = last.ground, PLAIN
    spans = line_spans(rows)
    last.ground = ground
    if ground != PLAIN and len(last.characters) < last.width and (last.characters or len(rows) == 1):
        spans.append(("\x1b[K", ground))
    parts = []
    before = PLAIN
    for text, style in spans:
        if style != before:
            parts.append(transition(before, style))
            before = style
        parts.append(text)
    if before != PLAIN:
        parts.append(transition(before, PLAIN))
    return "".join(parts).encode()
