"""Ask, tell, kill: how a run is brought to its end, with everything that it has started."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from django.utils import timezone

from launcher.conf import options
from launcher.execution.descendants import descendants, signal_all

STEPS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
LAST_LOOKS = 100
"""How often processes are killed that come anew while they are."""


class StopSteps:
    """The steps taken so far; each goes to the child's whole group and to descendants that have left it."""

    def __init__(self, child: int) -> None:
        self.taken: list[tuple[str, str]] = []
        """Pairs of a signal's name and the time it was sent (ISO 8601)."""
        self.why = ""
        """"stop", or which time limit had passed, in words."""
        self.child_has_ended = False
        self._child = child
        self._next_at = 0.0
        self._looks = 0

    def step(self, why: str) -> None:
        """Take the next step if there is a reason for one and its time has come; the first reason counts."""
        if not (why or self.why):
            return
        if not self.taken and self.child_has_ended:  # it was too late for a stop
            return
        if not self.is_under_way() or time.monotonic() < self._next_at:
            return
        self.why = self.why or why
        if len(self.taken) < len(STEPS):
            number = STEPS[len(self.taken)]
            self.taken.append((number.name, timezone.now().isoformat()))
        else:  # a process that could be killed is gone; others may have been forked meanwhile
            number = signal.SIGKILL
            self._looks += 1
        self._next_at = time.monotonic() + (options().stop_grace_seconds if number != signal.SIGKILL else 0.05)
        self._send(number)

    def is_under_way(self) -> bool:
        """Tell whether something is left to be ended after a first step."""
        if self.child_has_ended:
            return bool(self.taken) and self._looks < LAST_LOOKS and bool(descendants(os.getpid()))
        return True

    def _send(self, number: signal.Signals) -> None:
        others = descendants(os.getpid())
        if not self.child_has_ended:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child, number)
                if number != signal.SIGKILL:
                    os.killpg(self._child, signal.SIGCONT)
        if number == signal.SIGKILL:  # none of them shall fork while the others are killed
            signal_all(others, signal.SIGSTOP)
        signal_all([pid for pid in others if not self._is_in_group(pid)], number)

    def _is_in_group(self, pid: int) -> bool:
        if self.child_has_ended:
            return False
        try:
            return os.getpgid(pid) == self._child
        except ProcessLookupError:
            return True
