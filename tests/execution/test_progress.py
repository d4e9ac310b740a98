"""How far a run is: reports and bars come from its process to the page's host and to the database, and no further."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User

import launcher
from launcher import reporting, runs
from launcher.execution.progress import Pace, Progress, ProgressWatch, doing_of, without_reports
from launcher.execution.ring import Link, RingReader, RingWriter, make_link
from launcher.execution.shipper import Shipper
from launcher.models import Run, Status
from launcher.output.store import Spool, SpoolWriter, host_name
from launcher.reporting import MOST_AT_ONCE, Reporter, written
from tests.pages import stored_run
from tests.waiting import bytes_of, output_of, wait_for, wait_until_finished


def ended(user: User, *argv: str) -> Run:
    return wait_until_finished(runs.start_run("run_progresses", argv, user=user))


def progress_of(run: Run) -> Progress:
    run.refresh_from_db()
    found = doing_of(run).progress
    assert found is not None
    return found


def reached(run: Run) -> tuple[float | None, float | None]:
    progress = progress_of(run)
    return progress.done, progress.total


# Through a real run


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["api", "thread"])
def test_what_it_reports_is_kept_and_is_not_in_its_output(owner: User, way: str) -> None:
    run = ended(owner, way, "--total", "300", "--note", "ignored" if way == "thread" else "über <b>")
    assert reached(run) == (300, 300)
    assert (progress_of(run).source, progress_of(run).percent) == ("api", 100)
    assert bytes_of(run) == b"It begins.\n"
    assert progress_of(run).note == ("" if way == "thread" else "über <b>")
    assert run.last_line == ""


@pytest.mark.django_db(transaction=True)
def test_a_run_that_goes_on_says_how_far_it_is_here_and_in_the_database(owner: User, gate: Path) -> None:
    argv = ["api", "--total", "1000", "--at", "312", "--gate", str(gate), "--lines", "--until", "400"]
    run = runs.start_run("run_progresses", argv, user=owner)
    wait_for(lambda: output_of(run).endswith("step 312\n"))
    wait_for(lambda: Run.objects.filter(pk=run.pk, progress__total=1000, last_line="step 312").exists())
    run.refresh_from_db()
    assert doing_of(run).last_line == "step 312"
    wait_for(lambda: progress_of(run).done == 312)
    gate.touch()
    assert wait_until_finished(run).status == Status.SUCCEEDED
    assert reached(run) == (400, 1000)


@pytest.mark.django_db(transaction=True)
def test_a_subprocess_reports_by_the_terminal_whatever_becomes_of_its_output(owner: User) -> None:
    run = ended(owner, "apart", "--total", "2")
    assert (reached(run), progress_of(run).note) == ((2, 2), "apart")
    assert output_of(run) == "It begins.\n"


@pytest.mark.django_db(transaction=True)
def test_a_bar_and_what_it_tells_its_terminal_are_seen(owner: User) -> None:
    bar = progress_of(ended(owner, "bar", "--total", "40"))
    assert (bar.source, bar.percent, bar.total) == ("bar", 100, None)
    terminal = progress_of(ended(owner, "terminal", "--total", "40", "--until", "10"))
    assert (terminal.source, terminal.percent) == ("terminal", 25)


@pytest.mark.django_db(transaction=True)
def test_nonsense_is_no_progress_and_breaks_no_command(owner: User) -> None:
    run = ended(owner, "nonsense", "--total", "2")
    assert (run.status, run.progress) == (Status.SUCCEEDED, None)


@pytest.mark.django_db(transaction=True)
def test_how_far_it_came_before_it_failed_is_kept(owner: User) -> None:
    run = ended(owner, "api", "--total", "1000", "--until", "312", "--fail")
    assert run.status == Status.FAILED
    assert reached(run) == (312, 1000)


# What is reported


@pytest.fixture
def sent() -> list[bytes]:
    return []


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A clock that stands still until it is told to go on."""
    now = 1000.0

    def go_on(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(reporting, "monotonic", lambda: now)
    return go_on


def test_outside_of_a_run_nothing_happens(capfd: pytest.CaptureFixture[str]) -> None:
    launcher.progress(1, 2, "note")
    launcher.progress("nonsense")  # type: ignore[arg-type]
    assert capfd.readouterr() == ("", "")


def test_a_million_reports_are_few_sequences_and_the_last_is_one(sent: list[bytes], clock: object) -> None:
    reporter = Reporter(sent.append)
    for done in range(0, 1_000_000, 7):
        reporter.report(done, 1_000_000, "")
    assert 500 < len(sent) < 1100
    reporter.finish()
    assert sent[-1] == written(999_999, 1_000_000, "")
    reporter.finish()
    assert len(sent) < 1100


def test_of_up_to_a_thousand_steps_none_is_left_out(sent: list[bytes], clock: object) -> None:
    reporter = Reporter(sent.append)
    for done in range(421):
        reporter.report(done, 1000, "")
    assert sent[-1] == written(420, 1000, "")
    assert len(sent) == 421


def test_no_more_than_so_many_are_passed_on_however_wild_they_are(
    sent: list[bytes], clock: Callable[[float], None]
) -> None:
    reporter = Reporter(sent.append)
    for number in range(10_000):
        reporter.report(number % 2, 2, "")
    assert len(sent) == MOST_AT_ONCE
    clock(1)
    for number in range(10_000):
        reporter.report(number % 2, 2, "")
    assert len(sent) == MOST_AT_ONCE + 10


def test_a_slow_command_has_each_of_its_reports_passed_on(sent: list[bytes], clock: Callable[[float], None]) -> None:
    reporter = Reporter(sent.append)
    for done in range(50):
        reporter.report(done, 100_000, f"row {done}")
        clock(0.11)
    assert sent == [written(done, 100_000, f"row {done}") for done in range(50)]


def test_a_report_costs_next_to_nothing(sent: list[bytes]) -> None:
    reporter = Reporter(sent.append)
    started = time.perf_counter()
    for done in range(100_000):
        reporter.report(done, 100_000, "")
    assert time.perf_counter() - started < 1


# What is taken from the output


def watch_of(*pieces: bytes) -> tuple[ProgressWatch, bytes]:
    """Return a watch that has taken the pieces, and what was left of them."""
    watch = ProgressWatch()
    return watch, b"".join(watch.take(piece) for piece in pieces) + watch.rest()


def seen(*pieces: bytes) -> Progress | None:
    watch, _ = watch_of(*pieces)
    watch.look(is_last=True)
    return watch.doing.progress


def test_a_report_is_taken_out_wherever_it_is_cut() -> None:
    data = b"before\n" + written(3, 10, "a note") + b"behind \x1b[1mbold\x1b[0m" + written(4, 10, "") + b"\x1b]"
    for cut in range(len(data)):
        watch, rest = watch_of(data[:cut], data[cut:])
        if rest.replace(b"\x1b]7711;", b"") != rest:
            # Two bytes of it are too little to hold back; a terminal swallows it then.
            assert data[:cut].endswith((b"\x1b", b"\x1b]"))
            continue
        assert rest == b"before\nbehind \x1b[1mbold\x1b[0m\x1b]"
        watch.look(is_last=True)
        assert watch.doing.progress is not None
        assert watch.doing.progress.done == 4


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"done":true}',
        b'{"done":"3"}',
        b'{"done":NaN}',
        b'{"done":1e400}',
        b'{"done":' + b"9" * 300 + b"}",
        b"[" * 3000,
        b"\xff\xfe",
    ],
)
def test_a_report_that_is_none_is_swallowed(text: bytes) -> None:
    watch, rest = watch_of(b"a\x1b]7711;" + text + b"\x07b")
    watch.look(is_last=True)
    assert (rest, watch.doing.progress) == (b"ab", None)


