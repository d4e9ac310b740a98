"""Progress bars in a command's output, as tqdm, rich, pip and click draw them. Knows no run, no HTML and no Django.

What is no bar beyond doubt is none: a text that says "50 % done" moves nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LABEL_CHARACTERS = 100
LONGEST_BAR = 500
"""Characters of a line that may be a bar; a terminal has 120 columns."""
NARROWEST = 8
"""Columns that a bar has at least."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What a bar says; None where it says nothing of the kind."""

    label: str = ""
    percent: float | None = None
    done: float | None = None
    total: float | None = None
    unit: str = ""
    rate: float | None = None
    """Units a second."""
    left_seconds: float | None = None

    @property
    def is_full(self) -> bool:
        """Whether nothing is left to do."""
        return self.percent is not None and self.percent >= 100


_NUMBER = r"\d[\d.]*"
_TIME = r"(?:\d+ ?d(?:ays?,)? )?\d+:\d\d(?::\d\d)?"
# 3/10 [00:03<00:07,  1.00s/it, loss=0.3]
_TQDM = re.compile(
    rf"(?P<label>.*?)\s*(?P<percent>\d{{1,3}})%\|(?P<bar>[^|]*)\|\s*(?P<done>{_NUMBER})(?P<scale>[kMGTPEZY]?)"
    rf"(?P<unit>[^/\d]*)/(?P<total>{_NUMBER})(?P<total_scale>[kMGTPEZY]?)[^\[\d]*"
    rf"\[{_TIME}<(?P<left>{_TIME}|\?),\s*(?P<rate>[^,\]]*)(?:,[^\]]*)?\]"
)
# 1234it [00:10, 56.0it/s]
_TQDM_ENDLESS = re.compile(
    rf"(?P<label>.*?)\s*(?<![\d.])(?P<done>{_NUMBER})(?P<scale>[kMGTPEZY]?)(?P<unit>[^\[\d]*)"
    rf"\[{_TIME},\s*(?P<rate>[^,\]]*/[^,\]]*)(?:,[^\]]*)?\]"
)
_TQDM_RATE = re.compile(rf"\s*({_NUMBER})([kMGTPEZY]?)(.*)/(.*)")
_DRAWN = re.compile("[━╸╺╾╼─█▉▊▋▌▍▎▏▐▓▒░■□▰▱⣿⣷⣶⣦⣤⣄⣀]{%d,}" % NARROWEST)  # noqa: UP031  braces are the pattern's
_ALL_DRAWN = re.compile("[━╸╺█▓▒░■□▰▱⣿⣀]")
_TYPED = re.compile(r"[\[|(](?P<full>[#=*█]*)[>#=*\-]?(?P<rest>[-. _·░]*)[\])|]")
_PERCENT = re.compile(r"(?<![\d.,])(\d{1,3}(?:\.\d+)?) ?%")
_COUNT = re.compile(rf"(?<![\d./])({_NUMBER}) ?([kMGTPE]?i?B|bytes)?/ ?({_NUMBER}) ?([kMGTPE]?i?B|bytes)?(?![\d./])")
_RATE = re.compile(rf"(?<![\d.])({_NUMBER}) ?([kMGTPE]?i?B|bytes|it)/s")
_LEFT = re.compile(rf"(?<![\d:])({_TIME})(?![\d:])")
_WORD = re.compile(r"[^\W\d_]{3}")
_LABEL_ENDS = " \t:|-•⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def bar_of(line: str) -> Bar | None:
    """Return the bar that a line is, or None."""
    if len(line) > LONGEST_BAR or not ("%" in line or "/" in line):
        return None
    line = line.strip()
    found = _tqdm(line) or _tqdm_endless(line)
    if found is None and (drawn := _drawn(line)):
        found = _described(line[: drawn.start()], line[drawn.end() :], None)
    if found is None:
        for typed in _TYPED.finditer(line):
            share = _share(typed)
            if share is not None:
                found = _described(line[: typed.start()], line[typed.end() :], share)
                break
    return found if found and _is_sound(found) else None


def _is_sound(bar: Bar) -> bool:
    if bar.percent is not None and not 0 <= bar.percent <= 100:
        return False
    return bar.total is None or (bar.total > 0 and bar.done is not None and 0 <= bar.done <= bar.total * 1.001)


