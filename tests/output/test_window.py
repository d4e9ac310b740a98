"""Windows on an output: every line once, numbered right, and never more than a bounded amount."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import Settings

from launcher.output import look, window
from launcher.output.marks import START, Gap, Mark, Times
from launcher.output.reading import Standing
from launcher.output.rows import ROW_CHARACTERS
from launcher.output.store import Spool, SpooledOutput, SpoolWriter
from launcher.output.terminal import ERROR_OFF, ERROR_ON, plain_text, uncut_length, whole_length
from launcher.output.window import Cursor, Row, Window, around, following, newest, preceding
from tests.fuzzing import examples
from tests.output.spools import set_sizes

# No carriage returns: where one falls into another part of a split line, the parts are drawn each for itself.
lines = st.lists(
    st.sampled_from(
        ["a", "bc", "é✓", "0123456789", "\n", "\n\n", "\x1b[31m", "\x1b[0m", "x" * 70, "\x1b[7711m", "\x1b[7710m"]
    ),
    max_size=40,
)
outputs = lines.map(lambda parts: "".join(parts).encode())


class Written:
    """An output in memory with a mark every so many bytes, which counts what is read of it."""

    def __init__(self, data: bytes = b"", *, every: int = 64 * 1024) -> None:
        self.data = data
        self.read_bytes = 0
        self._marks = [START]
        while len(data) - self._marks[-1].offset >= every:
            piece = data[self._marks[-1].offset :][:every]
            self._marks.append(self._marks[-1].after(piece[: whole_length(piece)]))

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def gap(self) -> Gap | None:
        return None

    def times(self, start: int, end: int) -> Times:
        return []

    def standing(self) -> Standing:
        return Standing(0, None, self.size)

    def mark_before(self, offset: int) -> Mark:
        return [mark for mark in self._marks if mark.offset <= offset][-1]

    def mark_before_line(self, line: int) -> Mark:
        return [START, *(mark for mark in self._marks if mark.line < line)][-1]

    def read(self, start: int, size: int) -> bytes:
        data = self.data[start : start + size]
        self.read_bytes += len(data)
        return data


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    set_sizes(monkeypatch, WINDOW_BYTES=60, WINDOW_LINES=3, FOLLOWED_LINES=4)
    set_sizes(monkeypatch, ROW_CHARACTERS=7, HELD_LINES=2, HELD_BYTES=24)


def said(row: Row) -> str:
    return "".join(text for text, _ in row.spans)


def joined(rows: Iterable[Row]) -> list[tuple[int | None, str]]:
    """Return number and text of each line, its further rows joined to it."""
    found: list[tuple[int | None, str]] = []
    for row in rows:
        if row.number is None and found:
            found[-1] = (found[-1][0], found[-1][1] + said(row))
        else:
            found.append((row.number, said(row)))
    return found


def numbered(data: bytes) -> list[tuple[int | None, str]]:
    lines = data.split(b"\n")
    if not plain_text(lines[-1]):
        lines.pop()
    return [(number, plain_text(line)) for number, line in enumerate(lines, 1)]


def windows_back(output: Written, last: Window, floor: int = 0) -> Iterator[Window]:
    """Yield windows from the last one back to the beginning, as "Show earlier lines" does."""
    yield last
    while last.start > floor:
        earlier = preceding(output, last.start, floor, is_finished=True)
        assert floor <= earlier.start < last.start
        last = earlier
        yield last


def assert_is_bounded(shown: Window, output: Written) -> None:
    rows = [*shown.rows, *shown.pending]
    assert len(rows) <= window.FOLLOWED_LINES + 200
    assert max((len(said(row)) for row in rows), default=0) <= ROW_CHARACTERS
    assert output.read_bytes <= 5 * look.WINDOW_BYTES


@pytest.mark.usefixtures("small")
@examples(60)
@given(outputs, st.lists(st.integers(0, 500), max_size=8))
def test_a_reader_of_a_growing_output_gets_every_line_once_and_in_order(data: bytes, cuts: list[int]) -> None:
    output, cursor, rows = Written(), Cursor(), list[Row]()
    for size in sorted({min(cut, len(data)) for cut in cuts}) + [len(data)] * 90:
        output.data = data[:size]
        shown = following(output, cursor, is_finished=False)
        rows += shown.rows
        if shown.cursor == cursor:  # nothing more to come: all there is is on the page
            assert joined([*rows, *shown.pending]) == numbered(data[: uncut_length(data[:size])])
        cursor = Cursor.parse(str(shown.cursor))
    while (shown := following(output, cursor, is_finished=True)).cursor != cursor:
        rows += shown.rows
        cursor = shown.cursor
    assert joined(rows) == numbered(data)
    assert (cursor.mark.offset, cursor.mark.line) == (len(data), data.count(b"\n"))


@pytest.mark.usefixtures("small")
@examples(60)
@given(outputs, st.integers(10, 80))
@example(b"x" * 500, 30)
@example(b"\n" * 50, 10)
@example(b"x" * 29 + b"\n" + b"y" * 200, 30)
@example("é".encode() + b"x" * 119, 62)
def test_windows_from_the_end_back_to_the_beginning_hold_every_line_once(data: bytes, every: int) -> None:
    output = Written(data, every=every)
    windows = list(windows_back(output, newest(output, is_finished=True)))
    assert joined(row for shown in reversed(windows) for row in shown.rows) == numbered(data)


@pytest.mark.usefixtures("small")
@examples(60)
@given(outputs, st.integers(0, 500), st.integers(10, 80))
@example(b"x" * 300, 150, 30)
def test_a_gap_can_be_filled_without_a_line_lost_or_doubled(data: bytes, read: int, every: int) -> None:
    output, cursor, rows = Written(data, every=every), Cursor(), list[Row]()
    while cursor.mark.offset < min(read, len(data)):
        shown = following(output, cursor, is_finished=True)
        rows += shown.rows
        cursor = shown.cursor
    floor = cursor.mark.offset
    with pytest.MonkeyPatch.context() as patch:
        set_sizes(patch, SKIP_BYTES=0)
        last = following(output, cursor, is_finished=True)
    assert last.skipped_from == (floor if floor < len(data) else None)
    windows = list(windows_back(output, last, floor))
    assert joined([*rows, *(row for shown in reversed(windows) for row in shown.rows)]) == numbered(data)


def test_the_last_lines_are_shown_but_not_passed_while_the_run_goes_on() -> None:
    output = Written(b"".join(b"line %d\n" % number for number in range(1, 51)) + b"unfinished")
    shown = newest(output, is_finished=False)
    assert [(row.number, said(row)) for row in shown.rows] == [(n, f"line {n}") for n in range(1, 11)]
    assert [row.number for row in shown.pending] == list(range(11, 52))
    assert (shown.cursor.mark.line, shown.is_at_end) == (10, True)
    output.data += b" no more\n"
    later = following(output, shown.cursor, is_finished=False)
    assert [said(row) for row in later.rows] == ["line 11"]
    assert (said(later.pending[-1]), later.digest != shown.digest) == ("unfinished no more", True)


def test_the_digest_tells_whether_pending_rows_are_the_same_without_making_them() -> None:
    output = Written(b"one\ntwo")
    digests = [newest(output, is_finished=False).digest for _ in range(2)]
    assert digests[0] == digests[1] != ""
    assert following(output, Cursor(), is_finished=False).digest == digests[0]
    assert newest(output, is_finished=True).digest == ""


def test_the_last_line_of_a_finished_output_needs_no_newline() -> None:
    shown = following(Written(b"one\ntw"), Cursor.parse("4-1-0-"), is_finished=True)
    assert [(row.number, said(row)) for row in shown.rows] == [(2, "tw")]
    assert (shown.pending, str(shown.cursor)) == ((), "6-1-1-")


def test_style_goes_on_over_lines_and_windows() -> None:
    output = Written(b"\x1b[31mone\ntwo\n")
    first = following(output, Cursor(), is_finished=True)
    assert str(first.cursor) == "13-2-0-38;5;1"
    assert [span[1].foreground for row in first.rows for span in row.spans] == [1, 1]
    output.data += b"three\n"
    (row,) = following(output, first.cursor, is_finished=False).pending
    assert row.spans[0][1].foreground == 1


def test_rows_know_whether_any_of_them_came_by_stderr() -> None:
    data = b"out\n" + ERROR_ON + b"err\nor\n\n" + ERROR_OFF + b"\nsome " + ERROR_ON + b"error" + ERROR_OFF + b"\nout\n"
    output = Written(data)
    for shown in (newest(output, is_finished=True), following(output, Cursor(), is_finished=True)):
        assert [(said(row), row.is_error) for row in shown.rows] == [
            ("out", False),
            ("err", True),
            ("or", True),
            ("", True),
            ("", False),
            ("some error", True),
            ("out", False),
        ]


def test_marks_behind_the_last_line_are_no_line() -> None:
    output = Written(b"out\n" + ERROR_ON + b"error\n" + ERROR_OFF)
    for is_finished in (True, False):
        shown = newest(output, is_finished=is_finished)
        assert [said(row) for row in (*shown.rows, *shown.pending)] == ["out", "error"]
    output.data += b"more"
    row = following(output, Cursor.parse(str(shown.cursor)), is_finished=False).pending[-1]
    assert (row.number, said(row), row.is_error) == (3, "more", False)


def test_an_empty_line_is_a_row() -> None:
    shown = newest(Written(b"\n\n"), is_finished=True)
    assert [(row.number, row.spans) for row in shown.rows] == [(1, ()), (2, ())]


def test_nothing_written_is_nothing_to_show() -> None:
    shown = newest(Written(), is_finished=False)
    assert (shown.rows, shown.pending, shown.start, shown.cursor) == ((), (), 0, Cursor())


def test_the_newest_lines_have_their_true_numbers() -> None:
    output = Written(b"".join(b"line %d\n" % number for number in range(1, 100_001)))
    shown = newest(output, is_finished=True)
    assert [(row.number, said(row)) for row in shown.rows] == [(n, f"line {n}") for n in range(99_501, 100_001)]
    assert_is_bounded(shown, output)


def test_a_reader_far_behind_is_taken_to_the_end() -> None:
    output = Written(b"a line of some length\n" * 200_000)
    shown = following(output, Cursor(mark=Mark(offset=22, line=1)), is_finished=False)
    assert shown.skipped_from == 22
    assert (shown.rows[-1].number, shown.pending[-1].number) == (199_960, 200_000)
    assert_is_bounded(shown, output)


def test_a_bar_shows_its_last_state_and_is_passed_up_to_there() -> None:
    frames = b"".join(b"\r%4d of 9999 |##########|" % number for number in range(9000))
    for bar in (frames, frames[1:] + b"\r"):
        output = Written(b"begin\n" + bar)
        shown = newest(output, is_finished=False)
        assert [said(row) for row in shown.pending] == ["8999 of 9999 |##########|"]
        assert output.size - shown.cursor.mark.offset < look.WINDOW_BYTES
        output.data += b"\ndone\n"
        rows = following(output, shown.cursor, is_finished=True).rows
        assert [(row.number, said(row)) for row in rows] == [(2, "8999 of 9999 |##########|"), (3, "done")]


def noise() -> bytes:
    return random.Random(7).randbytes(600_000)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"x" * 10_000_000, id="one line of 10 MB"),
        pytest.param(b"\n" * 1_000_000, id="a million empty lines"),
        pytest.param(b"\t" * 400_000, id="tabs"),
        pytest.param(b"\x1b[9999Gx\n" * 60_000, id="wide lines"),
        pytest.param(b"\x1b[31mx\x1b[42my" * 30_000, id="colours"),
        pytest.param("✓".encode() * 300_000, id="characters of three bytes"),
        pytest.param(b"".join(b"\r%d" % number for number in range(150_000)), id="a bar of 1 MB"),
        pytest.param(b"\x1b]" * 200_000, id="unfinished escapes"),
        pytest.param(noise(), id="binary noise"),
        pytest.param(noise().replace(b"\n", b""), id="binary noise without lines"),
    ],
)
def test_every_look_at_an_odd_output_is_bounded(data: bytes) -> None:
    begin, output = time.process_time(), Written(data)
    looks: list[Callable[[], Window]] = [
        lambda: newest(output, is_finished=False),
        lambda: newest(output, is_finished=True),
        lambda: following(output, Cursor(), is_finished=False),
        lambda: following(output, Cursor(mark=Mark(offset=max(0, output.size - 500_000))), is_finished=True),
        lambda: preceding(output, output.size // 2),
    ]
    for make in looks:
        output.read_bytes = 0
        shown = make()
        assert_is_bounded(shown, output)
        assert shown.rows or shown.pending
    assert time.process_time() - begin < 10


def test_the_end_of_a_big_spool_is_there_at_once(tmp_path: Path, settings: Settings) -> None:
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path / "spool"}
    spool = Spool(uuid4())
    spool.make()
    writer = SpoolWriter(spool)
    for _ in range(320):
        writer.append(b"\x1b[32mOK\x1b[0m one of many lines\n" * 2048)
    writer.close()
    begin = time.process_time()
    shown = newest(SpooledOutput(spool), is_finished=True)
    assert time.process_time() - begin < 1
    assert (shown.rows[0].number, shown.rows[-1].number) == (320 * 2048 - 499, 320 * 2048)
    spool.remove()


def test_of_a_line_without_end_the_beginning_is_shown_and_what_comes_is_passed() -> None:
    output, cursor, rows = Written(b"short\n"), Cursor(), list[Row]()
    for _ in range(20):
        output = Written(output.data + b"x" * 50_000)
        shown = following(output, cursor, is_finished=False)
        rows, cursor = [*rows, *shown.rows], shown.cursor
        assert output.read_bytes < 400_000
    assert [(number, len(text)) for number, text in joined(rows)] == [(1, 5), (2, 16 * 1024)]
    assert (rows[-1].cut, cursor.is_cut, shown.pending) == (0, True, ())
    output.data += b" end\nnext\n"
    assert joined(following(output, cursor, is_finished=True).rows) == [(3, "next")]


def test_a_long_line_is_shown_the_same_from_everywhere_and_says_how_long_it_is() -> None:
    output = Written(b"before\n" * 600 + b"x" * 3_000_000 + b"\n" + b"after\n" * 600)
    begin = 7 * 600
    windows = [
        newest(output, is_finished=True),
        around(output, 601, is_finished=True),
        following(output, Cursor(mark=Mark(offset=begin, line=600)), is_finished=True, until=10**9),
        preceding(output, begin + 3_000_001, is_finished=True),
        preceding(output, begin + 3_000_001 + 6 * 30, is_finished=True),
    ]
    for shown in windows[1:]:
        rows = [row for row in shown.rows if row.line == 601]
        assert [(row.key, row.cut) for row in rows] == [
            ("601", None),
            ("601.1", None),
            ("601.2", None),
            ("601.3", 3_000_000),
        ]
        assert {row.offset for row in rows} == {begin}
    assert windows[0].rows[0].number == 702


def test_a_bar_of_megabytes_that_has_ended_shows_what_it_left() -> None:
    bar = b"".join(b"\r%7d of 999999" % number for number in range(100_000))
    output = Written(b"begin\n" + bar + b"\ndone\n")
    expected = [(1, "begin"), (2, "  99999 of 999999"), (3, "done")]
    assert joined(newest(output, is_finished=True).rows) == expected[1:]
    cursor, rows = Cursor(), list[Row]()
    while cursor.mark.offset < output.size:
        shown = following(output, cursor, is_finished=True, until=10**9)
        rows, cursor = [*rows, *shown.rows], shown.cursor
    assert joined(rows) == expected


def test_without_marks_numbers_are_still_right() -> None:
    output = Written(b"line\n" * 300_000, every=10**9)
    assert newest(output, is_finished=True).rows[-1].number == 300_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0-0-0",
        "0-0-0-\n",
        "-1-0-0-",
        "00-0-0-",
        "5-6-0-",
        "0-0-3-",
        "0-0-0-31",
        "0-0-0-38;5;999",
        "0-0-0-m",
        "٣-0-0-",
        "9" * 16 + "-0-0-",
        f"0-0-0-{'1;' * 40}",
    ],
)
def test_a_cursor_that_was_not_given_out_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Not a cursor"):
        Cursor.parse(text)


def test_a_cursor_is_read_back() -> None:
    cursor = Cursor(mark=Mark(offset=12, line=3, style="1;38;5;9"), is_within_line=True)
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["999999999999999-0-0-", "8-8-0-", "3-0-1-38;5;1", "8-2-1-"])
def test_a_forged_cursor_does_no_harm(text: str) -> None:
    output = Written(b"one\ntwo\n")
    shown = following(output, Cursor.parse(text), is_finished=True)
    assert shown.cursor.mark.offset >= output.size
    assert len(shown.rows) <= 2


@pytest.mark.parametrize(("end", "floor"), [(0, 0), (10**15, 0), (3, 10**15), (10**99, 10**99), (5, 3)])
def test_forged_places_do_no_harm(end: int, floor: int) -> None:
    shown = preceding(Written(b"one\ntwo\n"), end, floor)
    assert len(shown.rows) <= 2
    assert shown.pending == ()
