"""Lines of an output, chosen, as bytes for a file: those that match, those of stderr, or those that are both.

Read and given out in batches, so that neither much of an output nor a process for a pattern is held while a slow reader
takes what was found.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count

from launcher.output.filtered import error_lines
from launcher.output.marks import Mark
from launcher.output.pattern import BusyError
from launcher.output.search import Matcher, Piece, Place, Query, matcher, pieces
from launcher.output.store import Output
from launcher.output.terminal import ERROR_ON, PLAIN, Style, parse_style, style_after, without_marks
from launcher.output.text import shown
from launcher.output.window import NoSuchLine, held, read_line

BATCH_BYTES = 4 * 1024 * 1024
BATCH_SECONDS = 1.0
MOST_WAITS = 60
"""How often a search waits for a place among the patterns that are searched for, a second each time."""
RESET = b"\x1b[0m"
_ERROR = ERROR_ON[2:-1]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which lines, and whether they keep their colours; all lines of stderr, if the query has no text."""

    query: Query
    has_colours: bool = False

    def __bool__(self) -> bool:
        return bool(self.query) or self.query.only_errors


def selected(output: Output, choice: Choice, *, is_finished: bool) -> Iterator[bytes]:
    """Yield the chosen lines, each with a newline, of what there is now.

    Raises SearchRefusedError, also in between.
    """
    latest = held(output, is_finished=is_finished)
    settled = latest.cursor.mark
    rest = _unsettled(output, settled.offset)
    selection = _Selection(output, choice)
    while not selection.is_done:
        for found in selection.next_batch(settled.offset, is_finished=is_finished):
            yield from found
    if rest:
        for found in selection.at_end(rest, settled):
            yield from found


def _unsettled(output: Output, end: int) -> bytes:
    """Return what may still change, from a place on: as it was written, or as it is on a screen."""
    standing = output.standing()
    return standing.drawn.rest() if standing.drawn else output.read(end, max(0, standing.size - end))


class _Selection:
    """How far a selection is, between its batches."""

    def __init__(self, output: Output, choice: Choice) -> None:
        self._output = output
        self._choice = choice
        self._place = Place()
        self._style = PLAIN
        self._given = 0
        """The number of the line that was given last: of a long one, each part may match."""
        self.is_done = False

    def next_batch(self, end: int, *, is_finished: bool) -> list[Iterable[bytes]]:
        """Return the chosen lines of the next few megabytes."""
        begin, deadline = self._place.offset, time.monotonic() + BATCH_SECONDS
        found: list[Iterable[bytes]] = []
        with self._matcher() as found_by:
            for piece in pieces(self._output, self._place, end, is_finished=is_finished):
                if piece.place.offset != self._place.offset:  # something is left out
                    self._style = parse_style(self._output.mark_before(piece.place.offset).style)
                found += self._lines(piece, found_by)
                self._place = piece.after
                if piece.after.offset - begin >= BATCH_BYTES or time.monotonic() >= deadline:
                    return found
        self.is_done = True
        return found

    def at_end(self, data: bytes, settled: Mark) -> list[Iterable[bytes]]:
        """Return the chosen lines of what is behind all batches."""
        self._style = parse_style(settled.style)
        place = Place(offset=settled.offset)
        newlines = data.count(b"\n")
        with self._matcher() as found_by:
            piece = Piece(data=data, place=place, line=settled.line, newlines=newlines, after=place)
            return list(self._lines(piece, found_by))

    @contextmanager
    def _matcher(self) -> Iterator[Matcher | None]:
        if not self._choice.query:
            yield None
            return
        for waits in count(1):
            try:
                found_by = matcher(self._choice.query)
            except BusyError:
                if waits == MOST_WAITS:
                    raise
            else:
                break
        with closing(found_by):
            yield found_by

    def _lines(self, piece: Piece, found_by: Matcher | None) -> Iterator[Iterable[bytes]]:
        numbers = self._numbers(piece, found_by)
        lines = piece.data.removesuffix(b"\n").split(b"\n") if numbers else []
        style, done = self._style, 0
        chosen: list[bytes] = []
        for number in numbers:
            line = piece.line + number + 1
            if line == self._given:
                continue
            self._given = line
            is_part = (number == 0 and piece.place.is_within_line) or piece.after.is_within_line
            if is_part:
                yield self._whole_line(line)
            elif self._choice.has_colours:
                style = style_after(b"\n".join(lines[done:number]), style)
                chosen.append(_coloured(lines[number], style))
                done = number
            else:
                chosen.append(lines[number])
        if self._choice.has_colours or self._choice.query.only_errors:
            self._style = style_after(piece.data[: max(0, piece.after.offset - piece.place.offset)], self._style)
        if chosen:
            text = b"\n".join(chosen) + b"\n"
            yield [text if self._choice.has_colours else _as_text(text)]

    def _numbers(self, piece: Piece, found_by: Matcher | None) -> list[int]:
        numbers = found_by.lines(piece.data, is_continued=piece.place.is_within_line) if found_by else None
        if not self._choice.query.only_errors or numbers == []:
            return numbers or []
        errors = error_lines(piece.data, self._style)
        return errors if numbers is None else sorted(set(numbers).intersection(errors))

    def _whole_line(self, number: int) -> Iterator[bytes]:
        try:
            for part in without_marks(read_line(self._output, number)):
                yield part if self._choice.has_colours else _as_text(part)
        except NoSuchLine:  # left out meanwhile
            return
        yield b"\n"


def _as_text(data: bytes) -> bytes:
    return shown(data).decode("utf-8", "replace").encode()


def _coloured(line: bytes, style: Style) -> bytes:
    """Return a line as it was written, but that it begins with its style, and leaves none to the next."""
    look = _look_code(style)
    written = b"".join(without_marks([line]))
    begun = b"\x1b[" + look + b"m" + written if look else written
    return begun + RESET if _look_code(style_after(line, style)) else begun


def _look_code(style: Style) -> bytes:
    """Return what makes a style, without where its text was written to."""
    return style.code().encode().removesuffix(_ERROR).removesuffix(b";")
