"""The index beside a spooled output: where its bytes can be drawn from, when they came, and which are left out.

Two slots for the gap, then records of one size, in the order of their offsets, found by bisection: an index of
millions of them costs a look some twenty small reads. Each slot and record has its own checksum, so that one which
was written in part counts as none.
"""

from __future__ import annotations

import os
import struct
import weakref
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from launcher.output.holes import punch
from launcher.output.marks import START, Gap, Mark, Times, times_between

_RECORD = struct.Struct("<QQQ36s")  # offset, lines, tenths of a second since the epoch, style
_TIME = struct.Struct("<QQQ")  # its first three
_RECORD_BYTES = 64
_GAP = struct.Struct("<QQQQQQ36s")  # start, its lines, end, its lines, first record in the hole and after it, style
_GAP_BYTES = 128
_HEADER_BYTES = 2 * _GAP_BYTES
_CHECKSUM = struct.Struct("<I")
_READ_RECORDS = 1024

Found = TypeVar("Found")


class _Entry(NamedTuple):
    mark: Mark
    tenths: int


class _Hole(NamedTuple):
    """A gap in the output, and the numbers of the records that are gone with it."""

    gap: Gap
    first: int
    end: int


def _framed(body: bytes, size: int) -> bytes:
    padded = body.ljust(size - _CHECKSUM.size, b"\0")
    return padded + _CHECKSUM.pack(zlib.crc32(padded))


def _is_whole(framed: bytes, size: int) -> bool:
    body, checksum = framed[: -_CHECKSUM.size], framed[-_CHECKSUM.size :]
    return len(framed) == size and _CHECKSUM.unpack(checksum)[0] == zlib.crc32(body)


def _read_entry(framed: bytes) -> _Entry | None:
    if not _is_whole(framed, _RECORD_BYTES):
        return None
    offset, line, tenths, style = _RECORD.unpack_from(framed)
    return _Entry(Mark(offset=offset, line=line, style=style.rstrip(b"\0").decode()), tenths)


def _read_hole(framed: bytes) -> _Hole | None:
    if not _is_whole(framed, _GAP_BYTES):
        return None
    start, start_line, offset, line, first, end, style = _GAP.unpack_from(framed)
    mark = Mark(offset=offset, line=line, style=style.rstrip(b"\0").decode())
    return _Hole(Gap(start=Mark(offset=start, line=start_line), end=mark), first, end)


class Index:
    """Reads an index, also while it grows and when it is removed meanwhile. Raises FileNotFoundError if it is gone."""

    def __init__(self, path: Path, flags: int = os.O_RDONLY) -> None:
        self._descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        self.close = weakref.finalize(self, os.close, self._descriptor)

    def gap(self) -> Gap | None:
        """Return what is left out of the output by now."""
        hole = self._hole()
        return hole.gap if hole else None

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset, START where none is known; none lies in the gap."""

        def look(hole: _Hole | None) -> Mark:
            found = self._find(offset, hole)
            mark = found[1].mark if found else START
            is_behind = hole is not None and hole.gap.end.offset <= offset
            return hole.gap.end if hole and is_behind and mark.offset < hole.gap.end.offset else mark

        return self._steady(look)

    def mark_before_line(self, line: int) -> Mark:
        """Return the last mark with fewer than so many newlines before it, START if there is none."""

        def look(hole: _Hole | None) -> Mark:
            is_behind = hole is not None and hole.gap.end.line < line
            low = hole.end if hole and is_behind else 0
            high = hole.first if hole and not is_behind else self._count()
            found = self._last(low, high, lambda mark: mark.line < line)
            mark = found[1].mark if found else START
            return hole.gap.end if hole and is_behind and mark.offset < hole.gap.end.offset else mark

        return self._steady(look)

    def times(self, start: int, end: int) -> Times:
        """Return when the bytes from `start` to `end` came; see `Output.times`."""

        def look(hole: _Hole | None) -> Times:
            found = self._find(start, hole)
            low, high = self._range(start, hole)
            return times_between(self._times(found[0] if found else low, high), start, end)

        return self._steady(look)

    def _steady(self, look: Callable[[_Hole | None], Found]) -> Found:
        """Return what a look at the records finds; again if their writer made a hole in them meanwhile."""
        while True:
            hole = self._hole()
            found = look(hole)
            if self._hole() == hole:
                return found

    def _hole(self) -> _Hole | None:
        header = os.pread(self._descriptor, _HEADER_BYTES, 0)
        holes = filter(None, (_read_hole(header[:_GAP_BYTES]), _read_hole(header[_GAP_BYTES:])))
        return max(holes, key=lambda hole: hole.gap.end.offset, default=None)

    def _count(self) -> int:
        return max(0, os.fstat(self._descriptor).st_size - _HEADER_BYTES) // _RECORD_BYTES

    def _range(self, offset: int, hole: _Hole | None) -> tuple[int, int]:
        """Return the numbers of the records on the offset's side of the hole."""
        if hole is None:
            return 0, self._count()
        return (hole.end, self._count()) if offset >= hole.gap.end.offset else (0, hole.first)

    def _entry(self, number: int) -> _Entry | None:
        return _read_entry(os.pread(self._descriptor, _RECORD_BYTES, _HEADER_BYTES + number * _RECORD_BYTES))

    def _times(self, number: int, end: int) -> Iterator[tuple[int, float]]:
        """Yield offset and time of some records; there may be thousands, so nothing else of them is read."""
        while number < end:
            count = min(_READ_RECORDS, end - number)
            data = os.pread(self._descriptor, count * _RECORD_BYTES, _HEADER_BYTES + number * _RECORD_BYTES)
            for start in range(0, count * _RECORD_BYTES, _RECORD_BYTES):
                framed = data[start : start + _RECORD_BYTES]
                if _is_whole(framed, _RECORD_BYTES):
                    offset, _, tenths = _TIME.unpack_from(framed)
                    yield offset, tenths / 10
            number += count

    def _find(self, offset: int, hole: _Hole | None) -> tuple[int, _Entry] | None:
        """Return number and content of the last record at or before an offset."""
        low, high = self._range(offset, hole)
        return self._last(low, high, lambda mark: mark.offset <= offset)

    def _last(self, low: int, high: int, is_before: Callable[[Mark], bool]) -> tuple[int, _Entry] | None:
        """Return number and content of the last record between two numbers whose mark is before a place."""
        found = None
        while low < high:
            middle = number = (low + high) // 2
            entry = self._entry(number)
            while entry is None and number > low:  # one that was written in part
                number -= 1
                entry = self._entry(number)
            if entry is not None and not is_before(entry.mark):
                high = number
            else:
                found = (number, entry) if entry is not None else found
                low = middle + 1
        return found


