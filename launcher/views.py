"""The pages and their fragments. Each loads with the right to it, asks a service, and renders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from launcher import argv as argv_module
from launcher import catalogue, policy, runs
from launcher.arguments import Description
from launcher.argv import CannotWrite
from launcher.catalogue import CommandUnavailable, Entry
from launcher.execution.probe import import_errors
from launcher.forms import UPLOADS_TOKEN, CommandForm, Uploads, with_file_names
from launcher.models import UNFINISHED, Run, Status
from launcher.output.store import open_output, read_all
from launcher.output.terminal import plain_text, whole_length
from launcher.output.window import Cursor, Window, following, newest, preceding

PROBE_WAIT_SECONDS = 3.0
FIRST_WAIT_MS = 150
LONGEST_WAIT_MS = 2000

if TYPE_CHECKING:
    Admin = ModelAdmin[Any]
else:
    Admin = ModelAdmin


@dataclass(frozen=True, kw_only=True)
class Row:
    """A command in the catalogue."""

    entry: Entry
    error: str
    last_run: Run | None


def is_htmx(request: HttpRequest) -> bool:
    """Tell a request for a fragment from one for a page; a history restore wants the page."""
    details = HtmxDetails(request)
    return bool(details) and not details.history_restore_request


def _reverse(admin: Admin, name: str, *args: Any) -> str:
    return reverse(f"admin:launcher_{name}", args=args, current_app=admin.admin_site.name)


def _page(
    admin: Admin, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
) -> TemplateResponse:
    return TemplateResponse(
        request,
        f"launcher/{template}",
        {**admin.admin_site.each_context(request), "title": title, "opts": admin.opts, **context},
        status=status,
    )


def refusal(admin: Admin, request: HttpRequest, *, status: int, title: str, message: str) -> TemplateResponse:
    """Return a page in the admin's dress that says why there is nothing to see."""
    return _page(admin, request, "refusal.html", title, status=status, message=message)


def _number(text: str | None) -> int | None:
    """Return a number from a URL, or None for what is none that a key or a place in an output can be."""
    return int(text) if text and re.fullmatch("[0-9]{1,18}", text) else None


def _require(decision: policy.Decision) -> None:
    if not decision:
        raise PermissionDenied(decision.reason)


# Catalogue


