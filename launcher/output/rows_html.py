"""Rows -> the HTML of a page's output, an element for each. Knows no run and no Django; links are relative.

The numbers are drawn by the style sheet, from an attribute, so that they are not copied with the text. Written with
string formatting: a page asks for thousands of rows at a time, for which a template would take ten times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from launcher.output.html import spans_html
from launcher.output.rows import Row


def rows_html(rows: Iterable[Row], *, line_label: str, cut_label: Callable[[int], str]) -> str:
    """Return the rows as HTML.

    `line_label` names the link to a line and has a `%d` for its number; `cut_label` names the link to a line that is
    too long to be shown, given its length in bytes or 0.
    """
    label = escape(line_label)
    return "".join(_notice_html(row) if row.notice else _row_html(row, label, cut_label) for row in rows)


def _notice_html(row: Row) -> str:
    text = escape(row.notice)
    return f'<div class="launcher-row launcher-left-out" data-offset="{row.offset}"><p dir="auto">{text}</p></div>\n'


def _row_html(row: Row, label: str, cut_label: Callable[[int], str]) -> str:
    classes = "launcher-row launcher-row-error" if row.is_error else "launcher-row"
    at = "" if row.at is None else f' data-at="{row.at:.1f}"'
    number = row.number
    if number is None:
        # A further part of a line begins with no link: the line has one already.
        key, link = f' data-key="{row.key}"', ""
    else:
        key = f' id="L{number}" data-number="{number}"'
        link = (
            f'<a class="launcher-number" href="?line={number}#L{number}" tabindex="-1" data-text="{number}" '
            f'aria-label="{label.replace("%d", str(number))}"></a>'
        )
    cut = ""
    if row.cut is not None:
        cut = f'<a class="launcher-cut" href="../line/{row.line}.txt">{escape(cut_label(row.cut))}</a>'
    return (
        f'<div class="{classes}"{key} data-offset="{row.offset}"{at}>'
        f"{link}<code>{spans_html(row.spans)}</code>{cut}</div>\n"
    )
