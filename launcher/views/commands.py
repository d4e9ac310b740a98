"""A command's form, what fills it, its shell line, and what becomes of it when it is posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.contrib import messages
from django.db import DatabaseError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from launcher import argv as argv_module
from launcher import catalogue, policy, runs, shell
from launcher.arguments import Description
from launcher.argv import CannotWrite, ForeignParser
from launcher.catalogue import CommandUnavailable, Entry
from launcher.engines import engine
from launcher.execution.foreign_help import answers_help, help_text
from launcher.forms import CONFIRM, EXTRA, CommandForm, with_file_names
from launcher.masking import mask
from launcher.models import Preset, Run
from launcher.presets import CannotSave, delete_preset, fitting, presets_for, save_preset
from launcher.uploads import UPLOADS_TOKEN, Uploads
from launcher.views.base import NOT_LISTED, Admin, address, is_htmx, number, page, require, runs_of

PASTED = "launcher_paste"
PRESET_NAME = "launcher_preset_name"
PRESET_SHARED = "launcher_preset_shared"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The command that a page is about."""

    entry: Entry
    description: Description
    is_raw: bool = False
    """Whether its parser is another library's, so that its words are typed on one line."""

    @property
    def name(self) -> str:
        """The command's name."""
        return self.entry.name

    @property
    def to_type(self) -> str:
        """What has to be typed to confirm, if anything."""
        return self.name if catalogue.wants_confirmation(self.name) else ""


@dataclass(frozen=True, kw_only=True)
class Filling:
    """What a form is filled with before anybody types."""

    given: Mapping[str, Sequence[str]] = field(default_factory=dict)
    extra: Sequence[str] | str = ()


def _subject(request: HttpRequest, name: str, *, raw: str = "") -> Subject:
    """Return the command; raises PermissionDenied, Http404 and CommandUnavailable. `raw` is its line, if it has one."""
    if not catalogue.exists(name):
        raise Http404(_("There is no command “%s”.") % name)
    entry = catalogue.entry(name)
    try:
        return Subject(entry=entry, description=argv_module.describe(name))
    except ForeignParser:
        try:
            words = shell.split(raw)
        except shell.CannotRead:
            words = []
        return Subject(entry=entry, description=argv_module.foreign_description(name, words), is_raw=True)


def command_page(admin: Admin, request: HttpRequest, name: str) -> HttpResponse:
    """Show a command's form, filled from `?run=`, `?args=` or `?preset=` if given; run it when posted."""
    require(policy.may_use(request.user, name))
    if not catalogue.exists(name):
        raise Http404(_("There is no command “%s”.") % name)
    entry = catalogue.entry(name)
    if entry.obstacle:
        status = 405 if request.method == "POST" else 200
        return page(admin, request, "command_refused.html", name, entry=entry, status=status)
    try:
        subject = _subject(request, name, raw=request.POST.get("launcher_extra", ""))
    except CommandUnavailable as error:
        return page(admin, request, "command_broken.html", name, entry=entry, error=error)
    if request.method == "POST":
        return _run_posted(admin, request, subject)
    engine().warm_up(name)
    filling = _filling(admin, request, subject)
    form = CommandForm(subject.description, given=filling.given, extra=filling.extra, confirm=subject.to_type)
    return _form_page(admin, request, subject, form)


# What fills a form


def _filling(admin: Admin, request: HttpRequest, subject: Subject) -> Filling:
    if (pk := number(request.GET.get("run"))) is not None:
        return _from_run(admin, request, subject, pk)
    if (pk := number(request.GET.get("preset"))) is not None:
        return _from_preset(request, subject, pk)
    if text := request.GET.get("args"):
        try:
            return _from_argv(request, subject, shell.split(text))
        except shell.CannotRead as error:
            message = error.unquoted if subject.description.has_secrets else error.message
            messages.warning(request, _("The link can't be read: %s") % message)
    return Filling()


