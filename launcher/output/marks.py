"""Places in a run's output, as values; knows no file, no table and no Django."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise

from launcher.output.terminal import parse_style, style_after

Times = list[tuple[int, float]]
"""Pairs of an offset and a time (epoch seconds, to a tenth): the bytes from there on were written then."""

_FIRST_TIME = struct.Struct("<Q")  # tenths of a second since the epoch
_STEP = struct.Struct("<II")  # bytes and tenths of a second since the pair before


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A place in the output from which it can be drawn: so many bytes and newlines are before it, in this style."""

    offset: int = 0
    line: int = 0
    style: str = ""

    def after(self, data: bytes, lines: int | None = None) -> Mark:
        """Return the mark behind some more bytes; its style is right only if they end with no escape cut in two.

        `lines` is how many newlines they have, if that is known.
        """
        style = style_after(data, parse_style(self.style)).code() if b"\x1b" in data else self.style
        return Mark(
            offset=self.offset + len(data),
            line=self.line + (data.count(b"\n") if lines is None else lines),
            style=style,
        )


START = Mark()


@dataclass(frozen=True, kw_only=True)
class Gap:
    """The middle of an output, left out for its limit; offsets and lines go on counting over it.

    The style of `start` is not kept: nothing is drawn from there.
    """

    start: Mark
    end: Mark

    @property
    def size(self) -> int:
        """Bytes left out."""
        return self.end.offset - self.start.offset

    def holds(self, offset: int) -> bool:
        """Tell whether the byte at an offset is left out."""
        return self.start.offset <= offset < self.end.offset


def times_between(times: Iterable[tuple[int, float]], start: int, end: int) -> Times:
    """Return the pairs that tell the times from `start` to `end`: the last at or before `start`, and those after it.

    Of pairs with one offset only the last says something, since no byte came between them, of pairs with one time
    only the first.
    """
    found: Times = []
    for offset, at in times:
        if offset >= end:
            break
        if found and (offset <= start or offset == found[-1][0]):
            found.pop()
        if not found or at != found[-1][1]:
            found.append((offset, at))
    return found


def pack_times(times: Times, start: int) -> bytes:
    """Return times in few bytes, from an offset on: a steady command has the same step again and again."""
    pairs = [(max(offset, start), round(at * 10)) for offset, at in times]
    if not pairs:
        return b""
    steps = ((later[0] - one[0], later[1] - one[1]) for one, later in pairwise([(start, pairs[0][1]), *pairs]))
    return zlib.compress(_FIRST_TIME.pack(pairs[0][1]) + b"".join(_STEP.pack(*step) for step in steps), 1)


def unpack_times(packed: bytes, start: int) -> Times:
    """Return the times that `pack_times` was given; none where there is nothing."""
    if not packed:
        return []
    data = zlib.decompress(packed)
    steps = list(_STEP.iter_unpack(data[_FIRST_TIME.size :]))
    offsets = accumulate((step[0] for step in steps), initial=start)
    tenths = accumulate((step[1] for step in steps), initial=_FIRST_TIME.unpack_from(data)[0])
    return [(offset, at / 10) for offset, at in zip(offsets, tenths, strict=True)][1:]
