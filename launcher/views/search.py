"""Searching a run's output: what a page is told while it searches, and a list for browsers without JavaScript.

The protocol has no memory: each request searches for a moment from a place on, and answers with the number of lines
that match, some of their numbers, and where to go on. Whoever asks adds up. A line number that is not among those told
is asked for with `near`, from the place where its part of the output began to be searched.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

from django.http import HttpRequest, JsonResponse, QueryDict
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from launcher.models import Run
from launcher.output.filtered import errors_among
from launcher.output.pattern import (
    ANSWER_SECONDS,
    BadPatternError,
    BusyError,
    CannotStartError,
    Pattern,
    SearchRefusedError,
    TooSlowError,
)
from launcher.output.search import (
    MOST_CHARACTERS,
    Found,
    Place,
    Query,
    line_at,
    line_texts,
    look,
    matcher,
    next_hits,
    rows_matching,
)
from launcher.output.store import Output, open_output
from launcher.output.window import Row, Window, held
from launcher.views.base import NOT_LISTED, Admin, number
from launcher.views.head import get_run

LIST_LENGTH = 50
LIST_SECONDS = 0.25
NEAR_SECONDS = 1.0
BUSY_WAIT_SECONDS = 1


def query_of(parameters: QueryDict) -> Query:
    """Return what an address says to look for; an empty query where it says nothing."""
    return Query(
        text=parameters.get("q", ""),
        is_regex="regex" in parameters,
        is_case_sensitive="case" in parameters,
        only_errors=parameters.get("only") == "errors",
    )


def parameters_of(query: Query, **more: Any) -> str:
    """Return a query as the part of an address behind the question mark."""
    flags = {
        "regex": ("1", query.is_regex),
        "case": ("1", query.is_case_sensitive),
        "only": ("errors", query.only_errors),
    }
    return urlencode({"q": query.text, **{name: value for name, (value, is_on) in flags.items() if is_on}, **more})


def refusal_said(error: SearchRefusedError, line: int | None = None) -> str:
    """Return why a search can't be done, or not beyond a line."""
    if isinstance(error, BadPatternError):
        if error.place is None:
            return _("This is no regular expression that can be used: %s.") % error.message
        return _("This is no regular expression: %(message)s, at character %(place)d.") % {
            "message": error.message,
            "place": error.place + 1,
        }
    if isinstance(error, TooSlowError):
        if line is None:
            return _("This pattern takes too long, so it was stopped.")
        return _(
            "This pattern takes too long: it was stopped after %(seconds)d s on the text behind line %(line)s. "
            "Repetitions within repetitions, as in (a+)+, are often why."
        ) % {"seconds": ANSWER_SECONDS, "line": number_format(line, force_grouping=True)}
    if isinstance(error, BusyError):
        return _("Other searches with regular expressions are going on; it is tried again.")
    if isinstance(error, CannotStartError):
        return _("The process that looks for regular expressions could not be started: %s") % error
    return _("What can be searched for has at most %d characters.") % MOST_CHARACTERS


def run_search(admin: Admin, request: HttpRequest, pk: int) -> JsonResponse:
    """Search on for `?q=` from the place `?from=`, or tell where it matches in the lines `?marks=first-last`."""
    run = get_run(admin, request, pk, without=NOT_LISTED)
    output = open_output(run)
    query = query_of(request.GET)
    marks = request.GET.get("marks", "")
    try:
        if not query:
            answer: dict[str, Any] = {"error": _("There is nothing to search for.")}
        elif marks:
            answer = {"marks": _marks(run, output, query, marks)}
        else:
            answer = _searched(run, output, query, request.GET)
    except SearchRefusedError as error:
        place = _place(request.GET)
        line = line_at(output, place.offset) if isinstance(error, TooSlowError) and not marks else None
        answer = {"error": refusal_said(error, line)}
        if isinstance(error, BusyError):
            answer["wait"] = BUSY_WAIT_SECONDS
    return JsonResponse(answer)


