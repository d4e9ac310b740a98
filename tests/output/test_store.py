"""Spool and database give back the bytes that were written, from marks that are right."""

import os
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from launcher.models import Chunk, Run, Status
from launcher.output import shipping
from launcher.output.screen import moves_vertically
from launcher.output.store import (
    SpooledOutput,
    SpoolError,
    SpoolWriter,
    StoredOutput,
    open_output,
    read_all,
    ship,
    spool_root,
)
from tests.fuzzing import examples
from tests.output.spools import assert_marks_are_right, cut, full_disk, new_run, new_spool, set_sizes, ship_all, write

parts_of_output = st.lists(
    st.binary(max_size=20)
    | st.sampled_from([b"\n", b"line\n", b"\x1b[31m", b"\x1b[0m", b"\x1b[38;5;2", b"00mtext", "✓é".encode()])
)
pieces_of_output = parts_of_output.map(b"".join).filter(lambda data: not moves_vertically(data))


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path / "spool"}
    set_sizes(monkeypatch, CHUNK_BYTES=64, MARK_BYTES=32)


@examples(40)
@given(pieces_of_output, st.lists(st.integers(0, 1000), max_size=8), st.integers(1, 50))
def test_the_spool_gives_back_what_was_written(data: bytes, cuts: list[int], size: int) -> None:
    spool = new_spool()
    writer = write(spool, *cut(data, cuts))
    output = SpooledOutput(spool)
    assert (writer.size, output.size) == (len(data), len(data))
    assert b"".join(read_all(output, size)) == data
    assert output.read(size, 7) == data[size : size + 7]
    assert_marks_are_right(output, data)


@pytest.mark.django_db
@examples(40)
@given(pieces_of_output, st.lists(st.integers(0, 1000), max_size=8), st.integers(1, 50))
def test_the_database_gives_back_what_was_shipped(data: bytes, cuts: list[int], size: int) -> None:
    run = new_run()
    spool = new_spool(run)
    for piece in cut(data, cuts):
        write(spool, piece)
        ship_all(run, SpooledOutput(spool))
    output = StoredOutput(run)
    assert output.size == len(data)
    assert b"".join(read_all(output, size)) == data
    assert output.read(size, 7) == data[size : size + 7]
    assert_marks_are_right(output, data)


@examples(40)
@given(pieces_of_output, st.lists(st.integers(0, 1000), max_size=8))
def test_a_writer_goes_on_where_another_was_killed(data: bytes, cuts: list[int]) -> None:
    spool = new_spool()
    for piece in cut(data, cuts):
        write(spool, piece)
    assert write(spool).size == len(data)
    assert b"".join(read_all(SpooledOutput(spool))) == data
    assert_marks_are_right(SpooledOutput(spool), data)


@pytest.mark.django_db
def test_chunks_follow_each_other_without_a_gap() -> None:
    run = new_run()
    spool = new_spool(run)
    write(spool, b"a line of twenty-two.\n" * 20)
    ship_all(run, SpooledOutput(spool))
    chunks = list(Chunk.objects.filter(run=run).order_by("offset"))
    run.refresh_from_db()
    assert [chunk.offset for chunk in chunks[1:]] == [chunk.offset + chunk.size for chunk in chunks[:-1]]
    assert [chunk.first_line for chunk in chunks[1:]] == [chunk.first_line + chunk.line_count for chunk in chunks[:-1]]
    assert (run.output_bytes, run.output_lines) == (440, 20)
    assert len(chunks) == 7


