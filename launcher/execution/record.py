"""How a run ended, as it is noted in the spool and recorded in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from launcher.execution.progress import Doing, without_reports
from launcher.execution.ring import RingReader
from launcher.models import Run, Status, sources_of
from launcher.output.store import Spool, SpoolWriter, settle
from launcher.output.terminal import plain_text

Outcome = dict[str, Any]
"""Keys: status, exit_code, reason, traceback, stop_steps, finished_at, progress; values that JSON can hold."""


def make_outcome(
    status: Status,
    reason: str,
    *,
    exit_code: int | None = None,
    traceback: str = "",
    stop_steps: Sequence[tuple[str, str]] = (),
    doing: Doing | None = None,
) -> Outcome:
    """Return an outcome as of now, with texts that any database takes and any page can show."""
    return {
        "status": str(status),
        "exit_code": exit_code,
        "reason": storable("\n".join(plain_text(line.encode("utf-8", "replace")) for line in reason.splitlines())),
        "traceback": storable(traceback),
        "stop_steps": list(stop_steps),
        "finished_at": timezone.now().isoformat(),
        "progress": doing.as_columns()["progress"] if doing else None,
    }


def record_outcome(run_pk: int, outcome: Outcome) -> bool:
    """Move the run to its final status; False if it is there already, or is gone."""
    status = Status(outcome["status"])
    run = Run.objects.filter(pk=run_pk, status__in=sources_of(status))
    return bool(
        run.update(
            status=status,
            exit_code=outcome["exit_code"],
            reason=outcome["reason"],
            traceback=outcome["traceback"],
            stop_steps=outcome["stop_steps"],
            finished_at=datetime.fromisoformat(outcome["finished_at"]),
            command_slot=None,
            prompt=None,
            progress=outcome.get("progress"),
            last_line="",
        )
    )


def save_ring(spool: Spool) -> None:
    """Store what a run's child had printed and its killed supervisor had not yet taken; settle its whole output."""
    try:
        ring = RingReader(spool.folder / "ring")
        writer = SpoolWriter(spool)
        writer.append(ring.rest(writer.taken, writer.read_taken, without_reports), is_late=True)
        writer.close()
        (spool.folder / "ring").unlink()
    except OSError:  # it had none
        settle(spool)


def simpler(outcome: Outcome) -> Outcome:
    """Return the outcome with texts that any database takes: first in ASCII, and if that is refused too, without."""
    simple: dict[str, Any] = {
        key: outcome[key].encode("ascii", "backslashreplace").decode() for key in ("reason", "traceback")
    }
    if all(outcome[key] == text for key, text in simple.items()):
        simple = {"reason": simple["reason"][:200], "traceback": "", "progress": None}
    return {**outcome, **simple}


def storable(text: str) -> str:
    """Replace what PostgreSQL's text refuses: NUL and lone surrogates."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()
