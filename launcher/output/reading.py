"""Reading a run's output: from its spool where that is on this machine, else from the database."""

from __future__ import annotations

import os
import weakref
import zlib
from collections.abc import Iterator
from functools import cached_property
from itertools import chain, pairwise
from typing import NamedTuple, Protocol

from django.db.models import F, Max, Sum
from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from launcher.models import Chunk, Run
from launcher.output.held import TAIL_BYTES, Drawn, settled_length
from launcher.output.index import Index
from launcher.output.marks import START, Gap, Mark, Times, times_between, unpack_times
from launcher.output.screen_log import NEVER_DRAWN, ScreenLog, State, packed_screen, unpacked_screen
from launcher.output.spool import Spool, host_name

CHUNK_BYTES = 256 * 1024


class Standing(NamedTuple):
    """How an output stands at one moment."""

    generation: int
    """Changes whenever the end of the output is taken back."""
    drawn: Drawn | None
    """What is on the screen, if it is drawn on one."""
    size: int
    """Bytes there are; of an output that is drawn on a screen, those that are settled."""


def _standing(generation: int, drawn: Drawn | None, written: int) -> Standing:
    drawn = drawn.limited(written) if drawn else None
    return Standing(generation, drawn, drawn.end.offset if drawn else written)


class Output(Protocol):
    """A run's output, wherever it is read from.

    While the run goes on, its end may still be taken back, beyond the settled end; see `held`.
    """

    @property
    def size(self) -> int:
        """Bytes there are by now; of an output that is drawn on a screen, those that are settled."""
        ...

    def standing(self) -> Standing:
        """Return how it stands.

        Whoever reads beyond the settled end of one that isn't drawn looks afterwards for the same generation.
        """
        ...

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset; at most about CHUNK_BYTES before it, if all went well."""
        ...

    def mark_before_line(self, line: int) -> Mark:
        """Return the last mark with fewer than so many newlines before it; the first place of all, if there is none."""
        ...

    @property
    def gap(self) -> Gap | None:
        """What is left out by now, if the output is longer than its limit; it may still grow at its end."""
        ...

    def read(self, start: int, size: int) -> bytes:
        """Return at most `size` bytes from `start`; fewer at the end and before the gap, none behind and in them."""
        ...

    def times(self, start: int, end: int) -> Times:
        """Return when the bytes from `start` to `end` came: pairs in order, the first at or before `start` if known."""
        ...


def open_output(run: Run) -> Output:
    """Return the run's output: from its spool where that is on this machine, else from the database."""
    spool = Spool(run.uid)
    if run.host in ("", host_name()) and spool.output_path.exists():
        try:
            return SpooledOutput(spool)
        except FileNotFoundError:  # shipped and removed this very moment
            pass
    return StoredOutput(run)