def _tqdm(line: str) -> Bar | None:
    match = _TQDM.fullmatch(line) if "%|" in line else None
    if match is None:
        return None
    done, total = _scaled(match["done"], match["scale"]), _scaled(match["total"], match["total_scale"])
    if done is None or not total:
        return None
    return Bar(
        label=_label(match["label"]),
        percent=min(100.0, 100 * done / total),
        done=done,
        total=total,
        unit=_unit(match["unit"] or _rate_unit(match["rate"])),
        rate=_tqdm_rate(match["rate"]),
        left_seconds=_seconds(match["left"]),
    )


def _tqdm_endless(line: str) -> Bar | None:
    match = _TQDM_ENDLESS.fullmatch(line) if line.endswith("]") and "/" in line else None
    done = _scaled(match["done"], match["scale"]) if match else None
    if match is None or done is None:
        return None
    return Bar(
        label=_label(match["label"]), done=done, unit=_unit(match["unit"].strip()), rate=_tqdm_rate(match["rate"])
    )


def _tqdm_rate(text: str) -> float | None:
    """Return units a second: it is said as `5.2it/s`, or where that is below one as `1.9s/it`."""
    match = _TQDM_RATE.fullmatch(text)
    value = _scaled(match[1], match[2]) if match else None
    if match is None or not value:
        return None
    return value if match[4] == "s" else 1 / value if match[3] == "s" else None


def _rate_unit(text: str) -> str:
    match = _TQDM_RATE.fullmatch(text)
    return "" if match is None else match[3] if match[4] == "s" else match[4]


def _unit(text: str) -> str:
    """Return a unit as it is shown; tqdm's own for "anything" says nothing."""
    return "" if text.strip() == "it" else text.strip()[:20]


def _drawn(line: str) -> re.Match[str] | None:
    """Return the one bar in a line that is drawn with characters made for it; a frame or a heading has two."""
    first = _DRAWN.search(line)
    if first is None or not _ALL_DRAWN.search(first[0]) or _DRAWN.search(line, first.end()):
        return None
    return first


def _share(typed: re.Match[str]) -> float | None:
    """Return which share of a bar made of typed characters is full; None for what is too narrow to be one."""
    width = len(typed[0]) - 2
    return len(typed["full"]) / width if width >= NARROWEST else None


def _described(before: str, after: str, share: float | None) -> Bar | None:
    """Return a bar from what is said around it; `share` is how full it is drawn, where that can be told."""
    percent = _near(_PERCENT.search(after)) or next((m for m in _PERCENT.finditer(before) if _is_near_end(m)), None)
    count = _near(_COUNT.search(after)) or _COUNT.fullmatch(before.strip())
    if percent is None and count is None:
        return None
    done = _amount(count[1]) if count else None
    total = _amount(count[3]) if count else None
    if count and (done is None or not total):
        return None
    said = float(percent[1]) if percent else 100 * done / total if done is not None and total else 0.0
    if share is not None and abs(said - 100 * share) > 8:  # a text in brackets beside some percentage
        return None
    rate, left = _RATE.search(after), _LEFT.findall(after)
    unit = (count[4] or count[2] or "") if count else ""
    label = before if count is None or count.string == after else ""
    return Bar(
        label=_label(_PERCENT.sub("", label)),
        percent=said,
        done=done,
        total=total,
        unit=unit,
        rate=_amount(rate[1]) if rate and rate[2] in (unit, "it") else None,
        # Of two times one is how long it has been; which one, nobody says.
        left_seconds=_seconds(left[0]) if len(left) == 1 and said < 100 else None,
    )


def _near(match: re.Match[str] | None) -> re.Match[str] | None:
    """Return what was found behind a bar, unless words are between."""
    return None if match is None or _WORD.search(match.string, 0, match.start()) else match


def _is_near_end(match: re.Match[str]) -> bool:
    return not _WORD.search(match.string, match.end())


def _label(text: str) -> str:
    return text.strip(_LABEL_ENDS)[:LABEL_CHARACTERS]


def _amount(text: str) -> float | None:
    """Return a number, an int where it is whole; None for what only looks like one."""
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else number


def _scaled(text: str, scale: str) -> float | None:
    number = _amount(text)
    if number is None or not scale:
        return number
    return number * 1000.0 ** (1 + "kMGTPEZY".index(scale))


