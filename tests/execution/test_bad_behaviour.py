"""Commands that harm their own process, or everybody's machine: each ends in the right state and leaves nothing behind.

After every test the next run must work, and no process of the test's runs may be there any more.
"""

import os
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from launcher import runs
from launcher.execution.identity import is_alive
from launcher.models import UNFINISHED, Run, Status
from launcher.output.store import Spool, open_output, read_all
from launcher.output.terminal import ERROR_OFF, ERROR_ON
from tests.processes import started_processes
from tests.waiting import output_of, wait_for, wait_until_finished
from tests.zoo.management.commands import run_fills_disk, run_floods, run_juggles

pytestmark = pytest.mark.django_db(transaction=True)

LINE = run_fills_disk.PIECE
MEGABYTE = 1024 * 1024
Start = Callable[..., Run]


@pytest.fixture(scope="module", autouse=True)
def surroundings(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Have Stop lose no time, and whatever serves all of the module's runs be there before processes are counted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAUNCHER_TEST_STOP_GRACE_SECONDS", "0.3")
        patch.delenv("PYTHONUNBUFFERED", raising=False)  # it would hide that something is never flushed
        with django_db_blocker.unblock():
            user = User.objects.create_superuser("somebody")
            wait_until_finished(runs.start_run("run_ends", ["well"], user=user)).delete()
            user.delete()
        yield


@pytest.fixture(autouse=True)
def no_harm_done(owner: User) -> Iterator[None]:
    """After each test, the next run works and no process is left behind."""
    before = started_processes()
    yield
    for run in Run.objects.filter(status__in=UNFINISHED):  # the test has failed
        runs.stop_run(run, user=owner)
        wait_until_finished(run)
    run = wait_until_finished(runs.start_run("run_ends", ["well"], user=owner))
    assert (run.status, output_of(run)) == (Status.SUCCEEDED, "before the end\n")
    wait_for(lambda: not started_processes() - before)


@pytest.fixture
def start(owner: User) -> Start:
    """What starts a run; its `uid` names its spool beforehand."""

    def start(command: str, *argv: object, uid: UUID | None = None) -> Run:
        return runs.start_run(command, [str(word) for word in argv], user=owner, uid=uid)

    return start


def bytes_of(run: Run) -> bytes:
    """Return what the run has written by now, as it was written: without the marks around errors."""
    return b"".join(read_all(open_output(run))).replace(ERROR_ON, b"").replace(ERROR_OFF, b"")


def text_of(run: Run) -> str:
    return bytes_of(run).decode("utf-8", "replace")


def wait_until_said(run: Run, text: str) -> None:
    def is_said() -> bool:
        run.refresh_from_db()
        return text in text_of(run)

    wait_for(is_said)


def ended(run: Run) -> tuple[str, int | None, str]:
    """Wait for the end, and return how it was."""
    wait_until_finished(run, 60)
    return run.status, run.exit_code, run.reason


WELL = (Status.SUCCEEDED, 0, "")


# What it writes


def test_nul_bytes_are_kept(start: Start) -> None:
    run = start("run_floods", "nul")
    assert ended(run) == WELL
    assert bytes_of(run) == b"at first\nbefore\0after\nat last\n"


def test_bytes_that_are_no_text_are_kept_by_whichever_way_they_come(start: Start) -> None:
    run = start("run_floods", "bad-utf-8")
    assert ended(run) == WELL
    written = b"half a character: \xe2\x82, no character: \xff\xfe, a surrogate: \xed\xa0\x80\n"
    assert bytes_of(run) == b"at first\n" + written + b"at last\n"


def test_a_line_of_ten_megabytes_is_kept_whole(start: Start) -> None:
    run = start("run_floods", "long-line")
    assert ended(run) == WELL
    assert bytes_of(run) == b"at first\n" + b"x" * run_floods.LONG_LINE_BYTES + b"\nat last\n"
    assert run.output_lines == 3


def test_a_million_lines_at_once_are_kept_in_order(start: Start) -> None:
    run = start("run_floods", "many-lines")
    assert ended(run) == WELL
    first, *lines, last = text_of(run).splitlines()
    assert (first, last) == ("at first", "at last")
    assert len(lines) == run_floods.MANY_LINES
    assert all(line == f"line {number}" for number, line in enumerate(lines))


def test_a_long_silence_is_no_illness(start: Start, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run = start("run_waits", gate)
    wait_until_said(run, "waiting")
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Run.objects.filter(pk=run.pk).update(queued_at=an_hour_ago, started_at=an_hour_ago, heartbeat_at=an_hour_ago)
    wait_for(lambda: is_running_and_beating(run))
    gate.touch()
    assert ended(run) == WELL
    assert text_of(run) == "waiting\ndone\n"


def is_running_and_beating(run: Run) -> bool:
    run.refresh_from_db()
    runs.reconcile([run])
    assert run.status == Status.RUNNING
    assert run.heartbeat_at is not None
    return timezone.now() - run.heartbeat_at < timedelta(minutes=1)


# Output and errors in one order


@pytest.fixture
def alternating(start: Start) -> bytes:
    """What was stored of 20,000 lines that went to output and errors by turns."""
    run = start("run_alternates", 10_000)
    assert ended(run) == WELL
    return b"".join(read_all(open_output(run)))


def lines_with_origin(data: bytes) -> list[tuple[bytes, bool]]:
    """Return each line's text, and whether its first byte came by stderr according to the marks."""
    lines: list[tuple[bytes, bool]] = []
    text, is_error, is_error_line = b"", False, False
    for piece in re.split(rb"(\x1b\[771[01]m|\n)", data):
        if piece in (ERROR_ON, ERROR_OFF):
            is_error = piece == ERROR_ON
        elif piece == b"\n":
            lines.append((text, is_error_line))
            text = b""
        else:
            is_error_line = is_error if not text else is_error_line
            text += piece
    return lines


def test_no_line_is_out_of_order_though_two_streams_take_turns(alternating: bytes) -> None:
    lines = [line for line, _ in lines_with_origin(alternating)]
    expected = [f"{stream} {number}".encode() for number in range(10_000) for stream in ("out", "err")]
    assert len(lines) == len(expected)
    assert sum(line != right for line, right in zip(lines, expected, strict=True)) == 0


def test_every_line_is_known_for_output_or_error(alternating: bytes) -> None:
    mislabelled = [line for line, is_error in lines_with_origin(alternating) if line.startswith(b"err") is not is_error]
    assert len(mislabelled) == 0


# A disk that takes no more


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Put a file system of 256 KB on the folder; yields False where only a more powerful user may do that."""
    folder.mkdir(mode=0o700, parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "launcher-test", str(folder)]
    is_mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def limit_files(run: Run) -> None:
    """Let the run's supervisor write no file beyond a size that leaves the database some room to grow."""
    assert run.pid is not None
    limit = settings.TEST_DATABASE.stat().st_size + 4 * MEGABYTE
    resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (limit, limit))


def too_many_pieces() -> int:
    """Return how many lines are more than `limit_files` allows."""
    return int(settings.TEST_DATABASE.stat().st_size + 6 * MEGABYTE) // len(LINE)


def assert_tells_what_is_missing(run: Run, written: bytes) -> None:
    """Assert that it ended well, that what was stored is a beginning, and that the reason counts the rest."""
    status, exit_code, reason = ended(run)
    assert (status, exit_code) == (Status.SUCCEEDED, 0), reason
    kept = bytes_of(run)
    assert 0 < len(kept) < len(written)
    assert written.startswith(kept)
    assert "missing" in reason
    assert str(len(written) - len(kept)) in re.findall(r"\d+", reason)


def test_a_command_that_fills_the_disk_of_its_record_goes_on_to_its_end(start: Start, tmp_path: Path) -> None:
    gate, proof, uid = tmp_path / "gate", tmp_path / "proof", uuid4()
    with small_disk(Spool(uid).folder) as is_mounted:
        pieces = 10_000 if is_mounted else too_many_pieces()
        fill = [f"--folder={Spool(uid).folder}"] if is_mounted else []
        run = start("run_fills_disk", gate, proof, *fill, f"--pieces={pieces}", uid=uid)
        wait_until_said(run, "at first")
        if not is_mounted:  # then as in the next test, which anybody may
            limit_files(run)
        gate.touch()
        said = b"at first\nthe disk is full\n" if is_mounted else b"at first\n"
        assert_tells_what_is_missing(run, said + LINE * pieces)
    assert proof.exists()


def test_a_supervisor_whose_files_can_not_grow_lets_the_command_go_on(start: Start, tmp_path: Path) -> None:
    gate, proof = tmp_path / "gate", tmp_path / "proof"
    pieces = too_many_pieces()
    run = start("run_fills_disk", gate, proof, f"--pieces={pieces}")
    wait_until_said(run, "at first")
    limit_files(run)
    gate.touch()
    assert_tells_what_is_missing(run, b"at first\n" + LINE * pieces)
    assert proof.exists()


# What it does to its own process


def test_closing_output_and_errors_ends_neither_the_run_nor_the_record(start: Start, tmp_path: Path) -> None:
    run = start("run_breaks", "close-output", "--folder", tmp_path)
    wait_for((tmp_path / "closed").exists)
    wait_until_said(run, "at first")
    run.refresh_from_db()
    assert run.status == Status.RUNNING
    (tmp_path / "gate").touch()
    assert ended(run) == WELL
    assert (tmp_path / "done").exists()
    assert text_of(run) == "at first\n"


def test_stop_ends_a_command_that_has_closed_its_output(start: Start, tmp_path: Path) -> None:
    run = start("run_breaks", "close-output", "--folder", tmp_path)
    wait_for((tmp_path / "closed").exists)
    runs.stop_run(run, user=run.user)
    assert ended(run)[0] == Status.STOPPED
    assert text_of(run).startswith("at first\nTraceback")
    assert "launcher" not in text_of(run)


def test_changed_surroundings_do_no_harm(start: Start) -> None:
    run = start("run_breaks", "surroundings")
    assert ended(run) == WELL
    assert text_of(run) == "at first\n"


def test_changed_surroundings_hide_no_exception(start: Start) -> None:
    run = start("run_breaks", "surroundings", "--fail")
    assert ended(run) == (Status.FAILED, 1, "ZeroDivisionError: broken in the end")
    assert run.traceback.startswith("Traceback (most recent call last):")


@pytest.mark.parametrize("how", ["segfault", "stack"])
def test_a_crash_of_the_interpreter_is_told_by_its_signal(start: Start, how: str) -> None:
    run = start("run_breaks", how)
    assert ended(run) == (Status.FAILED, -signal.SIGSEGV, "Killed by signal SIGSEGV.")
    assert text_of(run) == "at first\n"


def test_endless_recursion_fails_with_a_traceback_that_is_no_longer_than_needed(start: Start) -> None:
    run = start("run_breaks", "recursion")
    status, exit_code, reason = ended(run)
    assert (status, exit_code) == (Status.FAILED, 1)
    assert reason.startswith("RecursionError: maximum recursion depth exceeded")
    assert "times]" in run.traceback
    assert text_of(run).startswith("at first\nTraceback")


def test_a_command_without_any_memory_left_fails_with_the_reason(start: Start) -> None:
    run = start("run_breaks", "memory")
    assert ended(run) == (Status.FAILED, 1, "MemoryError")
    assert text_of(run).startswith("at first\nTraceback")
    assert run.traceback.rstrip().endswith("MemoryError")


@pytest.mark.parametrize(
    ("argv", "end"), [([], WELL), (["--fail"], (Status.FAILED, 1, "ZeroDivisionError: broken in the end"))]
)
def test_a_command_that_removes_all_it_stands_on_loses_no_output(
    start: Start, argv: list[str], end: tuple[str, int, str]
) -> None:
    uid = uuid4()
    run = start("run_breaks", "own-files", "--folder", Spool(uid).folder, *argv, uid=uid)
    assert ended(run) == end
    assert text_of(run).startswith("at first\nall removed\n")
    assert not Spool(uid).folder.exists()


# Processes and threads


def test_a_fork_that_returns_as_well_says_nothing_twice(start: Start) -> None:
    run = start("run_lingers", "fork")
    assert ended(run) == WELL
    assert text_of(run) == "at first\nfrom the fork\nfrom the parent\n"


def test_a_fork_that_fails_as_well_garbles_no_reason(start: Start) -> None:
    run = start("run_lingers", "fork", "--fail")
    assert ended(run) == (Status.FAILED, 1, "ZeroDivisionError: failed in the end")
    assert run.traceback.count("Traceback (most recent call last):") == 1


def test_what_a_fork_said_before_it_left_at_once_is_kept(start: Start) -> None:
    run = start("run_lingers", "fork-that-leaves")
    assert ended(run) == WELL
    assert text_of(run) == "at first\nfrom the fork\nfrom the parent\n"


def test_a_program_that_takes_the_commands_place_ends_the_run(start: Start) -> None:
    run = start("run_lingers", "exec")
    assert ended(run) == WELL
    assert text_of(run) == "at first\nfrom the new program\n"


def test_a_daemon_outlives_its_run_as_on_the_shell(start: Start) -> None:
    run = start("run_lingers", "daemon")
    assert ended(run) == WELL
    daemon = int(text_of(run).rpartition(" ")[2])
    wait_for(lambda: not is_alive(run.pid or 0, run.pid_started))
    assert daemon in started_processes()
    os.kill(daemon, signal.SIGKILL)


def test_stop_kills_a_whole_family_that_does_not_listen(start: Start) -> None:
    run = start("run_lingers", "deaf-family")
    wait_until_said(run, "the parent is deaf\n")
    wait_until_said(run, "the fork is deaf\n")
    runs.stop_run(run, user=run.user)
    assert ended(run) == (Status.STOPPED, -signal.SIGKILL, "Stopped by SIGKILL.")
    assert [name for name, _ in run.stop_steps] == ["SIGINT", "SIGTERM", "SIGKILL"]


def test_a_thread_that_never_ends_keeps_the_run_going_until_it_is_stopped(start: Start) -> None:
    run = start("run_lingers", "thread")
    wait_until_said(run, "a thread is still here\n")
    run.refresh_from_db()
    assert run.status == Status.RUNNING
    runs.stop_run(run, user=run.user)
    assert ended(run)[0] == Status.STOPPED
    assert text_of(run).startswith("at first\na thread is still here\n")


def test_a_daemon_thread_keeps_nothing_going(start: Start) -> None:
    run = start("run_lingers", "daemon-thread")
    assert ended(run) == WELL
    assert text_of(run) == "at first\n"


# Several things in one process


def test_a_command_may_call_others_and_outlive_their_ends(start: Start) -> None:
    run = start("run_juggles", "commands")
    assert ended(run) == WELL
    end = "before the end\n"
    said = f"{end}{end}it left with 3\n{end}it failed with It can't be done.\n"
    assert text_of(run) == f"at first\n{said}at last\n"


def test_the_error_of_a_command_within_is_the_runs_own(start: Start) -> None:
    run = start("run_juggles", "commands", "--fail")
    assert ended(run) == (Status.FAILED, 1, "CommandError: It can't be done.")


def test_thousands_of_coroutines_lose_no_line(start: Start) -> None:
    run = start("run_juggles", "coroutines")
    assert ended(run) == WELL
    first, *lines, last = text_of(run).splitlines()
    steps = [(task, step) for step in range(run_juggles.STEPS) for task in range(run_juggles.TASKS)]
    assert (first, last) == ("at first", "at last")
    assert lines == [f"task {task} step {step}" for task, step in steps]
