"""A run's output as server-sent events, on servers that can keep many connections open; what each look says as HTML."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable
from copy import copy
from uuid import UUID

from django.contrib.auth import SESSION_KEY, get_user, get_user_model
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from launcher import policy, runs
from launcher.models import Run
from launcher.output.store import Spool, open_output
from launcher.output.window import SKIP_BYTES, Cursor, Window, following, held
from launcher.stream import Gone, Lines, State, stream
from launcher.views.base import NOT_LISTED, Admin
from launcher.views.head import get_run, place_of, prompt_seen, refresh, state_seen
from launcher.views.output import draw, lines_context

HEADERS = {
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx would keep events back
    "Content-Encoding": "identity",  # and so would Django's GZipMiddleware, which leaves alone what has an encoding
}
FILES = ("output", "screen")
"""What a run's lines are read from, in its spool."""


def can_stream(request: HttpRequest) -> bool:
    """Tell whether the server can keep a connection open without keeping a thread for it."""
    return isinstance(request, ASGIRequest)


def run_stream(admin: Admin, request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send a run's lines as they come, from `?cursor=` on or, after a break, from the last event that arrived."""
    run = get_run(admin, request, pk, without=NOT_LISTED)
    if not can_stream(request):
        text = _("This server would need a thread for each open stream; the page asks for new lines instead.")
        return HttpResponse(text, status=501, content_type="text/plain; charset=utf-8")
    try:
        cursor = Cursor.parse(request.headers.get("Last-Event-ID") or request.GET.get("cursor", ""))
    except ValueError:
        cursor = Cursor()
    language = get_language()
    # By its uid: where a project has several databases, each may have a run of this number.
    key = run.uid, language
    events = stream(key, lambda: RunSource(run.pk, run.uid, language), cursor, _asking(admin, request, pk))
    return StreamingHttpResponse(events, content_type="text/event-stream", headers=HEADERS)


def _asking(admin: Admin, request: HttpRequest, pk: int) -> Callable[[], bool]:
    """Return what asks again whether the request's user may read the run, by session and database as they are now."""

    def may_read() -> bool:
        again = copy(request)
        if SESSION_KEY in request.session:
            again.session = type(request.session)(request.session.session_key)
            again.user = get_user(again)
        else:  # some middleware of the project's own knows who it is
            user = get_user_model()._default_manager.filter(pk=str(request.user.pk)).first()
            if user is None:
                return False
            again.user = user
        return (
            admin.admin_site.has_permission(again)
            and bool(policy.may_enter(again.user))
            and admin.get_queryset(again).filter(pk=pk).exists()
        )

    return may_read


class RunSource:
    """A run as its readers see it, whoever they are; only their language makes a difference."""

    def __init__(self, pk: int, uid: UUID, language: str | None) -> None:
        self._runs = Run.objects.filter(pk=pk, uid=uid).defer(*NOT_LISTED)
        self._spool = Spool(uid)
        self._language = language

    def state(self) -> State:
        """Read the run's row."""
        run = self._runs.first()
        if run is None:
            raise Gone
        runs.reconcile([run])
        refresh(run)
        said = {"seen": state_seen(run, place_of(run)), "asked": prompt_seen(run), "html": self._progress(run)}
        return State(said=json.dumps(said), is_finished=run.is_finished, run=run)

    def _progress(self, run: Run) -> str:
        """Return how far the run is, the same for all who look; new each second, so nobody shall have to ask for it."""
        if run.progress is None:
            return ""
        with override(self._language):
            return draw("launcher/_progress.html", {"run": run, "is_swap": True})

    def hint(self) -> Hashable:
        """Return when something was put into the spool or taken from it: a prompt, the end."""
        try:
            return os.stat(self._spool.folder).st_mtime_ns
        except OSError:
            return None

    def signature(self, state: State) -> Hashable:
        """Return how long the spool's files are by now; where there are none, what the row says."""
        found: list[Hashable] = []
        for name in FILES:
            try:
                file = os.stat(self._spool.folder / name)
            except OSError:
                found.append(None)
            else:
                found += (file.st_size, file.st_mtime_ns)
        if found[0] is None:
            found += (state.run.output_bytes, state.run.heartbeat_at)
        return tuple(found)

    def start(self, state: State) -> Lines:
        """Return where the settled lines end, and those behind."""
        return self._lines(state, held(open_output(state.run), is_finished=state.is_finished))

    def following(self, state: State, cursor: Cursor, until: Cursor | None = None) -> Lines:
        """Return the lines after a cursor; those of a reader who is far behind are left out, with a link to them."""
        end = until.mark.offset if until is not None else None
        if end is not None and end - cursor.mark.offset > SKIP_BYTES:
            end = None
        window = following(open_output(state.run), cursor, is_finished=state.is_finished, until=end)
        return self._lines(state, window)

    def _lines(self, state: State, window: Window) -> Lines:
        context = lines_context(state.run, window, floor=window.start)
        with override(self._language):
            return Lines(
                begin=context["from"],
                cursor=window.cursor,
                rows=draw("launcher/_lines.html", context),
                tail=draw("launcher/_tail.html", context),
                is_at_end=window.is_at_end,
            )
