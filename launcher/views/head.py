"""What the top of a run's page says: who may see it, its facts, its place in the line, and the question it asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from launcher import catalogue, policy, runs
from launcher.conf import command_options, options
from launcher.engines import engine
from launcher.execution.prompting import prompt_of
from launcher.execution.turn import Place
from launcher.models import Run, Status
from launcher.views.base import Admin, require
from launcher.views.failure import Failure, failure_of
from launcher.views.progress import refresh_doing


def read(found: QuerySet[Run]) -> Run | None:
    """Return the only run of a query, after a look at its process and at what its row is behind with."""
    run = found.first()
    if run is not None:
        runs.reconcile([run])
        refresh(run)
    return run


def get_run(
    admin: Admin,
    request: HttpRequest,
    pk: int,
    *,
    without: Sequence[str] = (),
    read: Callable[[QuerySet[Run]], Run | None] = read,
) -> Run:
    """Return a run that the user may read, less some columns; another's and a missing one are the same 404."""
    require(policy.may_enter(request.user))
    run = read(admin.get_queryset(request).filter(pk=pk).defer(*without))
    if run is None:
        raise Http404(_("There is no run %s.") % pk)
    return run


def refresh(run: Run) -> None:
    """Look at what the run's row is behind with."""
    refresh_prompt(run)
    refresh_doing(run)


def refresh_prompt(run: Run) -> None:
    """Look what the run waits for: the column, which is what lists show, is behind by a second or so."""
    prompt = prompt_of(run)
    run.prompt = prompt.as_dict() if prompt else None


def place_of(run: Run) -> Place | None:
    return engine().place(run) if run.status == Status.QUEUED else None


def run_context(
    request: HttpRequest,
    run: Run,
    place: Place | None,
    look_at_failure: Callable[[Run], Failure | None] = failure_of,
) -> dict[str, Any]:
    return {
        "may_run": policy.may_run(request.user, run.command) and catalogue.exists(run.command),
        "is_removed": not catalogue.exists(run.command),
        "may_delete": run.is_finished and policy.may_delete(request.user, run.command),
        "place_said": _place_said(place) if place else "",
        "limit_said": _limit_said(run, place) if place else "",
        "failure": look_at_failure(run),
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


def state_seen(run: Run, place: Place | None) -> str:
    """Return what a page that shows head and progress as they are now says that it has seen."""
    progress = progress_seen(run)
    return _head_seen(run, place) + (f"~{progress}" if progress else "")


def head_news(
    request: HttpRequest, run: Run, place: Place | None, look_at_failure: Callable[[Run], Failure | None] = failure_of
) -> dict[str, Any]:
    """Return what a page that has seen `?seen=` has to be sent: the head, how far the run is, or nothing."""
    head, _separator, progress = request.GET.get("seen", "").partition("~")
    if head != _head_seen(run, place):
        return {**run_context(request, run, place, look_at_failure), "has_changed": True, "has_new_progress": True}
    return {"has_new_progress": progress != progress_seen(run)}


def progress_seen(run: Run) -> str:
    """Return what tells one progress from the next; it changes once a second at most."""
    return f"{round(10 * run.progress['at']):x}" if run.progress else ""


def _head_seen(run: Run, place: Place | None) -> str:
    seen = f"{run.status}-{int(run.stop_requested_at is not None)}-{len(run.stop_steps)}"
    if place:
        seen += f"-{place.before}{'c' if place.is_for_command else 'h'}"
    return f"{seen}-asks" if run.prompt else seen


def prompt_seen(run: Run) -> str:
    return f"{run.prompt['number']}-{crc32(run.prompt['text'].encode('utf-8', 'replace')):x}" if run.prompt else ""


def prompt_news(run: Run, asked: str) -> dict[str, bool]:
    """Tell what a page that shows the prompt `asked` has to be sent: what is being typed goes with its question."""
    now = prompt_seen(run)
    is_same = asked.partition("-")[0] == now.partition("-")[0]
    return {"has_new_prompt": not is_same, "has_new_question": is_same and asked != now}
