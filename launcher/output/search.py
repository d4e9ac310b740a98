"""Lines that match, in an output of any size: read in pieces, each line once, some of it at a time.

What is searched is what is shown, not the escapes between it. A look takes a bounded time and says where to go on, so
that whoever searches a gigabyte sees results as they come, and a server that is asked by many serves all of them.

A word is looked for in the bytes as they are, where those show just what they say; see `launcher.output.text` for the
rest. A regular expression goes through a process of its own: `launcher.output.pattern` says why.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import NamedTuple, Protocol

from launcher.output.filtered import error_lines
from launcher.output.pattern import Pattern, SearchRefusedError, TooSlowError, is_literal, needed_text
from launcher.output.rows import LONG_BYTES, line_rows
from launcher.output.store import Output
from launcher.output.terminal import PLAIN, Style, is_only_marks, parse_style, style_after, whole_length
from launcher.output.text import shown
from launcher.output.window import Cursor, Row, held

PIECE_BYTES = 256 * 1024
"""What is searched at once, but for a long line."""
READ_BYTES = 8 * PIECE_BYTES
"""What is read at once: of stored chunks, those at both ends are unpacked in vain."""
LONGEST_LINE_BYTES = 1024 * 1024
"""A longer line is searched in parts."""
OVERLAP_BYTES = 64 * 1024
"""So much of a part is searched again with the next one. What matches over more, and over a border, is not found."""
LOOK_SECONDS = 0.4
MOST_LISTED = 1000
"""Line numbers that a look lists; it counts all."""
MOST_CHARACTERS = 1000
"""Of what is looked for."""
HIT_BYTES = 4000
HIT_CHARACTERS = 400
MOST_MARKED_LINES = 1000
MOST_MARKED_BYTES = 4 * 1024 * 1024

_PLACE = re.compile(r"(\d{1,15})([c+]?)", re.ASCII)
_LETTERS_OF_MANY = re.compile("[\u0130\u212a]")  # i with a dot and the sign of Kelvin, which are i and k in lower case
_CHANGED = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2400-\u2421\ufffd]")  # what drawing takes away or puts there


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is looked for."""

    text: str
    is_regex: bool = False
    is_case_sensitive: bool = False
    only_errors: bool = False
    """Whether only lines count that have something of stderr."""

    def __bool__(self) -> bool:
        return bool(self.text)


@dataclass(frozen=True, kw_only=True)
class Place:
    """How far a search is, in bytes. Within a line too long for one piece it may be that it was counted already."""

    offset: int = 0
    is_within_line: bool = False
    is_counted: bool = False

    def __str__(self) -> str:
        return f"{self.offset}{'c' if self.is_counted else '+' if self.is_within_line else ''}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read what `str` wrote; raises ValueError for anything else, since it comes from a browser."""
        match = _PLACE.fullmatch(text)
        if match is None:
            raise ValueError("Not a place.")
        return cls(offset=int(match[1]), is_within_line=bool(match[2]), is_counted=match[2] == "c")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Whole lines, or a part of a long one. `line` newlines are before it."""

    data: bytes
    place: Place
    line: int
    newlines: int
    after: Place
    """Where the next one begins; in a long line that is before the end of this one."""

    @property
    def last_line(self) -> int:
        """The number of its last line, from 1."""
        return self.line + self.newlines + (not self.data.endswith(b"\n"))


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one look found: how many lines match between two places, and the numbers of some of them, from 1."""

    count: int = 0
    lines: tuple[int, ...] = ()
    first: int = 0
    """How many of those that were counted are before `lines`."""
    place: Place = field(default_factory=Place)
    """Where to go on."""
    through: int = 0
    """The number of the last line before that place, whether or not it matches; 0 if nothing was searched."""
    is_done: bool = True
    """Whether nothing is left to be searched for now."""


class Matcher(Protocol):
    """Finds a query in lines."""

    def lines(self, data: bytes, *, is_continued: bool = False) -> list[int]:
        """Return which of some lines, given as written, match, counted from 0; raises SearchRefusedError.

        `is_continued` says that the first one begins elsewhere.
        """
        ...

    def close(self) -> None:
        """Give up what it needs."""
        ...


