"""Bytes of a terminal's lines in, styled text out; knows no run, no HTML and no Django.

A line is drawn by itself, as a terminal of `COLUMNS` columns would leave it: carriage returns, backspaces, tabs, moves
and erasures within the line, styles and links take effect; whatever else a program sends is swallowed. Control
characters without an effect within a line are shown, so that nothing is hidden; 8-bit ones too, since text encoded
twice is full of them. What moves from line to line is drawn by `screen`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from launcher.output.pen import COLUMNS, Pen
from launcher.output.row import Row, joined
from launcher.output.sequences import LONGEST_SEQUENCE, TOKEN
from launcher.output.style import ERROR_OFF, ERROR_ON, PLAIN, Span, Style, apply_sgr, parse_style
from launcher.output.width import has_piled_marks

__all__ = [
    "COLUMNS",
    "ERROR_OFF",
    "ERROR_ON",
    "PLAIN",
    "Span",
    "Style",
    "draw_line",
    "draw_lines",
    "is_only_marks",
    "parse_style",
    "plain_text",
    "style_after",
    "uncut_length",
    "whole_length",
    "without_marks",
]

_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_CONTROLS_OF_8_BITS = re.compile(r"[\x80-\x9f]")
_ALL_BUT_CONTROLS = bytes({*range(256)} - {*range(9), *range(11, 32), 127})
_SGR_TEXT = re.compile(r"\x1b\[([0-9;:]{0,100})m")
_PARAMETERS = re.compile(r"[0-9;:]{0,100}")
_SGR = re.compile(rb"\x1b\[([0-9;:]{0,100})m")
_ERROR_MARK = re.compile(rb"\x1b\[771[01]m")
_CUT_OFF = re.compile(
    rb"(?:\x1b(?:\[[0-?]*[ -/]*|[\]P_^X][^\x07\n\x18\x1a\x1b]*\x1b?|[ -/]*)"  # an escape sequence without its end
    rb"|[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z"  # a character without its end
)


def style_after(data: bytes, style: Style) -> Style:
    """Return the style in force after some bytes, the same as drawing them would; cheap where they hold no escape."""
    if b"\x1b" not in data:
        return style
    reset = max(data.rfind(b"\x1b[0m"), data.rfind(b"\x1b[m"))  # what is before the last one need not be read
    if reset >= 0:
        style = Style(is_error=_is_error_after(data, reset, style))
    for match in _SGR.finditer(data, max(0, reset)):
        style = apply_sgr(match[1].decode(), style)
    return style


def _is_error_after(data: bytes, end: int, style: Style) -> bool:
    if data.rfind(b"\x1b[771", 0, end) < 0:  # looked for first, since most output has no mark at all
        return style.is_error
    switch = max(data.rfind(ERROR_ON, 0, end), data.rfind(ERROR_OFF, 0, end))
    return style.is_error if switch < 0 else data.startswith(ERROR_ON, switch)


def whole_length(data: bytes) -> int:
    """Return the length without an escape sequence or character that is cut off at the end; never 0 for some bytes.

    Where output is cut there, either part can be drawn by itself.
    """
    return uncut_length(data) or len(data)


def uncut_length(data: bytes) -> int:
    """Return the same, but 0 for bytes that are nothing but the beginning of a sequence or character."""
    size = len(data)
    first = max(0, size - LONGEST_SEQUENCE)
    places = [data.rfind(b"\x1b", first)]
    if places[0] == size - 1:  # it may be the first half of a string's end
        places.insert(0, data.rfind(b"\x1b", first, size - 1))
    for place in places:
        if place >= 0 and _CUT_OFF.match(data, place):
            return place
    match = _CUT_OFF.search(data, max(0, size - 3))
    return match.start() if match else size


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
    """Draw one line, given without its newline: its spans, and the style in force after it.

    Tabs are left to the browser, so that copying gives them back, unless the cursor is moved in the line.
    """
    return _draw(data.decode("utf-8", "replace").removesuffix("\r"), style)


def draw_lines(data: bytes, style: Style) -> tuple[list[list[Span]], Style]:
    """Draw many lines, each with its newline but for the last: the spans of each, and the style in force after them.

    They are what `draw_line` makes of each, in a fraction of the time.
    """
    if not data:
        return [], style
    text = data.removesuffix(b"\n").decode("utf-8", "replace")
    controls = data.translate(None, _ALL_BUT_CONTROLS)
    if data.isascii() or not _is_special(data, text):
        if not controls:
            return [[(line, style)] if line else [] for line in text.split("\n")], style
        pieces = text.split("\x1b[")
        # Only escapes, each of which begins a control sequence.
        if len(controls) == len(pieces) - 1 == controls.count(b"\x1b"):
            with suppress(KeyError):
                return _draw_coloured(pieces, style)
    lines = []
    for line in text.split("\n"):
        spans, style = _draw(line.removesuffix("\r"), style)
        lines.append(spans)
    return lines, style


def _is_special(data: bytes, text: str) -> bool:
    """Tell whether a text that is not ASCII has what is to be drawn in some other way than it is written."""
    return (b"\xc2" in data and _CONTROLS_OF_8_BITS.search(text) is not None) or has_piled_marks(text)


class _Looks(dict[str, "_Looks"]):
    """A style, and by the parameters of SGR what follows it: looking these up takes less time than `apply_sgr`.

    `known` has the one object of each style. Raises KeyError for what are no parameters of SGR.
    """

    __slots__ = ("known", "style")

    def __init__(self, style: Style, known: dict[Style, _Looks]) -> None:
        super().__init__()
        self.style = style
        self.known = known

    def __missing__(self, parameters: str) -> _Looks:
        if not _PARAMETERS.fullmatch(parameters):
            raise KeyError(parameters)
        style = apply_sgr(parameters, self.style)
        if style not in self.known:
            self.known[style] = _Looks(style, self.known)
        self[parameters] = self.known[style]
        return self[parameters]


def _draw_coloured(pieces: list[str], style: Style) -> tuple[list[list[Span]], Style]:
    """Draw lines from their text, split at the beginnings of control sequences; KeyError if one is not SGR."""
    looks = _Looks(style, {})
    looks.known[style] = looks
    spans: list[Span] = []
    *whole, text = pieces[0].split("\n")
    lines: list[list[Span]] = [[(line, style)] if line else [] for line in whole]
    before = None
    if text:
        spans.append((text, style))
        before = looks
    is_split = False  # neighbours in the line have one style
    for piece in pieces[1:]:
        parameters, end, text = piece.partition("m")
        looks = looks[parameters]
        if not text:
            if not end:
                raise KeyError(parameters)
            continue
        if "\n" not in text:
            spans.append((text, looks.style))
            if looks is before:
                is_split = True
            before = looks
            continue
        first, *whole, text = text.split("\n")
        if first:
            spans.append((first, looks.style))
        lines.append(joined(spans) if is_split or (first and looks is before) else spans)
        for line in whole:
            lines.append([(line, looks.style)] if line else [])
        is_split, before = False, None
        spans = []
        if text:
            spans.append((text, looks.style))
            before = looks
    lines.append(joined(spans) if is_split else spans)
    return lines, looks.style


def _draw(text: str, style: Style) -> tuple[list[Span], Style]:
    has_marks = not text.isascii() and has_piled_marks(text)
    if text.isprintable() and not has_marks:
        return ([(text, style)] if text else []), style
    parts = _SGR_TEXT.split(text)
    if has_marks or _CONTROLS.search(text if len(parts) == 1 else "".join(parts[::2])):
        return _draw_with_pen(text, style)
    spans = []
    has_neighbours = False  # of one style
    before = None
    for number in range(0, len(parts), 2):
        if number:
            style = apply_sgr(parts[number - 1], style)
        if part := parts[number]:
            spans.append((part, style))
            has_neighbours = has_neighbours or style == before
            before = style
    return (joined(spans) if has_neighbours else spans), style


class _Line(Pen):
    """A line that is drawn over; what it has wrapped away from stays as it is."""

    def __init__(self, style: Style) -> None:
        super().__init__(COLUMNS, style)
        self._spans: list[Span] = []

    def next_row(self) -> None:
        """Go to the beginning of the next row, in which the line goes on."""
        self._spans += self.row.spans()
        self.row = Row(self.width)
        self.column = 0

    def spans(self) -> list[Span]:
        """Return what was drawn."""
        return joined([*self._spans, *self.row.spans()])


def _draw_with_pen(text: str, style: Style) -> tuple[list[Span], Style]:
    pen = _Line(style)
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "text":
            pen.write(match["text"])
        elif kind == "control":
            pen.control(match["control"])
        elif kind == "style":
            pen.set_style(match["style"])
        elif kind == "final" and not match["private"]:
            pen.edit(match["final"], match["parameters"])
        elif kind == "link":
            pen.set_link(match["link"])
        elif kind == "unlink":
            pen.end_link()
    pen.end_link()
    return pen.spans(), pen.style


def plain_text(data: bytes) -> str:
    """Return what a line says, without style."""
    return "".join(text for text, _ in draw_line(data, PLAIN)[0])
