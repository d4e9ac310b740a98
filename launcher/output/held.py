"""Which end of an output may still change, while its run goes on; knows no file, no table and no Django.

A command can go back to the lines that its terminal shows, and write over them. So that nothing that a reader has been
given for good is ever taken back, the last lines of a run that goes on are held: readers get them anew at each look.
Where those begin, the settled end, only ever moves forward.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from launcher.output.marks import Mark
from launcher.output.screen import ROWS, Screen, SettledLine
from launcher.output.style import ERROR_OFF, parse_style
from launcher.output.terminal import uncut_length

HELD_LINES = ROWS
HELD_BYTES = 64 * 1024
TAIL_BYTES = 2 * HELD_BYTES + 1024
"""So much of an output's end tells where its settled end is; a little more than that may be held."""
LINK_OFF = b"\x1b]8;;\x1b\\"
RESET = b"\x1b[0m" + ERROR_OFF + LINK_OFF


def settled_length(data: bytes) -> int:
    """Return how many bytes of an output that nobody draws on a screen won't change any more.

    `data` is its end: the last TAIL_BYTES or more, or all from a settled place on. The last HELD_LINES whole lines are
    held, and the unfinished one, but hardly more than HELD_BYTES. The longer the output, the later the place.
    """
    position = len(data)
    for _ in range(HELD_LINES + 1):
        position = data.rfind(b"\n", 0, position)
        if position < 0:
            break
    far = len(data) - HELD_BYTES
    if position + 1 >= far:
        return position + 1
    if line := data.find(b"\n", far) + 1:
        return line
    # Nothing but an unfinished line: one that returns the carriage again and again shows what comes after that.
    oldest = max(data.rfind(b"\n", 0, far) + 1, far - HELD_BYTES)
    if returned := data.rfind(b"\r", oldest, far) + 1:
        return returned
    return uncut_length(data[:far]) or far


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Bytes for a screen, and when they were written, in epoch seconds to a tenth; 0 where that is not known."""

    data: bytes
    at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """An output that is being drawn on a screen: what scrolls off that is settled, what is on it is held."""

    base: Mark
    """Where the output ended before what the pieces have settled."""
    is_styled: bool
    """Whether the style in force there is not the plain one, in which settled lines begin."""
    pieces: tuple[Piece, ...]
    """What makes the screen, fed to a new one."""
    end: Mark
    """The settled end: everything before it can be read from the output."""

    @cached_property
    def replayed(self) -> Replayed:
        """What the pieces have made."""
        return Replayed(self.base, self.is_styled, self.pieces)

    def limited(self, size: int) -> Drawn:
        """Return the same as long as only so many bytes of the output are there; its settled end is then earlier."""
        if size >= self.end.offset:
            return self
        end, rest = self.base, self.replayed.settled
        for line in rest:
            after = Mark(offset=end.offset + len(line.data), line=end.line + line.data.count(b"\n"))
            if after.offset > size:
                break
            end = after
        return Drawn(base=self.base, is_styled=self.is_styled, pieces=self.pieces, end=end)

    def rest(self) -> bytes:
        """Return what is held, as it would be settled if nothing more came."""
        screen = Replayed(self.base, self.is_styled, self.pieces)
        data = b"".join(line.data for line in (*screen.settled, *screen.finish()))
        return data[self.end.offset - self.base.offset :]

    @property
    def unsettled(self) -> list[SettledLine]:
        """Lines that have scrolled off the screen, but aren't before the settled end."""
        offset, lines = self.base.offset, list[SettledLine]()
        for line in self.replayed.settled:
            if offset >= self.end.offset:
                lines.append(line)
            offset += len(line.data)
        return lines


class Replayed:
    """A screen that pieces were fed to, and the lines that scrolled off it, as the output has them."""

    def __init__(self, base: Mark, is_styled: bool, pieces: Iterable[Piece]) -> None:
        self.screen = Screen(style=parse_style(base.style))
        self.settled: list[SettledLine] = []
        self.is_styled = is_styled
        """Whether the style in force in the output is not yet the plain one."""
        for piece in pieces:
            self.settled += self.feed(piece)

    def feed(self, piece: Piece) -> list[SettledLine]:
        """Feed some more, and return what has scrolled off."""
        self.screen.feed(piece.data, piece.at or None)
        return self._begun(self.screen.take_settled())

    def finish(self) -> list[SettledLine]:
        """Return all that is left on the screen."""
        return self._begun(self.screen.finish())

    def _begun(self, lines: list[SettledLine]) -> list[SettledLine]:
        if lines and self.is_styled:
            self.is_styled = False
            lines[0] = SettledLine(data=RESET + lines[0].data, at=lines[0].at)
        return lines
