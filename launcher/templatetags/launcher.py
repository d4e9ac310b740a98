"""Template tags; the one module that declares HTML safe.

Each command that checks the project imports it, to check the templates: what only a page needs is imported where it is
used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from signal import Signals
from typing import TYPE_CHECKING, Any

from django import template
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from launcher.arguments import Alternatives, Argument
    from launcher.models import Run
    from launcher.output.rows import Row as OutputRow
    from launcher.output.terminal import Span
    from launcher.views.catalogue import Row
    from launcher.views.progress import Shown

register = template.Library()

LONGEST_LINE = 10_000
HTMX_CONFIG = '{"allowEval":false,"includeIndicatorStyles":false,"historyCacheSize":0}'


@register.filter
def spans(value: Iterable[Span]) -> SafeString:
    """Return a row's styled text as HTML."""
    from launcher.output.html import spans_html

    return mark_safe(spans_html(value))  # noqa: S308  spans_html escapes all text


@register.simple_tag
def output_rows(rows: Iterable[OutputRow]) -> SafeString:
    """Return rows of output as HTML."""
    from launcher.output.rows_html import rows_html

    # Neither a label nor a link here depends on who looks, or on which site.
    return mark_safe(rows_html(rows, line_label=_("Line %d"), cut_label=_cut_label))  # noqa: S308  escapes all text


def _cut_label(size: int) -> str:
    return _("Show the whole line (%s)") % filesizeformat(size) if size else _("Show the whole line")


@register.simple_tag(takes_context=True)
def nonce(context: template.Context) -> SafeString:
    """Return ` nonce="…"` where the project's CSP has one."""
    value = context.get("csp_nonce")
    # A LazyNonce is falsy until it is used.
    return format_html(' nonce="{}"', value) if value is not None else mark_safe("")


@register.simple_tag
def htmx_config() -> str:
    """Return the configuration of htmx that a strict content security policy needs."""
    return HTMX_CONFIG


@register.filter
def duration(seconds: float | None) -> str:
    """Return seconds as people write them: 0.4 s, 12 s, 3 min 5 s, 2 h 4 min."""
    if seconds is None:
        return ""
    if seconds < 10:
        return _("%.1f s") % seconds
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest} if minutes else _("%d s") % rest


@register.filter
def time_left(seconds: float) -> str:
    """Return seconds that are still to come, which nobody knows to a tenth."""
    return duration(seconds) if seconds >= 10 else _("%d s") % math.ceil(seconds)


@register.filter
def progress(run: Run) -> Shown | None:
    """Return what is to be shown of how far a run is, or came."""
    from launcher.views.progress import shown_progress

    return shown_progress(run)


@register.filter
def short_line(run: Run) -> str:
    """Return the run's command line for people: an uploaded file by its name alone."""
    from launcher import runs

    return runs.short_line(run.command_line, run.uid)


@register.filter
def bounded(line: str) -> str:
    """Return a line, or of a very long one the beginning and how long it is: an argument may be a megabyte of text."""
    if len(line) <= LONGEST_LINE:
        return line
    return f"{line[:LONGEST_LINE]}… " + _("(%d characters in all)") % len(line)


@register.filter
def is_cut(line: str) -> bool:
    """Tell whether `bounded` shows only its beginning."""
    return len(line) > LONGEST_LINE


@register.filter
def help_html(argument: Argument, is_member: object = False) -> SafeString:
    """Return the author's help and the default as HTML; what is in the list already is told elsewhere.

    A flag that is a member of a group of alternatives has the group's default, which the group tells.
    """
    default = (
        "" if argument.fixed or "\n" in argument.default or _says_default(argument, is_member) else argument.default
    )
    is_default_told = default in argument.help and "default" in argument.help.casefold()
    parts = [_sentence(argument.help), _("Default: %s.") % default if default and not is_default_told else ""]
    lines = conditional_escape(" ".join(part for part in parts if part)).split("\n")
    return mark_safe("<br>".join(lines))  # noqa: S308  escaped above


