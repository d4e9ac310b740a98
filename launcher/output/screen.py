"""A terminal's screen: rows that a program can still change, and the lines that have left it at the top for good.

It is what commands believe to write to, so that bars and tables which move the cursor up come out as on a terminal.
Pure Python over bytes; it knows no run, no file and no Django. Everything in it is bounded, whatever is written.

Beyond what a terminal does, nothing that was shown is lost: what scrolls off the top, also of a scroll region, and
what is on the screen when it is cleared or reset or the alternate screen is entered or left, becomes settled.
The alternate screen is the screen itself. "\\n" also returns the carriage, since nothing is between this terminal and
the program that would do it (OPOST is off), and it ends links and sequences that have no end.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from launcher.output.pen import COLUMNS as COLUMNS
from launcher.output.pen import ROWS as ROWS
from launcher.output.pen import Pen, default_tab_stops
from launcher.output.row import Row, line_bytes, line_spans
from launcher.output.sequences import LONGEST_SEQUENCE, TOKEN, cut_off_at, shortened
from launcher.output.style import ERROR_OFF, ERROR_ON, PLAIN, Span, Style, parse_number, transition

HELD_ROWS = 128
"""Rows of a line that are kept once they left the screen, so that it settles whole; a longer one goes in parts."""

_VERTICAL = re.compile(rb"\x1b(?:\[(?:[0-9;:]{0,100}[ABEFHJLMSTdefrsu]|\?[0-9;]{0,100}[hl])|[78DEMc])")
_UNUSUAL = re.compile(rb"\x1b(?!\[[0-9;:]*[mKCDG])")
"""Finds quickly that there are only colours and what else is usual in lines."""
_ALTERNATE = frozenset({47, 1047, 1049})

# What only snapshots say, in private modes that nobody uses.
_BEHIND_LAST_COLUMN = 7711
_WRAPS = 7712


@dataclass(frozen=True, kw_only=True, slots=True)
class SettledLine:
    """A line that can't change any more, as bytes to draw by themselves from the plain style.

    They end with a newline, but for a line longer than `HELD_ROWS` rows, which comes in several parts of which only
    the last one does, and for the last line of an output that doesn't.
    """

    data: bytes
    at: float | None
    """When its first byte was written, in seconds since the epoch; None if that is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScreenLine:
    """A line that is on the screen, in one piece even where it takes several rows."""

    spans: tuple[Span, ...]
    at: float | None
    is_error: bool
    """Whether any of it was written to stderr."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Saved:
    y: int
    column: int
    style: Style


def moves_vertically(data: bytes) -> bool:
    """Tell whether bytes may move the cursor to another line other than by newlines, or clear or scroll the screen.

    A sequence that is cut in two is not seen in either part: give the beginning again with what follows.
    """
    if b"\x0b" in data or b"\x0c" in data:
        return True
    unusual = _UNUSUAL.search(data) if b"\x1b" in data else None
    return unusual is not None and any(_is_vertical(match[0]) for match in _VERTICAL.finditer(data, unusual.start()))


def _is_vertical(sequence: bytes) -> bool:
    if not sequence.startswith(b"\x1b[?"):
        return True
    return not _ALTERNATE.isdisjoint(parse_number(word) for word in sequence[3:-1].decode().split(";"))


class Screen(Pen):
    """The screen, and what is written to it. The style is the one in force before the first byte."""

    def __init__(self, rows: int = ROWS, columns: int = COLUMNS, style: Style = PLAIN) -> None:
        super().__init__(columns, style)
        self.height = rows
        self.y = 0
        self._rows = [Row(columns) for _ in range(rows)]
        self.row = self._rows[0]
        self._top, self._bottom = 0, rows - 1
        """First and last row of the scroll region."""
        self._saved: _Saved | None = None
        self._is_alternate = False
        self._head: list[Row] = []
        """Rows that left the screen while the rest of their line is on it."""
        self._is_within_line = False
        """Whether the last settled line goes on with what comes next."""
        self._settled: list[SettledLine] = []
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        """The beginning of an escape sequence that has not ended yet."""

    def feed(self, data: bytes, at: float | None = None) -> None:
        """Write bytes to the screen; a sequence or character that is cut off at their end goes on with the next ones.

        `at` is when they were written, in seconds since the epoch.
        """
        self.at = at
        self._write_text(self._rest + self._decoder.decode(data))

    def _write_text(self, text: str) -> None:
        end = cut_off_at(text)
        for match in TOKEN.finditer(text, 0, end):
            kind = match.lastgroup
            if kind == "text":
                self.write(match["text"])
            elif kind == "control":
                control = match["control"]
                if control == "\n":
                    self._newline()
                elif control in "\x0b\x0c":
                    self._index()
                else:
                    self.control(control)
            elif kind == "style":
                self.set_style(match["style"])
            elif kind == "final":
                self._obey(match["private"], match["final"], match["parameters"])
            elif kind == "escape":
                self._escape(match["escape"])
            elif kind == "link":
                self.set_link(match["link"])
            elif kind == "unlink":
                self.end_link()
            elif kind == "time":
                self.at = _time(match["time"])
        rest = text[end:]
        if len(rest) > LONGEST_SEQUENCE and rest.startswith("\x1b]8;"):
            self.end_link()
        self._rest = shortened(rest)

    def take_settled(self) -> list[SettledLine]:
        """Return the lines that have left the screen since the last call."""
        settled, self._settled = self._settled, []
        return settled

    def lines(self) -> list[ScreenLine]:
        """Return the lines on the screen without the blank ones at its end; the first one may have begun above it."""
        end = self.height
        while end and self._rows[end - 1].is_blank():
            end -= 1
        return [
            ScreenLine(
                spans=tuple(spans := line_spans(rows)),
                at=rows[0].at,
                is_error=any(style.is_error for _, style in spans) if spans else rows[-1].is_error,
            )
            for rows in _lines([*self._head, *self._rows[:end]])
        ]

    @property
    def is_at_end(self) -> bool:
        """Whether what comes next is drawn the same as plain lines that go on from here."""
        used = self._used()
        is_behind_all = self.y == used and not self.column
        is_at_line_end = self.y == used - 1 and self.column == len(self.row.characters)
        is_usual = self.does_wrap and not self._is_alternate and self._bottom - self._top == self.height - 1
        is_begun = bool(self._rest or self._decoder.getstate()[0])
        return (is_behind_all or is_at_line_end) and is_usual and not is_begun and not self._head

    def finish(self) -> list[SettledLine]:
        """Return everything that is left, as settled lines, the last without a newline if the output had none there.

        Nothing can be written afterwards.
        """
        self._write_text(self._rest + self._decoder.decode(b"", final=True))
        end = self._used()
        self.row = Row(self.width)  # the rows are given away
        has_end = self.y >= end
        end = max(end, self.y)
        for row in self._rows[:end]:
            self._settle(row)
        self._end_head()
        settled = self.take_settled()
        if settled and not has_end:
            last = settled[-1]
            settled[-1] = replace(last, data=last.data.removesuffix(b"\n"))
        self._rows = [Row(self.width) for _ in range(self.height)]
        self.y = self.column = 0
        self.row = self._rows[0]
        return settled

    def snapshot(self) -> bytes:
        """Return bytes that make a fresh screen of the same size the same, so that it goes on in the same way.

        What is settled already is not in them. They tell the times of the rows too, to a tenth of a second, which a
        screen takes that is fed without a time.
        """
        parts = ["\x1b[?1047h"] if self._is_alternate else []
        if self._head:
            parts += [_time_mark(self._head[0].at), line_bytes(self._head).decode()]
            parts.append(f"{_private(_WRAPS)}\x1b[{self.height}S")
        for y, row in enumerate(self._rows):
            if row.characters or row.wraps or row.ground != PLAIN:
                parts += [_position(y, 0), _time_mark(row.at), line_bytes([row]).decode()]
                if row.wraps:
                    parts.append(_private(_WRAPS))
            elif (row.is_error or row.at is not None) and y < self.height - 1:
                parts += [_position(y, 0), _time_mark(row.at)]
                style = Style(is_error=row.is_error)
                parts += [transition(PLAIN, style), "\n", transition(style, PLAIN)]
        if (self._top, self._bottom) != (0, self.height - 1):
            parts.append(f"\x1b[{self._top + 1};{self._bottom + 1}r")
        if self.tab_stops != default_tab_stops(self.width):
            parts.append("\x1b[3g" + "".join(f"\x1b[{stop + 1}G\x1bH" for stop in self.tab_stops))
        if self._saved:
            saved = self._saved
            parts += [self._cursor(saved.y, saved.column), transition(PLAIN, saved.style), "\x1b7"]
            parts.append(transition(saved.style, PLAIN))
        if not self.does_wrap:
            parts.append("\x1b[?7l")
        parts += [self._cursor(self.y, self.column), transition(PLAIN, self.style), _time_mark(None), self._rest]
        return "".join(parts).encode() + self._decoder.getstate()[0]

    def _cursor(self, y: int, column: int) -> str:
        is_behind = column == self.width
        return _position(y, column - is_behind) + (_private(_BEHIND_LAST_COLUMN) if is_behind else "")

    def next_row(self) -> None:
        """Go to the beginning of the next row, in which the line goes on."""
        self.column = 0
        self._index()

    def _newline(self) -> None:
        row = self.row
        row.wraps = False
        if row.at is None:
            row.at = self.at
        if not row.characters:
            row.is_error = self.style.is_error
        self.end_link()
        self.column = 0
        self._index()

    def _go(self, y: int, column: int | None = None) -> None:
        self.y = max(0, min(y, self.height - 1))
        self.row = self._rows[self.y]
        if column is not None:
            self._go_to(column)

    def _index(self) -> None:
        """Go down a row; at the end of the scroll region that scrolls it."""
        if self.y == self._bottom:
            self._scroll_up(1)
        elif self.y < self.height - 1:
            self._go(self.y + 1)

    def _reverse_index(self) -> None:
        if self.y == self._top:
            self._move_rows(self._top, -1)
        else:
            self._go(self.y - 1)

    def _scroll_up(self, count: int) -> None:
        """Scroll the region; what leaves it is settled."""
        used = self._used() if count > 1 else self.height
        for row in self._rows[self._top : min(self._top + count, self._bottom + 1, used)]:
            self._settle(row)
        self._move_rows(self._top, count)

    def _move_rows(self, top: int, count: int) -> None:
        """Move the rows between one and the region's end up, or down where the count is negative."""
        size = self._bottom + 1 - top
        new = [Row(self.width) for _ in range(min(abs(count), size))]
        rows = self._rows[top : self._bottom + 1]
        self._rows[top : self._bottom + 1] = [*rows[count:], *new] if count > 0 else [*new, *rows[: size - len(new)]]
        self.row = self._rows[self.y]

    def _used(self) -> int:
        """Return how many rows there are, without the blank ones at the end."""
        end = self.height
        while end and self._rows[end - 1].is_blank():
            end -= 1
        return end

    def _settle(self, row: Row) -> None:
        self._head.append(row)
        if not row.wraps:
            self._end_head()
        elif len(self._head) >= HELD_ROWS:
            self._settled.append(SettledLine(data=self._head_bytes(), at=self._head[0].at))
            self._head, self._is_within_line = [], True

    def _end_head(self) -> None:
        if self._head:
            self._settled.append(SettledLine(data=self._head_bytes() + b"\n", at=self._head[0].at))
            self._head = []
        elif self._is_within_line:
            self._settled.append(SettledLine(data=b"\n", at=None))
        self._is_within_line = False

    def _head_bytes(self) -> bytes:
        data = line_bytes(self._head)
        return data if data or not self._head[-1].is_error else ERROR_ON + ERROR_OFF

    def _clear(self) -> None:
        """Make the screen blank, once what is on it is settled."""
        for row in self._rows[: self._used()]:
            self._settle(row)
        self._end_head()
        self._rows = [Row(self.width) for _ in range(self.height)]
        self.row = self._rows[self.y]

    def _obey(self, private: str, final: str, parameters: str) -> None:
        if private:
            if private == "?" and final in "hl":
                for word in parameters.split(";"):
                    self._set_mode(parse_number(word), is_on=final == "h")
            return
        words = parameters.split(";")
        numbers = [parse_number(word) for word in words[:2]]
        first = numbers[0]
        second = numbers[1] if len(numbers) > 1 else 0
        if operation := _VERTICAL_OPERATIONS.get(final):
            operation(self, first, second)
        else:
            self.edit(final, parameters)

    def _up(self, count: int, _: int = 0) -> None:
        self._go(max(self.y - max(count, 1), self._top if self.y >= self._top else 0), self.column)

    def _down(self, count: int, _: int = 0) -> None:
        end = self._bottom if self.y <= self._bottom else self.height - 1
        self._go(min(self.y + max(count, 1), end), self.column)

    def _next_line(self, count: int, _: int = 0) -> None:
        self._down(count)
        self.column = 0

    def _previous_line(self, count: int, _: int = 0) -> None:
        self._up(count)
        self.column = 0

    def _to_row(self, row: int, _: int = 0) -> None:
        self._go(max(row, 1) - 1, self.column)

    def _position(self, row: int, column: int) -> None:
        self._go(max(row, 1) - 1, max(column, 1) - 1)

    def _erase_display(self, how: int, _: int = 0) -> None:
        if how == 0:
            self.erase_line(0)
            self._blank_rows(self.y + 1, self.height)
        elif how == 1:
            self.erase_line(1)
            self._blank_rows(0, self.y)
        elif how == 2:
            self._clear()
            self._blank_rows(0, self.height)

    def _blank_rows(self, start: int, end: int) -> None:
        for number in range(start, end):
            row = self._rows[number]
            row.erase(0, self.width, self.style)
            row.wraps = row.is_error = False
            row.at = None

    def _insert_lines(self, count: int, _: int = 0) -> None:
        if self._top <= self.y <= self._bottom:
            self._move_rows(self.y, -max(count, 1))
            self.column = 0

    def _delete_lines(self, count: int, _: int = 0) -> None:
        if self._top <= self.y <= self._bottom:
            self._move_rows(self.y, max(count, 1))
            self.column = 0

    def _scroll(self, count: int, _: int = 0) -> None:
        self._scroll_up(max(count, 1))

    def _scroll_down(self, count: int, _: int = 0) -> None:
        self._move_rows(self._top, -max(count, 1))

    def _set_region(self, top: int, bottom: int) -> None:
        top, bottom = max(top, 1) - 1, min(bottom or self.height, self.height) - 1
        if top < bottom:
            self._top, self._bottom = top, bottom
            self._go(0, 0)

    def _clear_tab_stop(self, how: int, _: int = 0) -> None:
        if how == 0:
            self.tab_stops = tuple(stop for stop in self.tab_stops if stop != self.column)
        elif how == 3:
            self.tab_stops = ()

    def _save(self, _: int = 0, __: int = 0) -> None:
        style = self.style._replace(is_error=False, link="")
        self._saved = _Saved(y=self.y, column=self.column, style=style)

    def _restore(self, _: int = 0, __: int = 0) -> None:
        saved = self._saved or _Saved(y=0, column=0, style=PLAIN)
        self._go(saved.y)
        self.column = saved.column
        self.style = saved.style._replace(is_error=self.style.is_error, link=self.style.link)

    def _set_mode(self, mode: int, *, is_on: bool) -> None:
        if mode == 7:
            self.does_wrap = is_on
        elif mode in _ALTERNATE and is_on != self._is_alternate:
            if is_on:
                self._save()
            else:
                self._restore()
            self._clear()
            self._go(0, 0)
            self._is_alternate = is_on
        elif mode == _BEHIND_LAST_COLUMN:
            self.column = self.width
        elif mode == _WRAPS:
            self.row.wraps = True

    def _escape(self, final: str) -> None:
        if final == "7":
            self._save()
        elif final == "8":
            self._restore()
        elif final == "D":
            self._index()
        elif final == "E":
            self.column = 0
            self._index()
        elif final == "M":
            self._reverse_index()
        elif final == "H":
            if 0 < self.column < self.width:
                self.tab_stops = tuple(sorted({*self.tab_stops, self.column}))
        elif final == "c":
            self._reset()

    def _reset(self) -> None:
        self._clear()
        self.style = Style(is_error=self.style.is_error)
        self.does_wrap, self._is_alternate, self._saved = True, False, None
        self.tab_stops = default_tab_stops(self.width)
        self._top, self._bottom = 0, self.height - 1
        self._go(0, 0)


_VERTICAL_OPERATIONS: dict[str, Callable[[Screen, int, int], None]] = {
    "A": Screen._up,
    "B": Screen._down,
    "E": Screen._next_line,
    "F": Screen._previous_line,
    "H": Screen._position,
    "J": Screen._erase_display,
    "L": Screen._insert_lines,
    "M": Screen._delete_lines,
    "S": Screen._scroll,
    "T": Screen._scroll_down,
    "d": Screen._to_row,
    "e": Screen._down,
    "f": Screen._position,
    "g": Screen._clear_tab_stop,
    "r": Screen._set_region,
    "s": Screen._save,
    "u": Screen._restore,
}


def _lines(rows: Sequence[Row]) -> Iterable[list[Row]]:
    """Yield the rows of each line."""
    line: list[Row] = []
    for row in rows:
        line.append(row)
        if not row.wraps:
            yield line
            line = []
    if line:
        yield line


def _position(y: int, column: int) -> str:
    return f"\x1b[{y + 1};{column + 1}H"


def _private(mode: int) -> str:
    return f"\x1b[?{mode}h"


def _time_mark(at: float | None) -> str:
    return "\x1b]7711;\x07" if at is None else f"\x1b]7711;{at:.1f}\x07"


def _time(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
