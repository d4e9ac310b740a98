"""The file beside a spooled output that has what is on its screen, once its run has begun to draw on one.

Two slots that say how the output stands, each with a checksum, so that one which was written in part counts as none;
then records, in the order in which they were written: what a command wrote, and now and then all that is on the screen,
so that no more than the latest records need be fed to a new one. What is older is given back to the disk.

The file is made with the output and never replaced: who has it open can read it to the end, also when it is removed.
"""

from __future__ import annotations

import os
import struct
import weakref
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import NamedTuple

from launcher.output.held import Drawn, Piece
from launcher.output.holes import punch
from launcher.output.marks import START, Mark

_SLOT = struct.Struct("<Q??QQ64sQQQQqQqQQ")
_SLOT_BYTES = 256
_HEADER_BYTES = 2 * _SLOT_BYTES
_CHECKSUM = struct.Struct("<I")
_RECORD = struct.Struct("<QI?QQ")  # tenths of a second since the epoch, bytes, whether they are raw, settled end


class Record(NamedTuple):
    """A piece for the screen; `is_raw` if it is as a command wrote it, not a picture of what was there."""

    piece: Piece
    is_raw: bool
    end: tuple[int, int]
    """The settled end behind it: bytes, and newlines."""


@dataclass(frozen=True, kw_only=True)
class State:
    """How an output stands. Raw bytes are those that the command has written, counted from the first one on."""

    generation: int = 0
    """Grows with each change of what follows."""
    is_drawn: bool = False
    is_styled: bool = False
    base: Mark = START
    """Drawn: the settled end before the records that count. Else the least that it may be."""
    start: int = _HEADER_BYTES
    """Where those records begin in the file."""
    start_raw: int = 0
    """How many raw bytes were written before those."""
    kept: int = _HEADER_BYTES
    """Where the oldest ones begin that are still there."""
    kept_raw: int = 0
    """How many raw bytes were written before those."""
    shift: int = 0
    """What to add to an offset in the output, in its part that was last written as it came, to count raw bytes."""
    left: int = 0
    """Where that part begins in the output."""
    earlier_shift: int = 0
    earlier_left: int = 0
    earlier_end: int = 0
    """The same of the part before the records, and where that ends."""

    def packed(self) -> bytes:
        """Return the slot."""
        base = self.base
        body = _SLOT.pack(
            *(self.generation, self.is_drawn, self.is_styled, base.offset, base.line, base.style.encode()),
            *(self.start, self.start_raw, self.kept, self.kept_raw, self.shift, self.left),
            *(self.earlier_shift, self.earlier_left, self.earlier_end),
        ).ljust(_SLOT_BYTES - _CHECKSUM.size, b"\0")
        return body + _CHECKSUM.pack(zlib.crc32(body))

    @classmethod
    def unpacked(cls, slot: bytes) -> State | None:
        """Return the state of a slot, None where that is not whole."""
        if len(slot) != _SLOT_BYTES or _CHECKSUM.unpack(slot[-4:])[0] != zlib.crc32(slot[:-4]):
            return None
        generation, is_drawn, is_styled, offset, line, style, *rest = _SLOT.unpack_from(slot)
        names = [field.name for field in fields(cls)][4:]
        return cls(
            generation=generation,
            is_drawn=is_drawn,
            is_styled=is_styled,
            base=Mark(offset=offset, line=line, style=style.rstrip(b"\0").decode()),
            **dict(zip(names, rest, strict=True)),
        )


NEVER_DRAWN = State()


def records(data: bytes) -> Iterator[Record]:
    """Yield the whole records of some bytes."""
    position = 0
    while len(data) - position >= _RECORD.size:
        tenths, size, is_raw, *end = _RECORD.unpack_from(data, position)
        position += _RECORD.size
        if len(data) - position < size:
            return
        piece = Piece(data=data[position : position + size], at=tenths / 10)
        yield Record(piece, is_raw, (end[0], end[1]))
        position += size


def framed(record: Record) -> bytes:
    """Return the bytes of a record."""
    piece = record.piece
    return _RECORD.pack(round(piece.at * 10), len(piece.data), record.is_raw, *record.end) + piece.data


def drawn(state: State, data: bytes) -> Drawn | None:
    """Return what is on the screen; `data` are the records from the state's `start` on."""
    if not state.is_drawn:
        return None
    pieces, end, has_raw = list[Piece](), (state.base.offset, state.base.line), False
    for record in records(data):
        if has_raw and not record.is_raw:  # a newer picture, of which the state doesn't know yet
            break
        has_raw = record.is_raw
        pieces.append(record.piece)
        end = record.end
    mark = state.base if end[0] == state.base.offset else Mark(offset=end[0], line=end[1])
    return Drawn(base=state.base, is_styled=state.is_styled, pieces=tuple(pieces), end=mark)


