"""Of an output beyond its limit the first and the last half are kept, at their true places, and no hole is shown."""

import os
import threading
from itertools import pairwise
from operator import mul
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import Settings

from launcher.models import Chunk, Run
from launcher.output import holes, output_file, shipping, writer
from launcher.output.store import Output, Spool, SpooledOutput, SpoolWriter, StoredOutput, read_all, ship_all
from launcher.output.terminal import ERROR_OFF, ERROR_ON, PLAIN, style_after
from tests.fuzzing import examples
from tests.output.spools import Clock, assert_marks_are_right, full_disk, new_run, new_spool, set_sizes, write

LIMIT = 200
NOTICE = "left out here: OUTPUT_LIMIT_BYTES keeps the first"
pieces = st.lists(
    st.sampled_from([b"\n", b"line\n", b"\x1b[31m", b"\x1b[0m", b"\x1b[38;5;2", b"00mtext", ERROR_ON, ERROR_OFF])
    | st.builds(mul, st.sampled_from([b"a", b"word\n", "é✓\n".encode()]), st.integers(1, 40)),
    min_size=1,
    max_size=30,
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path / "spool", "OUTPUT_LIMIT_BYTES": LIMIT}
    set_sizes(monkeypatch, CHUNK_BYTES=64, MARK_BYTES=32, STEP_BYTES=16)


def numbered(count: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(1, count + 1))


def assert_head_and_tail_are_right(output: Output, data: bytes, *, is_ended: bool) -> None:
    gap = output.gap
    assert output.size == len(data)
    if gap is None:
        assert len(data) <= LIMIT + 16
        assert b"".join(read_all(output, 23)) == data
        return
    start, end = gap.start.offset, gap.end.offset
    assert start <= LIMIT // 2
    assert len(data) - end >= LIMIT // 2
    assert not is_ended or len(data) - (end - start) <= LIMIT + 64
    assert (gap.start.line, gap.end.line) == (data[:start].count(b"\n"), data[:end].count(b"\n"))
    assert gap.end.style == style_after(data[:end], PLAIN).code()
    assert output.read(0, 10**6) == data[:start]
    assert output.read(end, 10**6) == data[end:]
    assert [output.read(place, 50) for place in (start, (start + end) // 2, end - 1)] == [b""] * 3
    whole = b"".join(read_all(output, 23))
    assert whole.startswith(data[:start])
    assert whole.endswith(data[end:])
    assert whole.count(NOTICE.encode()) == 1
    if is_ended:
        assert_marks_are_right(output, data)


@examples(25)
@given(pieces)
# The one line that is too long for what is left is the last before the end that is kept.
@example([b"\n\n" + b"a" * 55, ERROR_OFF + ERROR_OFF + b"line\n", b"a" * 40, "é✓\n".encode() * 17])
def test_a_spool_beyond_its_limit_has_the_true_bytes_at_the_true_places(parts: list[bytes]) -> None:
    spool, data = new_spool(), b""
    writer = SpoolWriter(spool)
    output = SpooledOutput(spool)
    for part in parts:
        writer.append(part)
        data += part
        assert_head_and_tail_are_right(output, data, is_ended=False)
    writer.close()
    assert_head_and_tail_are_right(output, data, is_ended=True)
    assert (output.gap is not None) <= (len(data) > LIMIT)


@pytest.mark.django_db
@examples(25)
@given(pieces, st.lists(st.booleans(), min_size=30, max_size=30))
def test_the_database_gets_the_head_and_at_the_end_the_tail(parts: list[bytes], looks: list[bool]) -> None:
    run = new_run()
    spool, data = new_spool(run), b""
    writer = SpoolWriter(spool)
    source = SpooledOutput(spool)
    for part, is_shipped in zip(parts, looks, strict=False):
        writer.append(part)
        data += part
        if is_shipped:
            ship_all(run.pk, source, is_final=False)
            stored = b"".join(read_all(StoredOutput(run)))
            assert data.startswith(stored)
            assert len(stored) <= LIMIT + 16
    writer.close()
    assert ship_all(run.pk, source) == 0
    assert_head_and_tail_are_right(StoredOutput(run), data, is_ended=True)
    assert StoredOutput(run).gap == source.gap
    assert list(StoredOutput(run).times(0, len(data))) == list(source.times(0, len(data)))
    run.refresh_from_db()
    assert (run.output_bytes, run.output_lines) == (len(data), data.count(b"\n"))


@pytest.fixture(autouse=True)
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "time", Clock())


def discontinuities(run: Run) -> int:
    chunks = list(Chunk.objects.filter(run=run).order_by("offset"))
    return sum(one.offset + one.size != other.offset for one, other in pairwise(chunks))


@pytest.mark.django_db
def test_the_notice_says_how_much_is_left_out_and_why() -> None:
    run = new_run()
    spool = new_spool(run)
    write(spool, *numbered(1200).splitlines(keepends=True))
    ship_all(run.pk, SpooledOutput(spool))
    for output in (SpooledOutput(spool), StoredOutput(run)):
        lines = b"".join(read_all(output)).decode().splitlines()
        (notice,) = (line for line in lines if "left" in line)
        assert notice == (
            "… 1,177 lines (10.4\xa0KB) left out here: OUTPUT_LIMIT_BYTES keeps the first 95\xa0bytes "
            "and about as much of the end. …"
        )
        number = lines.index(notice)
        assert (lines[number - 1], lines[number + 1], lines[-1]) == ("line 13", "line 1191", "line 1200")


def test_without_a_limit_everything_is_kept(settings: Settings) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "OUTPUT_LIMIT_BYTES": 0}
    spool = new_spool()
    write(spool, *[b"line\n" * 20] * 20)
    assert SpooledOutput(spool).gap is None
    assert b"".join(read_all(SpooledOutput(spool))) == b"line\n" * 400


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.django_db
def test_a_limit_next_to_nothing_is_kept_too(settings: Settings, limit: int) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "OUTPUT_LIMIT_BYTES": limit}
    run = new_run()
    spool = new_spool(run)
    write(spool, *[b"line\n"] * 50)
    assert ship_all(run.pk, SpooledOutput(spool)) == 0
    for output in (SpooledOutput(spool), StoredOutput(run)):
        assert b"".join(read_all(output)).endswith("…\nline\n".encode())


