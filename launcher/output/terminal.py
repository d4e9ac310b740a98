"""Bytes of a terminal's line in, styled text out; knows no run, no HTML and no Django.

A line is drawn as a terminal would leave it: carriage returns, backspaces, tabs, moves and erasures within the line
and SGR styles (ECMA-48, 8.3.117) take effect; whatever else a program sends is swallowed. Control characters without
an effect within a line are shown, so that nothing is hidden; 8-bit ones too, since text encoded twice is full of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, islice
from operator import itemgetter

ERROR_ON = b"\x1b[7711m"
"""Begins what was written to stderr, on the one terminal that has both streams: an SGR sequence that nobody uses.

It is kept in the stored bytes, so that they can be drawn from any mark, and left out of what is given away. A command
that writes it can make its own lines look like stderr's, which is all that it does.
"""
ERROR_OFF = b"\x1b[7710m"
"""Ends what `ERROR_ON` began."""

_LEVELS = (0, 95, 135, 175, 215, 255)
_TAB = 8
_WIDTH = 500
"""Columns after which a line goes on as if wrapped; moves and erasures stay within them, which bounds their cost."""
_LONGEST_ESCAPE = 1024

_TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<control>[^\x1b])"
    r"|\x1b\[(?P<style>[0-9;:]{0,100})m"
    r"|\x1b\[(?P<parameters>[0-9;:]*)(?P<edit>[@CDGKPX`])"
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"  # CSI without effect, or cut off
    r"|\x1b[\]P_^X][^\x07\x18\x1a\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS, APC, PM, SOS; any other escape ends them too
    r"|\x1b[ -/]*[0-~]?"  # other escapes, or one cut off
)
_NEEDS_DRAWING = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_SGR = re.compile(rb"\x1b\[([0-9;:]{0,100})m")
_ERROR_MARK = re.compile(rb"\x1b\[771[01]m")
_CUT_OFF = re.compile(
    rb"(?:\x1b(?:\[[0-?]*[ -/]*|[\]P_^X][^\x07\n\x18\x1a\x1b]*\x1b?|[ -/]*)"  # an escape sequence without its end
    rb"|[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z"  # a character without its end
)


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
    is_error: bool = False
    """Written to stderr. Only `ERROR_ON` and `ERROR_OFF` change it: a reset of the look does not."""

    def code(self) -> str:
        """Return the SGR parameters that make this style from the plain one; empty for the plain one."""
        parts = [str(number) for name, number in _ATTRIBUTES.items() if getattr(self, name)]
        for base, colour in ((38, self.foreground), (48, self.background)):
            if colour is not None:
                parts.append(f"{base};5;{colour}")
        if self.is_error:
            parts.append(_ERROR)
        return ";".join(parts)


PLAIN = Style()
_PLAIN_ERROR = Style(is_error=True)
_ERROR = "7711"
_NO_ERROR = "7710"
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


def _number(digits: str) -> int:
    """Return a parameter's value, 0 where it is left out; int() would refuse thousands of digits."""
    return int(digits[:9]) if digits.isdigit() else 0


@lru_cache(maxsize=1024)
def apply_sgr(parameters: str, style: Style) -> Style:
    """Return the style after one SGR sequence; unknown parameters change nothing."""
    if parameters in (_ERROR, _NO_ERROR):  # only alone, the very bytes that `without_marks` leaves out
        return replace(style, is_error=parameters == _ERROR)
    words = iter(parameters.split(";"))
    for word in words:
        number, *details = map(_number, word.split(":"))
        if number in (38, 48, 58):  # 58, the colour of underlines, is only read past
            if not details:
                kind = _number(next(words, ""))
                details = [kind, *map(_number, islice(words, {2: 3, 5: 1}.get(kind, 0)))]
            colour = _extended_colour(details)
            if colour is not None and number == 38:
                style = replace(style, foreground=colour)
            elif colour is not None and number == 48:
                style = replace(style, background=colour)
        elif details:  # 4:3 is a wavy underline, 4:0 none; no other attribute has such a spelling
            if number == 4:
                style = replace(style, is_underlined=details[0] != 0)
        elif number == 0:
            style = _PLAIN_ERROR if style.is_error else PLAIN
        elif number in _SWITCHES:
            style = replace(style, **_SWITCHES[number])
        elif 30 <= number <= 37 or 90 <= number <= 97:
            style = replace(style, foreground=number - 30 if number < 90 else number - 82)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            style = replace(style, background=number - 40 if number < 100 else number - 92)
        elif number == 39:
            style = replace(style, foreground=None)
        elif number == 49:
            style = replace(style, background=None)
    return style


