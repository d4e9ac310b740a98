"""A run's output as its command wrote it, for who passes it on to a terminal of his own."""

from __future__ import annotations

from collections.abc import Callable

from launcher.output.reading import Output, SpooledOutput, settled_end
from launcher.output.screen_log import ScreenLog, State, drawn, records


def raw_bytes(log: ScreenLog, read: Callable[[int, int], bytes], position: int, size: int) -> tuple[bytes, int] | None:
    """Return at most `size` raw bytes from a position, counted in raw bytes, and the settled end where they begin.

    None where they are not there any more: of what is drawn on a screen only the latest is kept as it was written.
    `read` gives the output's own bytes: so many at most, from an offset on.
    """
    while True:
        state = log.state()
        found = _raw_bytes(log, state, read, position, size)
        if log.state().generation == state.generation:  # else they may have been taken back meanwhile
            return found


def _raw_bytes(
    log: ScreenLog, state: State, read: Callable[[int, int], bytes], position: int, size: int
) -> tuple[bytes, int] | None:
    if not state.generation:
        return read(position, size), position
    if position < state.kept_raw:
        start = position - state.earlier_shift
        is_there = state.earlier_left <= start < state.earlier_end
        return (read(start, min(size, state.earlier_end - start)), start) if is_there else None
    raw, settled = state.kept_raw, None
    for record in records(log.data(state.kept)):
        data = record.piece.data
        settled = record.end[0] if settled is None else settled
        if record.is_raw and position < raw + len(data):
            return data[position - raw :][:size], settled
        raw += len(data) if record.is_raw else 0
        settled = record.end[0]
    if state.is_drawn:
        return b"", settled or state.base.offset
    start = position - state.shift
    return (read(start, size), start) if start >= state.left else None


BELOW = b"\x1b[999H\n"
"""Leaves alone what a terminal shows: its cursor may stand anywhere."""


class RawReader:
    """Reads a run's output from the beginning on, as it comes.

    Who falls so far behind that it isn't there any more as it was written gets it as it is drawn; nothing is missing
    then, but lines that had already been written may come again. In the database there is nothing else.
    """

    def __init__(self) -> None:
        self._position = 0
        self._settled = 0
        self._is_behind = False

    def read(self, output: Output, size: int, *, is_finished: bool) -> bytes:
        """Return what comes next, at most about `size` bytes; nothing if that has not been written yet."""
        if not isinstance(output, SpooledOutput):
            _, held, end = output.standing()
            return self._settled_bytes(output, end if is_finished or held else settled_end(output, end), size)
        if output.log is None:
            found: tuple[bytes, int] | None = (output.read(self._position, size), self._position)
        else:
            found = raw_bytes(output.log, output.read, self._position, size)
        if found is None:
            return self._catch_up(output, output.log, size) if output.log else b""
        self._is_behind = False
        data, self._settled = found
        gap = output.gap
        if not data and gap is not None and gap.holds(self._settled):  # too slow even for what is kept
            self._position += gap.end.offset - self._settled
            return self.read(output, size, is_finished=is_finished)
        self._position += len(data)
        return data

    def _settled_bytes(self, output: Output, end: int, size: int) -> bytes:
        data = output.read(self._settled, max(0, min(size, end - self._settled)))
        self._settled += len(data)
        return data

    def _catch_up(self, output: SpooledOutput, log: ScreenLog, size: int) -> bytes:
        if not self._is_behind:
            self._is_behind = True
            return BELOW
        state = log.state()
        if not state.is_drawn:
            if data := self._settled_bytes(output, state.left, size):
                return data
            self._position = max(self._settled, state.left) + state.shift
            return self.read(output, size, is_finished=False)
        data = log.data(state.start)
        held = drawn(state, data)
        assert held is not None  # noqa: S101  the state says so
        if settled := self._settled_bytes(output, held.end.offset, size):
            return settled
        self._position = state.start_raw + sum(len(record.piece.data) for record in records(data) if record.is_raw)
        return held.rest()
