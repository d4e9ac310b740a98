"""A run's output on its page: windows on it, the fragments that keep it going, and single lines.

An address says which window: `?line=` one around a line, `?end=` the one before a byte, `?after=` the one from a byte
on, and none of them the newest. The page understands the same as its fragments, so links work without JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from launcher.models import Run
from launcher.output.filtered import around_errors, following_errors, newest_errors, preceding_errors
from launcher.output.store import Output, open_output
from launcher.output.terminal import without_marks
from launcher.output.window import (
    Cursor,
    NoSuchLine,
    Window,
    around,
    following,
    last_line,
    newest,
    preceding,
    read_line,
)
from launcher.views.base import NOT_LISTED, Admin, number
from launcher.views.crowding import pace
from launcher.views.download import plain_pieces, text_response
from launcher.views.head import get_run, head_news, place_of, prompt_news, prompt_seen, read, state_seen
from launcher.views.sharing import Part, failure_together, follow_together, read_together

SOON_MS = 20
"""How soon a new page asks for the first lines, which are most likely written while the browser draws it."""
FIRST_WAIT_MS = 150
LONGEST_WAIT_MS = 2000
NO_END = 10**18
"""A byte that no output has."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """A reader's look at an output: all of it, or only the lines of stderr."""

    run: Run
    only_errors: bool = False

    @classmethod
    def of(cls, run: Run, query: Mapping[str, str]) -> Look:
        """Return the look that an address asks for."""
        return cls(run=run, only_errors=query.get("only") == "errors")

    @cached_property
    def output(self) -> Output:
        """The run's output."""
        return open_output(self.run)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is written any more."""
        return self.run.is_finished

    def window(self, query: Mapping[str, str]) -> Window:
        """Return the window that an address asks for; nonsense asks for the newest."""
        end, after, line = (number(query.get(name)) for name in ("end", "after", "line"))
        if end is not None:
            return self._preceding(end, number(query.get("floor")) or 0)
        if after is not None:
            return self._after(after)
        if line is not None:
            look_around = around_errors if self.only_errors else around
            return look_around(self.output, max(line, 1), is_finished=self.is_finished)
        look_at_end = newest_errors if self.only_errors else newest
        return look_at_end(self.output, is_finished=self.is_finished)

    def following(self, cursor: Cursor) -> Window:
        """Return what comes after a cursor; a reader who is far behind is taken to the end."""
        follow = following_errors if self.only_errors else following
        return follow(self.output, cursor, is_finished=self.is_finished)

    def last_line(self) -> int:
        """Return the number of the last line, whether it is in the window or not."""
        return last_line(self.output, is_finished=self.is_finished)

    def _preceding(self, end: int, floor: int) -> Window:
        look_before = preceding_errors if self.only_errors else preceding
        return look_before(self.output, end, floor, is_finished=self.is_finished)

    def _after(self, offset: int) -> Window:
        # What a page has let go of below can be had again by the place alone: the style in force there is read anew.
        cursor = preceding(self.output, offset, is_finished=self.is_finished).cursor
        if self.only_errors:
            return following_errors(self.output, cursor, is_finished=self.is_finished)
        return following(self.output, cursor, is_finished=self.is_finished, until=NO_END)


def lines_context(
    run: Run, window: Window, *, floor: int = 0, had: str = "", only_errors: bool = False
) -> dict[str, Any]:
    """Return what `_lines.html` and `_tail.html` show of a window; nothing of it depends on who looks.

    `floor` is where the rows begin that the reader has before this window, `had` the digest of the pending rows that
    the page shows by now.
    """
    skipped = window.skipped_from
    begin = floor if skipped is None else skipped
    return {
        "window": window,
        "from": window.start if skipped is None else skipped,
        "cursor": str(window.cursor),
        "earlier_end": window.start if window.start > begin else None,
        "earlier_floor": begin,
        "is_skipped": skipped is not None,
        "later_after": None if window.is_at_end else window.cursor.mark.offset,
        "is_same": bool(had) and had == window.digest,
        "is_live": not (run.is_finished and window.is_at_end),
        "only_errors": only_errors,
        "started": run.started_at.timestamp() if run.started_at else None,
    }


def draw(template: str, context: Mapping[str, Any]) -> str:
    """Return lines or their tail as HTML. They have relative links only, so it takes no request and no site."""
    return render_to_string(template, dict(context))


def page_context(run: Run, query: Mapping[str, str]) -> dict[str, Any]:
    """Return what a run's page shows of its output."""
    look = Look.of(run, query)
    window = look.window(query)
    return {
        **lines_context(run, window, only_errors=look.only_errors),
        "run": run,
        "wait": SOON_MS,
        "last": _last_line(look, window),
        "line": number(query.get("line")),
    }