def _extended_colour(details: Sequence[int]) -> int | None:
    """Return the colour of `5, index` or `2, red, green, blue`; with colons a colour space may stand after the 2."""
    match details:
        case [5, index]:
            return min(index, 255)
        case [2, red, green, blue] | [2, _, red, green, blue, *_]:
            return _nearest(min(red, 255), min(green, 255), min(blue, 255))
    return None


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
    """Return the style in force after some bytes, the same as drawing them would; cheap where they hold no escape."""
    if b"\x1b" not in data:
        return style
    reset = max(data.rfind(b"\x1b[0m"), data.rfind(b"\x1b[m"))  # what is before the last one need not be read
    if reset >= 0:
        style = _PLAIN_ERROR if _is_error_after(data, reset, style) else PLAIN
    for match in _SGR.finditer(data, max(0, reset)):
        style = apply_sgr(match[1].decode(), style)
    return style


def _is_error_after(data: bytes, end: int, style: Style) -> bool:
    if data.rfind(b"\x1b[771", 0, end) < 0:  # looked for first, since most output has no mark at all
        return style.is_error
    switch = max(data.rfind(ERROR_ON, 0, end), data.rfind(ERROR_OFF, 0, end))
    return style.is_error if switch < 0 else data.startswith(ERROR_ON, switch)


def parse_style(code: str) -> Style:
    """Return the style that `Style.code` wrote."""
    look, _, last = code.rpartition(";")
    is_error = last == _ERROR
    style = apply_sgr(look if is_error else code, PLAIN) if code else PLAIN
    return replace(style, is_error=True) if is_error else style


def whole_length(data: bytes) -> int:
    """Return the length without an escape sequence or character that is cut off at the end; never 0 for some bytes.

    Where output is cut there, either part can be drawn by itself.
    """
    return uncut_length(data) or len(data)


def uncut_length(data: bytes) -> int:
    """Return the same, but 0 for bytes that are nothing but the beginning of a sequence or character."""
    match = _CUT_OFF.search(data, max(0, len(data) - _LONGEST_ESCAPE))
    return match.start() if match else len(data)


