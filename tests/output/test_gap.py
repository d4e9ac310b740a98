"""Windows on an output beyond its limit: every kept line once, numbered right, a notice where lines are left out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from launcher.models import Run
from launcher.output.marks import Mark
from launcher.output.store import Output, SpooledOutput, SpoolWriter, StoredOutput, ship_all
from launcher.output.window import Cursor, Row, Window, following, newest, preceding
from tests.fuzzing import examples
from tests.output.spools import new_run, new_spool, set_sizes
from tests.output.test_window import joined, said

lengths = st.lists(st.sampled_from([0, 1, 7, 8, 30, 90]), min_size=60, max_size=90)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path / "spool", "OUTPUT_LIMIT_BYTES": 600}
    set_sizes(monkeypatch, CHUNK_BYTES=64, MARK_BYTES=32, STEP_BYTES=16)
    set_sizes(monkeypatch, WINDOW_BYTES=60, WINDOW_LINES=3, FOLLOWED_LINES=4, HELD_LINES=2, HELD_BYTES=24)


def outputs(run: Run, lines: list[bytes]) -> Iterator[tuple[Output, list[tuple[int | None, str]]]]:
    """Yield the lines as spooled and as stored output, with the numbered lines that are kept and the notice."""
    spool, data = new_spool(run), b"".join(lines)
    writer = SpoolWriter(spool)
    for line in lines:
        writer.append(line)
    writer.close()
    source = SpooledOutput(spool)
    ship_all(run.pk, source)
    gap = source.gap
    assert gap
    head, tail = data[: gap.start.offset].decode(), data[gap.end.offset :].decode()
    kept: list[tuple[int | None, str]] = list(enumerate(head.splitlines(), 1))
    kept.append((None, "notice"))
    kept += enumerate(tail.splitlines(), gap.end.line + 1)
    yield source, kept
    yield StoredOutput(run), kept


def shown_lines(rows: list[Row]) -> list[tuple[int | None, str]]:
    """Return number and text of each line, and the notice as one."""
    place = next((number for number, row in enumerate(rows) if row.notice), None)
    if place is None:
        return joined(rows)
    notice: tuple[int | None, str] = (None, "notice")
    return [*joined(rows[:place]), notice, *shown_lines(rows[place + 1 :])]


def windows_back(output: Output, last: Window, floor: int = 0) -> list[Window]:
    windows = [last]
    while windows[0].start > floor:
        windows.insert(0, preceding(output, windows[0].start, floor, is_finished=True))
        assert floor <= windows[0].start < windows[1].start
    return windows


def rows_of(windows: list[Window]) -> list[Row]:
    return [row for shown in windows for row in shown.rows]


def lines_of(sizes: list[int]) -> list[bytes]:
    return [b"%d" % number + b"x" * size + b"\n" for number, size in enumerate(sizes)]


@pytest.mark.django_db
@examples(20)
@given(lengths)
def test_from_the_end_back_every_kept_line_and_the_notice_are_shown_once(sizes: list[int]) -> None:
    for output, kept in outputs(new_run(), lines_of(sizes * 3)):
        windows = windows_back(output, newest(output, is_finished=True))
        assert shown_lines(rows_of(windows)) == kept


@pytest.mark.django_db
@examples(20)
@given(lengths)
def test_a_reader_from_the_beginning_gets_every_kept_line_and_the_notice_once(sizes: list[int]) -> None:
    for output, kept in outputs(new_run(), lines_of(sizes * 3)):
        cursor, rows = Cursor(), list[Row]()
        while cursor.mark.offset < output.size:
            shown = following(output, cursor, is_finished=True)
            rows += shown.rows
            assert shown.cursor.mark.offset > cursor.mark.offset
            cursor = Cursor.parse(str(shown.cursor))
        assert shown_lines(rows) == kept


@pytest.mark.django_db
@examples(20)
@given(lengths, st.integers(0, 6000))
def test_what_a_reader_far_behind_has_skipped_can_be_filled_over_the_gap(sizes: list[int], read: int) -> None:
    for output, kept in outputs(new_run(), lines_of(sizes * 3)):
        cursor, rows = Cursor(), list[Row]()
        while cursor.mark.offset < min(read, output.size):
            shown = following(output, cursor, is_finished=True)
            rows += shown.rows
            cursor = shown.cursor
        with pytest.MonkeyPatch.context() as patch:
            set_sizes(patch, SKIP_BYTES=0)
            last = following(output, cursor, is_finished=True)
        floor = last.start if last.skipped_from is None else last.skipped_from
        more = rows_of(windows_back(output, last, floor)) if cursor.mark.offset < output.size else []
        whole = shown_lines([*rows, *more])
        assert whole == kept[: len(whole)]
        assert last.skipped_from is None or len(whole) == len(kept)


@pytest.mark.django_db
def test_the_notice_counts_what_the_reader_has_not_seen() -> None:
    for output, _ in outputs(new_run(), [b"line\n"] * 1000):
        assert output.gap
        assert (output.gap.start, output.gap.end) == (Mark(offset=300, line=60), Mark(offset=4700, line=940))
        for cursor, count in (
            (Cursor(mark=Mark(offset=300, line=60)), "880 lines"),
            (Cursor(mark=Mark(offset=4690, line=938)), "2 lines"),
        ):
            shown = following(output, cursor, is_finished=False)
            (row,) = shown.rows
            assert row.notice.startswith(count)
            assert (shown.cursor.mark.offset, shown.start) == (4700, cursor.mark.offset)


@pytest.mark.django_db
def test_a_gap_that_grew_over_what_a_reader_has_read_is_shown_from_there_on() -> None:
    for output, _ in outputs(new_run(), [b"line\n"] * 1000):
        shown = preceding(output, 4700, floor=4000)
        assert [row.notice[:10] for row in shown.rows] == ["700\xa0bytes "]
        assert shown.start == 4000
        assert preceding(output, 4800, floor=4000).start >= 4700


@pytest.mark.django_db
def test_a_line_longer_than_the_limit_keeps_its_beginning_and_end() -> None:
    for output, _ in outputs(new_run(), [b"begin\n", *[b"x" * 50] * 100, b"\nend\n"]):
        assert output.gap
        windows = windows_back(output, newest(output, is_finished=True))
        whole = shown_lines(rows_of(windows))
        assert [number for number, _ in whole] == [1, 2, None, 2, 3]
        assert set(whole[3][1]) == {"x"}
        cursor = Cursor()
        rows: list[Row] = []
        while cursor.mark.offset < output.size:
            shown = following(output, cursor, is_finished=True)
            rows, cursor = [*rows, *shown.rows], shown.cursor
        assert shown_lines(rows) == whole


def test_a_live_reader_who_keeps_up_sees_everything_and_no_notice() -> None:
    spool = new_spool()
    writer = SpoolWriter(spool)
    output, cursor, rows = SpooledOutput(spool), Cursor(), list[Row]()
    for number in range(1, 500):
        writer.append(b"line %d\n" % number)
        shown = following(output, cursor, is_finished=False)
        rows, cursor = [*rows, *shown.rows], shown.cursor
    writer.close()
    assert output.gap
    rows += following(output, cursor, is_finished=True).rows
    assert [(row.number, said(row), row.notice) for row in rows] == [(n, f"line {n}", "") for n in range(1, 500)]