def _from_argv(request: HttpRequest, subject: Subject, words: Sequence[str]) -> Filling:
    """Return what an argv says, less secrets; tell where it says more than the parser takes."""
    reading = runs.read(subject.name, words)
    if reading.error:
        message = mask(reading.error, _secrets(subject.description, words, reading))
        messages.warning(request, _("The command's parser does not take all of it: %s") % message)
    if reading.secret_values or any(argv_module.MASK in word for word in words):
        messages.warning(request, _("Secrets are not filled in; type them yourself."))
    if subject.is_raw:
        return Filling(extra=argv_module.redact(words, reading)[0])
    return Filling(given=reading.given, extra=reading.extra)


def _from_run(admin: Admin, request: HttpRequest, subject: Subject, pk: int) -> Filling:
    """Return what an earlier run was given, less its secrets and the uploaded files that went with it."""
    run = runs_of(admin, request).filter(pk=pk, command=subject.name).first()
    if run is None:
        return Filling()
    reading = runs.read(subject.name, run.argv)
    uploads = str(runs.uploads_folder(run))
    given = {}
    for argument, values in reading.given.items():
        kept = tuple(value for value in values if not value.startswith(uploads))
        if kept or not values:
            given[argument] = kept
    if reading.error:
        messages.warning(request, _("The command's arguments have changed since: %s") % reading.error)
    if runs.has_uploads(run):
        messages.warning(request, _("The file uploaded for run %s was removed after it; choose it again.") % run.pk)
    if run.has_secrets:
        messages.warning(request, _("Secrets are not kept; type them again."))
    extra = run.argv if subject.is_raw else [word for word in reading.extra if uploads not in word]
    return Filling(given=given, extra=extra)


def _from_preset(request: HttpRequest, subject: Subject, pk: int) -> Filling:
    preset = presets_for(request.user, subject.name).filter(pk=pk).first()
    if preset is None:
        messages.warning(request, _("There is no such preset any more."))
        return Filling()
    given, lost = fitting(preset, subject.description)
    if lost:
        text = _("The command has no argument %s any more; the preset has one.")
        messages.warning(request, text % ", ".join(lost))
    return Filling(given=given, extra=preset.extra)


@sensitive_variables()
def command_fill(admin: Admin, request: HttpRequest, name: str) -> HttpResponse:
    """Show the form filled from a pasted command line, or say at which word that can't be."""
    require(policy.may_run(request.user, name))
    subject = _subject(request, name)
    text = request.POST.get(PASTED, "")
    try:
        pasted = shell.read_line(text)
        if pasted.command != name:
            message = _("This line runs “%(other)s”; this is the form of “%(name)s”.")
            raise shell.CannotRead(0, "", message % {"other": pasted.command, "name": name})
        filling = _from_argv(request, subject, pasted.argv)
    except shell.CannotRead as error:
        form = CommandForm(subject.description, confirm=subject.to_type)
        is_open = not subject.description.has_secrets
        message = error.message if is_open else error.unquoted
        return _form_page(admin, request, subject, form, pasted=text if is_open else "", paste_error=message)
    form = CommandForm(subject.description, given=filling.given, extra=filling.extra, confirm=subject.to_type)
    return _form_page(admin, request, subject, form)


@sensitive_variables()
def command_fields(admin: Admin, request: HttpRequest, name: str) -> HttpResponse:
    """Show the form as it stands, with the fields of the sub-command chosen; nothing is judged."""
    require(policy.may_run(request.user, name))
    subject = _subject(request, name)
    uploads = Uploads.from_token(request.POST.get(UPLOADS_TOKEN, ""), request.user)
    form = CommandForm(
        subject.description, data=request.POST, files=request.FILES, uploads=uploads, confirm=subject.to_type
    )
    form.shows_errors = False
    if is_htmx(request):
        return TemplateResponse(
            request, "launcher/_sections.html", {"sections": form.sections, "form": form, "entry": subject.entry}
        )
    form.is_valid()
    try:
        form.store_uploads()
    except OSError as error:
        messages.error(request, _("The file could not be stored (%s).") % error)
    return _form_page(admin, request, subject, form)


# Presets