def test_the_disk_gets_its_space_back_while_it_grows(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "OUTPUT_LIMIT_BYTES": 1024 * 1024}
    set_sizes(monkeypatch, STEP_BYTES=256 * 1024, MARK_BYTES=1024)
    spool = new_spool()
    writer = SpoolWriter(spool)
    most = 0
    for _ in range(200):
        writer.append(b"a line of output\n" * 4000)
        most = max(most, sum(os.stat(path).st_blocks for path in (spool.output_path, spool.index_path)) * 512)
    writer.close()
    if not punches(spool):
        pytest.skip("This disk can't make holes in files.")
    assert writer.size > 13_000_000
    assert most < 2_000_000


def punches(spool: Spool) -> bool:
    with open(spool.folder / "try", "w+b") as file:
        file.write(bytes(100))
        return holes.punch(file.fileno(), 0, 50)


def test_a_hole_reads_as_nul_and_leaves_the_size(tmp_path: Path) -> None:
    with open(tmp_path / "file", "w+b", buffering=0) as file:
        file.write(b"x" * 100)
        if not holes.punch(file.fileno(), 10, 90):
            pytest.skip("This disk can't make holes in files.")
        assert (tmp_path / "file").read_bytes() == b"x" * 10 + bytes(80) + b"x" * 10
        assert not holes.punch(file.fileno(), 5, 5)
    assert not holes.punch(-1, 0, 5)


@pytest.mark.django_db
def test_where_the_disk_knows_no_holes_it_alone_keeps_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(output_file, "punch", lambda descriptor, start, end: False)
    run = new_run()
    spool = new_spool(run)
    data = numbered(300)
    write(spool, *data.splitlines(keepends=True))
    assert spool.output_path.read_bytes() == data
    assert_head_and_tail_are_right(SpooledOutput(spool), data, is_ended=True)
    ship_all(run.pk, SpooledOutput(spool))
    assert_head_and_tail_are_right(StoredOutput(run), data, is_ended=True)
    assert caplog.text.count("can't make holes") == 1


