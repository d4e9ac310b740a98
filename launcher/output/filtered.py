"""Windows on the lines that have something of stderr in them, and those lines for a download.

What is between them is passed in bytes: only where a mark says that stderr begins, or it goes on from before, is
anything drawn. A window comes from a bounded part of the output, so there may be no row in it; whoever asks goes on
from its cursor, or before its start, which have moved.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO

from launcher.output.marks import Mark
from launcher.output.store import Output
from launcher.output.terminal import (
    ERROR_OFF,
    ERROR_ON,
    Style,
    draw_line,
    is_only_marks,
    parse_style,
    style_after,
    uncut_length,
)
from launcher.output.window import Cursor, Row, Window, around, following, held, preceding

LOOK_SECONDS = 0.3
MOST_ROWS = 500
SCAN_BYTES = 1024 * 1024
NEAR_BYTES = 16 * 1024
"""What lies closer together is drawn at once, with what is between."""


class ErrorsWindow(Window):
    """A window whose pending rows are those of stderr, too."""

    @property
    def pending(self) -> tuple[Row, ...]:
        """The rows after the cursor that may still change."""
        return errors_among(super().pending)


def errors_among(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return the rows of the lines that have something of stderr, and the notices between."""
    rows = tuple(rows)
    lines = {row.line for row in rows if row.is_error}
    return tuple(row for row in rows if row.notice or row.line in lines)


def error_ranges(data: bytes, *, is_error: bool) -> list[tuple[int, int]]:
    """Return where lines begin and end that may have something of stderr: in order, and none close to the next.

    `is_error` says whether the data begin with stderr. Where a line begins before the data, or ends behind them, that
    is taken for its place.
    """
    ranges: list[tuple[int, int]] = []
    position = 0
    while position < len(data):
        if not is_error:
            begin = data.find(ERROR_ON, position)
            if begin < 0:
                break
            position = begin + len(ERROR_ON)
        stop = data.find(ERROR_OFF, position)
        stop = len(data) if stop < 0 else stop
        if stop > position:
            start = data.rfind(b"\n", 0, position) + 1
            end = data.find(b"\n", stop - 1) + 1 or len(data)
            if ranges and start - ranges[-1][1] < NEAR_BYTES:
                start = ranges.pop()[0]
            ranges.append((start, end))
        position, is_error = stop + len(ERROR_OFF), False
    return ranges


def error_lines(data: bytes, style: Style) -> list[int]:
    """Return which lines, counted from 0, have something of stderr; `style` is in force where they begin."""
    numbers: list[int] = []
    done, number = 0, 0
    for start, end in error_ranges(data, is_error=style.is_error):
        number += data.count(b"\n", done, start)
        style = style_after(data[done:start], style)
        done = end
        for line in BytesIO(data[start:end]):
            spans, style = draw_line(line.removesuffix(b"\n"), style)
            is_error = any(look.is_error for _, look in spans) if spans else style.is_error and not is_only_marks(line)
            if is_error:
                numbers.append(number)
            number += 1
    return numbers


def following_errors(output: Output, cursor: Cursor, *, is_finished: bool) -> Window:
    """Return what comes after a cursor, as `following` does, of stderr alone. No reader is ever taken to the end."""
    deadline = time.monotonic() + LOOK_SECONDS
    latest = held(output, is_finished=is_finished)
    end = latest.cursor.mark.offset
    begin = cursor.mark.offset
    rows: list[Row] = []

    def is_enough() -> bool:
        return len(rows) >= MOST_ROWS or time.monotonic() >= deadline

    while cursor.mark.offset < end:
        gap = output.gap
        if gap is not None and gap.holds(cursor.mark.offset):
            window = following(output, cursor, is_finished=is_finished, until=end)
            rows += window.rows
            place = window.cursor
        else:
            data = _to_line_end(output.read(cursor.mark.offset, min(SCAN_BYTES, end - cursor.mark.offset)))
            place, done = cursor, 0
            for start, stop in error_ranges(data, is_error=parse_style(cursor.mark.style).is_error):
                if start > done:
                    place = Cursor(mark=place.mark.after(data[done:start]))
                # Of a line that is longer than what was read, the rest is passed as well.
                stop_at = cursor.mark.offset + stop if data.endswith(b"\n", 0, stop) else end
                place = _draw(output, place, stop_at, rows, is_finished=is_finished)
                done = place.mark.offset - cursor.mark.offset
                if is_enough():
                    break
            else:
                rest = data[done:]
                is_within_line = not rest.endswith(b"\n") if rest else place.is_within_line
                place = replace(place, mark=place.mark.after(rest), is_within_line=is_within_line)
        if place.mark.offset <= cursor.mark.offset:  # what is there can't be drawn yet
            break
        cursor = place
        if cursor.mark.offset < end and is_enough():
            return _window(rows, cursor, begin)
    return _like(latest, rows, begin)


