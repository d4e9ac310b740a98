"""pyte as a witness of what a terminal shows, in the terms of ours; where it is known to be wrong, it is not asked."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import pyte
from pyte import graphics

from launcher.output.screen import COLUMNS, ROWS
from launcher.output.style import PLAIN, Colour, Style

Cell = tuple[str, Style]
# pyte's names of the basic colours, also one that it spells wrong.
_NAMES = {name: number - 30 for number, name in graphics.FG_ANSI.items() if number < 38}
_NAMES |= {name: number - 82 for number, name in graphics.FG_AIXTERM.items()} | {"bfightmagenta": 13}


class Witness(pyte.Screen):
    """pyte's screen, with two faults mended.

    What ICH pushes off the right edge it keeps in a hidden column, from which DCH would bring it back; and where DL
    brings up a row that was never written, it leaves the one that was there.
    """

    def __init__(self, text: str, columns: int = COLUMNS, rows: int = ROWS) -> None:
        super().__init__(columns, rows)
        pyte.Stream(self).feed(text.replace("\n", "\r\n"))

    def insert_characters(self, count: int | None = None) -> None:
        super().insert_characters(count)
        self.buffer[self.cursor.y].pop(self.columns, None)

    def delete_lines(self, count: int | None = None) -> None:
        for y in range(self.lines):
            self.buffer[y]
        super().delete_lines(count)

    def cells(self) -> list[list[Cell]]:
        """Return the rows, in each character and style of each column up to the last that is not blank."""
        rows = []
        for y in range(self.lines):
            row: dict[int, Any] = self.buffer.get(y, {})
            size = min(max(row, default=-1) + 1, self.columns)
            rows.append(stripped((row[x].data, _style(row[x])) for x in range(size)))
        return rows

    def place(self) -> tuple[int, int]:
        """Return row and column of the cursor."""
        return self.cursor.y, self.cursor.x

    def look(self) -> Style:
        """Return the style in force."""
        return _style(self.cursor.attrs)


def stripped(cells: Iterable[Cell]) -> list[Cell]:
    """Return cells up to the last that is not blank, and blank ones without style: pyte erases in the whole style."""
    found = [(unicodedata.normalize("NFC", text), PLAIN if text in (" ", "") else same(style)) for text, style in cells]
    while found and found[-1][0] == " ":
        found.pop()
    return found


@lru_cache
def same(style: Style) -> Style:
    """Return the style with its colours as red, green and blue, as pyte has all but the basic ones."""
    return style._replace(foreground=_rgb(style.foreground), background=_rgb(style.background), link="", is_dim=False)


@lru_cache
def _style(cell: pyte.screens.Char) -> Style:
    return same(
        Style(
            foreground=_colour(cell.fg),
            background=_colour(cell.bg),
            is_bold=cell.bold,
            is_italic=cell.italics,
            is_underlined=cell.underscore,
            is_reversed=cell.reverse,
            is_struck=cell.strikethrough,
        )
    )


def _colour(name: str) -> Colour | None:
    if name == "default":
        return None
    return _NAMES[name] if name in _NAMES else _from_hex(name)


def _rgb(colour: Colour | None) -> Colour | None:
    return _from_hex(graphics.FG_BG_256[colour]) if isinstance(colour, int) else colour


def _from_hex(digits: str) -> tuple[int, int, int]:
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