@sensitive_variables()
def preset_save(admin: Admin, request: HttpRequest, name: str) -> HttpResponse:
    """Keep the filled form under a name, and show it filled from there."""
    require(policy.may_run(request.user, name))
    subject = _subject(request, name, raw=request.POST.get("launcher_extra", ""))
    form = CommandForm(subject.description, data=request.POST, files=request.FILES, confirm=subject.to_type)
    form.shows_errors = False
    try:
        preset = save_preset(
            name,
            request.POST.get(PRESET_NAME, ""),
            user=request.user,
            description=subject.description,
            given=form.given(),
            extra=request.POST.get("launcher_extra", ""),
            is_shared=bool(request.POST.get(PRESET_SHARED)),
        )
    except CannotSave as error:
        messages.error(request, str(error))
        return _form_page(admin, request, subject, form)
    messages.success(request, _("The preset “%s” was saved. Secrets and uploaded files are not in it.") % preset.name)
    return redirect(f"{address(admin, 'command_run', name)}?{urlencode({'preset': preset.pk})}")


def preset_delete(admin: Admin, request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Delete a preset."""
    require(policy.may_use(request.user, name))
    preset: Preset | None = presets_for(request.user, name).filter(pk=pk).first()
    if preset is None:
        raise Http404(_("There is no such preset any more."))
    delete_preset(preset, user=request.user)
    messages.success(request, _("The preset “%s” was deleted.") % preset.name)
    return redirect(address(admin, "command_run", name))


def command_help(admin: Admin, request: HttpRequest, name: str) -> HttpResponse:
    """Return what the command answers to `--help`, as a fragment: for one whose parser can't be described."""
    require(policy.may_run(request.user, name))
    if not catalogue.exists(name) or not argv_module.is_foreign_parser(name):
        raise Http404(_("This command's form has its help."))
    return TemplateResponse(request, "launcher/_foreign_help.html", {"text": help_text(name)})


# Running


@sensitive_variables()
def _run_posted(admin: Admin, request: HttpRequest, subject: Subject) -> HttpResponse:
    uploads = Uploads.from_token(request.POST.get(UPLOADS_TOKEN, ""), request.user)
    form = CommandForm(
        subject.description, data=request.POST, files=request.FILES, uploads=uploads, confirm=subject.to_type
    )
    name = subject.name
    status, details = 200, ""
    is_valid = form.is_valid()
    try:
        form.store_uploads()
        argv = _argv_of(subject, form)
        if is_valid:
            run = runs.start_run(name, argv, user=request.user, uid=uploads.uid)
            if run.asks:
                messages.warning(
                    request, _("The command asks a question when it reads these arguments: answer it on this page.")
                )
            return redirect(address(admin, "run_change", run.pk))
        details = _show_verdict(form, name, argv, runs.judge(name, argv))
    except CannotWrite as error:
        form.show_verdict({error.name: [error.message]})
    except runs.NotAccepted as error:
        if error.verdict.is_answer:
            return _form_page(admin, request, subject, form, answer=_answer_in(error.verdict))
        details = _show_verdict(form, name, argv, error.verdict)
    except CommandUnavailable as error:
        form.add_error(None, error.message)
    except runs.Busy as error:
        return _form_page(admin, request, subject, form, busy=str(error))
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
    return _form_page(admin, request, subject, form, status=status, details=details)


def _answer_in(verdict: argv_module.Verdict) -> str:
    return "\n".join(message for messages in verdict.errors.values() for message in messages)


@sensitive_variables()
def _argv_of(subject: Subject, form: CommandForm) -> list[str]:
    if subject.is_raw:
        return form.extra_words()
    return argv_module.write(subject.name, form.given(), form.extra_words())


@sensitive_variables()
def _show_verdict(form: CommandForm, name: str, argv: Sequence[str], verdict: argv_module.Verdict) -> str:
    """Put the parser's messages on the form, and return the traceback if it failed; neither quotes a secret."""
    secrets = _secrets(form.description, argv, runs.read(name, argv))
    form.show_verdict(
        {key: [mask(message, secrets) for message in messages] for key, messages in verdict.errors.items()}
    )
    return mask(verdict.details, secrets)


@sensitive_variables()
def _secrets(description: Description, argv: Sequence[str], reading: argv_module.Reading) -> frozenset[str]:
    """Return what no message about an argv may quote, however far the parser came with it."""
    return reading.secret_values | argv_module.secret_parts(argv, description)


@sensitive_variables()
def _form_page(
    admin: Admin,
    request: HttpRequest,
    subject: Subject,
    form: CommandForm,
    *,
    status: int = 200,
    details: str = "",
    pasted: str = "",
    paste_error: str = "",
    answer: str = "",
    busy: str = "",
) -> TemplateResponse:
    uploads = form.uploads
    name = subject.name
    return page(
        admin,
        request,
        "command_form.html",
        name,
        status=status,
        entry=subject.entry,
        is_raw=subject.is_raw,
        asks_for_help=subject.is_raw and answers_help(name),
        has_own_entry=not subject.is_raw and catalogue.has_own_entry(name),
        description=subject.description,
        form=form,
        sections=form.sections,
        **_said_of(form),
        hidden_options=", ".join(item.option for item in subject.description.hidden if item.option),
        details=details,
        answer=answer,
        busy=busy,
        pasted=pasted,
        paste_error=paste_error,
        line=_line(subject, form),
        uploads_token=uploads.token(request.user) if uploads and uploads.has_any else "",
        recent_runs=runs_of(admin, request).filter(command=name).defer(*NOT_LISTED)[:5],
        presets=presets_for(request.user, name),
        may_share=bool(policy.may_share(request.user, name)),
        preset_name=request.POST.get(PRESET_NAME, ""),
    )


def _said_of(form: CommandForm) -> dict[str, object]:
    """Return what the template asks about the form: an argument's name hides the form's own attribute of that name."""
    shows_errors = form.is_bound and form.shows_errors
    return {
        "error_count": len(form.errors) if shows_errors else 0,
        "top_errors": form.non_field_errors() if shows_errors else "",
        "shows_errors": shows_errors,
        "is_long": form.is_long,
        "is_searched": form.is_searched,
        "has_extra": form.has_extra,
        "extra_field": form[EXTRA],
        "confirm_field": form[CONFIRM] if CONFIRM in form.fields else None,
    }


@sensitive_variables()
def _line(subject: Subject, form: CommandForm) -> str:
    """Return the shell line for what the form holds now, with secrets masked, or the reason why there is none."""
    given = form.given() if form.is_bound else form.given_initially
    description = subject.description
    secret = {item.name: item for each in description.chain(given) for item in each.arguments if item.is_secret}
    try:
        masked = {
            key: argv_module.masked_values(secret[key], values) if key in secret else values
            for key, values in given.items()
        }
        words = form.extra_words()
        argv = words if subject.is_raw else argv_module.write(subject.name, masked, words)
        line = shell.shell_line(subject.name, argv_module.mask_options(argv, description))
    except (CannotWrite, shell.CannotWriteLine) as error:
        return error.message
    return runs.short_line(line, form.uploads.uid) if form.uploads else line


@sensitive_variables()
def command_line(admin: Admin, request: HttpRequest, name: str) -> HttpResponse:
    """Return the shell line for a form as it is being filled in. A POST, since its fields may hold secrets."""
    require(policy.may_run(request.user, name))
    engine().warm_up(name)  # whoever fills in a long form shall not find it cold again
    try:
        subject = _subject(request, name, raw=request.POST.get("launcher_extra", ""))
    except CommandUnavailable as error:
        return TemplateResponse(request, "launcher/_command_line.html", {"line": error.message})
    uploads = Uploads.from_token(request.POST.get(UPLOADS_TOKEN, ""), request.user)
    form = CommandForm(subject.description, data=with_file_names(subject.description, request.POST), uploads=uploads)
    return TemplateResponse(request, "launcher/_command_line.html", {"line": _line(subject, form)})
