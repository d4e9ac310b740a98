"""A run's page and the fragments that keep it going, its download and its buttons; the states for the list."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zlib import crc32

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.http import urlencode
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables

from launcher import argv as argv_module
from launcher import catalogue, policy, runs, shell
from launcher.catalogue import CommandUnavailable
from launcher.conf import command_options, options
from launcher.engines import engine
from launcher.execution.prompting import prompt_of
from launcher.execution.turn import Place
from launcher.models import UNFINISHED, Run, Status
from launcher.output.store import open_output, read_all
from launcher.output.terminal import plain_text, whole_length, without_marks
from launcher.output.window import Cursor, Window, following, newest, preceding
from launcher.views.base import NOT_LISTED, Admin, address, is_htmx, number, page, require

SOON_MS = 20
"""How soon a new page asks for the first lines, which are most likely written while the browser draws it."""
FIRST_WAIT_MS = 150
LONGEST_WAIT_MS = 2000
LONGEST_COPY = 100_000
LONGEST_LINK = 4000
"""Characters of an address that servers and browsers take without complaint."""


def _get_run(admin: Admin, request: HttpRequest, pk: int, *, without: Sequence[str] = ()) -> Run:
    """Return a run that the user may read, less some columns; another's and a missing one are the same 404."""
    require(policy.may_enter(request.user))
    run: Run | None = admin.get_queryset(request).filter(pk=pk).defer(*without).first()
    if run is None:
        raise Http404(_("There is no run %s.") % pk)
    runs.reconcile([run])
    _refresh_prompt(run)
    return run


def _refresh_prompt(run: Run) -> None:
    """Look what the run waits for: the column, which is what lists show, is behind by a second or so."""
    prompt = prompt_of(run)
    run.prompt = prompt.as_dict() if prompt else None


def _place(run: Run) -> Place | None:
    return engine().place(run) if run.status == Status.QUEUED else None


