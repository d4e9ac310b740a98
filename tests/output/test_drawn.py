"""An output that is drawn on a screen: read at any moment, killed at any moment, it is what one terminal would show."""

import itertools
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from launcher.output.raw import RawReader
from launcher.output.screen import Screen
from launcher.output.shipping import Shipment
from launcher.output.store import Output, Spool, SpooledOutput, SpoolWriter, StoredOutput, read_all, settle, ship_all
from launcher.output.style import ERROR_OFF, ERROR_ON, PLAIN, Span
from launcher.output.terminal import draw_line
from launcher.output.window import Cursor, Row, following, last_line
from tests.fuzzing import examples
from tests.output.spools import cut, full_disk, new_run, new_spool, set_sizes

Line = list[Span]
texts = st.sampled_from(
    [b"word", b"\n", b"\n\n", b"line\n" * 3, "✓é".encode(), b"x" * 130, b"\rbar", b"0123456789\r", b"lines\n" * 45]
)
looks = st.sampled_from([b"\x1b[31m", b"\x1b[0m", b"\x1b[1;38;5;200m", ERROR_ON, ERROR_OFF])
moves = st.sampled_from(
    [
        b"\x1b[A",
        b"\x1b[2A",
        b"\x1b[50A",
        b"\x1b[B",
        b"\x1b[2K",
        b"\x1b[J",
        b"\x1b[H",
        b"\x1b[2J",
        b"\x1b[3;5H",
        b"\x1bM",
        b"\x1b7",
        b"\x1b8",
    ]
)
outputs = st.lists(st.one_of(texts, texts, looks, moves), max_size=25).map(b"".join)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path / "spool"}
    set_sizes(monkeypatch, CHUNK_BYTES=256, MARK_BYTES=64, LOG_BYTES=200)


def spans_of(rows: Iterable[Row]) -> list[tuple[int, Line]]:
    found: list[tuple[int, Line]] = []
    for row in rows:
        if row.part:
            found[-1][1].extend(row.spans)
        else:
            found.append((row.line, list(row.spans)))
    return [(line, merged(spans)) for line, spans in found]


def merged(spans: Iterable[Span]) -> Line:
    groups = itertools.groupby(spans, key=lambda span: span[1])
    return [("".join(text for text, _ in group), style) for style, group in groups]


def without_blank_end(lines: list[Line]) -> list[Line]:
    while lines and not lines[-1]:
        lines.pop()
    return lines


def killed(writer: SpoolWriter, spool: Spool) -> SpoolWriter:
    """Return the writer that goes on after another's death."""
    writer._file._file.close()
    return SpoolWriter(spool)


class Model:
    """One screen that everything is written to."""

    def __init__(self) -> None:
        self.screen = Screen()
        self.settled = b""

    def feed(self, data: bytes) -> None:
        self.screen.feed(data)
        self.settled += b"".join(line.data for line in self.screen.take_settled())

    def lines(self) -> list[Line]:
        drawn = self._drawn(self.settled)
        return without_blank_end([*drawn, *(merged(line.spans) for line in self.screen.lines())])

    def _drawn(self, data: bytes) -> list[Line]:
        return [merged(draw_line(line, PLAIN)[0]) for line in data.split(b"\n")[:-1]]

    def all(self) -> list[Line]:
        rest = b"".join(line.data for line in self.screen.finish())
        data = self.settled + rest
        return self._drawn(data if data.endswith(b"\n") or not data else data + b"\n")


class Reader:
    """Follows an output."""

    def __init__(self) -> None:
        self.cursor = Cursor()
        self.rows: list[Row] = []

    def look(self, output: Output, *, is_finished: bool = False) -> list[tuple[int, Line]]:
        """Read on, and return all that the page shows then."""
        while True:
            shown = following(output, self.cursor, is_finished=is_finished, until=10**9)
            self.rows += [row for row in shown.rows if not row.notice]
            self.cursor = Cursor.parse(str(shown.cursor))
            if shown.is_at_end:
                return spans_of([*self.rows, *shown.pending])

    def rows_of(self, output: Output) -> list[Row]:
        """Return the rows of all of a finished output."""
        while not (shown := following(output, self.cursor, is_finished=True, until=10**9)).is_at_end:
            self.rows += shown.rows
            self.cursor = shown.cursor
        return [*self.rows, *shown.rows]