def catalogue_page(admin: Admin, request: HttpRequest) -> HttpResponse:
    """Show the commands that the user may use, by app; `?q=` searches name, app and help."""
    _require(policy.may_enter(request.user))
    query = request.GET.get("q", "").strip()
    entries = catalogue.entries()
    errors = import_errors(entries, wait_seconds=0 if is_htmx(request) else PROBE_WAIT_SECONDS)
    usable = policy.usable_commands(request.user)
    visible = [entry for entry in entries if usable is None or entry.name in usable]
    found = [entry for entry in visible if _matches(entry, query)]
    last_runs = _last_runs(_runs_of(admin, request))
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
        response = _page(admin, request, "catalogue.html", _("Commands"), **context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _matches(entry: Entry, query: str) -> bool:
    text = f"{entry.name} {entry.app_title} {entry.app_name} {entry.help}".casefold()
    return all(word in text for word in query.casefold().split())


def _last_runs(readable: QuerySet[Run]) -> dict[str, Run]:
    newest_keys = readable.order_by().values("command").annotate(newest=Max("pk")).values("newest")
    found = list(Run.objects.filter(pk__in=newest_keys).defer("traceback", "argv"))
    runs.reconcile(found)
    return {run.command: run for run in found}


# Form


def command_page(admin: Admin, request: HttpRequest, name: str) -> HttpResponse:
    """Show a command's form, filled from `?run=` if that is given; run it when posted."""
    _require(policy.may_use(request.user, name))
    if not catalogue.exists(name):
        raise Http404(_("There is no command “%s”.") % name)
    entry = catalogue.entry(name)
    if entry.obstacle:
        return _page(
            admin, request, "command_refused.html", name, entry=entry, status=405 if request.method == "POST" else 200
        )
    try:
        description = argv_module.describe(name)
    except CommandUnavailable as error:
        return _page(admin, request, "command_broken.html", name, entry=entry, error=error)
    if request.method == "POST":
        return _run_posted(admin, request, entry, description)
    form = CommandForm(description, given=_given_from_run(admin, request, name), confirm=_to_type(name))
    return _form_page(admin, request, entry, description, form)


def _to_type(name: str) -> str:
    return name if catalogue.wants_confirmation(name) else ""


def _given_from_run(admin: Admin, request: HttpRequest, name: str) -> dict[str, tuple[str, ...]]:
    """Return what an earlier run was given, less its secrets and the uploaded files that went with it."""
    pk = _number(request.GET.get("run"))
    run = _runs_of(admin, request).filter(pk=pk, command=name).first() if pk is not None else None
    if run is None:
        return {}
    reading = argv_module.read(name, run.argv)
    uploads = str(runs.uploads_folder(run))
    given = {
        argument: values
        for argument, values in reading.given.items()
        if not any(value.startswith(uploads) for value in values)
    }
    if reading.error:
        messages.warning(request, _("The command's arguments have changed since: %s") % reading.error)
    if len(given) < len(reading.given):
        messages.warning(request, _("The file uploaded for run %s was removed after it; choose it again.") % run.pk)
    if run.has_secrets:
        messages.warning(request, _("Secrets are not kept; type them again."))
    return given


def _run_posted(admin: Admin, request: HttpRequest, entry: Entry, description: Description) -> HttpResponse:
    uploads = Uploads.from_token(request.POST.get(UPLOADS_TOKEN, ""), request.user)
    form = CommandForm(
        description, data=request.POST, files=request.FILES, uploads=uploads, confirm=_to_type(entry.name)
    )
    status, details = 200, ""
    is_valid = form.is_valid()
    try:
        argv = argv_module.build(description, form.given(), form.extra_words())
        if is_valid:
            run = runs.start_run(entry.name, argv, user=request.user, uid=uploads.uid)
            return redirect(_reverse(admin, "run_change", run.pk))
        details = _show_verdict(form, entry.name, argv, argv_module.judge(entry.name, argv))
    except CannotWrite as error:
        form.show_verdict({error.name: [error.message]})
    except runs.NotAccepted as error:
        details = _show_verdict(form, entry.name, argv, error.verdict)
    except CommandUnavailable as error:
        form.add_error(None, error.message)
    except DatabaseError as error:
        status = 503
        form.add_error(
            None, _("Nothing was started: the database can't be written now (%s). Try again in a moment.") % error
        )
    except OSError as error:
        status = 503
        form.add_error(None, _("Nothing was started: the file could not be stored (%s).") % error)
    return _form_page(admin, request, entry, description, form, status=status, details=details)


def _show_verdict(form: CommandForm, name: str, argv: Sequence[str], verdict: argv_module.Verdict) -> str:
    """Put the parser's messages on the form, and return the traceback if it failed; neither quotes a secret."""
    secrets = sorted(argv_module.read(name, argv).secret_values, key=len, reverse=True)

    def masked(text: str) -> str:
        for secret in secrets:
            text = text.replace(repr(secret), argv_module.MASK).replace(secret, argv_module.MASK)
        return text

    form.show_verdict({key: [masked(message) for message in messages] for key, messages in verdict.errors.items()})
    return masked(verdict.details)


def _form_page(
    admin: Admin,
    request: HttpRequest,
    entry: Entry,
    description: Description,
    form: CommandForm,
    *,
    status: int = 200,
    details: str = "",
) -> TemplateResponse:
    uploads = form.uploads
    return _page(
        admin,
        request,
        "command_form.html",
        entry.name,
        status=status,
        entry=entry,
        description=description,
        form=form,
        details=details,
        adminform=AdminForm(form, form.fieldsets, {}, (), model_admin=None),  # type: ignore[arg-type]  # any form will do
        line=_line(entry.name, description, form),
        uploads_token=uploads.token(request.user) if uploads and uploads.has_any else "",
        recent_runs=_runs_of(admin, request).filter(command=entry.name)[:5],
    )


def _line(name: str, description: Description, form: CommandForm) -> str:
    """Return the shell line for what the form holds now, with secrets masked, or the reason why there is none."""
    given = form.given() if form.is_bound else form.given_initially
    secret = {argument.name for argument in description.arguments if argument.is_secret}
    masked = {key: (argv_module.MASK,) if key in secret and values else values for key, values in given.items()}
    try:
        argv = argv_module.build(description, masked, form.extra_words() if form.is_bound else ())
    except CannotWrite as error:
        return error.message
    line = argv_module.shell_line(name, argv_module.mask_options(argv, description))
    return runs.short_line(line, form.uploads.uid) if form.uploads else line


def command_line(admin: Admin, request: HttpRequest, name: str) -> HttpResponse:
    """Return the shell line for a form as it is being filled in. A POST, since its fields may hold secrets."""
    _require(policy.may_run(request.user, name))
    if not catalogue.exists(name):
        raise Http404
    try:
        description = argv_module.describe(name)
    except CommandUnavailable as error:
        return TemplateResponse(request, "launcher/_command_line.html", {"line": error.message})
    uploads = Uploads.from_token(request.POST.get(UPLOADS_TOKEN, ""), request.user)
    form = CommandForm(description, data=with_file_names(description, request.POST), uploads=uploads)
    form.is_valid()
    return TemplateResponse(request, "launcher/_command_line.html", {"line": _line(name, description, form)})


# Runs


def _runs_of(admin: Admin, request: HttpRequest) -> QuerySet[Run]:
    """Return the runs that the user may read, as the site's own ModelAdmin for them says."""
    readable: QuerySet[Run] = admin.admin_site.get_model_admin(Run).get_queryset(request)
    return readable


def _get_run(admin: Admin, request: HttpRequest, pk: int) -> Run:
    """Return a run that the user may read; another's and a missing one are the same 404."""
    _require(policy.may_enter(request.user))
    run: Run | None = admin.get_queryset(request).filter(pk=pk).first()
    if run is None:
        raise Http404(_("There is no run %s.") % pk)
    runs.reconcile([run])
    return run


def run_page(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Show a run: its facts, its buttons, and the end of its output, which goes on by itself while it runs."""
    run = _get_run(admin, request, pk)
    output = open_output(run)
    end = _number(request.GET.get("end"))
    window = newest(output, is_finished=run.is_finished) if end is None else preceding(output, end)
    return _page(
        admin,
        request,
        "run.html",
        f"{run.command} #{run.pk}",
        **_run_context(request, run)
        | _window_context(run, window, floor=0, wait=FIRST_WAIT_MS, is_live=end is None and not run.is_finished),
        is_part=end is not None,
    )


def _run_context(request: HttpRequest, run: Run) -> dict[str, Any]:
    return {
        "run": run,
        "may_run": policy.may_run(request.user, run.command) and catalogue.exists(run.command),
        "is_removed": not catalogue.exists(run.command),
        "may_delete": run.is_finished and policy.may_delete(request.user, run.command),
        "seen": _state_seen(run),
    }


def _state_seen(run: Run) -> str:
    return f"{run.status}-{int(run.stop_requested_at is not None)}"


def _window_context(run: Run, window: Window, *, floor: int, wait: int, is_live: bool) -> dict[str, Any]:
    return {
        "run": run,
        "rows": window.rows,
        "pending": window.pending,
        "cursor": str(window.cursor),
        "earlier_end": window.start if window.start > floor else None,
        "earlier_floor": floor,
        "wait": wait,
        "is_live": is_live,
        "seen": _state_seen(run),
    }


def run_lines(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Return lines as a fragment: those after `?cursor=`, or with `?end=` those before a place, down to `?floor=`."""
    run = _get_run(admin, request, pk)
    end = _number(request.GET.get("end"))
    output = open_output(run)
    if end is not None:
        floor = _number(request.GET.get("floor")) or 0
        context = _window_context(run, preceding(output, end, floor), floor=floor, wait=0, is_live=False)
        return TemplateResponse(request, "launcher/_earlier.html", context)
    try:
        cursor = Cursor.parse(request.GET.get("cursor", str(Cursor())))
    except ValueError:
        cursor = Cursor()
    window = following(output, cursor, is_finished=run.is_finished)
    is_at_end = window.cursor.mark.offset >= output.size
    came = window.cursor.mark.offset > cursor.mark.offset or bool(window.pending)
    context = _window_context(
        run,
        window,
        floor=window.start if window.skipped_from is None else window.skipped_from,
        wait=_next_wait(request, came=came),
        is_live=not (run.is_finished and is_at_end),
    )
    if request.GET.get("seen") != _state_seen(run):
        context |= {**_run_context(request, run), "has_changed": True}
    return TemplateResponse(request, "launcher/_tail.html", context)


def _next_wait(request: HttpRequest, *, came: bool) -> int:
    last = _number(request.GET.get("wait"))
    return FIRST_WAIT_MS if came or last is None else min(max(last, FIRST_WAIT_MS) * 2, LONGEST_WAIT_MS)


def run_download(admin: Admin, request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send the whole output as a file: as text, or with `?ansi` the very bytes that were written."""
    run = _get_run(admin, request, pk)
    pieces = read_all(open_output(run))
    response = StreamingHttpResponse(
        pieces if "ansi" in request.GET else _plain(pieces), content_type="text/plain; charset=utf-8"
    )
    name = get_valid_filename(f"{run.command}-{run.pk}.txt")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Accel-Buffering"] = "no"  # a proxy need not collect a gigabyte before it passes on the first byte
    return response


def _plain(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if lines:
            yield "".join(f"{plain_text(line)}\n" for line in lines)
        if len(rest) > 1024 * 1024:  # a line without end
            whole = whole_length(rest)
            yield plain_text(rest[:whole])
            rest = rest[whole:]
    if rest:
        yield plain_text(rest)


def run_stop(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a run."""
    run = _get_run(admin, request, pk)
    try:
        status = runs.stop_run(run, user=request.user)
    except DatabaseError as error:
        text = _("The run was told to stop, but who did it can't be noted while the database is locked (%s).")
        messages.warning(request, text % error)
    else:
        if status not in UNFINISHED and status != Status.STOPPED:
            messages.info(request, _("The run had ended by then."))
    return redirect(_reverse(admin, "run_change", run.pk))


def run_again(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Start a run with the very argv of an earlier one; where that is not whole any more, show the form."""
    run = _get_run(admin, request, pk)
    form_url = f"{_reverse(admin, 'command_run', run.command)}?{urlencode({'run': run.pk})}"
    if not catalogue.exists(run.command):
        raise Http404(_("There is no command “%s”.") % run.command)
    if run.has_secrets or runs.has_uploads(run) or catalogue.wants_confirmation(run.command):
        return redirect(form_url)
    try:
        started = runs.start_run(run.command, run.argv, user=request.user)
    except (runs.NotAccepted, CommandUnavailable) as error:
        messages.error(request, str(error))
        return redirect(form_url)
    except DatabaseError as error:
        messages.error(request, _("Nothing was started: the database can't be written now (%s).") % error)
        return redirect(_reverse(admin, "run_change", run.pk))
    return redirect(_reverse(admin, "run_change", started.pk))


def run_states(admin: Admin, request: HttpRequest) -> HttpResponse:
    """Return the present states of the runs in `?id=`, to swap into a list, and how many are newer than `?newest=`."""
    _require(policy.may_enter(request.user))
    keys = [key for key in map(_number, request.GET.getlist("id")[:200]) if key is not None]
    readable = admin.get_queryset(request)
    found = list(readable.filter(pk__in=keys))
    runs.reconcile(found)
    last = _number(request.GET.get("newest"))
    newer = readable.filter(pk__gt=last).count() if last is not None else 0
    context = {
        "runs": found,
        "unfinished": [run.pk for run in found if not run.is_finished],
        "newest": last or 0,
        "newer_count": newer,
    }
    return TemplateResponse(request, "launcher/_states.html", context)
