"""Styled text -> safe HTML: no markup but ours, everything escaped. Knows no run and no Django.

Looks are classes, which `static/launcher/ansi.css` explains. A colour beyond the palette has the class of the nearest
one that is in it, and is given exactly in `data-fg` or `data-bg`, which a script may apply: a page may forbid styles
in its markup. Characters that would turn the direction of what surrounds them, or break the line, are shown as U+FFFD.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape

from launcher.output.style import Colour, Span, Style

_CLASSES = (
    ("is_bold", "ansi-bold"),
    ("is_dim", "ansi-dim"),
    ("is_italic", "ansi-italic"),
    ("is_underlined", "ansi-underline"),
    ("is_struck", "ansi-strike"),
)
_LEVELS = (0, 95, 135, 175, 215, 255)
# Embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX 9); the separators of lines and
# paragraphs. Marks of direction, which only weigh on their neighbours as a letter would, stay.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u2028\u2029]")


def spans_html(spans: Iterable[Span]) -> str:
    """Return the HTML of a line's spans: text, `span` and `a`."""
    parts = []
    link = ""
    for text, style in spans:
        if style.link != link:
            parts.append(_link_tags(link, style.link))
            link = style.link
        text = escape(text, quote=False)
        if not text.isascii():
            text = _TURNING.sub("\ufffd", text)
        tag = _tag(style)  # of stderr's text too the look is its own: the row says where it comes from
        parts.append(f"{tag}{text}</span>" if tag else text)
    if link:
        parts.append("</a>")
    return "".join(parts)


def _link_tags(before: str, after: str) -> str:
    end = "</a>" if before else ""
    if not after:
        return end
    return f'{end}<a href="{escape(after)}" rel="noopener noreferrer nofollow" target="_blank">'


@lru_cache(maxsize=1024)
def _tag(style: Style) -> str:
    """Return the tag that gives text its look, or "" where it needs none."""
    names = [name for attribute, name in _CLASSES if getattr(style, attribute)]
    foreground, background = style.foreground, style.background
    if style.is_reversed:
        foreground, background = background, foreground
        if background is None:  # the page's own colours change places
            names.append("ansi-reverse")
    exact = ""
    for kind, colour in (("fg", foreground), ("bg", background)):
        if colour is not None:
            names.append(f"ansi-{kind}-{_index(colour)}")
        if isinstance(colour, tuple):
            exact += ' data-{}="#{:02x}{:02x}{:02x}"'.format(kind, *colour)
    return f'<span class="{" ".join(names)}"{exact}>' if names else ""


def _index(colour: Colour) -> int:
    """Return the palette's colour of the 6x6x6 cube or the grey ramp that is nearest; of its own colours, the same."""
    if isinstance(colour, int):
        return colour
    steps = [min(range(6), key=lambda i: abs(_LEVELS[i] - value)) for value in colour]
    cube = 16 + 36 * steps[0] + 6 * steps[1] + steps[2]
    grey_step = max(0, min(23, round((sum(colour) / 3 - 8) / 10)))
    grey = 8 + 10 * grey_step

    def distance(other: tuple[int, int, int]) -> int:
        return sum((mine - theirs) ** 2 for mine, theirs in zip(other, colour, strict=True))

    in_cube = distance((_LEVELS[steps[0]], _LEVELS[steps[1]], _LEVELS[steps[2]]))
    return cube if in_cube <= distance((grey, grey, grey)) else 232 + grey_step
