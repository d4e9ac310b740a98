"""What keeps a process answering when very many pages poll it: few answers at once, and a pace that it can keep."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import Any

from django.http.response import HttpResponseBase

from launcher.views.base import View

MOST_AT_ONCE = 1
"""More threads would only take the interpreter from each other, which costs a fifth of all answers."""
LONGEST_WAIT_SECONDS = 1.0
SHORTEST_PACE_MS = 100
LONGEST_PACE_MS = 1500
PACE_SECONDS = 0.25
PACE_STEP = 1.1
"""By how much the pace changes, and how often at most."""


class Slots:
    """A few places, given to those who wait in the order in which they came."""

    def __init__(self, count: int) -> None:
        self._lock = Lock()
        self._free = count
        self._waiting: deque[Lock] = deque()

    @contextmanager
    def taken(self, timeout: float) -> Iterator[bool]:
        """Hold a place, waited for; or none, if that takes longer than the timeout, in seconds.

        Says whether one was free at once.
        """
        was_free = bool(self._free)
        is_taken = self._take(timeout)
        try:
            yield was_free
        finally:
            if is_taken:
                self._give_back()

    def _take(self, timeout: float) -> bool:
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            place = Lock()
            place.acquire()
            self._waiting.append(place)
        if place.acquire(timeout=timeout):
            return True
        with self._lock:
            if place not in self._waiting:  # it was given at the last moment
                return True
            self._waiting.remove(place)
            return False

    def _give_back(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class Pace:
    """How often pages can ask so that this process is not busy with them all the time: found out by trying."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ms = float(SHORTEST_PACE_MS)
        self._began_at = time.monotonic()
        self._answers = 0
        self._crowded = 0

    def note(self, *, is_crowded: bool) -> None:
        """Take note of an answer, and whether it had to wait for others."""
        with self._lock:
            self._answers += 1
            self._crowded += is_crowded
            now = time.monotonic()
            if now - self._began_at < PACE_SECONDS:
                return
            share = self._crowded / self._answers
            # Slowly, since it takes as long as a page waits until a change is felt.
            step = PACE_STEP if share > 0.95 else 1 / PACE_STEP if share < 0.85 else 1
            self._ms = min(max(self._ms * step, SHORTEST_PACE_MS), LONGEST_PACE_MS)
            self._began_at, self._answers, self._crowded = now, 0, 0

    @property
    def ms(self) -> int:
        """How long a page should wait before it asks again, at least, in milliseconds."""
        return round(self._ms)

    @property
    def is_slowed(self) -> bool:
        """Whether pages wait longer than they would have to, since answers wait for each other."""
        return self.ms > SHORTEST_PACE_MS


pace = Pace()
_slots = Slots(MOST_AT_ONCE)


def few_at_once(view: View) -> View:
    """Return a view of which few answers are made at once, while the others wait, unless that takes too long."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> HttpResponseBase:
        with _slots.taken(LONGEST_WAIT_SECONDS) as was_free:
            pace.note(is_crowded=not was_free)
            return view(*args, **kwargs)

    return answer
