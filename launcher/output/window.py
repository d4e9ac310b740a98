"""The part of a run's output that a page shows: lines after a cursor, before a place, or around one; bounded, always.

While a run goes on, its last lines may still change: they are `pending` in each window that reaches them, and become
rows once they are settled; see `held`. Every other row is given to a reader once, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from launcher.output.look import WINDOW_BYTES, Look
from launcher.output.marks import Gap
from launcher.output.pending import Pending
from launcher.output.reading import Output, left_out
from launcher.output.rows import CUT_BYTES, Cursor, Row
from launcher.output.style import PLAIN
from launcher.output.terminal import draw_line, is_only_marks
from launcher.output.walk import Walk

__all__ = [
    "Cursor",
    "NoSuchLine",
    "Row",
    "Window",
    "around",
    "following",
    "held",
    "last_line",
    "newest",
    "preceding",
    "read_line",
]

WINDOW_LINES = 500
FOLLOWED_LINES = 2000
"""Lines that a reader gets at once; many, since a reader who waits for the rest falls behind a quick command."""
AROUND_LINES = 250
SKIP_BYTES = 1024 * 1024
"""A reader further behind than this is taken to the end, with a mark where the gap is."""
Found = TypeVar("Found")
_LOOKS = 5
"""How often an output is looked at again that was changed meanwhile; the next look of a page does the same."""


class NoSuchLine(LookupError):
    """There is no line of that number, or it is left out."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Rows that a page adds, and those after them that may still change, which it shows until the next look."""

    rows: tuple[Row, ...]
    cursor: Cursor
    """Behind the rows."""
    start: int
    """Where the first row begins, in bytes; 0 means that nothing is before it."""
    skipped_from: int | None = None
    """Where a gap before the rows begins, if the reader was too far behind."""
    is_at_end: bool = False
    """Whether rows and pending ones reach the end that there is by now."""
    digest: str = ""
    """Tells whether the pending rows are the same as at another look; empty if there are none."""
    behind: Pending | None = field(default=None, repr=False, compare=False)

    @property
    def pending(self) -> tuple[Row, ...]:
        """Rows that may still change. They are made when first asked for: whoever has them sees that by the digest."""
        return self.behind.rows if self.behind else ()

    @property
    def last_line(self) -> int:
        """The number of the last line there is, where the window is at the end."""
        rows = self.pending or self.rows
        return rows[-1].line if rows and rows[-1].line else self.cursor.mark.line


def newest(output: Output, *, is_finished: bool) -> Window:
    """Return the last lines of an output, none of those before its gap."""
    return _steady(output, is_finished, lambda look: _ending(look, look.settled_end()))


def following(output: Output, cursor: Cursor, *, is_finished: bool, until: int | None = None) -> Window:
    """Return the next lines after a cursor; or the newest ones, where those are far away.

    With `until` none are skipped, however far it is, and none from that byte on returned. There are none behind the
    end: a forged cursor gets nothing, one that another host gave out waits for the rest. Where lines are left out, a
    reader first gets a notice that says so, and then goes on behind them.
    """
    return _steady(output, is_finished, lambda look: _following(look, cursor, until))


def preceding(output: Output, end: int, floor: int = 0, *, is_finished: bool = False) -> Window:
    """Return the lines that end at a place and begin no earlier than at another, where a reader has the rest.

    They end at a gap's end, if that is between; from there on back, a notice is the last of them.
    """
    return _steady(output, is_finished, lambda look: _preceding(look, end, floor))


def around(output: Output, line: int, *, is_finished: bool) -> Window:
    """Return the lines before and behind the beginning of a line, given by its number; the newest, if it is not there.

    Where the line is left out, they are those before and behind the gap.
    """
    return _steady(output, is_finished, lambda look: _around(look, line))


def held(output: Output, *, is_finished: bool) -> Window:
    """Return a window of nothing but what may still change; its cursor is the settled end."""
    return _steady(output, is_finished, lambda look: _ending(look, look.settled_end(), lines=0))


def last_line(output: Output, *, is_finished: bool) -> int:
    """Return the number of the last line, of those that may still change too; 0 if there is none."""
    return _steady(output, is_finished, _last_line)


def read_line(output: Output, number: int) -> Iterator[bytes]:
    """Return a line, as it was written or settled, in pieces without its newline; raises NoSuchLine."""
    look = Look(output, is_finished=False)
    if look.drawn and number > look.drawn.end.line:
        lines = look.drawn.rest().split(b"\n")
        place = number - 1 - look.drawn.end.line
        if place >= len(lines) or (place == len(lines) - 1 and is_only_marks(lines[place])):
            raise NoSuchLine(number)
        begin = look.line_start(number)
        before = look.read(begin, look.size) if begin is not None and not place else b""
        return iter([before + lines[place]])
    begin = look.line_start(number) if number > 0 else None
    if begin is None or is_only_marks(look.read(begin, begin + WINDOW_BYTES)):
        raise NoSuchLine(number)
    return _pieces(output, begin)


def _pieces(output: Output, position: int) -> Iterator[bytes]:
    while data := output.read(position, WINDOW_BYTES):
        line, newline, _ = data.partition(b"\n")
        if line:
            yield line
        if newline:
            return
        position += len(data)


def _steady(output: Output, is_finished: bool, make: Callable[[Look], Found]) -> Found:
    for _ in range(_LOOKS):
        look = Look(output, is_finished=is_finished)
        found = make(look)
        if look.is_steady():
            break
    return found


