"""Why a run failed, for the top of its page: the error, the traceback taken apart, and what was written before it."""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import launcher
from launcher import runs
from launcher.models import Run, Status
from launcher.output.failure import Line, Part, Places, parts_of, place_of_failure
from launcher.output.store import open_output
from launcher.output.window import Row, newest

FAILED = frozenset({Status.FAILED, Status.LOST, Status.TIMED_OUT})
LINES_BEFORE = 5


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What a page says of why a run failed."""

    title: str
    """What the error says, or why it is called a failure; the first line of it."""
    details: str
    """The other lines."""
    parts: list[Part]
    """The exceptions, the last one last."""
    traceback: str
    """All of it, as Python prints it; empty if there was none."""
    before: Sequence[Row]
    """The last lines written before it, or at all."""
    errors: Sequence[Row]
    """What was written to stderr last, if nothing else tells."""
    line: int | None
    """The number of the line where it stands in the output."""


@lru_cache(maxsize=1)
def _places() -> Places:
    folder = runs.project_folder()
    paths = sysconfig.get_paths()
    return Places(
        project=str(folder or ""),
        hidden=str(Path(launcher.__file__).parent),
        standard=tuple(dict.fromkeys([paths["stdlib"], paths["platstdlib"]])),
    )


def failure_of(run: Run) -> Failure | None:
    """Return why a run failed; None for one that did not, as far as is known, and for one that was stopped."""
    if run.status not in FAILED:
        return None
    rows = [row for row in newest(open_output(run), is_finished=True).rows if row.number is not None]
    lines = [Line(text=_text(row), is_error=row.is_error) for row in rows]
    place = place_of_failure(lines, traceback=run.traceback, reason=run.reason)
    text = run.traceback or (place.traceback if place else "")
    parts = parts_of(text, _places())
    says_more = bool(parts) and not run.traceback and run.status == Status.FAILED
    title, _newline, details = (parts[-1].error if says_more else run.reason).strip().partition("\n")
    start = place.start if place else len(rows)
    is_told_by_block = place is not None and not text and not _is_said(lines[start].text, run)
    return Failure(
        title=title,
        details=f"{details}\n{run.reason}".strip() if says_more else details,
        parts=parts,
        traceback=text,
        before=[] if is_told_by_block else _shown(rows[max(0, start - LINES_BEFORE) : start]),
        errors=_shown(rows[place.start : place.end]) if place and is_told_by_block else [],
        line=max(1, (rows[start].number or 1) - place.lines_above) if place else None,
    )


def _text(row: Row) -> str:
    return "".join(text for text, _style in row.spans)


def _is_said(text: str, run: Run) -> bool:
    """Tell whether a line says no more than the run's reason."""
    return bool(text.strip()) and run.reason.startswith(text.strip())


def _shown(rows: Sequence[Row]) -> list[Row]:
    """Return the rows without blank ones at either end."""
    found = list(rows)
    while found and not _text(found[-1]).strip():
        found.pop()
    while found and not _text(found[0]).strip():
        found.pop(0)
    return found
