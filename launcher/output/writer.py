"""Writes a run's output to its spool; only the supervisor does, and whoever takes over after its death.

Nearly every output is plain: its bytes are kept as they were written. Once a command moves the cursor over its lines,
what it writes is drawn on a screen: what scrolls off that is added to the output, as lines that need no drawing any
more, and what is on it is in the file of `screen_log`. When only lines come for a while, the output is plain again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import groupby, pairwise

from launcher.output.held import RESET, TAIL_BYTES, Piece, Replayed, settled_length
from launcher.output.output_file import OutputFile
from launcher.output.raw import raw_bytes
from launcher.output.screen import SettledLine, moves_vertically
from launcher.output.screen_log import Record, ScreenLog, ScreenLogWriter
from launcher.output.spool import Spool
from launcher.output.style import PLAIN, transition
from launcher.output.terminal import uncut_length

LOG_BYTES = 64 * 1024
"""When the records of a screen are longer, a new picture of it is made; and so much is drawn at once."""
CALM_LINES = 80
"""After so many lines without a move the output is plain again."""
LONGEST_ESCAPE = 1024
MOST_PIECES = 1000
"""Times that are kept of the lines with which a screen begins."""


class SpoolWriter:
    """Appends a run's output to its spool, and goes on where another was killed."""

    def __init__(self, spool: Spool) -> None:
        self._log = ScreenLogWriter(spool.screen_path)  # first, so that whoever finds an output finds it
        self._file = OutputFile(spool)
        self._screen: Replayed | None = None
        self._raw = 0
        """Bytes taken from the command, while there is a screen."""
        self._waiting = b""
        """Settled bytes that a full disk did not take yet."""
        self._calm = 0
        self._begun_escape = b""
        self.lost_bytes = 0
        if self._log.state().is_drawn:
            self._restore()
        else:
            self._moves_vertically(self._file.read(self.size - LONGEST_ESCAPE, self.size))

    @property
    def size(self) -> int:
        """Bytes in the output by now."""
        return self._file.size

    def append(self, data: bytes, *, is_late: bool = False) -> None:
        """Write bytes; what a full disk doesn't take is counted in `lost_bytes`, since the command must go on.

        Of what comes late it is not known when it was written: no later than what came last.
        """
        now = self._file.tenths if is_late else round(time.time() * 10)
        moves = self._moves_vertically(data)
        if self._screen is None and not (moves and self._begin_screen()):
            self.lost_bytes += len(data) - self._file.append(data, now)
            return
        for start in range(0, len(data), LOG_BYTES):
            piece = data[start : start + LOG_BYTES]
            if self._screen is None:
                self.lost_bytes += len(piece) - self._file.append(piece, now)
                continue
            self._draw(Piece(data=piece, at=now / 10))
            self._calm = 0 if moves else self._calm + piece.count(b"\n")
            if self._calm >= CALM_LINES and self._screen.screen.is_at_end:
                self._end_screen()

    def close(self) -> None:
        """Settle everything, leave out the last of what is beyond the limit, and close the files."""
        self._end_screen(is_last=True)
        self._file.close()
        self._log.close()

    def _moves_vertically(self, data: bytes) -> bool:
        """Tell whether the bytes do, with what was begun before them."""
        if b"\x1b" not in data and not self._begun_escape:
            return b"\x0b" in data or b"\x0c" in data
        seen, self._begun_escape = self._begun_escape + data, b""
        if seen.rfind(b"\x1b", max(0, len(seen) - LONGEST_ESCAPE)) >= 0:
            self._begun_escape = seen[uncut_length(seen) :]
        return moves_vertically(seen)

    @property
    def taken(self) -> int:
        """Bytes that were taken from the command by now."""
        return self.size + self._log.state().shift if self._screen is None else self._raw

    def read_taken(self, position: int, size: int) -> bytes:
        """Return of those bytes some of the latest, as they were written."""
        pieces = []
        while size > 0:
            found = raw_bytes(self._log, lambda start, count: self._file.read(start, start + count), position, size)
            if found is None or not found[0]:
                break
            pieces.append(found[0])
            position, size = position + len(found[0]), size - len(found[0])
        return b"".join(pieces)

    def _begin_screen(self) -> bool:
        """Take the lines that may still change from the output to a screen; False if the disk didn't take that.

        They are in the log before they are cut off the output, so that nobody ever misses them.
        """
        state, gap = self._log.state(), self._file.gap
        start = max(state.base.offset, gap.end.offset if gap else 0, self.size - TAIL_BYTES)
        base, style = self._file.mark_at(start + settled_length(self._file.read(start, self.size)))
        raw_from = max(base.offset, state.left)  # what is before that was not written so
        parts = ((False, base.offset, raw_from), (True, raw_from, self.size))
        found = [
            Record(piece, is_raw, (base.offset, base.line))
            for is_raw, start, end in parts
            for piece in self._pieces(start, end)
        ]
        raw = raw_from + state.shift
        places = {"start_raw": raw, "kept": self._log.end, "kept_raw": raw, "earlier_end": raw_from}
        earlier = {"earlier_shift": state.shift, "earlier_left": state.left}
        if not self._log.begin(found, base=base, is_styled=style != PLAIN, **places, **earlier):
            return False
        self._restore()
        return True

    def _pieces(self, start: int, end: int) -> list[Piece]:
        """Return a part of the output, in pieces of one time."""
        times = self._file.times(start, end)[-MOST_PIECES:] or [(start, 0.0)]
        places = [start, *(offset for offset, _ in times[1:]), end]
        return [
            Piece(data=self._file.read(place, following), at=at)
            for (_, at), (place, following) in zip(times, pairwise(places), strict=True)
            if place < following
        ]

    def _restore(self) -> None:
        """Make screen and output from the log, whatever was under way when its writer ended."""
        rest = self._log.repair()
        state = self._log.state()
        found = self._log.drawn(state)
        if found is None:
            return
        base, settled = found.base.offset, found.replayed.settled
        data = b"".join(line.data for line in settled)
        there = _common(data, self._file.read(base, base + len(data)))
        self._file.cut(base, there)
        self._file.needed_from = base
        self._screen, self._waiting = found.replayed, b""
        self._raw = state.start_raw + self._log.raw_bytes()
        self._settle(settled, there)
        if rest is not None:
            self._draw(rest)

    def _draw(self, piece: Piece) -> None:
        """Write on the screen. What the disk doesn't take is lost, as if it had never been written."""
        if self._log.size > LOG_BYTES:
            self._take_picture()
        if self._screen is None:
            return
        settled = self._screen.feed(piece)
        end, data = self._file.end, b"".join([self._waiting, *(line.data for line in settled)])
        if self._log.add(Record(piece, True, (end.offset + len(data), end.line + data.count(b"\n")))):
            self._raw += len(piece.data)
            self._settle(settled)
        else:
            self.lost_bytes += len(piece.data)
            self._restore()

    def _settle(self, lines: Iterable[SettledLine], there: int = 0) -> None:
        """Add lines to the output, whose first bytes are there already; what a full disk doesn't take has to wait."""
        if self._waiting:
            self._waiting = self._waiting[self._file.append(self._waiting, self._file.tenths) :]
        for tenths, group in groupby(lines, key=lambda line: round((line.at or 0) * 10)):
            data = b"".join(line.data for line in group)
            if there:
                self._file.adopt(data[:there], tenths)
                data, there = data[there:], max(0, there - len(data))
            if self._waiting:
                self._waiting += data
            else:
                self._waiting = data[self._file.append(data, tenths) :]

    def _take_picture(self) -> None:
        """Begin the log anew with what is on the screen; what a full disk still doesn't take of the rest is lost."""
        if self._screen is None:
            return
        self._settle(())
        state = self._log.state()
        end = self._file.last_line if self._waiting else self._file.end
        has_style = state.is_styled and end.offset == state.base.offset
        picture = Record(Piece(data=self._screen.screen.snapshot()), False, (end.offset, end.line))
        places = {"start_raw": self._raw, "kept": state.start, "kept_raw": state.start_raw}
        if not self._log.begin([picture], base=end, is_styled=has_style, **places):
            return
        self._file.needed_from = end.offset
        if self._waiting:
            self.lost_bytes += len(self._waiting)
            self._restore()

    def _end_screen(self, *, is_last: bool = False) -> None:
        """Settle what is on the screen, and go on without one; unless the disk is too full for that."""
        if self._screen is None:
            return
        floor, style = self._file.end, self._screen.screen.style
        self._settle(self._screen.finish())
        if not is_last:
            before = RESET if self._screen.is_styled else b""
            look = before + transition(PLAIN, style).encode()
            self._settle([SettledLine(data=look, at=self._file.tenths / 10)])
        if not self._waiting and self._log.change(
            is_drawn=False, base=floor, left=self.size, shift=self._raw - self.size
        ):
            self._screen = self._file.needed_from = None
        else:
            self._restore()


def settle(spool: Spool) -> None:
    """Settle what a writer that was killed left on the screen."""
    with suppress(OSError):  # there is no spool, or the disk is full
        if ScreenLog(spool.screen_path).state().is_drawn:
            SpoolWriter(spool).close()


def _common(one: bytes, other: bytes) -> int:
    """Return how many bytes two byte strings have in common at their beginning."""
    if other.startswith(one) or one.startswith(other):
        return min(len(one), len(other))
    return next(place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1])