def _window(look: Look, walk: Walk, start: int, *, is_at_end: bool) -> Window:
    behind = Pending.behind(look, walk.cursor) if is_at_end else None
    return Window(
        rows=tuple(walk.rows),
        cursor=walk.cursor,
        start=start,
        is_at_end=is_at_end,
        digest=behind.digest if behind else "",
        behind=behind,
    )


def _following(look: Look, cursor: Cursor, until: int | None) -> Window:
    begin = cursor.mark.offset
    gap = look.gap
    if gap is not None and gap.holds(begin):
        notice = _notice(gap, begin, max(0, gap.end.line - cursor.mark.line))
        return Window(rows=(notice,), cursor=Cursor(mark=gap.end), start=begin)
    if until is None and look.size - begin > SKIP_BYTES:
        return replace(_ending(look, look.settled_end(begin), floor=begin), skipped_from=begin)
    walk, settled = Walk(look, cursor), look.settled_end(begin)
    end, lines = (settled, FOLLOWED_LINES) if until is None else (min(settled, until), WINDOW_LINES)
    has_come = walk.go(end, lines=lines, is_whole=look.is_finished and end == settled)
    return _window(look, walk, begin, is_at_end=has_come and end == settled and not _is_before_gap(look, walk))


def _is_before_gap(look: Look, walk: Walk) -> bool:
    return look.gap is not None and look.gap.holds(walk.offset)


def _preceding(look: Look, end: int, floor: int) -> Window:
    end = min(end, look.settled_end())
    floor = min(floor, end)
    gap = look.gap
    if gap is None or not gap.holds(end - 1):
        return _part(look, end, floor)
    begin = max(gap.start.offset, floor)
    notice = _notice(gap, begin, gap.end.line - gap.start.line if begin == gap.start.offset else None)
    if floor >= gap.start.offset:
        return Window(rows=(notice,), cursor=Cursor(mark=gap.end), start=floor)
    window = _part(look, gap.start.offset, floor)
    return replace(window, rows=(*window.rows, notice))


def _notice(gap: Gap, begin: int, lines: int | None) -> Row:
    text = left_out(gap.end.offset - begin, lines, gap.start.offset)
    return Row(number=None, offset=begin, spans=(), notice=text)


def _ending(look: Look, settled: int, *, floor: int = 0, lines: int | None = None) -> Window:
    start = _start(look, settled, floor, WINDOW_LINES if lines is None else lines)
    walk = Walk(look, start)
    walk.go(settled, is_whole=look.is_finished)
    return _window(look, walk, start.mark.offset, is_at_end=True)


def _part(look: Look, end: int, floor: int = 0, *, lines: int | None = None) -> Window:
    start = _start(look, end, floor, WINDOW_LINES if lines is None else lines)
    walk = Walk(look, start)
    walk.go(end, is_whole=True)
    return _window(look, walk, start.mark.offset, is_at_end=False)


def _start(look: Look, end: int, floor: int, lines: int) -> Cursor:
    """Return where to begin so that about so many lines end at a place, none of them before another."""
    gap = look.gap
    # A line whose beginning is left out has its number all the same: nobody has seen it.
    origin = gap.end.offset if gap is not None and gap.end.offset <= end else 0
    low = max(floor, origin)
    begin = max(low, end - WINDOW_BYTES)
    data = look.read(begin, end)
    start = begin + _start_of_last_lines(data, lines)
    if start == begin and begin > low:  # most likely within a line: leave out its end, unless that is most of all
        skipped = data.find(b"\n") + 1
        if 0 < skipped <= len(data) // 2:
            start = begin + skipped
        else:
            start = max(low, look.line_start(look.mark_at(begin).line + 1) or 0)
    is_whole = look.is_line_start(start) or look.is_returned(start)
    return Cursor(mark=look.mark_at(start), is_within_line=not is_whole, is_cut=not is_whole)


def _start_of_last_lines(data: bytes, lines: int) -> int:
    position = len(data)
    for _ in range(lines + 1):
        position = data.rfind(b"\n", 0, position)
        if position == -1:
            return 0
    return position + 1


def _around(look: Look, line: int) -> Window:
    settled, gap = look.settled_end(), look.gap
    before = line - 1
    if gap is not None and gap.start.line < before < gap.end.line:
        place, behind = gap.start.offset, gap.end.offset
    else:
        start = look.line_start(max(line, 1))
        if start is None or start >= settled:
            return _ending(look, settled)
        place = behind = start
    window = _part(look, place, lines=AROUND_LINES)
    rows = list(window.rows)
    cursor = window.cursor
    if gap is not None and place != behind:
        rows.append(_notice(gap, place, gap.end.line - gap.start.line))
        cursor = Cursor(mark=gap.end)
    walk = Walk(look, cursor)
    has_come = walk.go(settled, lines=AROUND_LINES, is_whole=look.is_finished)
    walk.rows[:0] = rows
    return _window(look, walk, window.start, is_at_end=has_come and not _is_before_gap(look, walk))


def _last_line(look: Look) -> int:
    if look.drawn:
        lines = sum(line.data.count(b"\n") for line in look.drawn.unsettled)
        lines += len(look.drawn.replayed.screen.lines())
        return look.drawn.end.line + (lines or not look.is_line_start(look.size))
    mark = look.output.mark_before(look.size)
    data = look.read(mark.offset, look.size)
    rest = data[data.rfind(b"\n") + 1 :]
    has_more = bool(draw_line(rest[-CUT_BYTES:], PLAIN)[0]) or (rest == data and not look.is_line_start(mark.offset))
    return mark.line + data.count(b"\n") + has_more
