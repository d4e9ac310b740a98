"""Windows on stderr alone: every such line once, in order, whatever is between, and bounded however much that is."""

import time

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from launcher.output import filtered
from launcher.output.filtered import (
    around_errors,
    error_lines,
    errors_among,
    following_errors,
    newest_errors,
    preceding_errors,
)
from launcher.output.marks import START
from launcher.output.terminal import PLAIN, parse_style
from launcher.output.window import Cursor, Row, following, held
from tests.fuzzing import examples
from tests.output.memory import Memory, gap_in

ON, OFF = "\x1b[7711m", "\x1b[7710m"
BITS = [
    ON,
    OFF,
    ON,
    OFF,
    "a",
    "é",
    "\n",
    "\n\n",
    "\x1b[31m",
    "\x1b[0m",
    "x" * 30,
    f"{ON}oh\n{OFF}",
    f"{ON}{OFF}",
    "\r\n",
]
# With something in the last line: of one that has nothing but a style, it doesn't matter whose it is.
outputs = st.lists(st.sampled_from(BITS), max_size=40).map(lambda bits: "".join((*bits, "z")).encode())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SCAN_BYTES": 300, "NEAR_BYTES": 10, "MOST_ROWS": 2}.items():
        monkeypatch.setattr(filtered, name, value)


def said(rows: tuple[Row, ...] | list[Row]) -> list[tuple[int, str]]:
    return [(row.line, row.notice or "".join(text for text, _ in row.spans)) for row in rows]


def expected(output: Memory) -> list[tuple[int, str]]:
    """Return the rows of stderr among all of them."""
    rows: list[Row] = []
    cursor = Cursor()
    while True:
        window = following(output, cursor, is_finished=True, until=output.size)
        if window.cursor == cursor:
            return said(errors_among(rows))
        rows += window.rows
        cursor = window.cursor


def forward(output: Memory, *, is_finished: bool = True) -> list[tuple[int, str]]:
    rows: list[Row] = []
    cursor = Cursor()
    while True:
        window = following_errors(output, Cursor.parse(str(cursor)), is_finished=is_finished)
        rows += window.rows
        if window.is_at_end:
            return said([*rows, *window.pending])
        assert window.cursor.mark.offset > cursor.mark.offset
        cursor = window.cursor


def backward(output: Memory) -> list[tuple[int, str]]:
    window = newest_errors(output, is_finished=True)
    rows = [*window.rows]
    while window.start:
        earlier = preceding_errors(output, window.start, is_finished=True)
        assert earlier.start < window.start
        rows[:0] = earlier.rows
        window = earlier
    return said(rows)


@given(outputs)
@example(f"a{ON}b\n{OFF}c\n".encode())
@example(f"{ON}a\n\nb\n{OFF}".encode())
@example(f"{ON}\n{OFF}{ON}x".encode())
@examples(100)
@pytest.mark.usefixtures("small")
def test_reading_on_and_reading_back_give_each_line_of_stderr_once(data: bytes) -> None:
    assume(max(map(len, data.split(b"\n"))) < 150)  # of what is longer, parts may be shown
    output = Memory(data, every=50)
    assert forward(output) == backward(output) == expected(output)


@given(outputs)
def test_the_lines_of_stderr_are_those_that_are_drawn_so(data: bytes) -> None:
    output = Memory(data)
    assert [number + 1 for number in error_lines(data, PLAIN)] == [line for line, _ in expected(output)]


@given(outputs)
@examples(100)
@pytest.mark.usefixtures("small")
def test_of_a_run_that_goes_on_what_is_held_is_pending(data: bytes) -> None:
    assert forward(Memory(data + f"{OFF}\n".encode() + b"plain\n" * 50, every=50), is_finished=False) == expected(
        Memory(data)
    )


@given(st.integers(0, 20), st.integers(1, 20))
@examples(100)
@pytest.mark.usefixtures("small")
def test_what_is_left_out_is_a_notice_in_between(start: int, size: int) -> None:
    lines = [f"{ON}oh {number}\n{OFF}out\n".encode() for number in range(40)]
    first, end = len(b"".join(lines[:start])), len(b"".join(lines[: start + size]))
    data = b"".join(lines)
    output = Memory(data, every=100, gap=gap_in(data, first, end))
    found = [text for _, text in forward(output)]
    kept = [f"oh {number}" for number in range(40) if not start <= number < start + size]
    assert [text for text in found if text.startswith("oh")] == kept
    assert found[start].endswith("of the end.")
    assert [text for _, text in backward(output)] == found


def test_lines_around_one_are_those_before_it_and_from_it_on() -> None:
    output = Memory(b"".join(f"{ON}oh {number}\n{OFF}".encode() + b"out\n" * 9 for number in range(1000)), every=1000)
    window = around_errors(output, 5005, is_finished=True)
    lines = [row.line for row in window.rows]
    assert {4991, 5001, 5011} <= set(lines)
    assert lines == [line for line in range(1, 10_000, 10) if lines[0] <= line <= lines[-1]]
    assert said(preceding_errors(output, window.start, is_finished=True).rows)[-1][0] == lines[0] - 10


def test_megabytes_without_stderr_are_passed_in_no_time() -> None:
    output = Memory(b"a line of an ordinary length, to standard output\n" * 1_000_000 + f"{ON}oh\n{OFF}".encode())
    began = time.process_time()
    assert forward(output) == backward(output) == [(1_000_001, "oh")]
    assert time.process_time() - began < 3  # some 200 ms


def test_a_look_ends_in_time_and_says_where_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filtered, "LOOK_SECONDS", 0)
    output = Memory(b"out\n" * 1_000_000 + f"{ON}oh\n{OFF}".encode())
    cursor = Cursor(mark=START.after(b"out\n" * 10))
    assert following_errors(output, cursor, is_finished=True).rows == ()
    assert preceding_errors(output, 2_000_000, 1_999_000).start >= 1_999_000
    assert len(forward(output)) == len(backward(output)) == 1


def test_a_window_at_the_end_is_told_apart_by_its_digest() -> None:
    output = Memory(f"{ON}oh\n{OFF}".encode())
    first = newest_errors(output, is_finished=False)
    assert said(first.pending) == [(1, "oh")]
    assert first.digest == held(output, is_finished=False).digest
    output.data += b"more"
    assert newest_errors(output, is_finished=False).digest != first.digest
    assert parse_style(first.cursor.mark.style) == PLAIN