def test_what_only_begins_like_a_report_stays() -> None:
    for data in (b"\x1b]7711;never ended\nmore", b"\x1b]7711;" + b"x" * 10_000, b"\x1b]7;file:///tmp\x07", b"\x1b]77"):
        assert watch_of(data)[1] == data
        assert watch_of(*[bytes([byte]) for byte in data])[1] == data


def test_texts_are_such_that_any_database_takes_them() -> None:
    progress = seen(b'\x1b]7711;{"done":1,"note":"a\\u0000b\\ud800 \\u001b[1mc"}\x07')
    assert progress is not None
    assert progress.note == "a\N{REPLACEMENT CHARACTER}b? \N{REPLACEMENT CHARACTER}[1mc"


def test_who_reports_is_believed_more_than_a_bar() -> None:
    bar = b"\r[########----]  66%"
    progress = seen(bar + written(1, 10, ""))
    assert progress is not None
    assert (progress.source, progress.done) == ("api", 1)
    watch = ProgressWatch()
    for piece in (written(1, 10, ""), bar):
        watch.take(piece)
        watch.look(is_last=True)
    assert watch.doing.progress is not None
    assert watch.doing.progress.source == "api"


def test_the_last_line_is_the_text_that_is_no_bar() -> None:
    watch, _ = watch_of("first\n\x1b[32mzählt ".encode(), "ü".encode()[:1], "ü".encode()[1:] + b"\x1b[0m\n\n\r")
    watch.look(is_last=True)
    assert watch.doing.last_line == "zählt ü"
    watch.take(b"[########----]  66%")
    watch.look(is_last=True)
    assert watch.doing.last_line == "zählt ü"