def _says_default(argument: Argument, is_member: object) -> bool:
    """Tell whether the argument's control names the default among what can be chosen."""
    from launcher.arguments import Kind

    if is_member and argument.kind is Kind.FLAG:
        return True
    return argument.kind is Kind.YES_NO or (argument.kind is Kind.VALUE and argument.choices is not None)


def _sentence(text: str) -> str:
    """Return a text that other sentences can follow."""
    return f"{text}." if text[-1:].isalnum() else text


@register.filter
def none_of(group: Alternatives) -> str:
    """Return what it is called to choose nothing in a group."""
    return _("Leave at the default (%s)") % group.default if group.default else _("None of these")


@register.filter
def ago(moment: datetime) -> str:
    """Return how long ago something was; "just now" within the first minute."""
    if timezone.now() - moment < timedelta(minutes=1):
        return _("just now")
    return _("%s ago") % timesince(moment)


@register.filter
def clock(text: str) -> str:
    """Return the time of day of an ISO 8601 moment, in the zone of all other times on the page; else the text."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        return text
    return f"{timezone.localtime(moment) if timezone.is_aware(moment) else moment:%H:%M:%S}"


@register.filter
def exit_code(code: int | None) -> str:
    """Return an exit code, and for death by a signal the signal's number."""
    if code is None:
        return ""
    return str(code) if code >= 0 else _("signal %d") % -code


@register.filter
def exit_words(code: int) -> str:
    """Return how a process ended: "exit code 3", "signal 9 (SIGKILL)"."""
    if code >= 0:
        return _("exit code %d") % code
    try:
        return _("signal %(number)d (%(name)s)") % {"number": -code, "name": Signals(-code).name}
    except ValueError:  # a real-time signal
        return _("signal %d") % -code


@register.filter
def counted_commands(count: int) -> str:
    """Return "1 command", "12 commands"."""
    return ngettext("%d command", "%d commands", count) % count


LAST_RUN = "launcher-last-run"
"""What stands in a kept row where its command's last run will."""


@register.simple_tag(takes_context=True)
def catalogue_rows(
    context: template.Context, rows: Iterable[Row], query: str, last_runs: Mapping[str, Run]
) -> SafeString:
    """Return commands' rows. All but the last runs is drawn once for many looks, unless searched words are marked."""
    parts: list[str] = []
    for row in rows:
        if query:
            before, after = _row_html(row, query)
        else:
            before, after = row.html = row.html or _row_html(row, "")
        run = last_runs.get(row.entry.name)
        parts += (before, _last_run_html(context, run) if run else "", after)
    return mark_safe("".join(parts))  # noqa: S308  all come from templates, which escape


def _last_run_html(context: template.Context, run: Run) -> str:
    # `{% url %}` needs the page's own context, which knows the site.
    with context.push(run=run):
        return str(context.template.engine.get_template("launcher/_last_run.html").render(context))  # type: ignore[union-attr]


def _row_html(row: Row, query: str) -> tuple[str, str]:
    context = {"entry": row.entry, "error": row.error, "url": row.url, "query": query, "last_run": LAST_RUN}
    before, _found, after = render_to_string("launcher/_catalogue_row.html", context).partition(LAST_RUN)
    return before, after


@register.filter
def marked(text: str, query: str) -> SafeString:
    """Return the text with the first place of each searched word marked."""
    words = sorted({word for word in query.casefold().split() if word}, key=len, reverse=True)
    folded = text.casefold()
    if len(folded) != len(text):  # folding changed lengths: places would be off
        return conditional_escape(text)
    cuts: list[tuple[int, int]] = []
    for word in words:
        start = folded.find(word)
        if start >= 0 and all(start >= end or start + len(word) <= begin for begin, end in cuts):
            cuts.append((start, start + len(word)))
    parts: list[Any] = []
    position = 0
    for start, end in sorted(cuts):
        parts += [conditional_escape(text[position:start]), format_html("<mark>{}</mark>", text[start:end])]
        position = end
    parts.append(conditional_escape(text[position:]))
    return mark_safe("".join(parts))  # noqa: S308  each part is escaped
