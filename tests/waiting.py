"""Waiting for what another process does: a condition, never a time."""

import time
from collections.abc import Callable
from typing import TypeVar

from launcher import runs
from launcher.models import Run
from launcher.output.store import Spool, open_output, read_all
from launcher.output.terminal import ERROR_OFF, ERROR_ON

Answer = TypeVar("Answer")


def wait_for(condition: Callable[[], Answer], seconds: float = 20) -> Answer:
    """Return the condition's first true answer; fail the test if there is none in time."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < end, f"Not true within {seconds} s."
        time.sleep(0.02)


def wait_until_finished(run: Run, seconds: float = 20) -> Run:
    """Return the run, reloaded, once it has ended; its process is gone then, or about to go."""

    def has_finished() -> bool:
        run.refresh_from_db()
        runs.reconcile([run])
        return run.is_finished

    wait_for(has_finished, seconds)
    return run


def output_of(run: Run) -> str:
    """Return what the run has written by now, without the marks around stderr."""
    return bytes_of(run).replace(ERROR_ON, b"").replace(ERROR_OFF, b"").decode("utf-8", "replace")


def bytes_of(run: Run) -> bytes:
    """Return what is stored of the run's output by now, marks and all."""
    return b"".join(read_all(open_output(run)))


def stored_output(run: Run) -> bytes:
    """Return the whole output of an ended run as the database has it, once its spool is gone, less the marks."""
    wait_for(lambda: not Spool(run.uid).folder.exists())
    return bytes_of(run).replace(ERROR_ON, b"").replace(ERROR_OFF, b"")
