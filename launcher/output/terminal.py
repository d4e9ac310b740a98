"""Bytes of a terminal's line in, styled text out; knows no run, no HTML and no Django.

A line is drawn as a terminal would leave it: carriage returns, backspaces, tabs, moves and erasures within the line
and SGR styles (ECMA-48, 8.3.117) take effect; whatever else a program sends is swallowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_LEVELS = (0, 95, 135, 175, 215, 255)
_TAB = 8
_WIDEST = 4096
"""Columns that a cursor move may reach: a sequence in the output must not make a line of a gigabyte."""

_TOKEN = re.compile(
    r"\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])"  # CSI
    r"|\x1b[\]P_^X].*?(?:\x07|\x1b\\|$)"  # OSC, DCS, APC, PM, SOS up to their end, or to the line's
    r"|\x1b[ -/]*[0-~]?"  # other escapes, and one cut off
    r"|(?P<control>[\x00-\x1f\x7f-\x9f])"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)",
    re.DOTALL,
)
_NEEDS_DRAWING = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SGR = re.compile(rb"\x1b\[([0-9;:]*)m")


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """How text looks; colours are indexes of the 256-colour palette, None the page's own."""

    foreground: int | None = None
    background: int | None = None
    is_bold: bool = False
    is_dim: bool = False
    is_italic: bool = False
    is_underlined: bool = False
    is_reversed: bool = False
    is_struck: bool = False

    def code(self) -> str:
        """Return the SGR parameters that make this style from the plain one; empty for the plain one."""
        parts = [str(number) for name, number in _ATTRIBUTES.items() if getattr(self, name)]
        for base, colour in ((38, self.foreground), (48, self.background)):
            if colour is not None:
                parts.append(f"{base};5;{colour}")
        return ";".join(parts)


PLAIN = Style()
_ATTRIBUTES = {
    "is_bold": 1,
    "is_dim": 2,
    "is_italic": 3,
    "is_underlined": 4,
    "is_reversed": 7,
    "is_struck": 9,
}
_SWITCHES: dict[int, dict[str, bool]] = {
    **{number: {name: True} for name, number in _ATTRIBUTES.items()},
    21: {"is_underlined": True},
    22: {"is_bold": False, "is_dim": False},
    23: {"is_italic": False},
    24: {"is_underlined": False},
    27: {"is_reversed": False},
    29: {"is_struck": False},
}

Span = tuple[str, Style]


def apply_sgr(parameters: str, style: Style) -> Style:
    """Return the style after one SGR sequence; unknown parameters change nothing."""
    numbers = [int(number) if number.isdigit() and len(number) < 5 else 0 for number in re.split("[;:]", parameters)]
    position = 0
    while position < len(numbers):
        number = numbers[position]
        position += 1
        if number == 0:
            style = PLAIN
        elif number in _SWITCHES:
            style = replace(style, **_SWITCHES[number])  # type: ignore[arg-type]
        elif 30 <= number <= 37 or 90 <= number <= 97:
            style = replace(style, foreground=number - 30 if number < 90 else number - 82)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            style = replace(style, background=number - 40 if number < 100 else number - 92)
        elif number == 39:
            style = replace(style, foreground=None)
        elif number == 49:
            style = replace(style, background=None)
        elif number in (38, 48):
            colour, position = _extended_colour(numbers, position)
            if colour is not None:
                style = replace(style, foreground=colour) if number == 38 else replace(style, background=colour)
    return style


def _extended_colour(numbers: list[int], position: int) -> tuple[int | None, int]:
    kind = numbers[position] if position < len(numbers) else None
    if kind == 5 and position + 1 < len(numbers):
        return min(numbers[position + 1], 255), position + 2
    if kind == 2 and position + 3 < len(numbers):
        red, green, blue = (min(number, 255) for number in numbers[position + 1 : position + 4])
        return _nearest(red, green, blue), position + 4
    return None, len(numbers)