class Word:
    """Looks for a text. In small letters it is compared as both are in lower case."""

    def __init__(self, text: str, *, is_case_sensitive: bool) -> None:
        self._folds = not is_case_sensitive
        self._text = fold(text) if self._folds else text
        self._bytes = self._text.encode("utf-8", "replace")
        # Bytes of ASCII have other letters in no disguise but two.
        self._is_plain = self._text.isascii()
        self._is_changed = _CHANGED.search(text) is not None
        self._is_in_line = "\n" not in text

    def lines(self, data: bytes, *, is_continued: bool = False) -> list[int]:
        """Return which lines have the text."""
        if not self._is_in_line:
            return []
        text = shown(data)
        if self._is_changed or (self._folds and not self._can_fold(text)):
            return self._lines_of_text(text)
        if self._folds:
            text = text.lower()
        return _numbers(part.count(b"\n") for part in text.split(self._bytes)[:-1])

    def _can_fold(self, text: bytes) -> bool:
        """Tell whether bytes in lower case are compared like their text would be."""
        if text.isascii():
            return True
        return self._is_plain and b"\xe2\x84\xaa" not in text and b"\xc4\xb0" not in text

    def _lines_of_text(self, data: bytes) -> list[int]:
        text = data.decode("utf-8", "replace")
        if self._folds:
            text = fold(text)
        return _numbers(part.count("\n") for part in text.split(self._text)[:-1])

    def close(self) -> None:
        """Nothing is needed."""


def _numbers(newlines: Iterable[int]) -> list[int]:
    """Return the numbers of lines from how many newlines are before each match, counted from the match before it."""
    return list(dict.fromkeys(accumulate(newlines)))


class Expression:
    """Looks for a regular expression; raises SearchRefusedError from the beginning on.

    Most have a text in them without which they match nothing: then only the lines that have it are looked at.
    """

    def __init__(self, text: str, *, is_case_sensitive: bool) -> None:
        self._pattern = Pattern(text, is_case_sensitive=is_case_sensitive)
        needed = needed_text(text)
        self._folds = not is_case_sensitive
        self._word = Word(needed, is_case_sensitive=is_case_sensitive) if needed else None

    def lines(self, data: bytes, *, is_continued: bool = False) -> list[int]:
        """Return which lines match."""
        text = shown(data).removesuffix(b"\n")
        # Beyond ASCII, a pattern knows letters as the same that have different ones in lower case.
        if self._word is None or (self._folds and not text.isascii()):
            return self._pattern.lines(text, is_continued=is_continued)
        numbers = self._word.lines(text)
        if not numbers:
            return []
        if 2 * len(numbers) > text.count(b"\n"):  # then it costs less to send all
            return self._pattern.lines(text, is_continued=is_continued)
        lines = text.split(b"\n")
        chosen = b"\n".join([lines[number] for number in numbers])
        found = self._pattern.lines(chosen, is_continued=is_continued and numbers[0] == 0)
        return [numbers[index] for index in found]

    def close(self) -> None:
        """End the process."""
        self._pattern.close()


class TooLongError(SearchRefusedError):
    """More is looked for than MOST_CHARACTERS."""


def fold(text: str) -> str:
    """Return a text so that upper and lower case are the same; "\n" stay where they are."""
    return text.lower().replace("\u03c2", "\u03c3")  # Greek has two of one letter


def matcher(query: Query) -> Word | Expression:
    """Return what finds a query, to be closed after use; raises SearchRefusedError."""
    if len(query.text) > MOST_CHARACTERS:
        raise TooLongError
    kind = Expression if query.is_regex and not is_literal(query.text) else Word
    return kind(query.text, is_case_sensitive=query.is_case_sensitive)


def pieces(output: Output, place: Place, end: int, *, is_finished: bool) -> Iterator[Piece]:
    """Yield the lines from a place up to an offset, less those left out; of a run that goes on, only whole ones.

    The offset is where the output ends, or where what is settled of it does.
    """
    gap = output.gap
    if gap is not None and gap.holds(place.offset):
        place = Place(offset=gap.end.offset)
    if place.offset >= end:
        return
    line = line_at(output, place.offset)
    data = b""
    while True:
        read_at = place.offset + len(data)
        more = output.read(read_at, min(READ_BYTES, end - read_at)) if read_at < end else b""
        data += more
        start = 0
        is_last = not more and (is_finished or read_at < end)
        while cut := _next_cut(data, start, is_last=is_last):
            piece = data[start : cut.end]
            after = Place(offset=place.offset + cut.next - start, is_within_line=cut.is_in_line)
            newlines = piece.count(b"\n")
            if not is_only_marks(piece):
                yield Piece(data=piece, place=place, line=line, newlines=newlines, after=after)
            line += newlines
            place, start = after, cut.next
        data = data[start:]
        if more:
            continue
        gap = output.gap
        if read_at >= end or gap is None or not gap.holds(read_at):
            return
        place, line, data = Place(offset=gap.end.offset), gap.end.line, b""