def test_a_disk_too_full_to_note_the_gap_leaves_nothing_out() -> None:
    spool = new_spool()
    writer = SpoolWriter(spool)
    with full_disk(0):
        writer._file._widen_gap()
    for line in numbered(60).splitlines(keepends=True):
        writer.append(line)
    writer.close()
    assert_head_and_tail_are_right(SpooledOutput(spool), numbered(60), is_ended=True)


@pytest.mark.django_db
def test_what_was_stored_before_the_limit_was_reached_makes_way_for_the_tail() -> None:
    run = new_run()
    spool = new_spool(run)
    writer, source, data = SpoolWriter(spool), SpooledOutput(spool), numbered(100)
    for line in data.splitlines(keepends=True):
        writer.append(line)
        if writer.size <= LIMIT:
            ship_all(run.pk, source, is_final=False)
    assert StoredOutput(run).size > LIMIT // 2
    assert discontinuities(run) == 0
    writer.close()
    assert ship_all(run.pk, source) == 0
    assert discontinuities(run) == 1
    assert_head_and_tail_are_right(StoredOutput(run), data, is_ended=True)


@pytest.mark.django_db
def test_while_it_goes_on_nothing_beyond_the_head_is_stored_once_the_limit_is_passed() -> None:
    run = new_run()
    spool = new_spool(run)
    writer, source = SpoolWriter(spool), SpooledOutput(spool)
    for line in numbered(100).splitlines(keepends=True):
        writer.append(line)
    ship_all(run.pk, source, is_final=False)
    assert source.gap
    assert StoredOutput(run).size == source.gap.start.offset
    assert ship_all(run.pk, source, is_final=False) > 0
    writer.close()


@pytest.mark.django_db
def test_after_a_kill_the_spool_still_gives_head_and_tail() -> None:
    run = new_run()
    spool = new_spool(run)
    data = numbered(100)
    pid = os.fork()
    if not pid:
        writer = SpoolWriter(spool)
        for line in data.splitlines(keepends=True):
            writer.append(line)
        os._exit(0)
    os.waitpid(pid, 0)
    assert ship_all(run.pk, SpooledOutput(spool)) == 0
    assert_head_and_tail_are_right(StoredOutput(run), data, is_ended=False)
    assert discontinuities(run) == 1


@pytest.mark.django_db
def test_shipping_the_end_too_early_costs_nothing_but_work() -> None:
    run = new_run()
    spool = new_spool(run)
    writer, source, data = SpoolWriter(spool), SpooledOutput(spool), numbered(150)
    for number, line in enumerate(data.splitlines(keepends=True)):
        writer.append(line)
        if number % 20 == 0:
            ship_all(run.pk, source)
    writer.close()
    assert ship_all(run.pk, source) == 0
    assert_head_and_tail_are_right(StoredOutput(run), data, is_ended=True)
    assert discontinuities(run) == 1


@pytest.mark.django_db
def test_shipping_the_end_can_be_broken_off_and_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    set_sizes(monkeypatch, BATCH_CHUNKS=1)
    run = new_run()
    spool = new_spool(run)
    data = numbered(100)
    write(spool, *data.splitlines(keepends=True))
    source = SpooledOutput(spool)
    for _ in range(3):
        shipping.ship(run.pk, source)
    assert shipping.ship(run.pk, source)
    assert ship_all(run.pk, source) == 0
    assert_head_and_tail_are_right(StoredOutput(run), data, is_ended=True)


def test_the_gap_stays_known_when_the_spool_is_removed_meanwhile() -> None:
    spool = new_spool()
    writer = SpoolWriter(spool)
    source, data = SpooledOutput(spool), numbered(100)
    for number, line in enumerate(data.splitlines(keepends=True)):
        writer.append(line)
        if number == 40:
            spool.remove()
    writer.close()
    assert_head_and_tail_are_right(source, data, is_ended=True)


def test_readers_beside_the_writer_never_see_a_hole() -> None:
    spool = new_spool()
    writer = SpoolWriter(spool)
    is_over, seen = threading.Event(), list[bytes]()

    def read() -> None:
        source = SpooledOutput(spool)
        while not is_over.is_set():
            seen.append(b"".join(read_all(source, 50)))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(3000):
        writer.append(b"line %d\n" % number)
    is_over.set()
    for reader in readers:
        reader.join()
    writer.close()
    assert seen
    assert not any(b"\0" in data for data in seen)
