"""The supervisor's other thread: carries all that is recorded to the database, however long that takes."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connections
from django.db.models.functions import Now

from launcher.execution.progress import Doing
from launcher.execution.record import Outcome, record_outcome, simpler
from launcher.execution.stopping import want_stop
from launcher.models import Run, Status
from launcher.output.store import Shipment, Spool, SpooledOutput, ship_all

logger = logging.getLogger(__name__)

SHIP_SECONDS = 1.0
HURRY_BYTES = 2 * 1024 * 1024
"""When so much waits, it is shipped at once: chunks of 256 KB, several in a transaction."""
HEARTBEAT_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 3.0
"""How long it waits at most before it tries a database again that was away; shorter than whoever looks is patient."""
MOST_REFUSALS = 10
"""How often a database that is there may refuse what is recorded."""


class Shipper(threading.Thread):
    """Ships for as long as there is something to ship; a database that is away only makes it try again."""

    def __init__(self, run_pk: int, spool: Spool, steps: list[tuple[str, str]]) -> None:
        super().__init__(name="shipper", daemon=True)
        self._steps = steps
        self._steps_told = 0
        self._run_pk = run_pk
        self._spool = spool
        self._source = SpooledOutput(spool)  # stays readable whoever clears up the folder
        self._shipment = Shipment(run_pk, self._source)
        self._outcome: Outcome | None = None
        self._nudged = threading.Event()
        self._shipped_bytes = 0
        self._beaten_at = time.monotonic()  # the claim was the first
        self._prompt: dict[str, Any] | None = None
        self._prompt_told: dict[str, Any] | None = None
        self._doing = self._doing_told = Doing()
        self._doing_told_at = 0.0

    def note_stored(self, size: int) -> None:
        """Take note of how much output there is: where much waits, it is not left waiting for the second to pass."""
        if size - self._shipped_bytes > HURRY_BYTES:
            self._shipped_bytes = size
            self._nudged.set()

    def tell_prompt(self, prompt: dict[str, Any] | None) -> None:
        """Note what the run waits for; the database is told with the next look."""
        self._prompt = prompt

    def tell_doing(self, doing: Doing) -> None:
        """Note how far the run is and what it wrote last, for those who look from other hosts."""
        self._doing = doing

    def finish(self, outcome: Outcome) -> None:
        """Record the outcome once all output is stored, and wait until that is done."""
        self._outcome = outcome
        self._nudged.set()
        self.join()

    def run(self) -> None:
        """Ship until everything is in the database."""
        delay = 0.25
        refusals = 0
        while refusals < MOST_REFUSALS:
            self._nudged.wait(SHIP_SECONDS)
            self._nudged.clear()
            try:
                if self._look_and_ship():
                    connections.close_all()
                    self._spool.remove()
                    return
                delay = 0.25
            except (Error, OSError) as error:
                logger.warning("Run %s: the database can't be written, trying again: %s", self._run_pk, error)
                if not isinstance(error, OperationalError | InterfaceError | OSError) and self._outcome is not None:
                    refusals += 1
                    self._outcome = simpler(self._outcome)
                with suppress(Error):
                    connections.close_all()
                time.sleep(min(delay, LONGEST_PAUSE_SECONDS))
                delay = min(delay * 1.5, LONGEST_PAUSE_SECONDS)
        # The spool stays, with the outcome: a later look at the run tries once more.
        logger.error("Run %s: how it ended can't be recorded.", self._run_pk)

    def _look_and_ship(self) -> bool:
        """Ship what there is, beat, and look for a stop asked for on another machine; True once the end is recorded."""
        outcome = self._outcome
        run = Run.objects.filter(pk=self._run_pk)
        stops = list(run.values_list("stop_requested_at", flat=True))
        if not stops or stops[0] is not None:  # a deleted run must not leave its process behind
            want_stop()
        if not stops:
            return outcome is not None
        missing = ship_all(self._run_pk, self._source, is_final=outcome is not None, shipment=self._shipment)
        if outcome is None:
            self._beat()
            return False
        if missing:
            outcome = {
                **outcome,
                "reason": f"{outcome['reason']} {missing} bytes of output could not be stored.".strip(),
            }
        record_outcome(self._run_pk, outcome)
        return True

    def _beat(self) -> None:
        """Write what has changed besides the output, and every few seconds that the run is alive."""
        run = Run.objects.filter(pk=self._run_pk)
        if time.monotonic() - self._beaten_at > HEARTBEAT_SECONDS:
            # Another machine may have taken an outage's silence for death.
            run.filter(status=Status.LOST).update(status=Status.RUNNING, finished_at=None, reason="")
            run.update(heartbeat_at=Now())
            self._beaten_at = time.monotonic()
        if len(self._steps) > self._steps_told:
            told = list(self._steps)
            run.update(stop_steps=told)
            self._steps_told = len(told)
        prompt = self._prompt
        if prompt != self._prompt_told:
            run.update(prompt=prompt)
            self._prompt_told = prompt
        doing, now = self._doing, time.monotonic()
        if doing != self._doing_told and now - self._doing_told_at >= SHIP_SECONDS:
            run.update(**doing.as_columns())
            self._doing_told, self._doing_told_at = doing, now
