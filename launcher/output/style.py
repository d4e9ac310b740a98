"""How text looks on a terminal, and the SGR sequences that say so (ECMA-48, 8.3.117); knows no line and no Django."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

ERROR_ON = b"\x1b[7711m"
"""Begins what was written to stderr, on the one terminal that has both streams: an SGR sequence that nobody uses.

It is kept in the stored bytes, so that they can be drawn from any mark, and left out of what is given away. A command
that writes it can make its own lines look like stderr's, which is all that it does.
"""
ERROR_OFF = b"\x1b[7710m"
"""Ends what `ERROR_ON` began."""

Colour = int | tuple[int, int, int]
"""An index of the 256-colour palette, or red, green and blue, 0 to 255 each."""

LONGEST_LINK = 2000
_LINK = re.compile(r"(?:https?://|mailto:)[!-~]+", re.IGNORECASE)
_ERROR = "7711"
_NO_ERROR = "7710"


class Style(NamedTuple):
    """How text looks. A tuple, since styles are compared and hashed for each piece of coloured text."""

    foreground: Colour | None = None
    """None is the page's own, as with `background`."""
    background: Colour | None = None
    is_bold: bool = False
    is_dim: bool = False
    is_italic: bool = False
    is_underlined: bool = False
    is_reversed: bool = False
    is_struck: bool = False
    is_error: bool = False
    """Written to stderr. Only `ERROR_ON` and `ERROR_OFF` change it: a reset of the look does not."""
    link: str = ""
    """Where the text leads (OSC 8): an address of http, https or mailto; it ends with its line."""

    def code(self) -> str:
        """Return the SGR parameters that make this style from the plain one, at most 64 characters.

        Empty for the plain one. The link is no part of them.
        """
        look = self.look()
        if not self.is_error:
            return look
        return f"{look};{_ERROR}" if look else _ERROR

    def look(self) -> str:
        """Return the same without the mark of stderr."""
        parts = [str(number) for name, number in _ATTRIBUTES.items() if getattr(self, name)]
        for base, colour in ((38, self.foreground), (48, self.background)):
            if isinstance(colour, tuple):
                parts.append("{};2;{};{};{}".format(base, *colour))
            elif colour is not None:
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
_SWITCHES: dict[int, dict[str, Any]] = {
    **{number: {name: True} for name, number in _ATTRIBUTES.items()},
    21: {"is_underlined": True},
    22: {"is_bold": False, "is_dim": False},
    23: {"is_italic": False},
    24: {"is_underlined": False},
    27: {"is_reversed": False},
    29: {"is_struck": False},
}
Span = tuple[str, Style]


def parse_number(digits: str) -> int:
    """Return a parameter's value, 0 where it is left out; int() would refuse thousands of digits."""
    return int(digits[:9]) if digits.isdigit() else 0


@lru_cache(maxsize=1024)
def apply_sgr(parameters: str, style: Style) -> Style:
    """Return the style after one SGR sequence; unknown parameters change nothing."""
    if parameters in (_ERROR, _NO_ERROR):  # only alone, the very bytes that `without_marks` leaves out
        return style._replace(is_error=parameters == _ERROR)
    words = iter(parameters.split(";"))
    for word in words:
        number, *details = map(parse_number, word.split(":"))
        if number in (38, 48, 58):  # 58, the colour of underlines, is only read past
            if not details:
                kind = parse_number(next(words, ""))
                details = [kind, *map(parse_number, islice(words, {2: 3, 5: 1}.get(kind, 0)))]
            colour = _extended_colour(details)
            if colour is not None and number == 38:
                style = style._replace(foreground=colour)
            elif colour is not None and number == 48:
                style = style._replace(background=colour)
        elif details:  # 4:3 is a wavy underline, 4:0 none; no other attribute has such a spelling
            if number == 4:
                style = style._replace(is_underlined=details[0] != 0)
        elif number == 0:
            style = without_look(style)
        elif number in _SWITCHES:
            style = style._replace(**_SWITCHES[number])
        elif 30 <= number <= 37 or 90 <= number <= 97:
            style = style._replace(foreground=number - 30 if number < 90 else number - 82)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            style = style._replace(background=number - 40 if number < 100 else number - 92)
        elif number == 39:
            style = style._replace(foreground=None)
        elif number == 49:
            style = style._replace(background=None)
    return style


def _extended_colour(details: Sequence[int]) -> Colour | None:
    """Return the colour of `5, index` or `2, red, green, blue`; with colons a colour space may stand after the 2."""
    match details:
        case [5, index]:
            return min(index, 255)
        case [2, red, green, blue] | [2, _, red, green, blue, *_]:
            return min(red, 255), min(green, 255), min(blue, 255)
    return None


def without_look(style: Style) -> Style:
    """Return the plain style, but for what no SGR reset changes: the stream and the link."""
    return Style(is_error=style.is_error, link=style.link)


def parse_style(code: str) -> Style:
    """Return the style that `Style.code` wrote."""
    look, _, last = code.rpartition(";")
    is_error = last == _ERROR
    style = apply_sgr(look if is_error else code, PLAIN) if code else PLAIN
    return style._replace(is_error=True) if is_error else style


def safe_link(address: str) -> str:
    """Return an address that a page may link to, or "" for any other.

    OSC 8 wants addresses in printable ASCII; what is longer or leads elsewhere than http, https and mailto is no link.
    """
    return address if len(address) <= LONGEST_LINK and _LINK.fullmatch(address) else ""


@lru_cache(maxsize=1024)
def transition(before: Style, after: Style) -> str:
    """Return what to write to get from one style to another."""
    parts = []
    if before.link != after.link:
        parts.append(f"\x1b]8;;{after.link}\x1b\\")
    if before.is_error != after.is_error:
        parts.append((ERROR_ON if after.is_error else ERROR_OFF).decode())
    old, new = before.look(), after.look()
    if old != new:
        parts.append(f"\x1b[{new}m" if not old else f"\x1b[0;{new}m" if new else "\x1b[m")
    return "".join(parts)