def without_marks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces as the command wrote them, without the marks of stderr, also of one that is cut in two."""
    rest = b""
    for piece in pieces:
        data = rest + piece if rest else piece
        escape = data.rfind(b"\x1b", -len(ERROR_ON) + 1)
        rest = data[escape:] if escape >= 0 and _is_cut_mark(data[escape:]) else b""
        if rest:
            data = data[:escape]
        if b"\x1b[771" in data:
            data = _ERROR_MARK.sub(b"", data)
        if data:
            yield data
    if rest:
        yield rest


def _is_cut_mark(data: bytes) -> bool:
    return ERROR_ON.startswith(data) or ERROR_OFF.startswith(data)


def is_only_marks(data: bytes) -> bool:
    """Tell whether the bytes are nothing but marks of stderr, so that nobody wrote them."""
    return not data or (data.startswith(b"\x1b[771") and not _ERROR_MARK.sub(b"", data))


def draw_line(data: bytes, style: Style) -> tuple[list[Span], Style]:
    """Draw one line, given without its newline: its spans, and the style in force after it."""
    text = data.decode("utf-8", "replace").removesuffix("\r")
    if not _NEEDS_DRAWING.search(text):  # tabs are left to the browser, so that copying gives them back
        return ([(text, style)] if text else []), style
    spans: list[Span] = []
    row: _Row | None = None  # most lines only have colours and need none
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "text" and row is None:
            spans.append((match["text"], style))
        elif kind == "style":
            style = apply_sgr(match["style"], style)
        elif kind is not None:
            row = row or _Row(spans)
            if kind == "text":
                row.write(match["text"], style)
            elif kind == "control":
                row.control(match["control"], style)
            else:
                row.edit(match["edit"], match["parameters"], style)
    return _joined(row.spans() if row else spans), style


def _joined(spans: list[Span]) -> list[Span]:
    groups = groupby(spans, key=itemgetter(1))
    return [("".join(text for text, _ in group), style) for style, group in groups]


class _Row:
    """The row being drawn: its characters, their styles, and the cursor; and what it wrapped into before."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._characters: list[str] = []
        self._styles: list[Style] = []
        self._column = 0
        self._wrapped: list[Span] = []
        for text, style in spans:
            self.write(text, style)

    def write(self, text: str, style: Style) -> None:
        """Write over what is at the cursor."""
        position = 0
        while position < len(text):
            if self._column == _WIDTH:
                self._wrapped += self._unwrapped()
                self._characters, self._styles, self._column = [], [], 0
            gap = self._column - len(self._characters)
            if gap > 0:
                self._characters += " " * gap
                self._styles += [PLAIN] * gap
            piece = text[position : position + _WIDTH - self._column]
            end = self._column + len(piece)
            self._characters[self._column : end] = piece
            self._styles[self._column : end] = [style] * len(piece)
            self._column = end
            position += len(piece)

    def control(self, control: str, style: Style) -> None:
        """Obey a control character, or show it."""
        if control == "\r":
            self._column = 0
        elif control == "\b":
            self._column = max(0, self._column - 1)
        elif control == "\t":
            self._move_to((self._column // _TAB + 1) * _TAB)
        elif control not in "\x07\x0e\x0f\x11\x13":  # bell, shifts and flow control leave no trace on a screen
            picture = "\u2421" if control == "\x7f" else chr(0x2400 + ord(control)) if control < " " else "\ufffd"
            self.write(picture, style)

    def edit(self, final: str, parameters: str, style: Style) -> None:
        """Obey a CSI sequence that moves the cursor or changes the row."""
        number = _number(parameters.partition(";")[0])
        count = max(number, 1)
        column = self._column
        if final == "C":
            self._move_to(column + count)
        elif final == "D":
            self._column = max(0, column - count)
        elif final in "G`":
            self._column = min(count, _WIDTH) - 1
        elif final == "K":
            if number == 0:
                self._delete(column, _WIDTH)
            else:
                self._blank(0, column + 1 if number == 1 else _WIDTH, style)
        elif final == "X":
            self._blank(column, column + count, style)
        elif final == "P":
            self._delete(column, column + count)
        elif column < len(self._characters):  # "@"
            self._characters[column:column] = " " * min(count, _WIDTH)
            self._styles[column:column] = [Style(background=style.background)] * min(count, _WIDTH)
            self._delete(_WIDTH, 2 * _WIDTH)

    def _move_to(self, column: int) -> None:
        self._column = max(self._column, min(column, _WIDTH - 1))

    def _blank(self, start: int, end: int, style: Style) -> None:
        """Make columns blank; like on a terminal, in the colour that is in force."""
        size = min(end, len(self._characters)) - start
        if size > 0:
            self._characters[start : start + size] = " " * size
            self._styles[start : start + size] = [Style(background=style.background)] * size

    def _delete(self, start: int, end: int) -> None:
        del self._characters[start:end]
        del self._styles[start:end]

    def _unwrapped(self) -> Iterator[Span]:
        position = 0
        for style, group in groupby(self._styles):
            size = len(list(group))
            yield "".join(self._characters[position : position + size]), style
            position += size

    def spans(self) -> list[Span]:
        """Return what was drawn."""
        return [*self._wrapped, *self._unwrapped()]


def plain_text(data: bytes) -> str:
    """Return what a line says, without style."""
    return "".join(text for text, _ in draw_line(data, PLAIN)[0])