class IndexWriter(Index):
    """Adds to an index; what a full disk doesn't take is left out, and readers start at an earlier mark."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, os.O_RDWR | os.O_CREAT)
        self._next = self._count()
        self._slot = int(_read_hole(os.pread(self._descriptor, _GAP_BYTES, 0)) == self._hole())  # the older one
        if not self._next:
            self._write(bytes(_HEADER_BYTES), 0)  # so that a gap can be noted on a disk that is full by then

    def last(self) -> tuple[Mark, int]:
        """Return the last mark and its time in tenths of a second."""
        found = self._find(2**63, self._hole())
        return found[1] if found else (START, 0)

    def add(self, mark: Mark, tenths: int) -> None:
        """Add a mark: its bytes came at that time, in tenths of a second since the epoch."""
        body = _RECORD.pack(mark.offset, mark.line, tenths, mark.style.encode())
        if self._write(_framed(body, _RECORD_BYTES), _HEADER_BYTES + self._next * _RECORD_BYTES):
            self._next += 1

    def cut(self, offset: int) -> None:
        """Forget the records behind a place, which is not before the gap's end."""
        hole = self._hole()
        found = self._find(offset, hole)
        self._next = found[0] + 1 if found else hole.end if hole else 0
        size = _HEADER_BYTES + self._next * _RECORD_BYTES
        if os.fstat(self._descriptor).st_size > size:
            os.ftruncate(self._descriptor, size)

    def set_gap(self, gap: Gap) -> bool:
        """Note what is left out, whole or not at all; False if the disk didn't take it."""
        hole = self._hole()
        before, behind = self._find(gap.start.offset, hole), self._find(gap.end.offset, hole)
        first = hole.first if hole else before[0] + 1 if before else 0
        # The last record before the gap's end stays: it knows when the bytes behind the end came.
        end = max(first, behind[0] if behind else first)
        body = _GAP.pack(
            gap.start.offset, gap.start.line, gap.end.offset, gap.end.line, first, end, gap.end.style.encode()
        )
        if not self._write(_framed(body, _GAP_BYTES), self._slot * _GAP_BYTES):
            return False
        self._slot = 1 - self._slot
        punch(self._descriptor, _HEADER_BYTES + first * _RECORD_BYTES, _HEADER_BYTES + end * _RECORD_BYTES)
        return True

    def _write(self, data: bytes, position: int) -> bool:
        try:
            return os.pwrite(self._descriptor, data, position) == len(data)
        except OSError:
            return False