def assert_shows(found: list[tuple[int, Line]], expected: list[Line]) -> None:
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    assert without_blank_end([spans for _, spans in found]) == expected


@examples(25)
@given(outputs, st.lists(st.integers(0, 3000), max_size=8), st.lists(st.sampled_from("rrk"), min_size=9, max_size=9))
def test_a_reader_sees_at_every_moment_what_a_terminal_would_show(
    data: bytes, cuts: list[int], acts: list[str]
) -> None:
    spool, model, reader = new_spool(), Model(), Reader()
    writer = SpoolWriter(spool)
    output = SpooledOutput(spool)
    for piece, act in zip(cut(data, cuts), acts, strict=False):
        writer.append(piece)
        model.feed(piece)
        if act == "k":
            writer = killed(writer, spool)
        assert_shows(reader.look(output), model.lines())
    writer.close()
    expected = model.all()
    found = reader.look(output, is_finished=True)
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    assert [spans for _, spans in found] == expected
    assert 0 <= last_line(output, is_finished=True) - len(expected) <= 1  # what is not to be seen may count


@pytest.mark.django_db
@examples(25)
@given(outputs, st.lists(st.integers(0, 3000), max_size=8), st.lists(st.sampled_from("-slk"), min_size=9, max_size=9))
def test_a_reader_on_another_host_sees_it_as_of_the_last_shipment(
    data: bytes, cuts: list[int], acts: list[str]
) -> None:
    run, model, reader = new_run(), Model(), Reader()
    spool = new_spool(run)
    writer = SpoolWriter(spool)
    source, output = SpooledOutput(spool), StoredOutput(run)
    shipment = Shipment(run.pk, source)
    for piece, act in zip(cut(data, cuts), acts, strict=False):
        writer.append(piece)
        model.feed(piece)
        if act == "k":
            writer, shipment = killed(writer, spool), Shipment(run.pk, source)
        if act == "s":
            ship_all(run.pk, source, is_final=False, shipment=shipment)
            assert_shows(reader.look(output), model.lines())
        if act == "l":
            reader.look(output)
    writer.close()
    assert ship_all(run.pk, source, shipment=shipment) == 0
    expected = model.all()
    assert [spans for _, spans in reader.look(output, is_finished=True)] == expected
    run.refresh_from_db()
    assert run.screen is None
    assert run.output_bytes == source.size == output.size
    for found in (source, output):
        assert b"".join(read_all(found)).count(b"\n") == run.output_lines
        assert found.standing().drawn is None


@examples(25)
@given(outputs, st.lists(st.integers(0, 3000), max_size=6), st.integers(0, 6))
def test_what_a_killed_supervisor_left_on_the_screen_is_settled(data: bytes, cuts: list[int], number: int) -> None:
    spool, model = new_spool(), Model()
    writer = SpoolWriter(spool)
    for piece in cut(data, cuts)[: number + 1]:
        writer.append(piece)
        model.feed(piece)
    writer._file._file.close()
    settle(spool)
    settle(spool)
    found = Reader().look(SpooledOutput(spool), is_finished=True)
    assert [spans for _, spans in found] == model.all()


@examples(25)
@given(outputs, st.lists(st.integers(0, 3000), max_size=8), st.lists(st.booleans(), min_size=9, max_size=9))
def test_beyond_its_limit_a_reader_who_keeps_up_misses_nothing(
    settings: Settings, data: bytes, cuts: list[int], kills: list[bool]
) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "OUTPUT_LIMIT_BYTES": 300}
    spool, model, reader = new_spool(), Model(), Reader()
    writer = SpoolWriter(spool)
    output = SpooledOutput(spool)
    for piece, is_killed in zip(cut(data, cuts), kills, strict=False):
        for small in cut(piece, list(range(0, len(piece), 90))):
            writer.append(small)
            model.feed(small)
            if is_killed:
                writer = killed(writer, spool)
            assert_shows(reader.look(output), model.lines())
    writer.close()
    expected = model.all()
    gap = output.gap
    cut_lines = {gap.start.line + 1, gap.end.line + 1} if gap else set()
    afterwards = spans_of(row for row in Reader().rows_of(output) if not row.notice)
    for number, spans in (*reader.look(output, is_finished=True), *afterwards):
        assert spans == expected[number - 1] or number in cut_lines


