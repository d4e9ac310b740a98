"""The output of a spool and its index, for the one who writes it.

Of an output beyond its limit the middle is left out while it grows, and where the disk can make holes in files its
space is given back. Elsewhere the spool keeps its bytes until it is removed, but nobody reads or stores them.
"""

from __future__ import annotations

import logging
import os

from launcher.conf import options
from launcher.output.holes import punch
from launcher.output.index import IndexWriter
from launcher.output.marks import Gap, Mark, Times
from launcher.output.spool import Spool
from launcher.output.style import Style, parse_style
from launcher.output.terminal import style_after, uncut_length, whole_length

logger = logging.getLogger(__name__)

MARK_BYTES = 64 * 1024
STEP_BYTES = 1024 * 1024
"""What is left out grows by at least so much at once, since each time costs a few writes."""


class OutputFile:
    """Adds to an output, marks places in it, and keeps it within its limit."""

    def __init__(self, spool: Spool) -> None:
        self._index = IndexWriter(spool.index_path)  # first, so that whoever finds an output finds its index
        self._file = open(spool.output_path, "ab+", buffering=0)  # noqa: SIM115  open as long as the run
        self._limit = options().output_limit_bytes
        self._step = max(STEP_BYTES, self._limit // 64)
        self._widen_at = self._limit + self._step if self._limit else float("inf")
        self._has_told = False
        self.needed_from: int | None = None
        """Nothing from here on may be left out, since it may have to be written again."""
        self._go_on(os.fstat(self._file.fileno()).st_size)

    def _go_on(self, size: int) -> None:
        """Take up where so many bytes were written."""
        self._mark, self.tenths = self._index.last()
        self._unmarked = bytearray(self.read(self._mark.offset, size))

    @property
    def size(self) -> int:
        """Bytes written by now."""
        return self._mark.offset + len(self._unmarked)

    @property
    def end(self) -> Mark:
        """Where it ends, but for the style."""
        return Mark(offset=self.size, line=self._mark.line + self._unmarked.count(b"\n"))

    @property
    def last_line(self) -> Mark:
        """Where its last line begins, if it has no end, but for the style; not before the last mark."""
        return Mark(offset=self._mark.offset + self._unmarked.rfind(b"\n") + 1, line=self.end.line)

    @property
    def gap(self) -> Gap | None:
        """What is left out by now."""
        return self._index.gap()

    def append(self, data: bytes, tenths: int) -> int:
        """Write bytes, and return how many of them a full disk took; `tenths` of a second since the epoch is when."""
        self._note_time(tenths)
        written = 0
        try:
            while written < len(data):
                written += self._file.write(data[written:]) or 0
        except OSError:
            pass
        self._note(data[:written])
        return written

    def adopt(self, data: bytes, tenths: int) -> None:
        """Take note of bytes that are there already, behind those known so far."""
        self._note_time(tenths)
        self._note(data)

    def cut(self, offset: int, keep: int = 0) -> None:
        """Forget all behind a place; so many bytes from there on stay in the file, to be adopted."""
        os.ftruncate(self._file.fileno(), offset + keep)
        self._index.cut(offset)
        self._go_on(offset)

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes between two places."""
        start = max(0, start)
        return os.pread(self._file.fileno(), max(0, end - start), start)

    def times(self, start: int, end: int) -> Times:
        """Return when bytes came."""
        return self._index.times(start, end)

    def mark_at(self, offset: int) -> tuple[Mark, Style]:
        """Return the mark of a place where no escape sequence is cut, and the whole style there."""
        mark = self._index.mark_before(offset)
        while True:
            data = self.read(mark.offset, min(offset, mark.offset + 4 * MARK_BYTES))
            if mark.offset + len(data) < offset:  # marks are missing
                data = data[: whole_length(data)]
            style, mark = style_after(data, parse_style(mark.style)), mark.after(data)
            if mark.offset >= offset or not data:
                return mark, style

    def close(self) -> None:
        """Leave out the last of what is beyond the limit, and close the files."""
        if self._limit and self.size > self._limit:
            self._widen_gap()
        self._file.close()
        self._index.close()

    def _note(self, data: bytes) -> None:
        self._unmarked += data
        while len(self._unmarked) >= MARK_BYTES:
            self._mark_after(whole_length(bytes(self._unmarked[:MARK_BYTES])))
        if self.size > self._widen_at:
            self._widen_gap()

    def _note_time(self, tenths: int) -> None:
        """Add a mark before bytes that come at another time than the last ones, to a tenth of a second."""
        if tenths > self.tenths:  # a clock that is set back must not bring disorder
            self.tenths = tenths
            self._mark_after(uncut_length(bytes(self._unmarked)))

    def _mark_after(self, length: int) -> None:
        self._mark = self._mark.after(bytes(self._unmarked[:length]))
        del self._unmarked[:length]
        self._index.add(self._mark, self.tenths)

    def _line_before(self, offset: int, origin: int = 0) -> Mark:
        """Return the last beginning of a line between two offsets; where there is none, a place to draw from."""
        mark = self._index.mark_before(max(origin, offset - MARK_BYTES))
        data = self.read(mark.offset, min(offset, mark.offset + 4 * MARK_BYTES))
        first = max(0, origin - mark.offset)  # what ends there begins no line between the two
        return mark.after(data[: data.rfind(b"\n", first) + 1 or whole_length(data)])

    def _widen_gap(self) -> None:
        """Leave out all between the first and the last half of the limit.

        It is noted before its bytes go: a reader who then looks at the note never takes a hole for output.
        """
        self._widen_at = self.size + self._step
        head = self._limit // 2
        gap = self._index.gap()
        start = gap.start if gap else self._line_before(head)
        origin = (gap.end if gap else start).offset
        last = self.size - (self._limit - head)
        end = self._line_before(last if self.needed_from is None else min(last, self.needed_from), origin)
        if end.offset <= origin or not self._index.set_gap(Gap(start=start, end=end)):
            return
        # The whole of it each time: only blocks that lie in it as a whole are given back.
        if not punch(self._file.fileno(), start.offset, end.offset) and not self._has_told:
            self._has_told = True
            logger.warning("The disk of the spool can't make holes in files: it keeps what is left out of the output.")