def run_page(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Show a run: its facts, its buttons, and the end of its output, which goes on by itself while it runs."""
    run = _get_run(admin, request, pk)
    output = open_output(run)
    end = number(request.GET.get("end"))
    window = newest(output, is_finished=run.is_finished) if end is None else preceding(output, end)
    place = _place(run)
    is_live = end is None and not run.is_finished
    return page(
        admin,
        request,
        "run.html",
        f"{run.command} #{run.pk}",
        **_run_context(request, run, place),
        **_window_context(run, window, floor=0, wait=SOON_MS, is_live=is_live),
        seen=_state_seen(run, place),
        is_part=end is not None,
        copies=_copies(admin, request, run),
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


def _run_context(request: HttpRequest, run: Run, place: Place | None) -> dict[str, Any]:
    return {
        "may_run": policy.may_run(request.user, run.command) and catalogue.exists(run.command),
        "is_removed": not catalogue.exists(run.command),
        "may_delete": run.is_finished and policy.may_delete(request.user, run.command),
        "place_said": _place_said(place) if place else "",
        "limit_said": _limit_said(run, place) if place else "",
    }


def _place_said(place: Place) -> str:
    if not place.before:
        return _("It is the next one.")
    text = ngettext("Waiting: %d run is before it.", "Waiting: %d runs are before it.", place.before)
    return text % place.before


def _limit_said(run: Run, place: Place) -> str:
    """Return the limit for which it waits, as the settings have it now."""
    if place.is_for_command:
        limit = command_options(run.command).max_concurrent
        text = ngettext(
            "Only %d run of this command goes on at a time.",
            "At most %d runs of this command go on at once.",
            limit or 0,
        )
    else:
        limit = options().max_concurrent_runs
        text = ngettext(
            "Only %d run goes on at a time on its host.", "At most %d runs go on at once on its host.", limit or 0
        )
    return text % limit if limit else ""


def _state_seen(run: Run, place: Place | None) -> str:
    """Return what a page that shows the head as it is now says that it has seen."""
    seen = f"{run.status}-{int(run.stop_requested_at is not None)}-{len(run.stop_steps)}"
    if place:
        seen += f"-{place.before}{'c' if place.is_for_command else 'h'}"
    return f"{seen}-asks" if run.prompt else seen


def _prompt_seen(run: Run) -> str:
    return f"{run.prompt['number']}-{crc32(run.prompt['text'].encode('utf-8', 'replace')):x}" if run.prompt else ""


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
        "asked": _prompt_seen(run),
    }


def run_lines(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Return lines as a fragment: those after `?cursor=`, or with `?end=` those before a place, down to `?floor=`."""
    # Asked for many times a minute; the traceback is fetched when the head is sent again, which is once.
    run = _get_run(admin, request, pk, without=NOT_LISTED)
    end = number(request.GET.get("end"))
    output = open_output(run)
    if end is not None:
        floor = number(request.GET.get("floor")) or 0
        context = _window_context(run, preceding(output, end, floor), floor=floor, wait=0, is_live=False)
        return TemplateResponse(request, "launcher/_earlier.html", context)
    try:
        cursor = Cursor.parse(request.GET.get("cursor", str(Cursor())))
    except ValueError:
        cursor = Cursor()
    window = following(output, cursor, is_finished=run.is_finished)
    is_at_end = window.cursor.mark.offset >= output.size
    came = window.cursor.mark.offset > cursor.mark.offset or bool(window.pending)
    place = _place(run)
    seen, asked = _state_seen(run, place), request.GET.get("asked", "")
    context = _window_context(
        run,
        window,
        floor=window.start if window.skipped_from is None else window.skipped_from,
        wait=_next_wait(request, came=came or asked != _prompt_seen(run)),
        is_live=not (run.is_finished and is_at_end),
    )
    context |= {"seen": seen, **_prompt_news(run, asked)}
    if request.GET.get("seen") != seen:
        context |= {**_run_context(request, run, place), "has_changed": True}
    return TemplateResponse(request, "launcher/_tail.html", context)


def _prompt_news(run: Run, asked: str) -> dict[str, bool]:
    """Tell what a page that shows the prompt `asked` has to be sent: what is being typed goes with its question."""
    now = _prompt_seen(run)
    is_same = asked.partition("-")[0] == now.partition("-")[0]
    return {"has_new_prompt": not is_same, "has_new_question": is_same and asked != now}


def _next_wait(request: HttpRequest, *, came: bool) -> int:
    last = number(request.GET.get("wait"))
    return FIRST_WAIT_MS if came or last is None else min(max(last, SOON_MS) * 2, LONGEST_WAIT_MS)


def run_download(admin: Admin, request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send the whole output as a file: as text, or with `?ansi` the very bytes that were written."""
    run = _get_run(admin, request, pk, without=NOT_LISTED)
    raw = without_marks(read_all(open_output(run)))
    pieces: Iterator[bytes] | Iterator[str] = raw if "ansi" in request.GET else _plain(raw)
    content = _AsyncPieces(pieces) if isinstance(request, ASGIRequest) else pieces
    response = StreamingHttpResponse(content, content_type="text/plain; charset=utf-8")
    name = get_valid_filename(f"{run.command}-{run.pk}.txt")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Accel-Buffering"] = "no"  # a proxy need not collect a gigabyte before it passes on the first byte
    return response


class _AsyncPieces:
    """Pieces for ASGI, where Django would collect an ordinary iterator's before it sends the first.

    Each is fetched in the request's own thread, and `close`, which the response calls there, waits its turn.
    """

    def __init__(self, pieces: Iterator[bytes] | Iterator[str]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes | str:
        piece = await sync_to_async(self._next)()
        if piece is None:
            raise StopAsyncIteration
        return piece

    def _next(self) -> bytes | str | None:
        return next(self._pieces, None)

    def close(self) -> None:
        if isinstance(self._pieces, Generator):
            self._pieces.close()


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
    return redirect(address(admin, "run_change", run.pk))


@sensitive_variables()
def run_answer(admin: Admin, request: HttpRequest, pk: int) -> HttpResponse:
    """Type an answer where the run waits for one, or end its input; it is passed on, and kept and shown nowhere."""
    run = _get_run(admin, request, pk, without=NOT_LISTED)
    asked = number(request.POST.get("number"))
    text = None if "end" in request.POST else request.POST.get("answer", "")
    refusal = (
        runs.answer(run, asked, text, user=request.user) if asked else _("It was not told which question this is for.")
    )
    _refresh_prompt(run)
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
    run = _get_run(admin, request, pk)
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
    """Return the present states of the runs in `?id=`, to swap into a list, and how many are newer than `?newest=`."""
    require(policy.may_enter(request.user))
    keys = [key for key in map(number, request.GET.getlist("id")[:200]) if key is not None]
    readable = admin.get_queryset(request)
    found = list(readable.filter(pk__in=keys).defer(*NOT_LISTED))
    runs.reconcile(found)
    last = number(request.GET.get("newest"))
    newer = readable.filter(pk__gt=last).count() if last is not None else 0
    context = {
        "runs": found,
        "unfinished": [run.pk for run in found if not run.is_finished],
        "newest": last or 0,
        "newer_count": newer,
    }
    return TemplateResponse(request, "launcher/_states.html", context)