@pytest.mark.django_db
def test_a_slow_command_leaves_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    set_sizes(monkeypatch, CHUNK_BYTES=1024)
    run = new_run()
    spool = new_spool(run)
    writer = SpoolWriter(spool)
    source = SpooledOutput(spool)
    for number in range(360):
        writer.append(b"tick %d\n" % number)
        ship(run.pk, source)
    writer.close()
    assert ship_all(run, source) == (writer.size, 360)
    assert Chunk.objects.filter(run=run).count() == -(-writer.size // 1024)


@pytest.mark.django_db
def test_a_chunk_ends_where_no_escape_is_cut_in_two() -> None:
    run = new_run()
    spool = new_spool(run)
    write(spool, b"x" * 60 + b"\x1b[38;5;208m" + b"y" * 60)
    ship_all(run, SpooledOutput(spool))
    offsets = Chunk.objects.filter(run=run).order_by("offset").values_list("offset", "style")
    assert list(offsets) == [(0, ""), (60, ""), (124, "38;5;208")]


@pytest.mark.django_db
def test_shipping_again_stores_nothing_twice() -> None:
    run = new_run()
    spool = new_spool(run)
    write(spool, b"one\n" * 30)
    source = SpooledOutput(spool)
    ship_all(run, source)
    assert not ship(run.pk, source)
    assert b"".join(read_all(StoredOutput(run))) == b"one\n" * 30


@pytest.mark.django_db
def test_shipping_goes_on_where_an_earlier_process_left_off() -> None:
    run = new_run()
    spool = new_spool(run)
    write(spool, b"one\n\x1b[31mtwo\n")
    ship_all(run, SpooledOutput(spool))
    write(spool, b"three\n")
    assert ship_all(run, SpooledOutput(spool)) == (19, 3)
    assert b"".join(read_all(StoredOutput(run))) == b"one\n\x1b[31mtwo\nthree\n"


@pytest.mark.django_db
def test_a_source_that_has_less_than_the_database_takes_nothing_away() -> None:
    run = new_run()
    spool, shorter = new_spool(run), new_spool()
    write(spool, b"0123456789")
    write(shorter, b"0123")
    ship_all(run, SpooledOutput(spool))
    ship_all(run, SpooledOutput(shorter))
    assert StoredOutput(run).read(0, 20) == b"0123456789"


@pytest.mark.django_db
def test_a_window_of_the_database_reads_the_chunks_it_needs() -> None:
    run = new_run()
    spool = new_spool(run)
    write(spool, b"0123456789" * 100)
    ship_all(run, SpooledOutput(spool))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert StoredOutput(run).read(500, 10) == b"0123456789"
    assert len(queries) == 2


@pytest.mark.django_db
def test_output_is_read_from_the_spool_where_that_is_here() -> None:
    run = new_run()
    assert isinstance(open_output(run), StoredOutput)
    write(new_spool(run), b"live")
    assert open_output(run).read(0, 10) == b"live"
    run.host = "elsewhere"
    assert open_output(run).size == 0


@pytest.mark.django_db
def test_output_stays_readable_while_its_spool_is_removed() -> None:
    run = new_run()
    spool = new_spool(run)
    write(spool, b"line\n" * 40)
    output = open_output(run)
    spool.remove()
    assert b"".join(read_all(output, 7)) == b"line\n" * 40
    assert output.mark_before(200).offset > 100


def test_a_reader_leaves_no_open_file() -> None:
    spool = new_spool()
    write(spool, b"line\n")
    before = len(os.listdir("/dev/fd"))
    for _ in range(10):
        SpooledOutput(spool).read(0, 5)
    assert len(os.listdir("/dev/fd")) == before


def test_a_full_disk_costs_output_but_raises_nothing() -> None:
    spool = new_spool()
    writer = SpoolWriter(spool)
    with full_disk(100):
        writer.append(b"x" * 90)
        writer.append(b"y" * 90)
    writer.append(b"z" * 20)
    writer.close()
    assert writer.lost_bytes == 80
    assert b"".join(read_all(SpooledOutput(spool))) == b"x" * 90 + b"y" * 10 + b"z" * 20


def test_how_a_run_ended_is_noted_whole_or_not_at_all() -> None:
    spool = new_spool()
    assert spool.read_outcome() is None
    with full_disk(5):
        spool.write_outcome({"status": "succeeded"})
    assert spool.read_outcome() is None
    spool.write_outcome({"status": "failed"})
    assert spool.read_outcome() == {"status": "failed"}
    spool.outcome_path.write_text("{")
    assert spool.read_outcome() is None


def test_the_spool_is_readable_by_its_owner_alone() -> None:
    spool = new_spool()
    assert spool_root().stat().st_mode & 0o777 == 0o700
    assert spool.folder.stat().st_mode & 0o777 == 0o700
    spool.remove()
    spool.remove()
    assert not spool.folder.exists()


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o720, 0o702])
def test_a_spool_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool").chmod(mode)
    with pytest.raises(SpoolError, match="writable by nobody else"):
        spool_root()


def test_a_spool_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "spool").symlink_to(tmp_path / "real")
    with pytest.raises(SpoolError):
        spool_root()


def test_a_spool_folder_of_another_user_is_refused(tmp_path: Path, settings: Settings) -> None:
    foreign = Path("/usr")
    if os.getuid() == 0:
        foreign = tmp_path / "foreign"
        foreign.mkdir(mode=0o700)
        os.chown(foreign, 65534, 65534)
    settings.LAUNCHER = {"SPOOL_DIR": foreign}
    with pytest.raises(SpoolError, match="belong"):
        spool_root()


def test_a_spool_folder_that_cannot_be_made_says_which_setting_helps(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "file").touch()
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path / "file" / "spool"}
    with pytest.raises(SpoolError, match="SPOOL_DIR"):
        spool_root()


@pytest.mark.django_db
def test_a_chunk_stored_with_a_torn_end_does_not_stop_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    set_sizes(monkeypatch, CHUNK_BYTES=64)
    run = new_run()
    spool = new_spool(run)
    write(spool, b"x" * 58 + b"\x1b[38;")
    source = SpooledOutput(spool)
    ship_all(run, source)
    write(spool, b"5;208m" + b"y" * 200)
    ship_all(run, source)
    assert b"".join(read_all(StoredOutput(run))) == b"x" * 58 + b"\x1b[38;5;208m" + b"y" * 200


@pytest.mark.django_db
def test_what_is_not_stored_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run()
    spool = new_spool(run)
    write(spool, b"x" * 10)
    assert shipping.ship_all(run.pk, SpooledOutput(spool)) == 0
    write(spool, b"y" * 5)
    monkeypatch.setattr(shipping.Shipment, "ship", lambda self, is_final: False)
    assert shipping.ship_all(run.pk, SpooledOutput(spool)) == 5


@pytest.mark.django_db
def test_old_spools_of_ended_runs_are_removed_with_their_output_kept() -> None:
    ended, going, unknown = new_run(), new_run(), Run(command="check")
    Run.objects.filter(pk=ended.pk).update(status=Status.LOST)
    spools = [new_spool(run) for run in (ended, going, unknown)]
    for spool in spools:
        write(spool, b"kept\n")
        os.utime(spool.folder, (0, 0))
    shipping.prune_spools()
    assert [spool.folder.exists() for spool in spools] == [False, True, True]
    assert b"".join(read_all(StoredOutput(ended))) == b"kept\n"
