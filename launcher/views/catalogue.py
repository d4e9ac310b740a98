"""The catalogue: the commands that the user may use, found by name, app or help; none is imported for it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from launcher import catalogue, policy, runs
from launcher.catalogue import Entry
from launcher.execution.probe import import_errors
from launcher.models import Run
from launcher.views.base import NOT_LISTED, Admin, is_htmx, page, require, runs_of

PROBE_WAIT_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """A command in the catalogue."""

    entry: Entry
    error: str
    last_run: Run | None


def catalogue_page(admin: Admin, request: HttpRequest) -> HttpResponse:
    """Show the commands that the user may use, by app; `?q=` searches name, app and help."""
    require(policy.may_enter(request.user))
    query = request.GET.get("q", "").strip()
    entries = catalogue.entries()
    errors = import_errors(entries, wait_seconds=0 if is_htmx(request) else PROBE_WAIT_SECONDS)
    usable = policy.usable_commands(request.user)
    visible = [entry for entry in entries if usable is None or entry.name in usable]
    found = [entry for entry in visible if _matches(entry, query)]
    last_runs = _last_runs(runs_of(admin, request))
    rows = [
        Row(entry=entry, error=(errors or {}).get(entry.name, ""), last_run=last_runs.get(entry.name))
        for entry in found
    ]
    context: dict[str, Any] = {
        "query": query,
        "groups": [(title, list(group)) for title, group in groupby(rows, key=lambda row: row.entry.app_title)],
        "found_count": len(found),
        "total_count": len(visible),
        "is_checking": errors is None,
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
    return {run.command: run for run in found}