@examples(25)
@given(outputs, st.lists(st.integers(0, 3000), max_size=8), st.lists(st.booleans(), min_size=9, max_size=9))
def test_who_passes_it_on_as_it_comes_gets_the_very_bytes(data: bytes, cuts: list[int], kills: list[bool]) -> None:
    spool, reader, passed = new_spool(), RawReader(), b""
    writer = SpoolWriter(spool)
    output = SpooledOutput(spool)
    for piece, is_killed in zip(cut(data, cuts), kills, strict=False):
        for small in cut(piece, list(range(0, len(piece), 90))):
            writer.append(small)
            if is_killed:
                writer = killed(writer, spool)
            while some := reader.read(output, 50, is_finished=False):
                passed += some
            assert writer.read_taken(writer.taken - len(small), len(small)) == small
    assert writer.taken == len(data)
    spool.remove()
    writer.close()
    assert passed + reader.read(output, 50, is_finished=True) == data


@examples(10)
@given(outputs, st.lists(st.integers(0, 3000), max_size=8), st.integers(0, 8), st.booleans())
def test_who_passes_it_on_too_slowly_misses_no_line(data: bytes, cuts: list[int], number: int, is_ended: bool) -> None:
    spool, reader, passed = new_spool(), RawReader(), b""
    writer = SpoolWriter(spool)
    output = SpooledOutput(spool)
    pieces = [*cut(data, cuts), b"".join(b"\x1b[A\x1b[B\r\x1b[2Kline %d\n" % n for n in range(90)), b"end\n"]
    for place, piece in enumerate(pieces):
        writer.append(piece)
        if place == number:
            passed += reader.read(output, 50, is_finished=False)
    if is_ended:
        writer.close()
    while some := reader.read(output, 50, is_finished=False):
        passed += some
    model = Model()
    model.feed(passed)
    texts = {"".join(text for text, _ in line) for line in model.all()}
    assert {f"line {n}" for n in range(1, 90)} <= texts
    killed(writer, spool).close()


@examples(25)
@given(outputs, st.lists(st.integers(0, 3000), max_size=8), st.integers(0, 3000), st.booleans())
def test_a_full_disk_costs_lines_but_raises_nothing_and_shows_no_nonsense(
    data: bytes, cuts: list[int], room: int, is_freed: bool
) -> None:
    spool, reader = new_spool(), Reader()
    writer = SpoolWriter(spool)
    output = SpooledOutput(spool)
    writer.append(b"first\n\x1b[A\x1b[B")
    with full_disk(spool.screen_path.stat().st_size + room):
        for piece in cut(data, cuts):
            writer.append(piece)
            reader.look(output)
        if not is_freed:
            writer.close()
    if is_freed:
        writer.append(b"\nlast\n" * 50)
        writer.close()
    found = reader.look(output, is_finished=True)
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    text = "".join(text for _, spans in found for text, _ in spans)
    assert set(text) <= set("firstlastwordline✓éx\N{REPLACEMENT CHARACTER}bar0123456789 [ABKJHM;78mxe12")
    if not writer.lost_bytes:
        model = Model()
        model.feed(b"first\n\x1b[A\x1b[B" + data + (b"\nlast\n" * 50 if is_freed else b""))
        assert without_blank_end([spans for _, spans in found]) == without_blank_end(model.all())


def test_readers_beside_the_writer_get_each_line_once() -> None:
    spool, is_over = new_spool(), threading.Event()
    writer = SpoolWriter(spool)
    found: list[list[tuple[int, Line]]] = []

    def read() -> None:
        reader, output, shown = Reader(), SpooledOutput(spool), list[tuple[int, Line]]()
        while not is_over.is_set():
            shown = reader.look(output)
            assert [number for number, _ in shown] == list(range(1, len(shown) + 1))
        found.append(reader.look(output, is_finished=True))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(700):
        move = b"\x1b[A\x1b[B" if number % 200 > 100 else b""
        writer.append(b"\rli" + move + b"\r\x1b[2Kline %d\n" % (number + 1))
    writer.close()
    is_over.set()
    for reader in readers:
        reader.join()
    expected = [(number, [(f"line {number}", PLAIN)]) for number in range(1, 701)]
    assert found == [expected, expected]
