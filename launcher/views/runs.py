"""The history, a run's page and its buttons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.contrib import messages
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from launcher import argv as argv_module
from launcher import catalogue, policy, runs, shell
from launcher.catalogue import CommandUnavailable
from launcher.conf import options
from launcher.models import UNFINISHED, Run, Status
from launcher.views.base import NOT_LISTED, Admin, address, is_htmx, number, page, require
from launcher.views.head import get_run, place_of, prompt_seen, refresh_prompt, run_context, state_seen
from launcher.views.output import page_context
from launcher.views.progress import refresh_doing
from launcher.views.search import search_context
from launcher.views.stream import can_stream

LOOKED_AT = 200
"""So many unfinished runs of a list are looked at, whether they still go on."""
LONGEST_COPY = 100_000
LONGEST_LINK = 4000
"""Characters of an address that servers and browsers take without complaint."""


def run_history(admin: Admin, request: HttpRequest) -> HttpResponse:
    """Show the admin's change list of runs, after a look at whether what it calls running still is."""
    if any("\0" in word for name, values in request.GET.lists() for word in (name, *values)):
        return redirect(request.path)  # PostgreSQL has no such character, and says so with an error
    readable = admin.get_queryset(request)
    unfinished = list(readable.filter(status__in=UNFINISHED).defer(*NOT_LISTED)[:LOOKED_AT])
    runs.reconcile(unfinished)
    newest = readable.values_list("pk", flat=True).first()
    response = admin.changelist_view(request, {"newest": newest or 0, "title": _("Runs")})
    if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
        shown = response.context_data["cl"].result_list
        response.context_data["unfinished"] = [run.pk for run in shown if not run.is_finished]
    return response


def run_page(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Show a run: its facts, its buttons, and its output, of which the end goes on by itself while it runs."""
    run = get_run(admin, request, pk)
    place = place_of(run)
    return page(
        admin,
        request,
        "run.html",
        f"{run.command} #{run.pk}",
        **run_context(request, run, place),
        **page_context(run, request.GET),
        can_stream=can_stream(request) and not run.is_finished,
        seen=state_seen(run, place),
        asked=prompt_seen(run),
        copies=_copies(admin, request, run),
        **search_context(run, request.GET),
    )


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A way to say a run elsewhere: a line to copy, or why there is none."""

    key: str
    title: str
    text: str = ""
    obstacle: str = ""


def _copies(admin: Admin, request: HttpRequest, run: Run) -> list[Copy]:
    """Return the run as a line for the shell, for a crontab, for Python, and as a link to the form filled in."""
    folder = runs.project_folder()
    python = options().python
    makers: list[tuple[str, str, Callable[[], str]]] = [
        ("shell", _("On the shell"), lambda: shell.shell_line(run.command, run.argv)),
        ("cron", _("In a crontab, at 3 a.m."), lambda: _cron_line(run, folder, python)),
        ("python", _("In Python"), lambda: shell.python_call(run.command, run.argv)),
        ("link", _("As a link to the form"), lambda: _link(admin, request, run)),
    ]
    return [_copy(key, title, make, run) for key, title, make in makers]


def _copy(key: str, title: str, make: Callable[[], str], run: Run) -> Copy:
    try:
        text = runs.short_line(make(), run.uid)
        if len(text) > LONGEST_COPY:
            return Copy(key=key, title=title, obstacle=_("Too long for a page: %d characters.") % len(text))
        return Copy(key=key, title=title, text=text)
    except (shell.CannotWriteLine, argv_module.CannotWrite, CommandUnavailable) as error:
        return Copy(key=key, title=title, obstacle=error.message)


def _cron_line(run: Run, folder: Path | None, python: str) -> str:
    if folder is None:
        raise shell.CannotWriteLine(_("The project's manage.py was not found."))
    return shell.cron_line(run.command, run.argv, folder=str(folder), python=python)


def _link(admin: Admin, request: HttpRequest, run: Run) -> str:
    words = runs.argv_for_link(run)
    query = f"?{urlencode({'args': shell.join(words)})}" if words else ""
    link = request.build_absolute_uri(f"{address(admin, 'command_run', run.command)}{query}")
    if len(link) > LONGEST_LINK:
        raise shell.CannotWriteLine(_("It would be too long; use “Edit and run again”."))
    return link


def run_stop(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a run."""
    run = get_run(admin, request, pk)
    try:
        status = runs.stop_run(run, user=request.user)
    except DatabaseError as error:
        text = _("The run was told to stop, but who did it can't be noted while the database is locked (%s).")
        messages.warning(request, text % error)
    else:
        if status not in UNFINISHED and status != Status.STOPPED:
            messages.info(request, _("The run had ended by then."))
    return redirect(address(admin, "run_change", run.pk))


@sensitive_variables()
def run_answer(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Type an answer where the run waits for one, or end its input; it is passed on, and kept and shown nowhere."""
    run = get_run(admin, request, pk, without=NOT_LISTED)
    asked = number(request.POST.get("number"))
    text = None if "end" in request.POST else request.POST.get("answer", "")
    refusal = (
        runs.answer(run, asked, text, user=request.user) if asked else _("It was not told which question this is for.")
    )
    refresh_prompt(run)
    is_still_asked = run.prompt is not None and run.prompt["number"] == asked
    if refusal and asked and not is_still_asked:
        refusal = _("Your answer was not sent: somebody else answered first, or the command did not wait any longer.")
    if not is_htmx(request):
        if refusal:
            messages.error(request, refusal)
        return redirect(address(admin, "run_change", run.pk))
    response = TemplateResponse(request, "launcher/_answered.html", {"run": run, "refusal": refusal})
    if refusal and is_still_asked:
        response["HX-Reswap"] = "none"  # what was typed stays in its field
    return response


def run_again(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Start a run with the very argv of an earlier one; where that is not whole any more, show the form."""
    run = get_run(admin, request, pk)
    form_url = f"{address(admin, 'command_run', run.command)}?{urlencode({'run': run.pk})}"
    if not catalogue.exists(run.command):
        raise Http404(_("There is no command “%s”.") % run.command)
    if run.has_secrets or runs.has_uploads(run) or catalogue.wants_confirmation(run.command):
        return redirect(form_url)
    try:
        started = runs.start_run(run.command, run.argv, user=request.user)
    except (runs.NotAccepted, runs.Busy, CommandUnavailable) as error:
        messages.error(request, str(error))
        return redirect(form_url)
    except DatabaseError as error:
        messages.error(request, _("Nothing was started: the database can't be written now (%s).") % error)
        return redirect(address(admin, "run_change", run.pk))
    return redirect(address(admin, "run_change", started.pk))


def run_states(admin: Admin, request: HttpRequest) -> HttpResponse:
    """Return the present states of the runs in `?id=`, to swap into a list, and how many are newer than `?newest=`.

    With `?in=catalogue`, what that shows of them.
    """
    require(policy.may_enter(request.user))
    keys = [key for key in map(number, request.GET.getlist("id")[:LOOKED_AT]) if key is not None]
    readable = admin.get_queryset(request)
    found = list(readable.filter(pk__in=keys).defer(*NOT_LISTED))
    runs.reconcile(found)
    for run in found:
        refresh_doing(run)
    last = number(request.GET.get("newest"))
    newer = readable.filter(pk__gt=last).count() if last is not None else 0
    context = {
        "runs": found,
        "unfinished": [run.pk for run in found if not run.is_finished],
        "newest": last,
        "newer_count": newer,
        "is_catalogue": request.GET.get("in") == "catalogue",
    }
    return TemplateResponse(request, "launcher/_states.html", context)
