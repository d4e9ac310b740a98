"""Styled text -> safe HTML: classes only, everything escaped. Knows no run and no Django."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from launcher.output.terminal import PLAIN, Span, Style

_CLASSES = (
    ("is_bold", "ansi-bold"),
    ("is_dim", "ansi-dim"),
    ("is_italic", "ansi-italic"),
    ("is_underlined", "ansi-underline"),
    ("is_reversed", "ansi-reverse"),
    ("is_struck", "ansi-strike"),
)


def spans_html(spans: Iterable[Span]) -> str:
    """Return the HTML of a line's spans; `static/launcher/ansi.css` gives the classes their look."""
    return "".join(_span_html(text, style) for text, style in spans)


def _span_html(text: str, style: Style) -> str:
    if style == PLAIN:
        return escape(text)
    names = [name for attribute, name in _CLASSES if getattr(style, attribute)]
    if style.foreground is not None:
        names.append(f"ansi-fg-{style.foreground}")
    if style.background is not None:
        names.append(f"ansi-bg-{style.background}")
    return f'<span class="{" ".join(names)}">{escape(text)}</span>'
