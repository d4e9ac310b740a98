"""A command's form, its shell line, and what becomes of it when it is posted."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.admin.helpers import AdminForm
from django.db import DatabaseError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from launcher import argv as argv_module
from launcher import catalogue, policy, runs
from launcher.arguments import Description
from launcher.argv import CannotWrite
from launcher.catalogue import CommandUnavailable, Entry
from launcher.forms import UPLOADS_TOKEN, CommandForm, Uploads, with_file_names
from launcher.masking import mask
from launcher.models import Run
from launcher.views.base import NOT_LISTED, Admin, address, number, page, require, runs_of


def command_page(admin: Admin, request: HttpRequest, name: str) -> HttpResponse:
    """Show a command's form, filled from `?run=` if that is given; run it when posted."""
    require(policy.may_use(request.user, name))
    if not catalogue.exists(name):
        raise Http404(_("There is no command “%s”.") % name)
    entry = catalogue.entry(name)
    if entry.obstacle:
        return page(
            admin, request, "command_refused.html", name, entry=entry, status=405 if request.method == "POST" else 200
        )
    try:
        description = argv_module.describe(name)
    except CommandUnavailable as error:
        return page(admin, request, "command_broken.html", name, entry=entry, error=error)
    if request.method == "POST":
        return _run_posted(admin, request, entry, description)
    form = CommandForm(description, given=_given_from_run(admin, request, name), confirm=_to_type(name))
    return _form_page(admin, request, entry, description, form)


def _to_type(name: str) -> str:
    return name if catalogue.wants_confirmation(name) else ""


def _given_from_run(admin: Admin, request: HttpRequest, name: str) -> dict[str, tuple[str, ...]]:
    """Return what an earlier run was given, less its secrets and the uploaded files that went with it."""
    pk = number(request.GET.get("run"))
    run = runs_of(admin, request).filter(pk=pk, command=name).first() if pk is not None else None
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


@sensitive_variables()
def _run_posted(admin: Admin, request: HttpRequest, entry: Entry, description: Description) -> HttpResponse:
    uploads = Uploads.from_token(request.POST.get(UPLOADS_TOKEN, ""), request.user)
    form = CommandForm(
        description, data=request.POST, files=request.FILES, uploads=uploads, confirm=_to_type(entry.name)
    )
    status, details = 200, ""
    is_valid = form.is_valid()
    try:
        form.store_uploads()
        argv = argv_module.build(description, form.given(), form.extra_words())
        if is_valid:
            run = runs.start_run(entry.name, argv, user=request.user, uid=uploads.uid)
            return redirect(address(admin, "run_change", run.pk))
        details = _show_verdict(form, entry.name, argv, argv_module.judge(entry.name, argv))
    except CannotWrite as error:
        form.show_verdict({error.name: [error.message]})
    except runs.NotAccepted as error:
        details = _show_verdict(form, entry.name, argv, error.verdict)
    except CommandUnavailable as error:
        form.add_error(None, error.message)
    except DatabaseError as error:
        if isinstance(error, IntegrityError) and Run.objects.filter(uid=uploads.uid).exists():
            # Two clicks, or two tabs: the file was kept for one run, and the other request has started it meanwhile.
            messages.warning(request, _("That file's run was started already: see the history."))
            return redirect(address(admin, "run_changelist"))
        status = 503
        form.add_error(
            None, _("Nothing was started: the database can't be written now (%s). Try again in a moment.") % error
        )
    except OSError as error:
        status = 503
        form.add_error(None, _("Nothing was started: the file could not be stored (%s).") % error)
    return _form_page(admin, request, entry, description, form, status=status, details=details)


@sensitive_variables()
def _show_verdict(form: CommandForm, name: str, argv: Sequence[str], verdict: argv_module.Verdict) -> str:
    """Put the parser's messages on the form, and return the traceback if it failed; neither quotes a secret."""
    secrets = argv_module.read(name, argv).secret_values
    form.show_verdict(
        {key: [mask(message, secrets) for message in messages] for key, messages in verdict.errors.items()}
    )
    return mask(verdict.details, secrets)


@sensitive_variables()
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
    return page(
        admin,
        request,
        "command_form.html",
        entry.name,
        status=status,
        entry=entry,
        has_own_entry=catalogue.has_own_entry(entry.name),
        description=description,
        form=form,
        details=details,
        adminform=AdminForm(form, form.fieldsets, {}, (), model_admin=None),  # type: ignore[arg-type]  # any form will do
        line=_line(entry.name, description, form),
        uploads_token=uploads.token(request.user) if uploads and uploads.has_any else "",
        recent_runs=runs_of(admin, request).filter(command=entry.name).defer(*NOT_LISTED)[:5],
    )


@sensitive_variables()
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


@sensitive_variables()
def command_line(admin: Admin, request: HttpRequest, name: str) -> HttpResponse:
    """Return the shell line for a form as it is being filled in. A POST, since its fields may hold secrets."""
    require(policy.may_run(request.user, name))
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
