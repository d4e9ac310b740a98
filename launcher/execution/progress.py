"""How far a run is, and what it wrote last: from its own reports, else from the bar that it draws.

The supervisor looks; pages on the same host read what it has found from the spool, others from the run's columns.
"""

from __future__ import annotations

import json
import math
import re
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeGuard

from launcher.models import Run
from launcher.output.bars import Bar, LastLines
from launcher.output.spool import Spool, host_name, read_noted, write_whole
from launcher.output.terminal import uncut_length
from launcher.reporting import NOTE_CHARACTERS, REPORT_BEGIN, REPORT_END

LOOK_SECONDS = 0.5
TELL_SECONDS = 1.0
"""So often it is written down at most, but for the end."""
RECENT_BYTES = 16 * 1024
"""Of what was written between two looks so much is looked at: bars are redrawn all the time."""
LAST_LINE_CHARACTERS = 200
STEADY_SECONDS = 15.0
"""Over about so long the rate of reports is smoothed."""
STALL_SECONDS = 10.0
"""So long after the last step, and three times as long as a step took, nothing is said of rate and time any more."""
LARGEST = 10**18
_LONGEST_REPORT = 4096
_REPORT = re.compile(re.escape(REPORT_BEGIN) + rb"([^\x07\x1b\n]*)" + REPORT_END)
# Of ConEmu, known to Windows Terminal, Ghostty and others: 9;4;state;percent.
_TERMINAL_REPORT = re.compile(rb"\x1b\]9;4;([0-4])(?:;(\d{1,3}))?(?:\x07|\x1b\\)")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is. None is what nobody knows."""

    source: str
    """"api" for `launcher.progress`, "bar" for one that it draws, "terminal" for what it tells its terminal."""
    done: float | None = None
    total: float | None = None
    percent: float | None = None
    """From 0 to 100."""
    unit: str = ""
    rate: float | None = None
    """Units a second."""
    left_seconds: float | None = None
    """How long it still takes, as of `at`."""
    note: str = ""
    at: float = 0.0
    """When this was found (epoch seconds); another progress has another time."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, found: Any) -> Progress | None:
        """Return what `as_dict` wrote; None for anything else."""
        if not isinstance(found, dict) or not {"source", "at"} <= found.keys() <= {field.name for field in fields(cls)}:
            return None
        return cls(**found)


@dataclass(frozen=True, kw_only=True)
class Doing:
    """What a run is doing: how far it is, and the last line that it wrote."""

    progress: Progress | None = None
    last_line: str = ""

    def as_columns(self) -> dict[str, Any]:
        """Return it as the run's columns have it."""
        return {"progress": self.progress.as_dict() if self.progress else None, "last_line": self.last_line}


def write_doing(spool: Spool, doing: Doing) -> None:
    """Note what the run is doing: pages on the same host look here."""
    with suppress(OSError):
        write_whole(spool.folder / "doing.json", doing.as_columns())


def doing_of(run: Run) -> Doing:
    """Return what a run is doing as far as that is known, on its own host at once; for an ended one how far it came."""
    found: dict[str, Any] = {"progress": run.progress, "last_line": run.last_line}
    if not run.is_finished and run.host == host_name():
        found |= noted_doing(run) or {}
    progress = Progress.from_dict(found["progress"])
    return Doing(progress=progress, last_line="" if run.is_finished else found["last_line"])


def noted_doing(run: Run) -> dict[str, Any] | None:
    """Return what was noted in the run's spool, as its columns have it; None if there is nothing."""
    return read_noted(Spool(run.uid).folder / "doing.json")


def without_reports(data: bytes) -> bytes:
    """Return what was written without the reports of how far it is, which are no output."""
    return _REPORT.sub(b"", data) if REPORT_BEGIN in data else data