def _draw(output: Output, place: Cursor, end: int, rows: list[Row], *, is_finished: bool) -> Cursor:
    """Add the rows of stderr between two places, and return the second one, or how far it came."""
    while place.mark.offset < end and len(rows) < MOST_ROWS:
        window = following(output, place, is_finished=is_finished, until=end)
        rows += errors_among(window.rows)
        if window.cursor.mark.offset <= place.mark.offset:
            break
        place = window.cursor
    return place


def preceding_errors(output: Output, end: int, floor: int = 0, *, is_finished: bool = False) -> Window:
    """Return what is before a place, down to another, as `preceding` does, of stderr alone."""
    deadline = time.monotonic() + LOOK_SECONDS
    floor = min(floor, end)
    rows: deque[Row] = deque()
    position = end

    def is_enough() -> bool:
        return len(rows) >= MOST_ROWS or time.monotonic() >= deadline

    while position > floor:
        gap = output.gap
        if gap is not None and gap.holds(position - 1):
            window = preceding(output, position, max(floor, gap.start.offset), is_finished=is_finished)
            rows.extendleft(reversed(window.rows))
            position = min(window.start, position - 1)
            continue
        origin = max(floor, gap.end.offset if gap is not None and gap.end.offset <= position else 0)
        mark = output.mark_before(max(origin, position - SCAN_BYTES))
        data = output.read(mark.offset, position - mark.offset)
        # What is of the first line here belongs to what is before, unless there is nothing, or no other line.
        first = max(0, origin - mark.offset)
        if mark.offset > origin and (next_line := data.find(b"\n", 0, len(data) - 1) + 1):
            first = next_line
        for start, stop in reversed(error_ranges(data, is_error=parse_style(mark.style).is_error)):
            lowest = mark.offset + max(start, first)
            position = min(position, mark.offset + stop)
            while position > lowest:
                window = preceding(output, position, lowest, is_finished=is_finished)
                rows.extendleft(reversed(errors_among(window.rows)))
                position = min(window.start, position - 1)
                if is_enough():
                    break
            if is_enough():
                break
        else:
            position = mark.offset + first
        if is_enough():
            break
    return _window(rows, Cursor(mark=Mark(offset=end)), max(position, floor))


def newest_errors(output: Output, *, is_finished: bool) -> Window:
    """Return the last lines of stderr, and what is pending after them."""
    latest = held(output, is_finished=is_finished)
    window = preceding_errors(output, latest.cursor.mark.offset, is_finished=is_finished)
    return _like(latest, window.rows, window.start)


def around_errors(output: Output, line: int, *, is_finished: bool) -> Window:
    """Return the lines of stderr before and after a line, by its number."""
    place = around(output, line, is_finished=is_finished)
    offset = next((row.offset for row in place.rows if row.line >= line), place.cursor.mark.offset)
    before = preceding_errors(output, offset, is_finished=is_finished)
    mark = output.mark_before(offset)
    mark = mark.after(output.read(mark.offset, offset - mark.offset))
    after = following_errors(output, Cursor(mark=mark), is_finished=is_finished)
    return replace(after, rows=(*before.rows, *after.rows), start=before.start)


def _window(rows: Iterable[Row], cursor: Cursor, start: int) -> Window:
    return ErrorsWindow(rows=tuple(rows), cursor=cursor, start=start)


def _like(latest: Window, rows: Iterable[Row], start: int) -> Window:
    """Return a window with the end of another one."""
    return ErrorsWindow(
        rows=tuple(rows),
        cursor=latest.cursor,
        start=start,
        is_at_end=latest.is_at_end,
        digest=latest.digest,
        behind=latest.behind,
    )


def _to_line_end(data: bytes) -> bytes:
    """Return whole lines, or where there is none, what can be drawn of one."""
    return data[: data.rfind(b"\n") + 1 or uncut_length(data) or len(data)]