def _nearest(red: int, green: int, blue: int) -> int:
    """Return the colour of the 6x6x6 cube or the grey ramp that is nearest to a true colour."""
    steps = [min(range(6), key=lambda i: abs(_LEVELS[i] - value)) for value in (red, green, blue)]
    cube = 16 + 36 * steps[0] + 6 * steps[1] + steps[2]
    grey_step = max(0, min(23, round(((red + green + blue) / 3 - 8) / 10)))
    grey = 8 + 10 * grey_step

    def distance(colour: tuple[int, int, int]) -> int:
        return sum((mine - theirs) ** 2 for mine, theirs in zip(colour, (red, green, blue), strict=True))

    in_cube = distance((_LEVELS[steps[0]], _LEVELS[steps[1]], _LEVELS[steps[2]]))
    return cube if in_cube <= distance((grey, grey, grey)) else 232 + grey_step


def style_after(data: bytes, style: Style) -> Style:
    """Return the style in force after some bytes; cheap where they hold no escape."""
    if b"\x1b" not in data:
        return style
    for match in _SGR.finditer(data):
        style = apply_sgr(match[1].decode(), style)
    return style


def parse_style(code: str) -> Style:
    """Return the style that `Style.code` wrote."""
    return apply_sgr(code, PLAIN) if code else PLAIN


def draw_line(data: bytes, style: Style) -> tuple[list[Span], Style]:
    """Draw one line, given without its newline: its spans, and the style in force after it."""
    text = data.decode("utf-8", "replace").removesuffix("\r")
    if not _NEEDS_DRAWING.search(text):
        return ([(text, style)] if text else []), style
    cells: list[tuple[str, Style]] = []
    column = 0
    for match in _TOKEN.finditer(text):
        if match["text"]:
            column = _write(cells, column, match["text"], style)
        elif match["final"] == "m":
            style = apply_sgr(match["parameters"], style)
        elif match["final"]:
            column = _move(cells, column, match["final"], match["parameters"])
        elif match["control"]:
            column = _control(cells, column, match["control"], style)
    return list(_spans(cells)), style


def _write(cells: list[tuple[str, Style]], column: int, text: str, style: Style) -> int:
    if column > len(cells):
        cells.extend([(" ", PLAIN)] * (column - len(cells)))
    cells[column : column + len(text)] = [(character, style) for character in text]
    return column + len(text)


def _control(cells: list[tuple[str, Style]], column: int, control: str, style: Style) -> int:
    if control == "\r":
        return 0
    if control == "\b":
        return max(0, column - 1)
    if control == "\t":
        following = (column // _TAB + 1) * _TAB
        return (
            max(following, _write(cells, column, " " * (following - column), style))
            if column >= len(cells)
            else following
        )
    if control in "\x07\x0e\x0f\x11\x13":  # bell, shifts and flow control leave no trace on a screen
        return column
    shown = "\u2421" if control == "\x7f" else chr(0x2400 + ord(control)) if control < " " else "\ufffd"
    return _write(cells, column, shown, style)


def _move(cells: list[tuple[str, Style]], column: int, final: str, parameters: str) -> int:
    first = parameters.partition(";")[0]
    number = min(int(first), _WIDEST) if first.isdigit() else 0
    if final == "K":
        if number == 0:
            del cells[column:]
        else:
            end = len(cells) if number == 2 else min(column + 1, len(cells))
            cells[:end] = [(" ", PLAIN)] * end
    elif final == "C":
        return min(column + max(number, 1), _WIDEST)
    elif final == "D":
        return max(0, column - max(number, 1))
    elif final == "G":
        return max(number, 1) - 1
    elif final == "P":
        del cells[column : column + max(number, 1)]
    return column


def _spans(cells: list[tuple[str, Style]]) -> Iterator[Span]:
    start = 0
    for position in range(1, len(cells) + 1):
        if position == len(cells) or cells[position][1] != cells[start][1]:
            yield "".join(character for character, _ in cells[start:position]), cells[start][1]
            start = position


def plain_text(data: bytes) -> str:
    """Return what a line says, without style."""
    return "".join(text for text, _ in draw_line(data, PLAIN)[0])
