"""Styled text -> safe HTML: classes only, everything escaped. Knows no run and no Django."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape

from launcher.output.terminal import Span, Style

_CLASSES = (
    ("is_bold", "ansi-bold"),
    ("is_dim", "ansi-dim"),
    ("is_italic", "ansi-italic"),
    ("is_underlined", "ansi-underline"),
    ("is_struck", "ansi-strike"),
)


def spans_html(spans: Iterable[Span]) -> str:
    """Return the HTML of a line's spans; `static/launcher/ansi.css` gives the classes their look."""
    return "".join(_span_html(text, style) for text, style in spans)


def _span_html(text: str, style: Style) -> str:
    classes = _classes(style)  # of stderr's text too the look is its own: the row says where it comes from
    return f'<span class="{classes}">{escape(text)}</span>' if classes else escape(text)


@lru_cache(maxsize=1024)
def _classes(style: Style) -> str:
    names = [name for attribute, name in _CLASSES if getattr(style, attribute)]
    foreground, background = style.foreground, style.background
    if style.is_reversed:
        foreground, background = background, foreground
        if background is None:  # the page's own colours change places
            names.append("ansi-reverse")
    if foreground is not None:
        names.append(f"ansi-fg-{foreground}")
    if background is not None:
        names.append(f"ansi-bg-{background}")
    return " ".join(names)
