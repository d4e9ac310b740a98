"""Server-sent events: one tail looks at a run for all its readers in this process; each reader joins it where it can.

Owns tasks, threads and the form of events; what a run says, and how that looks as HTML, is told by a `Source`. Nothing
that may block, file, database or template, happens on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, Protocol, TypeVar

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections

from launcher.output.window import Cursor

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""How often a run is looked at while lines come…"""
READER_SECONDS = 0.0003
"""… and so much less often for each reader, since each event is sent to each of them."""
LATE_SECONDS = 1.0
QUIET_LOOK_SECONDS = 0.3
"""How often while none come."""
STATE_SECONDS = 1.0
"""How often its row is read; at once where its spool shows that something happened."""
ALIVE_SECONDS = 15.0
"""After so long without an event there is one that says nothing, which keeps proxies and pages from giving up."""
CHECK_SECONDS = 24.0
"""For so long it holds that a reader may read."""
BEAT_SECONDS = 4.0
"""So often, at least, each reader looks whether it still holds: together under half a minute."""
LIFE_SECONDS = 300.0
"""So old a stream gets; its page then makes a new one, with all that middleware has to say about it."""
RETRY_MS = 1000
ASK_MS = 10
"""What a request takes the server, about."""
KEPT_EVENTS = 64
KEPT_BYTES = 1024 * 1024
"""What is kept of the last events, for readers who are slower than the tail; slower ones read by themselves."""
SHARED_SECONDS = 2.0
"""For so long, readers who come from the same place, as after a restart, share what is drawn for them."""

_P = ParamSpec("_P")
_T = TypeVar("_T")

# Apart, since a database that hangs must not keep anybody from lines, which come from a file.
_FOR_LINES = ThreadPoolExecutor(4, thread_name_prefix="launcher-stream-lines")
_FOR_DATABASE = ThreadPoolExecutor(4, thread_name_prefix="launcher-stream-database")


class Gone(Exception):
    """There is no such run any more."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What a run's row says."""

    said: str
    """A line of JSON by which a page tells whether it shows this state."""
    is_finished: bool
    run: Any = None
    """What the source needs to know of it itself."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """HTML of the lines up to a cursor, and of what is behind it and may still change."""

    begin: int
    """The byte that they begin at; the tail says so as `data-from`, so that no page adds them elsewhere."""
    cursor: Cursor
    rows: str = ""
    tail: str = ""
    is_at_end: bool = True

    def __str__(self) -> str:
        return self.rows + self.tail

    def beginning(self, offset: int, rows: str) -> Lines:
        """Return the same for a reader who is elsewhere, and gets these rows instead."""
        tail = self.tail.replace(f'data-from="{self.begin}"', f'data-from="{offset}"', 1)
        return replace(self, begin=offset, rows=rows, tail=tail)

    @property
    def offset(self) -> int:
        """Bytes before the cursor; lines at the same offset have the same cursor."""
        return self.cursor.mark.offset


class Source(Protocol):
    """A run, as its readers see it. All of this may block; raises Gone and DatabaseError."""

    def state(self) -> State:
        """Read the run's row."""
        ...

    def hint(self) -> Hashable:
        """Return what changes when it is worth to read the row at once; must be cheap."""
        ...

    def signature(self, state: State) -> Hashable:
        """Return what changes when there may be new lines; must be cheap."""
        ...

    def start(self, state: State) -> Lines:
        """Return no lines, but where those end that will not change, and the tail behind."""
        ...

    def following(self, state: State, cursor: Cursor, until: Cursor | None = None) -> Lines:
        """Return the next lines: as far as there are any, with the tail; or those before a cursor, without."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Event:
    data: bytes
    cursor: Cursor | None = None
    """Where a reader stands behind it; None if it has no lines."""
    is_last: bool = False


def encode(name: str, data: str = "", key: str = "") -> bytes:
    """Return an event as it is sent (WHATWG HTML, "Server-sent events")."""
    lines = data.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\ndata: ")
    return (f"id: {key}\n" if key else "").encode() + f"event: {name}\ndata: {lines}\n\n".encode()


def _lines_event(lines: Lines) -> _Event:
    return _Event(data=encode("lines", str(lines), str(lines.cursor)), cursor=lines.cursor)


def _state_event(state: State, readers: int) -> _Event:
    """Return a state's event; pages that have to ask for more because of it are told in how long a time to do so."""
    spread = round(ASK_MS * readers)
    return _Event(data=encode("state", f'{{"spread_ms": {spread}, "state": {state.said}}}'))


# A comment, for whatever looks at the connection, and an event, for the page, which does not get to see comments.
_ALIVE = _Event(data=b": alive\n" + encode("alive"))
_END = _Event(data=encode("end"), is_last=True)
_GONE = _Event(data=encode("gone"), is_last=True)