def _place(parameters: QueryDict) -> Place:
    try:
        return Place.parse(parameters.get("from", "0"))
    except ValueError:
        return Place()


def _searched(run: Run, output: Output, query: Query, parameters: QueryDict) -> dict[str, Any]:
    """Return what one look finds; with `until`, which is said to be searched already, what of that is `near` a line."""
    place = _place(parameters)
    until, near, had = (number(parameters.get(name)) for name in ("until", "near", "had"))
    with closing(matcher(query)) as found_by:
        latest = held(output, is_finished=run.is_finished)
        end = latest.cursor.mark.offset
        if until is not None:
            found = look(
                output,
                found_by,
                place,
                min(end, until),
                is_finished=run.is_finished,
                only_errors=query.only_errors,
                near=near or 0,
                seconds=NEAR_SECONDS,
            )
            return _told(found, place)
        found = look(output, found_by, place, end, is_finished=run.is_finished, only_errors=query.only_errors)
        pending = rows_matching(_pending(latest, query), found_by) if found.is_done else []
    is_live = bool(latest.pending) or not run.is_finished
    count = (had or 0) + found.count + len(pending)
    return {
        **_told(found, place),
        "done": found.is_done,
        "live": is_live,
        "pending": pending,
        "percent": _percent(found, end),
        "said": _said(count, None if found.is_done else _percent(found, end)),
    }


def _pending(latest: Window, query: Query) -> tuple[Row, ...]:
    return errors_among(latest.pending) if query.only_errors else latest.pending


def _told(found: Found, place: Place) -> dict[str, Any]:
    return {
        "from": str(place),
        "next": str(found.place),
        "count": found.count,
        "lines": found.lines,
        "first": found.first,
        "through": found.through,
    }


def _percent(found: Found, end: int) -> int:
    return min(100, found.place.offset * 100 // end) if end and not found.is_done else 100


def _said(count: int, percent: int | None) -> str:
    shown = number_format(count, force_grouping=True)
    if percent is not None:
        text = ngettext(
            "%(count)s line so far, %(percent)d %% searched", "%(count)s lines so far, %(percent)d %% searched", count
        )
        return text % {"count": shown, "percent": percent}
    if not count:
        return _("No line matches")
    return ngettext("%s line matches", "%s lines match", count) % shown


def _marks(run: Run, output: Output, query: Query, lines: str) -> dict[int, list[tuple[int, int]]]:
    """Return where a regular expression matches in some lines: places in UTF-16 units, by line number."""
    first, last = (number(text) for text in (lines.partition("-")[::2]))
    if not first or not last:
        return {}
    texts = line_texts(output, first, last, is_finished=run.is_finished)
    if not texts:
        return {}
    numbers = list(texts)
    found: dict[int, list[tuple[int, int]]] = {}
    with Pattern(query.text, is_case_sensitive=query.is_case_sensitive) as pattern:
        for index, start, end in pattern.spans(b"\n".join(texts.values())):
            found.setdefault(numbers[index], []).append((start, end))
    return found


def search_context(run: Run, parameters: QueryDict) -> dict[str, Any]:
    """Return what the search of a run's page needs; for a query without a line, the first lines that match, too."""
    query = query_of(parameters)
    context: dict[str, Any] = {"search_query": query, "search_parameters": parameters_of(query)}
    if not query or "line" in parameters:
        return context
    place, output = _place(parameters), open_output(run)
    try:
        with closing(matcher(query)) as found_by:
            latest = held(output, is_finished=run.is_finished)
            found = next_hits(
                output,
                found_by,
                place,
                latest.cursor.mark.offset,
                is_finished=run.is_finished,
                only_errors=query.only_errors,
                most=LIST_LENGTH,
                seconds=LIST_SECONDS,
            )
            pending = rows_matching(_pending(latest, query), found_by) if found.is_done else []
    except SearchRefusedError as error:
        return {**context, "search_error": refusal_said(error)}
    return {
        **context,
        "search_hits": found.hits,
        "search_pending": pending,
        "search_more": "" if found.is_done else parameters_of(query, **{"from": found.place}),
    }
