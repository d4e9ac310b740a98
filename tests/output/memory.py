"""An output in memory, for what is read from one."""

from launcher.output.marks import START, Gap, Mark, Times
from launcher.output.reading import Standing
from launcher.output.terminal import uncut_length


class Memory:
    """An output with a mark every so many bytes, whose reads are counted; `gap` is left out of it."""

    def __init__(self, data: bytes, *, every: int = 64 * 1024, gap: Gap | None = None) -> None:
        self.data = data
        self.gap = gap
        self.read_bytes = 0
        self._marks = [START]
        while len(data) - self._marks[-1].offset > every:
            begin = self._marks[-1].offset
            piece = data[begin : begin + every]
            self._marks.append(self._marks[-1].after(piece[: uncut_length(piece) or len(piece)]))
        if gap is not None:
            before = [mark for mark in self._marks if 0 < mark.offset < gap.start.offset]
            behind = [mark for mark in self._marks if mark.offset > gap.end.offset]
            self._marks = [START, *before, gap.end, *behind]

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        return len(self.data)

    def screen(self) -> bytes | None:
        """There is none: nothing is drawn."""
        return None

    def standing(self) -> Standing:
        """Nothing is drawn on a screen, and nothing taken back."""
        return Standing(0, None, len(self.data))

    def times(self, start: int, end: int) -> Times:
        """Nothing is known of times."""
        return []

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset."""
        return [mark for mark in self._marks if mark.offset <= offset][-1]

    def mark_before_line(self, line: int) -> Mark:
        """Return the last mark with fewer newlines before it than a line's number."""
        return [mark for mark in self._marks if mark.line < line or mark == START][-1]

    def read(self, start: int, size: int) -> bytes:
        """Return at most so many bytes, none of the gap."""
        end = start + size
        if self.gap is not None and start < self.gap.end.offset:
            end = min(end, self.gap.start.offset)
        data = self.data[start : max(start, end)]
        self.read_bytes += len(data)
        return data


def gap_in(data: bytes, start: int, end: int) -> Gap:
    """Return a gap between two offsets."""
    return Gap(start=START.after(data[:start]), end=START.after(data[:end]))