class SpooledOutput:
    """Reads a run's output from its spool, also while it grows. Raises FileNotFoundError if it is gone.

    It stays readable when the spool is removed meanwhile.
    """

    def __init__(self, spool: Spool) -> None:
        self._descriptor = os.open(spool.output_path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)
        self._index = Index(spool.index_path)
        try:
            self.log: ScreenLog | None = ScreenLog(spool.screen_path)
        except FileNotFoundError:  # written by an earlier version
            self.log = None

    @property
    def size(self) -> int:
        """Bytes there are by now, with those left out."""
        return self.standing().size

    def _state(self) -> State:
        return self.log.state() if self.log else NEVER_DRAWN

    def standing(self) -> Standing:
        """Return how it stands."""
        state = self._state()
        found = self.log.drawn(state) if self.log else None
        return _standing(state.generation, found, os.fstat(self._descriptor).st_size)

    def screen(self) -> bytes | None:
        """Return what `Run.screen` keeps of the screen; None where nothing is drawn on one."""
        state = self._state()
        return packed_screen(state, self.log.data(state.start)) if self.log and state.is_drawn else None

    @property
    def gap(self) -> Gap | None:
        """What is left out by now."""
        return self._index.gap()

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset."""
        return self._index.mark_before(offset)

    def mark_before_line(self, line: int) -> Mark:
        """Return the last mark with fewer newlines before it."""
        return self._index.mark_before_line(line)

    def read(self, start: int, size: int) -> bytes:
        """Return at most `size` bytes from `start`, none of the gap."""
        data = os.pread(self._descriptor, size, start)
        gap = self.gap  # looked at last: what was a hole when it was read is in it by now
        if gap is None or start >= gap.end.offset:
            return data
        return data[: max(0, gap.start.offset - start)]

    def times(self, start: int, end: int) -> Times:
        """Return when bytes came."""
        return self._index.times(start, end)


class StoredOutput:
    """Reads a run's output from the database."""

    def __init__(self, run: Run) -> None:
        self._run = Run.objects.filter(pk=run.pk)
        self._chunks = Chunk.objects.filter(run_id=run.pk).order_by("offset")

    @property
    def size(self) -> int:
        """Bytes stored by now, with those left out."""
        return self.standing().size

    def standing(self) -> Standing:
        """Return how it stands."""
        packed = self._run.values_list("screen", flat=True).first()
        last = self._chunks.values_list("offset", "size").last()
        return _standing(*(unpacked_screen(bytes(packed)) if packed else (0, None)), sum(last) if last else 0)

    @cached_property
    def gap(self) -> Gap | None:
        """What is left out: a chunk doesn't begin where the one before it ends. Looked for once."""
        sums = self._chunks.aggregate(stored=Sum("size"), end=Max(F("offset") + F("size")))
        if sums["stored"] == sums["end"]:
            return None
        places = self._chunks.values_list("offset", "size", "first_line", "line_count", "style")
        for before, behind in pairwise(chain([(0, 0, 0, 0, "")], places)):
            end = before[0] + before[1]
            if end != behind[0]:
                start = Mark(offset=end, line=before[2] + before[3])
                return Gap(start=start, end=Mark(offset=behind[0], line=behind[2], style=behind[4]))
        return None

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset."""
        last = self._chunks.filter(offset__lte=offset).values_list("offset", "first_line", "style").last()
        return Mark(offset=last[0], line=last[1], style=last[2]) if last else START

    def mark_before_line(self, line: int) -> Mark:
        """Return the last mark with fewer newlines before it."""
        last = self._chunks.filter(first_line__lt=line).values_list("offset", "first_line", "style").last()
        return Mark(offset=last[0], line=last[1], style=last[2]) if last else START

    def read(self, start: int, size: int) -> bytes:
        """Return at most `size` bytes from `start`, none of the gap."""
        first = position = self.mark_before(start).offset
        chunks = self._chunks.filter(offset__gte=first, offset__lt=start + size).values_list("offset", "data")
        pieces = []
        for offset, data in chunks.iterator(chunk_size=16):
            if offset != position:
                break
            pieces.append(zlib.decompress(data))
            position += len(pieces[-1])
        return b"".join(pieces)[start - first : start - first + size]

    def times(self, start: int, end: int) -> Times:
        """Return when bytes came."""
        first = self.mark_before(start).offset
        chunks = self._chunks.filter(offset__gte=first, offset__lt=end).values_list("offset", "times")
        return times_between(
            chain.from_iterable(unpack_times(bytes(packed), offset) for offset, packed in chunks), start, end
        )


def left_out(size: int, lines: int | None, head: int) -> str:
    """Return the sentence that stands where an output has its gap; `head` is how many bytes are kept before it."""
    what = filesizeformat(size)
    if lines is not None:
        count = ngettext("%s line", "%s lines", lines) % number_format(lines, force_grouping=True)
        what = f"{count} ({what})"
    text = _("%(what)s left out here: OUTPUT_LIMIT_BYTES keeps the first %(head)s and about as much of the end.")
    return text % {"what": what, "head": filesizeformat(head)}


def settled_end(output: Output, size: int) -> int:
    """Return where the end begins that may still change, of an output of so many bytes that isn't drawn on a screen."""
    gap = output.gap
    start = max(gap.end.offset if gap else 0, size - TAIL_BYTES)
    return start + settled_length(output.read(start, max(0, size - start)))


def read_all(output: Output, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the whole output in pieces, as far as it is there, with a line in place of what is left out.

    The end that may still change comes last, in one piece.
    """
    position, last = 0, b"\n"
    while True:
        generation, found, end = output.standing()
        gap = output.gap
        settled = found.end.offset if found else settled_end(output, end)
        while position < settled:
            if piece := output.read(position, min(size, settled - position)):
                yield piece
                position += len(piece)
                last = piece[-1:]
                continue
            gap = output.gap
            if gap is None or not gap.holds(position):
                return
            # Where it has grown over what was being read, the lines before it weren't counted.
            lines = gap.end.line - gap.start.line if position == gap.start.offset else None
            notice = left_out(gap.end.offset - position, lines, gap.start.offset)
            yield ("" if last == b"\n" else "\n").encode() + f"… {notice} …\n".encode()
            position, last = gap.end.offset, b"\n"
        rest = found.rest() if found else output.read(position, max(0, end - position))
        if output.gap == gap and (found or output.standing().generation == generation):
            yield from filter(None, [rest])
            return
