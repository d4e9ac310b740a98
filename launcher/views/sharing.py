"""What many who poll one run get at nearly the same time, looked up and drawn once. Whether they may, others decide.

The more of them ask, the longer one look serves them all, up to a sixth of a second; where few do, each has its own.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import add
from threading import Lock
from uuid import UUID

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.translation import get_language

from launcher.models import UNFINISHED, Run
from launcher.output.rows import Cursor, Row
from launcher.output.store import open_output
from launcher.output.window import FOLLOWED_LINES, Window, following, held
from launcher.views.crowding import pace
from launcher.views.failure import Failure, failure_of
from launcher.views.head import read

SECONDS_PER_ASKER = 0.002
"""A look serves so long for each who asks within a second: about the time that an answer takes."""
LONGEST_SECONDS = 0.15
FEW = 10
"""So many in a second are served one by one."""
COUNT_SECONDS = 1.0
NEAR_BYTES = 64 * 1024
"""Who is further behind looks alone."""
KEPT_SECONDS = 10.0
KEPT_WAYS = 64


@dataclass(frozen=True, kw_only=True)
class Part:
    """A window after a cursor; where it is shared, with its HTML and the number of the last line."""

    window: Window
    rows_html: str | None = None
    pending_html: str | None = None
    last: int | None = None

    @property
    def has_rows(self) -> bool:
        """Whether there are new lines."""
        return bool(self.rows_html.strip()) if self.rows_html is not None else bool(self.window.rows)


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """Lines between the endings of two turns, which is where most pages are."""

    cursor: str
    """Where they begin."""
    lines: int
    html: str


@dataclass(frozen=True, kw_only=True)
class _Ending:
    """The end of an output as it was at one moment, and the last lines before it."""

    window: Window
    html: str
    pieces: tuple[_Piece, ...] = ()
    ways: dict[str, tuple[Window, str]] = field(default_factory=dict)
    """Lines for pages that are elsewhere, by their cursor."""
    joined: dict[str, str] = field(default_factory=dict)
    """Lines of several pieces, by the cursor of the first."""

    def way(self, run: Run, cursor: Cursor) -> tuple[Window, str]:
        """Return a window after a cursor, and the HTML of its rows."""
        key = str(cursor)
        if key == str(self.window.cursor):
            return replace(self.window, start=cursor.mark.offset), ""
        if (joined := self._joined(key)) is not None:
            return replace(self.window, start=cursor.mark.offset), joined
        found = self.ways.get(key)
        if found is None:
            found = _between(run, cursor, self.window)
            if len(self.ways) < KEPT_WAYS:
                self.ways[key] = found
        return found

    def _joined(self, key: str) -> str | None:
        """Return the HTML of the pieces from a cursor on, if one of them begins there."""
        if key not in self.joined:
            for number, piece in enumerate(self.pieces):
                if piece.cursor == key:  # remains safe HTML, as all of it is
                    self.joined[key] = reduce(add, (part.html for part in self.pieces[number:]))
        return self.joined.get(key)


@dataclass(kw_only=True)
class _Turn:
    """A time in which all get the same, or, without an ending, in which it is counted how many ask."""

    began_at: float
    until: float
    run: Run | None = None
    """As it was read and looked at."""
    ending: _Ending | None = None
    asked: int = 0

    @cached_property
    def failure(self) -> Failure | None:
        """Why the run failed."""
        return failure_of(self.run) if self.run else None


_turns: dict[Hashable, _Turn] = {}
_lock = Lock()


def read_together(found: QuerySet[Run]) -> Run | None:
    """Return the only run of a query as it was a moment ago, if many read it; else as `read` does.

    Whether the query finds it, which may depend on who asks, and its state are always looked up.
    """
    now = time.monotonic()
    if any(turn.run is not None and now < turn.until for turn in list(_turns.values())):
        said = next(iter(found.order_by().values_list("uid", "status")[:1]), None)
        if said is None:
            return None
        turn = _shared_turn(*said)
        if turn is not None and turn.run is not None:
            return copy(turn.run)
    return read(found)


def follow_together(run: Run, cursor: Cursor) -> Part:
    """Return what comes after a cursor, at most LONGEST_SECONDS old; the run was looked at."""
    turn = _turn(run)
    turn.asked += 1
    ending = turn.ending
    if ending is None or not 0 <= ending.window.cursor.mark.offset - cursor.mark.offset <= NEAR_BYTES:
        return Part(window=following(open_output(run), cursor, is_finished=run.is_finished))
    window, html = ending.way(run, cursor)
    if not window.is_at_end:
        return Part(window=window, rows_html=html)
    return Part(window=window, rows_html=html, pending_html=ending.html, last=ending.window.last_line)


def failure_together(run: Run) -> Failure | None:
    """Return why a run failed, as it was found out for others, if many ask; the run was looked at."""
    turn = _shared_turn(run.uid, run.status)
    return failure_of(run) if turn is None else turn.failure


def _shared_turn(uid: UUID, status: str) -> _Turn | None:
    """Return the turn in which a run, as it stands now, was read for all who ask; None if there is none."""
    turn = _turns.get(_key(uid, is_finished=status not in UNFINISHED))
    if turn is None or turn.run is None or turn.run.status != status or time.monotonic() >= turn.until:
        return None
    return turn


def _key(uid: UUID, *, is_finished: bool) -> Hashable:
    # Apart for those who know already that it has ended: for them nothing may change any more.
    return uid, is_finished, get_language()


def _turn(run: Run) -> _Turn:
    key = _key(run.uid, is_finished=run.is_finished)
    turn = _turns.get(key)
    if turn is not None and time.monotonic() < turn.until:
        return turn
    with _lock:  # who comes meanwhile takes what is made now
        if _turns.get(key) is turn:
            # All who have followed it while it ran ask once more at its end, and do not begin to be counted anew.
            before = turn or (_turns.get(_key(run.uid, is_finished=False)) if run.is_finished else None)
            _turns[key] = _next_turn(run, before)
            _forget()
        return _turns[key]


def _next_turn(run: Run, turn: _Turn | None) -> _Turn:
    now = time.monotonic()
    rate = turn.asked / max(now - turn.began_at, 0.001) if turn else 0
    if rate < FEW:
        return _Turn(began_at=now, until=now + COUNT_SECONDS)
    window = held(open_output(run), is_finished=run.is_finished)
    before = turn.ending if turn else None
    pieces = _pieces(run, before, window) if before else ()
    ending = _Ending(window=window, html=_html(window.pending), pieces=pieces)
    # Where answers wait for each other it is the work that has to be shared; else it is new lines that matter.
    until = now + (LONGEST_SECONDS if pace.is_slowed else min(rate * SECONDS_PER_ASKER, LONGEST_SECONDS))
    return _Turn(began_at=now, until=until, run=copy(run), ending=ending)


def _pieces(run: Run, before: _Ending, window: Window) -> tuple[_Piece, ...]:
    """Return the lines before an ending, as pieces from ending to ending; none where one is too far from the other."""
    begin = before.window.cursor
    if str(begin) == str(window.cursor):
        return before.pieces
    reached, html = _between(run, begin, window)
    if not reached.is_at_end:
        return ()
    pieces = (*before.pieces, _Piece(cursor=str(begin), lines=window.cursor.mark.line - begin.mark.line, html=html))
    while sum(piece.lines for piece in pieces) > FOLLOWED_LINES:
        pieces = pieces[1:]
    return pieces


def _between(run: Run, cursor: Cursor, ending: Window) -> tuple[Window, str]:
    """Return a window after a cursor, as far as an ending or in its direction, and the HTML of its rows."""
    end = ending.cursor.mark.offset
    window = following(open_output(run), cursor, is_finished=run.is_finished, until=end)
    html = _html(window.rows)
    if window.cursor.mark.offset == end:
        window = replace(ending, rows=window.rows, start=window.start)
    return window, html


def _html(rows: tuple[Row, ...]) -> str:
    return render_to_string("launcher/_shared_rows.html", {"rows": rows})


def _forget() -> None:
    now = time.monotonic()
    for key in [key for key, turn in _turns.items() if now - turn.began_at > KEPT_SECONDS]:
        del _turns[key]