async def in_thread(pool: ThreadPoolExecutor, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call a function that may block, with this context's language and the like; leaves no database connection."""

    def call() -> _T:
        try:
            return function(*args, **kwargs)
        finally:
            close_connections()

    return await asyncio.get_running_loop().run_in_executor(pool, copy_context().run, call)


def close_connections() -> None:
    """Close this thread's database connections, but for one whose transaction somebody else began."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


_tails: dict[tuple[asyncio.AbstractEventLoop, Hashable], Tail] = {}


async def stream(
    key: Hashable, make_source: Callable[[], Source], cursor: Cursor, may_read: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Yield a run's events from a cursor on, to its end or for LIFE_SECONDS; readers with the same key share a tail.

    Ends without a word where the run can't be looked at for now, and with `gone` where it may not be read any more.
    """
    place = asyncio.get_running_loop(), key
    tail = _tails.get(place)
    if tail is None or tail.is_over:
        tail = _tails[place] = Tail(make_source())
    end = time.monotonic() + LIFE_SECONDS * random.uniform(0.8, 1)  # noqa: S311  so that not all come again at once
    checked_at = time.monotonic()
    holds_seconds = CHECK_SECONDS * random.uniform(0.6, 1)  # noqa: S311
    tail.join()
    try:
        # With which the request was let in: Django would keep them until its answer's end.
        await sync_to_async(close_connections)()
        yield f"retry: {RETRY_MS}\n\n".encode()
        async with aclosing(tail.read(cursor)) as events:
            async for data in events:
                now = time.monotonic()
                if now - checked_at > holds_seconds:
                    checked_at = now
                    if not await in_thread(_FOR_DATABASE, may_read):
                        yield _GONE.data
                        return
                if data:
                    yield data
                if now > end:
                    return
    except (DatabaseError, OSError) as error:
        logger.info("A stream ends, since its run can't be looked at now: %s", error)
    finally:
        if tail.leave() and _tails.get(place) is tail:
            del _tails[place]


class Tail:
    """Follows one run for all its readers: what is new is drawn once. It lives as long as it has readers."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._readers = 0
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._is_due = asyncio.Event()
        self._state: State | None = None
        self._now: Lines | None = None
        self._behind_now = 0
        """The number of the event after the one with `_now`."""
        self._kept: list[_Event] = []
        self._kept_bytes = 0
        self._first = 0
        """The number of the first event that is kept."""
        self._published_at = time.monotonic()
        self._last: _Event | None = None
        self._catches: dict[tuple[str, str], asyncio.Task[Lines]] = {}
        self.is_over = False

    def join(self) -> None:
        """Count a reader; the first one sets it going."""
        self._readers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="launcher-tail")
            self._task.add_done_callback(self._finish)

    def leave(self) -> bool:
        """Count a reader less; return whether it was the last one, with whom the tail ends."""
        self._readers -= 1
        if not self._readers and self._task is not None:
            self._task.cancel()
            for task in self._catches.values():
                task.cancel()
        return not self._readers

    async def read(self, cursor: Cursor) -> AsyncGenerator[bytes]:
        """Yield the events after a cursor, and nothing now and then. A reader who asks for more has had what it got.

        A reader stands either among the events that are kept, or elsewhere; from there it goes by windows of its own to
        where the latest lines end, and then is among the others.
        """
        number: int | None = None  # of the event that comes next; None if it is elsewhere
        is_idle = False
        while self._state is None and not self.is_over:
            await self._changed.wait()
        if self._state is not None:
            yield _state_event(self._state, self._readers).data
        while True:
            changed = self._changed
            if number is None or number < self._first:
                came = await self._nearer(cursor)
                if came is not None:
                    data, cursor, number = came
                    is_idle = False
                    yield data
                    continue
            elif events := self._kept[number - self._first :]:
                number += len(events)
                cursor = next((event.cursor for event in reversed(events) if event.cursor), cursor)
                is_idle = False
                yield b"".join([event.data for event in events])
                continue
            if self.is_over:
                if number is None and self._last is not None:
                    yield self._last.data
                return
            if is_idle:
                yield b""
            is_idle = True
            await changed.wait()

    async def _nearer(self, cursor: Cursor) -> tuple[bytes, Cursor, int | None] | None:
        """Bring a reader who is elsewhere nearer to the others: what it gets, and where it is then, with the number of
        the event that comes next if it is there. None if it is ahead of them, and has to wait.
        """
        now, behind, state = self._now, self._behind_now, self._state
        if now is None or state is None or cursor.mark.offset > now.offset:
            return None
        begin = cursor.mark.offset
        lines = now
        if begin < now.offset:
            lines = await self._caught_up(state, cursor, now.cursor)
            if lines.offset <= begin:
                raise OSError("The lines are not there.")
        if lines.offset == now.offset:
            lines = now.beginning(begin, lines.rows if lines is not now else "")
        data = _state_event(state, self._readers).data + _lines_event(lines).data
        return data, lines.cursor, behind if lines.offset == now.offset else None

    async def _caught_up(self, state: State, cursor: Cursor, until: Cursor) -> Lines:
        """Return the next lines of a reader who is behind, drawn once for all who come from there."""
        key = str(cursor), str(until)
        task = self._catches.get(key)
        if task is None:
            work = in_thread(_FOR_DATABASE, self._source.following, state, cursor, until)
            task = self._catches[key] = asyncio.create_task(work)
            task.add_done_callback(lambda task: task.cancelled() or task.exception())  # not each has somebody who waits
            asyncio.get_running_loop().call_later(SHARED_SECONDS, self._catches.pop, key, None)
        return await asyncio.shield(task)

    async def _run(self) -> None:
        works = self._watch_state(), self._watch_lines(), self._keep_alive()
        watchers = [asyncio.create_task(work) for work in works]
        try:
            # The end of the lines is the end of it all; the others end sooner only by an exception.
            await asyncio.wait(watchers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
        for watcher in watchers:
            if not watcher.cancelled() and (error := watcher.exception()) is not None:
                raise error

    def _finish(self, task: asyncio.Task[None]) -> None:
        self.is_over = True
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, Gone):
                self._publish(_GONE)
            else:  # readers ask again, and are told by a page
                logger.error("A run's stream ended.", exc_info=error)
        self._wake()

    async def _watch_state(self) -> None:
        wait = LOOK_SECONDS
        while True:
            with suppress(DatabaseError):  # lines come all the same; the next look tries again
                state = await in_thread(_FOR_DATABASE, self._source.state)
                has_changed = self._state is None or state.said != self._state.said
                self._state = state
                if has_changed:
                    self._publish(_state_event(state, self._readers))
                if state.is_finished:
                    await asyncio.Event().wait()  # what is left is with the lines
            wait = min(wait * 2, STATE_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), wait)
                wait = LOOK_SECONDS / 2
            self._is_due.clear()

    async def _watch_lines(self) -> None:
        quiet = LOOK_SECONDS
        late = 0.0
        seen: Hashable = None
        hint: Hashable = None
        while True:
            state = self._state
            if state is None:
                await self._changed.wait()
                continue
            before, came = hint, None
            try:
                came, seen, hint = await in_thread(_FOR_LINES, self._look, state, seen)
            except (DatabaseError, OSError) as error:
                logger.info("New lines can't be looked for now: %s", error)
            else:
                if came is None and state.is_finished:
                    self._publish(_END)
                    return
            if hint != before:
                self._is_due.set()
            if came is not None:
                has_moved = self._now is not None and came.offset > self._now.offset
                self._show(came)
                if has_moved and not came.is_at_end:
                    continue
            quiet = LOOK_SECONDS if came is not None else min(quiet * 1.3, QUIET_LOOK_SECONDS)
            # On a loop that is late there is more to send than it can: so it is sent less often, and more at once.
            wait = quiet + self._readers * READER_SECONDS + min(late, LATE_SECONDS)
            due = time.monotonic() + wait
            await asyncio.sleep(wait)
            late = time.monotonic() - due

    def _look(self, state: State, seen: Hashable) -> tuple[Lines | None, Hashable, Hashable]:
        """Return new lines, if any, and what is to be compared with the next time; called in a thread."""
        hint = self._source.hint()
        # Before the lines are read: what comes meanwhile is seen the next time.
        signature = self._source.signature(state), state.is_finished
        if signature == seen:
            return None, seen, hint
        now = self._now
        lines = self._source.following(state, now.cursor) if now is not None else self._source.start(state)
        return lines, signature if lines.is_at_end else (), hint

    def _show(self, lines: Lines) -> None:
        self._now = lines
        self._publish(_lines_event(lines))
        self._behind_now = self._first + len(self._kept)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(min(BEAT_SECONDS, ALIVE_SECONDS))
            if time.monotonic() - self._published_at >= ALIVE_SECONDS - BEAT_SECONDS / 2:
                self._publish(_ALIVE)
            else:
                self._wake()

    def _publish(self, event: _Event) -> None:
        self._kept.append(event)
        self._kept_bytes += len(event.data)
        while len(self._kept) > 1 and (len(self._kept) > KEPT_EVENTS or self._kept_bytes > KEPT_BYTES):
            self._kept_bytes -= len(self._kept.pop(0).data)
            self._first += 1
        if event.is_last:
            self._last = event
        self._published_at = time.monotonic()
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