class _Cut(NamedTuple):
    """Where a piece ends, and where the next one begins."""

    end: int
    next: int
    is_in_line: bool = False


def _next_cut(data: bytes, start: int, *, is_last: bool) -> _Cut | None:
    """Return where a piece from `start` on ends; None if there is nothing, or more has to be read to tell."""
    end = data.rfind(b"\n", start, start + PIECE_BYTES) + 1 or data.find(b"\n", start, start + LONGEST_LINE_BYTES) + 1
    if end:
        return _Cut(end, end)
    rest = len(data) - start
    if rest >= LONGEST_LINE_BYTES + OVERLAP_BYTES:
        part = data[start : start + LONGEST_LINE_BYTES]
        return _Cut(start + whole_length(part), start + whole_length(part[:-OVERLAP_BYTES]), is_in_line=True)
    return _Cut(len(data), len(data)) if is_last and rest else None


def line_at(output: Output, offset: int) -> int:
    """Return how many newlines are before an offset."""
    mark = output.mark_before(offset)
    line, position = mark.line, mark.offset
    while position < offset and (data := output.read(position, min(READ_BYTES, offset - position))):
        line += data.count(b"\n")
        position += len(data)
    return line


def style_at(output: Output, offset: int) -> Style:
    """Return the style in force at a place; what marks are there are near."""
    mark = output.mark_before(offset)
    return style_after(output.read(mark.offset, offset - mark.offset), parse_style(mark.style))


@dataclass(frozen=True, kw_only=True)
class Matches:
    """The lines of a piece that match, counted from 0 within it, and where to go on behind it."""

    piece: Piece
    numbers: list[int]
    after: Place


def lines_of_rows(rows: Iterable[Row]) -> dict[int, str]:
    """Return what lines show that are drawn already, by their numbers."""
    lines: dict[int, str] = {}
    for row in rows:
        if not row.notice:
            lines[row.line] = lines.get(row.line, "") + "".join(text for text, _ in row.spans)
    return lines


def rows_matching(rows: Iterable[Row], found_by: Matcher) -> list[int]:
    """Return the numbers of the lines that match, of those that are drawn already."""
    lines = lines_of_rows(rows)
    if not lines:
        return []
    numbers = list(lines)
    return [numbers[number] for number in found_by.lines("\n".join(lines.values()).encode())]


def matches(
    output: Output, found_by: Matcher, place: Place, end: int, *, is_finished: bool, only_errors: bool = False
) -> Iterator[Matches]:
    """Yield what matches in each piece from a place on, also where that is nothing; see `pieces`."""
    is_counted = place.is_counted
    for piece in pieces(output, place, end, is_finished=is_finished):
        is_continued = piece.place.is_within_line
        numbers = found_by.lines(piece.data, is_continued=is_continued)
        if only_errors and numbers:
            numbers = sorted(set(numbers).intersection(error_lines(piece.data, style_at(output, piece.place.offset))))
        was_counted = is_continued and is_counted
        is_counted = piece.after.is_within_line and (was_counted or bool(numbers))
        if was_counted and numbers[:1] == [0]:
            del numbers[0]
        yield Matches(piece=piece, numbers=numbers, after=replace(piece.after, is_counted=is_counted))


def look(
    output: Output,
    found_by: Matcher,
    place: Place,
    end: int,
    *,
    is_finished: bool,
    only_errors: bool = False,
    near: int = 0,
    seconds: float | None = None,
) -> Found:
    """Search on from a place, for a time; see `pieces` for where it ends.

    Listed are the first lines, or with `near` those around a line; counted are all. What was found before a pattern
    took too long is returned; going on from there then raises TooSlowError.
    """
    deadline = time.monotonic() + (LOOK_SECONDS if seconds is None else seconds)
    listed = _Listed(near)
    here, through = place, 0
    is_done = False
    try:
        for matched in matches(output, found_by, place, end, is_finished=is_finished, only_errors=only_errors):
            listed.add(matched.piece.line + 1, matched.numbers)
            here, through = matched.after, matched.piece.last_line
            if time.monotonic() >= deadline:
                break
        else:
            is_done = True
    except TooSlowError:
        if here == place:
            raise
    return listed.found(here, through, is_done=is_done)


