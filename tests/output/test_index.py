"""The index answers from any number of records with few reads, and passes over what was written in part."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launcher.output.index import Index, IndexWriter
from launcher.output.marks import START, Gap, Mark, pack_times, times_between, unpack_times
from tests.output.spools import full_disk

LONGEST_STYLE = "1;2;3;4;7;9;38;5;255;48;5;255;7711"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index"


def filled(path: Path, count: int) -> IndexWriter:
    """Write a mark each ten bytes and each second, from ten on."""
    writer = IndexWriter(path)
    for number in range(1, count + 1):
        writer.add(Mark(offset=10 * number, line=number, style=LONGEST_STYLE), 10 * number)
    return writer


def mark(number: int) -> Mark:
    return Mark(offset=10 * number, line=number, style=LONGEST_STYLE)


def test_an_empty_index_knows_the_beginning(path: Path) -> None:
    writer = IndexWriter(path)
    assert (writer.last(), writer.gap()) == ((START, 0), None)
    assert Index(path).mark_before(100) == START
    assert Index(path).times(0, 100) == []


def test_the_last_mark_at_or_before_a_place_is_found(path: Path) -> None:
    filled(path, 50)
    index = Index(path)
    assert [index.mark_before(offset) for offset in (0, 9, 10, 19, 255, 500, 9999)] == [
        START,
        START,
        *map(mark, (1, 1, 25, 50, 50)),
    ]


def test_the_last_mark_before_a_line_is_found(path: Path) -> None:
    writer = filled(path, 50)
    index = Index(path)
    assert [index.mark_before_line(line) for line in (0, 1, 2, 30, 51, 99)] == [
        START,
        START,
        *map(mark, (1, 29, 50, 50)),
    ]
    writer.set_gap(Gap(start=mark(10), end=Mark(offset=405, line=40)))
    expected = [mark(9), mark(10), mark(10), mark(10), Mark(offset=405, line=40), mark(41)]
    assert [index.mark_before_line(line) for line in (10, 11, 25, 40, 41, 42)] == expected


def test_records_behind_a_cut_are_forgotten_and_written_over(path: Path) -> None:
    writer = filled(path, 20)
    writer.cut(155)
    assert [Index(path).mark_before(offset) for offset in (159, 999)] == [mark(15)] * 2
    writer.add(mark(30), 300)
    assert [Index(path).mark_before(offset) for offset in (299, 999)] == [mark(15), mark(30)]
    writer.cut(5)
    assert (Index(path).mark_before(999), writer.last()) == (START, (START, 0))


def test_a_look_into_a_long_index_takes_few_reads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path, 20_000)
    index, reads, pread = Index(path), list[int](), os.pread

    def counted(descriptor: int, size: int, position: int) -> bytes:
        reads.append(size)
        return pread(descriptor, size, position)

    monkeypatch.setattr(os, "pread", counted)
    assert index.mark_before(123_456) == mark(12_345)
    assert len(reads) < 20
    assert sum(reads) < 2000


@pytest.mark.parametrize("lost", [*range(1, 64), 64])
def test_a_record_written_in_part_counts_as_none_and_is_written_over(path: Path, lost: int) -> None:
    filled(path, 5)
    os.truncate(path, path.stat().st_size - lost)
    assert Index(path).mark_before(99) == mark(4)
    IndexWriter(path).add(mark(6), 60)
    assert Index(path).mark_before(99) == mark(6)
    assert Index(path).times(0, 99)[-2:] == [(40, 4.0), (60, 6.0)]


@pytest.mark.parametrize("broken", [(1,), (3,), (5,), (3, 4), (1, 2, 3, 4, 5)])
def test_records_that_a_crash_left_empty_are_passed_over(path: Path, broken: tuple[int, ...]) -> None:
    filled(path, 5)
    with path.open("r+b") as file:
        for number in broken:
            file.seek(256 + 64 * (number - 1))
            file.write(bytes(64))
    whole = [number for number in range(1, 6) if number not in broken]
    for offset in range(60):
        expected = max((number for number in whole if 10 * number <= offset), default=0)
        assert Index(path).mark_before(offset) == (mark(expected) if expected else START)
    assert Index(path).times(0, 60) == [(10 * number, float(number)) for number in whole]


def test_a_full_disk_costs_marks_but_raises_nothing(path: Path) -> None:
    writer = filled(path, 2)
    with full_disk(256 + 3 * 64 - 10):
        writer.add(mark(3), 30)
        writer.add(mark(4), 40)
    writer.add(mark(5), 50)
    assert [Index(path).mark_before(offset) for offset in (29, 49, 50)] == [mark(2), mark(2), mark(5)]


def test_the_gap_is_noted_and_its_records_are_given_back(path: Path) -> None:
    writer = filled(path, 2000)
    gaps = [Gap(start=Mark(offset=105, line=10), end=mark(end)) for end in (300, 1000, 1900)]
    for gap in gaps:
        assert writer.set_gap(gap)
        assert Index(path).gap() == gap
    index = Index(path)
    assert [index.mark_before(offset) for offset in (105, 500, 18_999)] == [mark(10)] * 3
    assert [index.mark_before(offset) for offset in (19_000, 19_010)] == [mark(1900), mark(1901)]
    assert index.times(19_000, 19_020) == [(19_000, 1900.0), (19_010, 1901.0)]
    assert index.times(95, 20_000)[:2] == [(90, 9.0), (100, 10.0)]


def test_a_place_right_behind_the_gap_is_drawn_from_its_end(path: Path) -> None:
    writer = filled(path, 20)
    end = Mark(offset=155, line=15, style="1")
    writer.set_gap(Gap(start=mark(2), end=end))
    assert [Index(path).mark_before(offset) for offset in (155, 159, 160)] == [end, end, mark(16)]
    assert Index(path).times(155, 165) == [(150, 15.0), (160, 16.0)]


@pytest.mark.parametrize("torn", [0, 1])
def test_a_gap_noted_in_part_counts_as_not_noted(path: Path, torn: int) -> None:
    writer = filled(path, 20)
    older, newer = (Gap(start=Mark(offset=20, line=2), end=mark(end)) for end in (8, 12))
    writer.set_gap(older)
    IndexWriter(path).set_gap(newer)
    assert Index(path).gap() == newer
    with path.open("r+b") as file:
        file.seek(128 * torn + 10)
        file.write(b"torn")
    assert Index(path).gap() in (older, newer)


def test_a_disk_that_takes_no_note_leaves_nothing_out(path: Path) -> None:
    writer = filled(path, 20)
    with full_disk(0):
        assert not writer.set_gap(Gap(start=mark(2), end=mark(8)))
    assert Index(path).gap() is None


pairs = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**9)), max_size=30)


@given(pairs, st.integers(0, 10**12))
def test_packed_times_come_back(steps: list[tuple[int, int]], start: int) -> None:
    offset, tenths, times = start, 17_640_000_000, []
    for forward, later in steps:
        offset, tenths = offset + forward, tenths + later
        times.append((offset, tenths / 10))
    assert unpack_times(pack_times(times, start), start) == times


def test_the_times_of_a_steady_command_take_little_space() -> None:
    times = [(20 * number, number / 10) for number in range(13_000)]
    assert len(pack_times(times, 0)) < 2000


def test_times_between_two_places_begin_at_or_before_the_first() -> None:
    times = [(0, 1.0), (10, 2.0), (10, 3.0), (20, 4.0), (30, 5.0)]
    assert times_between(times, 0, 100) == [(0, 1.0), (10, 3.0), (20, 4.0), (30, 5.0)]
    assert times_between(times, 15, 30) == [(10, 3.0), (20, 4.0)]
    assert times_between(times, 10, 11) == [(10, 3.0)]
    assert times_between([], 0, 10) == times_between([(5, 1.0)], 0, 5) == []