class ProgressWatch:
    """Looks at what a run writes, twice a second, for as long as it goes on."""

    def __init__(self) -> None:
        self._held = b""
        self._recent = b""
        self._missed = False
        self._report: dict[str, Any] | None = None
        self._terminal_percent: int | None = None
        self._has_reported = False
        self._lines = LastLines()
        self._pace = Pace()
        self._looked_at = self._told_at = float("-inf")
        self._told = Doing()
        self.doing = Doing()

    def take(self, data: bytes) -> bytes:
        """Take the reports out of what was written; what may be half of one is held until the next time."""
        if self._held:
            data, self._held = self._held + data, b""
        if b"\x1b" in data and REPORT_BEGIN in data:  # a single byte is looked for much faster
            for match in _REPORT.finditer(data):
                self._report = _said(match[1]) or self._report
            data = without_reports(data)
        begun = data.rfind(b"\x1b]7", max(0, len(data) - _LONGEST_REPORT))
        if begun >= 0 and _is_begun(data[begun:]):
            data, self._held = data[:begun], data[begun:]
        self._missed = self._missed or len(self._recent) + len(data) > RECENT_BYTES
        self._recent = (self._recent + data[-RECENT_BYTES:])[-RECENT_BYTES:]
        return data

    def rest(self) -> bytes:
        """Return what is held, since nothing more comes."""
        held, self._held = self._held, b""
        return held

    def look(self, *, is_last: bool = False) -> Doing | None:
        """Look how far it is, if it is time to; return that where it is different and to be told, else None."""
        now = time.monotonic()
        if not is_last and now - self._looked_at < LOOK_SECONDS:
            return None
        self._looked_at = now
        is_stalled = self._pace.is_stalled(now)
        if self._recent or self._report is not None or is_stalled:
            before = self.doing.progress
            found = self._progress(now)
            if found is None:
                found = _stalled(before) if before and is_stalled else before
            if before and found and replace(found, at=before.at) == before:
                found = before
            self.doing = Doing(progress=found, last_line=self._last_line())
        if self.doing == self._told or (now - self._told_at < TELL_SECONDS and not is_last):
            return None
        self._told, self._told_at = self.doing, now
        return self.doing

    def _last_line(self) -> str:
        return self._lines.last_text().translate(_CONTROLS)[:LAST_LINE_CHARACTERS].strip()

    def _progress(self, now: float) -> Progress | None:
        """Return how far it is by what has come since the last look; None if that says nothing."""
        bar = self._read_recent()
        if self._report is not None:
            report, self._report = self._report, None
            self._has_reported = True
            return _at_pace(self._pace, now, Progress(source="api", **report))
        if self._has_reported:  # who says it knows better than a bar, which may be of a part only
            return None
        if self._terminal_percent is not None:
            percent, self._terminal_percent = self._terminal_percent, None
            return _at_pace(self._pace, now, Progress(source="terminal", percent=percent))
        return None if bar is None else _at_pace(self._pace, now, _of_bar(bar))

    def _read_recent(self) -> Bar | None:
        """Draw what has come, and return the bar that is in it."""
        whole = uncut_length(self._recent)
        recent, self._recent = self._recent[:whole], self._recent[whole:]
        if not recent:
            return None
        if self._missed:
            self._missed = False
            self._lines.forget()
            recent = recent[recent.find(b"\n") + 1 :] or recent
        if b"\x1b]9;4;" in recent:
            for match in _TERMINAL_REPORT.finditer(recent):
                if match[1] in b"124" and match[2]:
                    self._terminal_percent = min(100, int(match[2]))
        self._lines.feed(recent.decode("utf-8", "replace"))
        return self._lines.bar()


_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], "\ufffd") | {9: " "}
"""What PostgreSQL refuses or a page can't show; a lone surrogate does not come from decoded bytes."""


def _is_begun(data: bytes) -> bool:
    return REPORT_BEGIN.startswith(data) or (
        data.startswith(REPORT_BEGIN) and not re.search(rb"[\x07\x1b\n]", data[1:])
    )


def _said(text: bytes) -> dict[str, Any] | None:
    """Return what a report says, or None if it is none: anybody can write one."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not _is_number(said.get("done")):
        return None
    done, total, note = said["done"], said.get("total"), said.get("note")
    if not _is_number(total) or total <= 0:
        total = None
    text_of_note = note.translate(_CONTROLS).encode("utf-8", "replace").decode() if isinstance(note, str) else ""
    return {
        "done": done,
        "total": total,
        "percent": None if total is None else max(0.0, min(100.0, 100 * done / total)),
        "note": text_of_note[:NOTE_CHARACTERS].strip(),
    }


def _is_number(value: Any) -> TypeGuard[float]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) < LARGEST and math.isfinite(value)


class Pace:
    """How fast something goes on, smoothed."""

    def __init__(self) -> None:
        self.rate: float | None = None
        self._kind: Any = None
        self._done = 0.0
        self._at = 0.0
        self._step_seconds = 0.0
        self._is_going = False

    def rate_after(self, now: float, done: float, kind: Any) -> float | None:
        """Take note of how much is done, and return the rate; another kind, or less, is something new."""
        if kind != self._kind or done < self._done:
            self.rate, self._kind, self._done, self._at = None, kind, done, now
        elif done > self._done and now > self._at:
            seconds = now - self._at
            rate = (done - self._done) / seconds
            share = 1 - math.exp(-seconds / STEADY_SECONDS)
            self.rate = rate if self.rate is None else self.rate + share * (rate - self.rate)
            self._done, self._at, self._step_seconds = done, now, seconds
        self._is_going = True
        return self.rate

    def is_stalled(self, now: float) -> bool:
        """Tell, once, that it has not gone on for long."""
        if not self._is_going or now - self._at < max(STALL_SECONDS, 3 * self._step_seconds):
            return False
        self._is_going = False
        return True


def _at_pace(pace: Pace, now: float, known: Progress) -> Progress:
    """Return a progress with the rate at which it has gone on, and the time left by it, where it says none itself."""
    amount, whole = (known.done, known.total) if known.done is not None else (known.percent or 0, 100)
    rate = pace.rate_after(now, amount, (known.source, known.unit, whole))
    left = (whole - amount) / rate if rate and whole is not None and amount <= whole else None
    if known.done is None:
        rate = None  # of percents, which say nothing
    return replace(
        known,
        rate=known.rate if known.rate is not None or rate is None else float(f"{rate:.4g}"),
        left_seconds=known.left_seconds if known.left_seconds is not None else _bounded(left),
        at=time.time(),
    )


def _bounded(seconds: float | None) -> float | None:
    return None if seconds is None or seconds > LARGEST else round(seconds, 1)


def _of_bar(bar: Bar) -> Progress:
    return Progress(
        source="bar",
        done=bar.done,
        total=bar.total,
        percent=bar.percent,
        unit=bar.unit.translate(_CONTROLS),
        rate=bar.rate,
        left_seconds=bar.left_seconds,
        note=bar.label.translate(_CONTROLS),
    )


def _stalled(progress: Progress) -> Progress:
    """Return a progress without what is no longer true."""
    return progress if progress.percent == 100 else replace(progress, rate=None, left_seconds=None, at=time.time())