def _seconds(text: str) -> float | None:
    """Return a time such as 1:02:03 or 2d 00:00:01 in seconds; None for anything else."""
    days, _, clock = text.rpartition(" ")
    parts = clock.split(":")
    if not all(part.isdigit() for part in parts):
        return None
    seconds = 0
    for part in parts:
        seconds = 60 * seconds + int(part)
    return seconds + 86400 * (int(re.findall(r"\d+", days)[0]) if days else 0)


# The last lines as a terminal shows them

_TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)|(?P<control>[\r\n\b\t])|\x1b\[(?P<digits>[0-9]*)[0-9;:]*(?P<move>[ABCDEFGKJ])"
    r"|\x1b\[[0-?]*[ -/]*[@-~]?|\x1b[\]P_^X][^\x07\x18\x1a\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|."
)
_KEPT_ROWS = 30
_WIDTH = 500


class LastLines:
    """The lines around the cursor, drawn from what was written last. It forgets what a bar has not been on for long."""

    def __init__(self) -> None:
        self._rows: dict[int, str] = {}
        self._row = 0
        self._column = 0
        self._top = 0
        """The uppermost line that the cursor has gone back to lately: whatever is above it is not drawn any more."""
        self._bar_row = -1

    def forget(self) -> None:
        """Start anew: something was written that is not known."""
        self._rows, self._row, self._column, self._bar_row = {}, 0, 0, -1

    def feed(self, text: str) -> None:
        """Draw what was written; whatever else a terminal would do with it changes no bar."""
        self._top = self._row
        has_moved_up = False
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup
            if kind == "text":
                self._write(match["text"])
            elif kind == "control":
                self._control(match["control"])
            elif kind == "move":
                has_moved_up = self._move(match["move"], match["digits"]) or has_moved_up
        if not has_moved_up:
            self._top = self._row
        for row in [row for row in self._rows if row < self._row - _KEPT_ROWS]:
            del self._rows[row]

    def _write(self, text: str) -> None:
        before = self._rows.get(self._row, "")
        end = self._column + len(text)
        self._rows[self._row] = (before[: self._column].ljust(self._column) + text + before[end:])[:_WIDTH]
        self._column = min(end, _WIDTH)

    def _control(self, control: str) -> None:
        if control == "\n":
            self._row += 1
            self._column = 0
        elif control == "\r":
            self._column = 0
        elif control == "\b":
            self._column = max(0, self._column - 1)
        else:
            self._column = min((self._column // 8 + 1) * 8, _WIDTH)

    def _move(self, final: str, digits: str) -> bool:
        """Obey a sequence that moves the cursor or erases; True if the cursor went up."""
        number = int(digits[:4] or 0)
        count = max(1, number)
        if final in "AF":
            self._row -= count
            self._top = min(self._top, self._row)
        elif final in "BE":
            self._row += count
        elif final == "C":
            self._column = min(self._column + count, _WIDTH)
        elif final == "D":
            self._column = max(0, self._column - count)
        elif final == "G":
            self._column = min(count - 1, _WIDTH)
        else:
            self._erase(final, number)
        if final in "EF":
            self._column = 0
        return final in "AF"

    def _erase(self, final: str, number: int) -> None:
        row = self._rows.get(self._row, "")
        blank = " " * min(self._column + 1, len(row)) + row[self._column + 1 :]
        self._rows[self._row] = row[: self._column] if number == 0 else blank if number == 1 else ""
        if final == "J":  # the lines below, or above, or both
            for other in [other for other in self._rows if other != self._row]:
                if number >= 2 or (other > self._row) == (number == 0):
                    del self._rows[other]

    def _shown(self) -> list[tuple[int, str]]:
        return sorted((row, text) for row, text in self._rows.items() if text.strip())

    def bar(self) -> Bar | None:
        """Return the bar that is being drawn: of several the first that is not full."""
        top = self._top
        if self._column == 0 and not self._rows.get(self._row, "").strip():
            top = min(top, self._row - 1)  # the line that has just been ended
        drawn = [(row, bar) for row, text in self._shown() if row >= top and (bar := bar_of(text))]
        if not drawn:  # it may have become full before the lines below it were written
            last = bar_of(self._rows.get(self._bar_row, ""))
            return last if last and last.is_full else None
        self._bar_row, found = next(((row, bar) for row, bar in drawn if not bar.is_full), drawn[-1])
        return found

    def last_text(self) -> str:
        """Return the last line that says something and is no bar."""
        return next((text.strip() for _row, text in reversed(self._shown()) if bar_of(text) is None), "")
