"""How far a run is, in words: for its page, for the history and for the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from launcher.execution.progress import Progress, doing_of
from launcher.models import Run, Status

_STEPS = ("", "k", "M", "G", "T", "P")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is shown of a progress: texts in the reader's language, each of them may be empty."""

    value: float | None
    """From 0 to 100, for the bar; None where the whole is not known."""
    percent: str
    amount: str
    rate: str
    left_seconds: float | None
    note: str
    is_going: bool
    summary: str
    """Of an ended run, how far it came; empty where there is nothing to say that its state does not."""


def refresh_doing(run: Run) -> None:
    """Look what the run is doing: the columns, which other hosts have, are behind by a second or so."""
    if not run.is_finished:
        doing = doing_of(run)
        run.progress, run.last_line = doing.as_columns().values()


def shown_progress(run: Run) -> Shown | None:
    """Return what is to be shown of how far a run is, or came; None where nothing is known."""
    progress = Progress.from_dict(run.progress)
    if progress is None or run.status == Status.QUEUED:
        return None
    amount = _amount(progress, is_going=not run.is_finished)
    # Rounded down: 100 % is when all is done.
    percent = "" if progress.percent is None else _("%d %%") % int(progress.percent)
    is_full = progress.percent is not None and progress.percent >= 100
    summary = ""
    if run.is_finished:
        if run.status == Status.SUCCEEDED and progress.source != "api" and not is_full:
            return None  # a bar that was taken away; it need not have been the last that there was
        reached = amount or percent
        summary = reached if is_full or run.status == Status.SUCCEEDED else _("Stopped at %s.") % reached
    return Shown(
        value=progress.percent,
        percent=percent,
        amount=amount,
        rate="" if run.is_finished else _rate(progress),
        left_seconds=None if run.is_finished or is_full else progress.left_seconds,
        note=progress.note,
        is_going=not run.is_finished,
        summary=summary,
    )


def _amount(progress: Progress, *, is_going: bool) -> str:
    if progress.done is None:
        return ""
    scale, unit = _scale(progress, progress.total or progress.done)
    done = _number(progress.done / scale, is_round=progress.total is not None and progress.total / scale >= 100)
    if progress.total is not None:
        words = {"done": done, "total": _number(progress.total / scale), "unit": unit}
        return (_("%(done)s of %(total)s %(unit)s") % words).strip()
    amount = f"{done} {unit}".strip()
    return _("%s so far") % amount if is_going else amount


def _rate(progress: Progress) -> str:
    rate = progress.rate
    if not rate or progress.done is None:
        return ""
    scale, unit = _scale(progress, rate)
    unit = f" {unit}" if unit else ""
    rate /= scale
    if rate >= 0.1:
        return _("%(rate)s%(unit)s/s") % {"rate": _number(rate), "unit": unit}
    if rate * 60 >= 0.1:
        return _("%(rate)s%(unit)s/min") % {"rate": _number(rate * 60), "unit": unit}
    return _("%(rate)s%(unit)s/h") % {"rate": _number(rate * 3600), "unit": unit}


def _scale(progress: Progress, value: float) -> tuple[float, str]:
    """Return what to divide by, and the unit then: bytes by the thousand, as those who count them write them."""
    if progress.unit not in ("B", "bytes"):
        return 1, progress.unit
    step = 0
    while value >= 1000 and step + 1 < len(_STEPS):
        value, step = value / 1000, step + 1
    return 1000.0**step, f"{_STEPS[step]}B"


def _number(value: float, *, is_round: bool = False) -> str:
    digits = 0 if is_round or value >= 100 or float(value).is_integer() else 1
    return number_format(round(value, digits), digits, force_grouping=True)
