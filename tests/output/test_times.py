"""When each line came is known to a tenth of a second, from the spool as from the database."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from launcher.models import Chunk
from launcher.output import writer as writer_module
from launcher.output.store import Output, SpooledOutput, SpoolWriter, StoredOutput, open_output, ship_all
from launcher.output.window import newest
from tests.fuzzing import examples
from tests.output.spools import Clock, new_run, new_spool, set_sizes

waits = st.sampled_from([0.0, 0.01, 0.049, 0.1, 0.33, 5.0, 90000.0])
writes = st.lists(st.tuples(st.sampled_from([b"\n", b"line\n", b"par", b"x" * 40, "✓\n".encode()]), waits), max_size=30)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path / "spool"}
    set_sizes(monkeypatch, CHUNK_BYTES=64, MARK_BYTES=32, STEP_BYTES=16)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(writer_module, "time", clock)
    return clock


def assert_times_are_right(output: Output, true: list[float], start: int = 0) -> None:
    """Compare with the true time of each byte, from `start` on."""
    times = output.times(start, output.size)
    assert times == sorted(times)
    for place in range(start, output.size):
        said = [at for offset, at in times if offset <= place][-1]
        assert abs(said - true[place]) <= 0.0501
        assert output.times(place, place + 1) == [(output.times(place, place + 1)[0][0], said)]


@examples(20)
@given(writes)
def test_the_spool_knows_when_each_byte_came(clock: Clock, parts: list[tuple[bytes, float]]) -> None:
    spool, true = new_spool(), list[float]()
    writer = SpoolWriter(spool)
    for data, wait in parts:
        clock.now += wait
        writer.append(data)
        true += [clock.now] * len(data)
    writer.close()
    assert_times_are_right(SpooledOutput(spool), true)


@pytest.mark.django_db
@examples(20)
@given(writes)
def test_the_database_knows_when_each_byte_came(clock: Clock, parts: list[tuple[bytes, float]]) -> None:
    run = new_run()
    spool, true = new_spool(run), list[float]()
    writer = SpoolWriter(spool)
    for number, (data, wait) in enumerate(parts):
        clock.now += wait
        writer.append(data)
        true += [clock.now] * len(data)
        if number % 3 == 0:
            ship_all(run.pk, SpooledOutput(spool))
    writer.close()
    ship_all(run.pk, SpooledOutput(spool))
    assert_times_are_right(StoredOutput(run), true)


@pytest.mark.django_db
@examples(20)
@given(writes)
def test_of_an_output_beyond_its_limit_head_and_tail_have_their_times(
    clock: Clock, settings: Settings, parts: list[tuple[bytes, float]]
) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "OUTPUT_LIMIT_BYTES": 100}
    run = new_run()
    spool, true = new_spool(run), list[float]()
    writer = SpoolWriter(spool)
    for data, wait in [*parts, (b"more\n" * 12, 1.0), (b"more\n" * 12, 1.0), *parts]:
        clock.now += wait
        writer.append(data)
        true += [clock.now] * len(data)
    writer.close()
    ship_all(run.pk, SpooledOutput(spool))
    for output in (SpooledOutput(spool), StoredOutput(run)):
        assert output.gap
        assert_times_are_right(output, true, output.gap.end.offset)
        head = output.times(0, output.gap.start.offset)
        assert [abs(at - true[offset]) <= 0.0501 for offset, at in head] == [True] * len(head)


def test_bytes_of_one_tenth_of_a_second_need_one_entry(clock: Clock) -> None:
    spool = new_spool()
    writer = SpoolWriter(spool)
    for _ in range(100):
        writer.append(b"\n")
        clock.now += 0.02
    writer.close()
    assert 18 <= len(SpooledOutput(spool).times(0, 100)) <= 22
    assert spool.index_path.stat().st_size < 256 + 64 * 30


def test_a_clock_that_is_set_back_brings_no_disorder(clock: Clock) -> None:
    spool = new_spool()
    writer = SpoolWriter(spool)
    for step in (0.0, 1.0, -3600.0, 1.0, 3600.0):
        clock.now += step
        writer.append(b"line\n")
    writer.close()
    assert [at - 1_764_000_000 for _, at in SpooledOutput(spool).times(0, 100)] == [0.0, 1.0, 2.0]


@pytest.mark.django_db
def test_rows_have_the_time_of_their_first_byte(clock: Clock) -> None:
    run = new_run()
    spool = new_spool(run)
    writer = SpoolWriter(spool)
    for data, wait in ((b"one\ntw", 0.0), (b"o\nthree\n", 7.25), (b"four", 1.0)):
        clock.now += wait
        writer.append(data)
    writer.close()
    spooled = newest(open_output(run), is_finished=False)
    times = [row.at for row in (*spooled.rows, *spooled.pending)]
    assert times == [1764000000.0, 1764000000.0, 1764000007.2, 1764000008.2]
    ship_all(run.pk, SpooledOutput(spool))
    assert newest(StoredOutput(run), is_finished=False) == spooled


@pytest.mark.django_db
def test_output_stored_without_times_has_none() -> None:
    run = new_run()
    spool = new_spool(run)
    writer = SpoolWriter(spool)
    writer.append(b"line\n")
    writer.close()
    ship_all(run.pk, SpooledOutput(spool))
    Chunk.objects.update(times=b"")
    assert [row.at for row in newest(StoredOutput(run), is_finished=True).rows] == [None]
