"""The catalogue: the commands that the user may use, found by name, app or help; none is imported for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import quote

from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from launcher import catalogue, policy, runs
from launcher.catalogue import Entry
from launcher.execution.probe import import_errors
from launcher.models import Run
from launcher.views.base import NOT_LISTED, Admin, address, is_htmx, page, require, runs_of
from launcher.views.progress import refresh_doing

PROBE_WAIT_SECONDS = 3.0
MOST_WATCHED = 100
"""Runs whose states change in place, since their keys stand in an address."""

PLACE = "launcher-place"


@dataclass(kw_only=True, eq=False)
class Row:
    """A command in the catalogue. It is kept from look to look, so what hundreds of looks need is made once."""

    entry: Entry
    error: str
    url: str
    html: tuple[str, str] | None = None
    """The row drawn, up to where its last run stands, and from there; None until then."""


@dataclass(frozen=True, kw_only=True)
class _Kept:
    entries: Sequence[Entry]
    errors: Mapping[str, str]
    form_url: str
    language: str | None
    rows: tuple[Row, ...]


_kept: dict[str, _Kept] = {}
"""The rows of the last look at each site's catalogue, by the address of its forms."""


def _rows(entries: Sequence[Entry], errors: Mapping[str, str], form_url: str) -> tuple[Row, ...]:
    """Return a row for each command; the same ones as last time where nothing is different."""
    kept, language = _kept.get(form_url), get_language()
    if kept and kept.entries is entries and kept.errors == errors and kept.language == language:
        return kept.rows
    rows = tuple(
        Row(entry=entry, error=errors.get(entry.name, ""), url=form_url.replace(PLACE, quote(entry.name, safe="")))
        for entry in entries
    )
    _kept[form_url] = _Kept(entries=entries, errors=errors, form_url=form_url, language=language, rows=rows)
    return rows


def catalogue_page(admin: Admin, request: HttpRequest) -> HttpResponse:
    """Show the commands that the user may use, by app; `?q=` searches name, app and help."""
    require(policy.may_enter(request.user))
    query = request.GET.get("q", "").strip()
    entries = catalogue.entries()
    errors = import_errors(entries, wait_seconds=0 if is_htmx(request) else PROBE_WAIT_SECONDS)
    usable = policy.usable_commands(request.user)
    # One look at the URL patterns for all of them: hundreds would take longer than all the rest of the page.
    rows = _rows(entries, errors or {}, address(admin, "command_run", PLACE))
    visible = rows if usable is None else [row for row in rows if row.entry.name in usable]
    found = [row for row in visible if _matches(row.entry, query)] if query else visible
    last_runs = _last_runs(runs_of(admin, request))
    going = [run.pk for row in found if (run := last_runs.get(row.entry.name)) and not run.is_finished]
    context: dict[str, Any] = {
        "query": query,
        "groups": [(title, list(group)) for title, group in groupby(found, key=lambda row: row.entry.app_title)],
        "found_count": len(found),
        "total_count": len(visible),
        "is_checking": errors is None,
        "last_runs": last_runs,
        "unfinished": going[:MOST_WATCHED],
        "is_catalogue": True,
    }
    if is_htmx(request):
        response: HttpResponse = TemplateResponse(request, "launcher/_catalogue.html", context)
    else:
        response = page(admin, request, "catalogue.html", _("Commands"), **context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _matches(entry: Entry, query: str) -> bool:
    text = f"{entry.name} {entry.app_title} {entry.app_name} {entry.help}".casefold()
    return all(word in text for word in query.casefold().split())


def _last_runs(readable: QuerySet[Run]) -> dict[str, Run]:
    newest_keys = readable.order_by().values("command").annotate(newest=Max("pk")).values("newest")
    found = list(Run.objects.filter(pk__in=newest_keys).defer(*NOT_LISTED))
    runs.reconcile(found)
    for run in found:
        refresh_doing(run)
    return {run.command: run for run in found}