class _Listed:
    """Numbers of lines, from 1: the first of all that are counted, or those around a line."""

    def __init__(self, near: int) -> None:
        self._near = near
        self._before: deque[int] = deque(maxlen=MOST_LISTED // 2)
        self._before_count = 0
        self._after: list[int] = []
        self._count = 0

    def add(self, line: int, numbers: list[int]) -> None:
        """Count the lines with these numbers, counted from that line on."""
        cut = bisect_right(numbers, self._near - line)
        self._before.extend(line + number for number in numbers[:cut][-MOST_LISTED:])
        self._before_count += cut
        room = MOST_LISTED - len(self._before) - len(self._after)
        self._after += [line + number for number in numbers[cut : cut + room]]
        self._count += len(numbers)

    def found(self, place: Place, through: int, *, is_done: bool) -> Found:
        """Return what was counted and listed up to a place."""
        return Found(
            count=self._count,
            lines=(*self._before, *self._after),
            first=self._before_count - len(self._before),
            place=place,
            through=through,
            is_done=is_done,
        )


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A line that matches, and as much of what it shows as a list has room for."""

    number: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Hits:
    """The next lines that match, and where to go on; `is_done` if nothing is left to be searched for now."""

    hits: tuple[Hit, ...]
    place: Place
    is_done: bool


def next_hits(
    output: Output,
    found_by: Matcher,
    place: Place,
    end: int,
    *,
    is_finished: bool,
    only_errors: bool = False,
    most: int,
    seconds: float,
) -> Hits:
    """Return the first so many lines that match from a place on, as far as a look comes."""
    deadline = time.monotonic() + seconds
    hits: list[Hit] = []
    here = place
    for matched in matches(output, found_by, place, end, is_finished=is_finished, only_errors=only_errors):
        lines = matched.piece.data.split(b"\n")
        room = most - len(hits)
        for number in matched.numbers[:room]:
            text = shown(lines[number][:HIT_BYTES]).decode("utf-8", "replace")
            hits.append(Hit(number=matched.piece.line + number + 1, text=text[:HIT_CHARACTERS]))
        if len(matched.numbers) > room:
            left = matched.numbers[room]  # the first that there was no room for
            begin = matched.piece.place
            if left:
                begin = Place(offset=begin.offset + sum(len(line) + 1 for line in lines[:left]))
            return Hits(hits=tuple(hits), place=begin, is_done=False)
        here = matched.after
        if time.monotonic() >= deadline:
            return Hits(hits=tuple(hits), place=here, is_done=False)
    return Hits(hits=tuple(hits), place=here, is_done=True)


def _text_shown(line: bytes) -> bytes:
    """Return what a page shows of a line, which of a very long one is not all."""
    if len(line) <= LONG_BYTES:
        return shown(line)
    return "".join(text for row in line_rows(line, Cursor(), PLAIN)[0] for text, _ in row.spans).encode()


def line_texts(output: Output, first: int, last: int, *, is_finished: bool) -> dict[int, bytes]:
    """Return what some lines show, by their numbers, as far as a page does: of a very long one its beginning.

    No more than MOST_MARKED_LINES, and none behind MOST_MARKED_BYTES.
    """
    last = min(last, first + MOST_MARKED_LINES - 1)
    found: dict[int, bytes] = {}
    pending = held(output, is_finished=is_finished)
    end = pending.cursor.mark.offset
    start = output.mark_before_line(first).offset
    for piece in pieces(output, Place(offset=start), end, is_finished=is_finished):
        if piece.line >= last or piece.place.offset - start > MOST_MARKED_BYTES:
            break
        lines = piece.data.removesuffix(b"\n").split(b"\n")
        skipped = max(0, first - 1 - piece.line)
        for number, line in enumerate(lines[skipped : last - piece.line], piece.line + skipped + 1):
            if number not in found:  # a part of a long line that goes on
                found[number] = _text_shown(line)
    pending_lines = lines_of_rows(pending.pending)
    return found | {number: text.encode() for number, text in pending_lines.items() if first <= number <= last}