def packed_screen(state: State, data: bytes) -> bytes:
    """Return what other hosts need to know of a screen, as `Run.screen` keeps it."""
    return state.packed() + data


def unpacked_screen(packed: bytes) -> tuple[int, Drawn | None]:
    """Return the generation and the screen; nothing is drawn on one where that can't be read."""
    state = State.unpacked(packed[:_SLOT_BYTES]) or NEVER_DRAWN
    return state.generation, drawn(state, packed[_SLOT_BYTES:])


class ScreenLog:
    """Reads the file, also while it grows. Raises FileNotFoundError if it is gone."""

    def __init__(self, path: Path, flags: int = os.O_RDONLY) -> None:
        self._descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        self.close = weakref.finalize(self, os.close, self._descriptor)

    def state(self) -> State:
        """Return how the output stands by now."""
        header = os.pread(self._descriptor, _HEADER_BYTES, 0)
        found = filter(None, (State.unpacked(header[:_SLOT_BYTES]), State.unpacked(header[_SLOT_BYTES:])))
        return max(found, key=lambda state: state.generation, default=NEVER_DRAWN)

    def data(self, start: int) -> bytes:
        """Return all records from a place on."""
        pieces = []
        while piece := os.pread(self._descriptor, 1024 * 1024, start):
            pieces.append(piece)
            start += len(piece)
        return b"".join(pieces)

    def drawn(self, state: State) -> Drawn | None:
        """Return what is on the screen, None if nothing is drawn on one."""
        return drawn(state, self.data(state.start)) if state.is_drawn else None


class ScreenLogWriter(ScreenLog):
    """Adds to the file. What a full disk doesn't take is not in it at all, and then says False."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, os.O_RDWR | os.O_CREAT)
        self._state = self.state()
        slot = os.pread(self._descriptor, _SLOT_BYTES, 0)
        self._slot = int(State.unpacked(slot) == self._state)  # the older one
        self._end = max(_HEADER_BYTES, os.fstat(self._descriptor).st_size)
        self._pictured = self._state.start

    @property
    def end(self) -> int:
        """Where the next record goes."""
        return self._end

    @property
    def size(self) -> int:
        """Bytes of the records behind the last picture."""
        return self._end - self._pictured

    def raw_bytes(self) -> int:
        """Return how many bytes of those a command wrote."""
        return sum(len(record.piece.data) for record in records(self.data(self._state.start)) if record.is_raw)

    def repair(self) -> Piece | None:
        """Take off a record that was written in part, and return what there is of it."""
        data = self.data(self._state.start)
        whole = sum(_RECORD.size + len(record.piece.data) for record in records(data))
        rest = data[whole:]
        self._cut(self._state.start + whole)
        if len(rest) <= _RECORD.size:
            return None
        return Piece(data=rest[_RECORD.size :], at=_RECORD.unpack_from(rest)[0] / 10)

    def add(self, record: Record) -> bool:
        """Add what a command wrote."""
        return self._write(framed(record))

    def begin(self, found: Iterable[Record], **changes: object) -> bool:
        """Add records that tell all that is on the screen, and have those count that begin with them."""
        before = self._end
        if not self._write(b"".join(map(framed, found))):
            return False
        if self.change(is_drawn=True, start=before, **changes):
            self._pictured = self._end
            punch(self._descriptor, _HEADER_BYTES, self._state.kept)
            return True
        self._cut(before)
        return False

    def change(self, **changes: object) -> bool:
        """Note how the output stands from now on, whole or not at all."""
        state = replace(self._state, generation=self._state.generation + 1, **changes)  # type: ignore[arg-type]
        try:
            if os.pwrite(self._descriptor, state.packed(), self._slot * _SLOT_BYTES) != _SLOT_BYTES:
                return False
        except OSError:
            return False
        self._state, self._slot = state, 1 - self._slot
        return True

    def _write(self, data: bytes) -> bool:
        try:
            if os.pwrite(self._descriptor, data, self._end) == len(data):
                self._end += len(data)
                return True
        except OSError:
            pass
        self._cut(self._end)
        return False

    def _cut(self, end: int) -> None:
        self._end = end
        if os.fstat(self._descriptor).st_size > end:
            os.ftruncate(self._descriptor, end)