def run_lines(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Return lines as a fragment: those after `?cursor=`, or the window that the address asks for; `?news` none.

    What follows a cursor comes with what has changed of the page's head and question.
    """
    # Asked for many times a minute; the traceback is fetched when the head is sent again, which is once.
    is_shared = "cursor" in request.GET and request.GET.get("only") != "errors"
    run = get_run(admin, request, pk, without=NOT_LISTED, read=read_together if is_shared else read)
    look = Look.of(run, request.GET)
    if "news" in request.GET:
        context: dict[str, Any] = {
            "is_live": not run.is_finished,
            "last": look.last_line(),
            "wait": LONGEST_WAIT_MS // 2,
        }
        return TemplateResponse(request, "launcher/_tail_and_news.html", context | _news(request, run))
    if "cursor" not in request.GET:
        window = look.window(request.GET)
        # Who asks for what comes after a place has what is before it.
        floor = window.start if "after" in request.GET else number(request.GET.get("floor")) or 0
        context = lines_context(run, window, floor=floor, only_errors=look.only_errors)
        context |= {"wait": FIRST_WAIT_MS, "last": _last_line(look, window), "is_before": "end" in request.GET}
        return TemplateResponse(request, "launcher/_window.html", context)
    try:
        cursor = Cursor.parse(request.GET["cursor"])
    except ValueError:
        cursor = Cursor()
    part = follow_together(run, cursor) if is_shared else Part(window=look.following(cursor))
    window = part.window
    had = request.GET.get("had", "")
    context = lines_context(run, window, floor=window.start, had=had, only_errors=look.only_errors)
    context |= {"rows_html": part.rows_html, "pending_html": part.pending_html}
    came = part.has_rows or window.digest != had or request.GET.get("asked", "") != prompt_seen(run)
    wait = max(_next_wait(request, came=came), pace.ms) if window.is_at_end else SOON_MS
    last = _last_line(look, window) if part.last is None else part.last
    context |= {"wait": wait, "last": last, **_news(request, run)}
    if any(context.get(name) for name in ("has_changed", "has_new_prompt", "has_new_question")):
        return TemplateResponse(request, "launcher/_tail_and_news.html", context)
    # Nothing that depends on who looks: that saves what a project adds to the context of its pages.
    return HttpResponse(draw("launcher/_tail_and_news.html", context))


def _news(request: HttpRequest, run: Run) -> dict[str, Any]:
    place = place_of(run)
    seen, asked = state_seen(run, place), request.GET.get("asked", "")
    context = {"run": run, "seen": seen, "asked": prompt_seen(run), **prompt_news(run, asked)}
    return context | head_news(request, run, place, failure_together)


def _last_line(look: Look, window: Window) -> int:
    if look.only_errors or not window.is_at_end:
        return look.last_line()
    return window.last_line


def _next_wait(request: HttpRequest, *, came: bool) -> int:
    last = number(request.GET.get("wait"))
    return FIRST_WAIT_MS if came or last is None else min(max(last, SOON_MS) * 2, LONGEST_WAIT_MS)


def run_line(admin: Admin, request: HttpRequest, pk: int, line: int) -> HttpResponseBase:
    """Send one whole line as text: of one that is very long, the page shows the beginning."""
    run = get_run(admin, request, pk, without=NOT_LISTED)
    try:
        pieces = plain_pieces(without_marks(read_line(open_output(run), line)))
    except NoSuchLine:
        raise Http404(_("There is no line %d.") % line) from None
    return text_response(request, pieces)