def test_of_megabytes_only_the_end_is_looked_at() -> None:
    watch, _ = watch_of(b"x" * 5_000_000, b"\n[####--------] 33%\rlast")
    watch.look(is_last=True)
    assert watch.doing.last_line == "last#--------] 33%"


def test_after_a_death_no_output_is_twice_or_missing_for_the_reports_between(tmp_path: Path) -> None:
    reader = RingReader(tmp_path / "ring", is_new=True)
    ours, childs = make_link()
    stored = bytearray()

    def store(piece: bytes) -> int:
        stored.extend(without_reports(piece))
        return len(without_reports(piece))

    def read(start: int, size: int) -> bytes:
        return bytes(stored[start : start + size])

    with ours, childs:
        ring = RingWriter(reader.path, Link(childs.fileno()))
        for piece in (b"one\n", written(1, 2, ""), b"two\n"):
            ring.write(piece)
        reader.take(store, lambda: None)
        for piece in (b"three\n", written(2, 2, ""), b"four\n"):
            ring.write(piece)
        assert reader.rest(len(stored), read, without_reports) == b"three\nfour\n"
        stored.extend(b"three\nfour\n")  # and then it died, before it could count that
        assert reader.rest(len(stored), read, without_reports) == b""


# How fast


def test_the_rate_is_smoothed_and_something_new_begins_anew() -> None:
    pace = Pace()
    rates = [pace.rate_after(now, 10.0 * now, "a") for now in range(5)]
    assert rates == [None, 10, 10, 10, 10]
    faster = pace.rate_after(5, 90, "a")
    assert faster is not None
    assert 10 < faster < 14
    assert pace.rate_after(6, 5, "a") is None
    assert pace.rate_after(7, 10, "b") is None


def test_of_one_that_stands_still_no_time_is_told() -> None:
    pace = Pace()
    for now in range(4):
        pace.rate_after(now, now, "a")
    assert not pace.is_stalled(12)
    assert pace.is_stalled(14)
    assert not pace.is_stalled(15)


# For other hosts


@pytest.mark.django_db
def test_the_database_is_told_once_a_second_at_most_and_only_what_is_new() -> None:
    run = stored_run(status=Status.RUNNING, host=host_name())
    spool = Spool(run.uid)
    spool.make()
    writer = SpoolWriter(spool)
    shipper = Shipper(run.pk, spool, [])
    watch, _ = watch_of(written(1, 10, "") + b"one\n")
    doing = watch.look(is_last=True)
    assert doing is not None
    shipper.tell_doing(doing)
    shipper._look_and_ship()
    run.refresh_from_db()
    assert (progress_of(run).done, run.last_line) == (1, "one")
    watch.take(b"two\n")
    later = watch.look(is_last=True)
    assert later is not None
    shipper.tell_doing(later)
    shipper._look_and_ship()
    run.refresh_from_db()
    assert run.last_line == "one"
    shipper._doing_told_at -= 2
    shipper._look_and_ship()
    run.refresh_from_db()
    assert run.last_line == "two"
    writer.close()
    spool.remove()
