"""Real runs in real processes: what is captured, how ends are told, that stops stop, and that nothing is lost."""

import errno
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import OperationalError

from launcher import runs
from launcher.engines import engine, local
from launcher.execution import dispatch
from launcher.execution.identity import is_alive, process_start
from launcher.execution.ring import Link, RingReader, RingWriter, make_link
from launcher.models import Chunk, Run, Status
from launcher.output.store import Spool, open_output, read_all
from tests.waiting import bytes_of, output_of, wait_for, wait_until_finished
from tests.zoo.management.commands.run_misbehaves import NOISE

pytestmark = pytest.mark.django_db(transaction=True)


def finished(user: User, command: str, *argv: str) -> Run:
    return wait_until_finished(runs.start_run(command, argv, user=user))


def waiting(user: User, tmp_path: Path, *argv: str) -> Run:
    """Start a run that waits for the file `gate`, and return it once it has said so."""
    run = runs.start_run("run_waits", [str(tmp_path / "gate"), *argv], user=user)
    wait_for(lambda: "waiting" in output_of(reloaded(run)))
    return run


def reloaded(run: Run) -> Run:
    run.refresh_from_db()
    return run


def test_output_is_captured_whichever_way_it_is_written(owner: User) -> None:
    run = finished(owner, "run_speaks")
    text = output_of(run)
    ways = ["self.stdout", "self.stderr", "print", "print to stderr", "logging", "os.write", "a subprocess"]
    assert [way for way in ways if f"by {way}" not in text] == []
    assert text.endswith("without a newline")


def test_output_has_the_colours_of_a_terminal(owner: User) -> None:
    assert "\x1b[32;1mby self.stdout\x1b[0m\n" in output_of(finished(owner, "run_speaks"))


def test_no_color_is_honoured(owner: User) -> None:
    assert "\x1b[" not in output_of(finished(owner, "run_speaks", "--no-color"))


def test_output_is_in_the_database_once_the_run_has_ended_and_the_spool_is_gone(owner: User) -> None:
    run = finished(owner, "run_speaks")
    wait_for(lambda: not Spool(run.uid).folder.exists())
    assert Chunk.objects.filter(run=run).count() == 1
    assert run.output_bytes == len(bytes_of(run))


@pytest.mark.parametrize(
    ("how", "status", "exit_code", "reason"),
    [
        ("well", Status.SUCCEEDED, 0, ""),
        ("command-error", Status.FAILED, 1, "CommandError: It can't be done."),
        ("returncode", Status.FAILED, 7, "CommandError: It can't be done."),
        ("exception", Status.FAILED, 1, "ZeroDivisionError: nothing to divide by"),
        ("sys-exit", Status.FAILED, 3, "Ended with exit code 3."),
        ("sys-exit-text", Status.FAILED, 1, "Ended with exit code 1."),
        ("os-exit", Status.FAILED, 5, "Ended with exit code 5."),
        ("signal", Status.FAILED, -11, "Killed by signal SIGSEGV."),
        ("real-time-signal", Status.FAILED, -40, "Killed by signal 40."),
    ],
)
def test_each_end_is_recorded_as_what_it_was(
    owner: User, how: str, status: Status, exit_code: int, reason: str
) -> None:
    run = finished(owner, "run_ends", how)
    assert (run.status, run.exit_code, run.reason) == (status, exit_code, reason)


def test_what_was_printed_before_a_violent_end_is_kept(owner: User) -> None:
    for how in ("os-exit", "signal"):
        assert "before the end" in output_of(finished(owner, "run_ends", how))


def test_an_exception_leaves_its_traceback_in_the_record_and_in_the_output(owner: User) -> None:
    run = finished(owner, "run_ends", "exception")
    assert run.traceback.startswith("Traceback (most recent call last):")
    assert "run_ends.py" in run.traceback
    assert run.traceback.strip() in output_of(run).replace("\r", "")


def test_a_command_error_is_printed_as_on_the_shell(owner: User) -> None:
    assert "CommandError: It can't be done." in output_of(finished(owner, "run_ends", "command-error"))
    assert "Traceback" not in output_of(finished(owner, "run_ends", "command-error"))


def test_traceback_option_shows_where_a_command_error_comes_from(owner: User) -> None:
    assert "Traceback" in output_of(finished(owner, "run_ends", "command-error", "--traceback"))


@pytest.mark.parametrize("what", ["close", "daemon", "bytes", "chdir", "sys-stdout", "fork"])
def test_a_misbehaving_command_ends_with_its_output_kept(owner: User, what: str) -> None:
    run = finished(owner, "run_misbehaves", what)
    assert run.status == Status.SUCCEEDED, run.reason
    assert output_of(run).startswith("at first\n")


def test_bytes_are_kept_as_they_were_written(owner: User) -> None:
    run = finished(owner, "run_misbehaves", "bytes")
    wait_for(lambda: not Spool(run.uid).folder.exists())
    assert NOISE * 4 in b"".join(read_all(open_output(run)))


def test_a_line_of_ten_megabytes_is_kept_whole(owner: User) -> None:
    run = finished(owner, "run_misbehaves", "long-line")
    assert run.output_bytes == len("at first\n") + 10_000_000


def test_output_is_there_before_the_command_ends(owner: User, tmp_path: Path) -> None:
    run = waiting(owner, tmp_path)
    assert reloaded(run).status == Status.RUNNING
    (tmp_path / "gate").touch()
    assert output_of(wait_until_finished(run)) == "waiting\ndone\n"


def test_stop_asks_and_the_run_is_stopped(owner: User, tmp_path: Path) -> None:
    run = waiting(owner, tmp_path)
    runs.stop_run(run, user=owner)
    wait_until_finished(run)
    assert run.status == Status.STOPPED
    assert [name for name, _ in run.stop_steps] == ["SIGINT"]
    assert run.stopped_by_name == "owner"


def test_stop_kills_a_command_that_does_not_listen(owner: User, tmp_path: Path, settings: Any) -> None:
    os.environ["LAUNCHER_TEST_STOP_GRACE_SECONDS"] = "0.3"
    try:
        run = waiting(owner, tmp_path, "--deaf")
        runs.stop_run(run, user=owner)
        wait_until_finished(run)
    finally:
        del os.environ["LAUNCHER_TEST_STOP_GRACE_SECONDS"]
    assert (run.status, run.exit_code) == (Status.STOPPED, -signal.SIGKILL)
    assert [name for name, _ in run.stop_steps] == ["SIGINT", "SIGTERM", "SIGKILL"]


def test_a_stopped_command_that_ends_as_if_nothing_was_is_stopped_all_the_same(owner: User, tmp_path: Path) -> None:
    run = waiting(owner, tmp_path, "--calm")
    runs.stop_run(run, user=owner)
    wait_until_finished(run)
    assert (run.status, run.exit_code) == (Status.STOPPED, 0)
    assert run.reason == "Stopped by SIGINT. It ended with exit code 0."


def test_a_run_that_is_stopped_before_its_process_is_up_never_starts(owner: User, tmp_path: Path) -> None:
    run = runs.start_run("run_waits", [str(tmp_path / "gate")], user=owner)
    runs.stop_run(run, user=owner)
    wait_until_finished(run)
    assert run.status == Status.STOPPED


def test_stopping_a_finished_run_changes_nothing(owner: User) -> None:
    run = finished(owner, "run_ends", "well")
    assert runs.stop_run(run, user=owner) == Status.SUCCEEDED


def test_a_run_goes_on_while_the_command_holds_the_only_write_lock(owner: User, tmp_path: Path) -> None:
    run = waiting(owner, tmp_path, "--lock", "--lines=5000")
    assert output_of(run).count("\n") == 5001
    (tmp_path / "gate").touch()
    wait_until_finished(run)
    assert run.status == Status.SUCCEEDED
    assert output_of(run).endswith("waiting\ndone\n")
    assert Group.objects.filter(name="made in a long transaction").exists()


def test_stop_works_while_the_command_holds_the_only_write_lock(owner: User, tmp_path: Path) -> None:
    run = waiting(owner, tmp_path, "--lock")
    engine().stop(run)
    wait_until_finished(run)
    assert run.status == Status.STOPPED
    assert not Group.objects.filter(name="made in a long transaction").exists()


def test_a_run_whose_supervisor_was_killed_is_lost_and_its_output_kept(owner: User, tmp_path: Path) -> None:
    run = reloaded(waiting(owner, tmp_path))
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    wait_until_finished(run)
    assert run.status == Status.LOST
    assert output_of(run) == "waiting\n"
    (tmp_path / "gate").touch()


def test_what_a_run_had_on_its_screen_is_kept_when_its_supervisor_is_killed(owner: User, tmp_path: Path) -> None:
    run = reloaded(waiting(owner, tmp_path, "--draws"))
    assert output_of(run) == "uno\ndos\nwaiting\n"
    os.kill(run.pid or 0, signal.SIGKILL)
    wait_until_finished(run)
    wait_for(lambda: not Spool(run.uid).folder.exists())
    assert (output_of(run), reloaded(run).screen, run.output_lines) == ("uno\ndos\nwaiting\n", None, 3)
    (tmp_path / "gate").touch()


def test_the_child_of_a_killed_supervisor_does_not_live_on(owner: User, tmp_path: Path) -> None:
    run = reloaded(waiting(owner, tmp_path))
    assert run.pid is not None
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    os.kill(run.pid, signal.SIGKILL)
    wait_for(lambda: not any(Path(f"/proc/{pid}/cwd").exists() for pid in children))


def test_a_run_whose_process_never_came_up_is_lost_with_the_reason(owner: User, monkeypatch: Any) -> None:
    monkeypatch.setenv("LAUNCHER_TEST_BROKEN_SETTINGS", "1")
    run = runs.start_run("run_ends", ["well"], user=owner)
    wait_until_finished(run)
    assert run.status == Status.LOST
    assert "settings broken for a test" in run.reason


def test_a_run_that_cannot_be_started_at_all_is_lost_with_the_reason(owner: User, settings: Any) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "PYTHON": "/no/such/python"}
    run = runs.start_run("run_ends", ["well"], user=owner)
    assert (reloaded(run).status, "/no/such/python" in run.reason) == (Status.LOST, True)


def test_an_end_that_the_database_was_not_told_is_found_in_the_spool(owner: User, tmp_path: Path) -> None:
    run = reloaded(waiting(owner, tmp_path))
    outcome = {
        "status": "failed", "exit_code": 4, "reason": "It failed.", "traceback": "", "stop_steps": [],
        "finished_at": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    Spool(run.uid).write_outcome(outcome)
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    wait_until_finished(run)
    assert (run.status, run.exit_code, run.reason) == (Status.FAILED, 4, "It failed.")


def test_a_deleted_run_leaves_no_process_behind(owner: User, tmp_path: Path) -> None:
    run = reloaded(waiting(owner, tmp_path))
    pid, started = run.pid, run.pid_started
    assert pid is not None
    Run.objects.filter(pk=run.pk).delete()
    wait_for(lambda: not is_alive(pid, started))
    assert not Spool(run.uid).folder.exists()


def test_output_is_kept_whole_though_somebody_clears_up_the_spool(owner: User, tmp_path: Path) -> None:
    run = waiting(owner, tmp_path)
    shutil.rmtree(Spool(run.uid).folder)
    (tmp_path / "gate").touch()
    assert wait_until_finished(run).status == Status.SUCCEEDED
    assert output_of(run) == "waiting\ndone\n"


def test_a_run_taken_for_lost_gets_its_true_end_when_its_supervisor_speaks(owner: User, tmp_path: Path) -> None:
    run = waiting(owner, tmp_path)
    Run.objects.filter(pk=run.pk).update(status=Status.LOST)
    (tmp_path / "gate").touch()
    wait_for(lambda: reloaded(run).status == Status.SUCCEEDED)


def test_a_secret_is_masked_however_a_traceback_spells_it(owner: User) -> None:
    secret = "pa\\ss\"w'\nord"
    run = finished(owner, "run_ends", "secret", f"--password={secret}")
    assert run.reason == "KeyError: '********'"
    assert "ord" not in run.traceback.rpartition("KeyError")[2]


def test_a_report_is_never_written_into_a_file_of_the_command(owner: User) -> None:
    run = finished(owner, "run_misbehaves", "reuse")
    assert (run.status, run.exit_code) == (Status.FAILED, 1)
    assert output_of(run).endswith("largest file: 0\n")


def test_a_start_counts_though_its_process_cannot_be_noted(owner: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(dispatch, "note_owner", failing_note)
    run = runs.start_run("run_ends", ["well"], user=owner)
    assert wait_until_finished(run).status == Status.SUCCEEDED


def failing_note(*args: Any, **kwargs: Any) -> None:
    raise OSError("no space left")


def failing_database(*args: Any, **kwargs: Any) -> None:
    raise OperationalError("database is locked")


def test_a_stored_run_never_stays_queued_whatever_goes_wrong(owner: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(local, "make_job", failing_database)
    run = runs.start_run("run_ends", ["well"], user=owner)
    assert reloaded(run).status == Status.LOST
    assert "database is locked" in run.reason


def test_a_path_object_on_the_import_path_does_no_harm(owner: User, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path])
    assert finished(owner, "run_ends", "well").status == Status.SUCCEEDED


def test_a_healthy_run_is_not_lost_however_often_one_looks(owner: User, tmp_path: Path) -> None:
    run = reloaded(waiting(owner, tmp_path))
    for _ in range(5):
        runs.reconcile([reloaded(run)])
    assert run.status == Status.RUNNING
    (tmp_path / "gate").touch()
    assert wait_until_finished(run).status == Status.SUCCEEDED


def test_the_supervisor_is_gone_after_the_end(owner: User) -> None:
    run = finished(owner, "run_ends", "well")
    assert run.pid is not None
    wait_for(lambda: not is_alive(run.pid or 0, run.pid_started))


def test_the_run_is_no_child_of_the_web_servers_session(owner: User, tmp_path: Path) -> None:
    run = reloaded(waiting(owner, tmp_path))
    assert run.pid is not None
    assert os.getsid(run.pid) != os.getsid(0)
    (tmp_path / "gate").touch()
    wait_until_finished(run)


def test_ten_runs_at_once_all_end_right_with_their_own_output(owner: User) -> None:
    started = [runs.start_run("run_ends", ["well"], user=owner) for _ in range(10)]
    for run in started:
        assert wait_until_finished(run, 60).status == Status.SUCCEEDED
        assert output_of(run) == "before the end\n"


def test_system_checks_run_as_on_the_command_line(owner: User, monkeypatch: Any) -> None:
    monkeypatch.setenv("LAUNCHER_TEST_FAILING_CHECK", "1")
    run = finished(owner, "run_ends", "well")
    assert run.status == Status.FAILED
    assert "a check that fails" in output_of(run)
    assert run.reason == "SystemCheckError: System check identified some issues"
    assert finished(owner, "run_ends", "well", "--skip-checks").status == Status.SUCCEEDED


def test_a_process_with_threads_spawns_its_child_instead_of_forking(owner: User, monkeypatch: Any) -> None:
    monkeypatch.setenv("LAUNCHER_TEST_THREAD_IN_READY", "1")
    run = finished(owner, "run_speaks")
    assert run.status == Status.SUCCEEDED, (run.reason, output_of(run))
    assert "by a subprocess" in output_of(run)


def test_a_forked_daemon_of_a_killed_supervisor_does_not_live_on(owner: User, tmp_path: Path) -> None:
    run = runs.start_run(
        "run_writes", [str(tmp_path), "--helper=f", "--helper-after=0", "--helper-seconds=60"], user=owner
    )
    wait_for(lambda: (tmp_path / "f").exists() and (tmp_path / "f").read_text().count("\n") > 1)
    daemon = int((tmp_path / "f").read_text().split()[1])
    assert reloaded(run).pid is not None
    os.kill(run.pid or 0, signal.SIGKILL)
    wait_until_finished(run)
    wait_for(lambda: not process_start(daemon))


def test_the_next_run_starts_though_the_warm_process_has_lost_its_socket(owner: User, settings: Any) -> None:
    assert finished(owner, "run_ends", "well").status == Status.SUCCEEDED
    for path in settings.LAUNCHER["SPOOL_DIR"].glob("zygote-*.sock"):
        path.unlink()
    assert finished(owner, "run_ends", "well").status == Status.SUCCEEDED


def test_a_run_that_a_run_has_started_outlives_its_stop(owner: User, gate: Path) -> None:
    code = f"from launcher import runs; runs.start_run('run_waits', [{str(gate)!r}], user=None, who='a run')"
    outer = runs.start_run("shell", ["-c", f"import time; {code}; time.sleep(60)"], user=None, who="a test")
    wait_for(lambda: Run.objects.filter(command="run_waits").exists())
    inner = Run.objects.get(command="run_waits")
    wait_for(lambda: "waiting" in output_of(inner))
    runs.stop_run(outer, user=owner)
    assert wait_until_finished(outer).status == Status.STOPPED
    gate.touch()
    assert wait_until_finished(inner).status == Status.SUCCEEDED


def test_without_room_on_the_disk_child_and_supervisor_share_memory_alone(monkeypatch: Any, tmp_path: Path) -> None:
    def no_room(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    reader = RingReader(tmp_path / "ring", is_new=True)
    assert not (tmp_path / "ring").exists()
    ours, childs = make_link()
    taken: list[bytes] = []

    def store(piece: bytes) -> int:
        taken.append(piece)
        return len(piece)

    with ours, childs:
        RingWriter(reader.path, Link(childs.fileno())).write(b"kept all the same")
    reader.take(store, lambda: None)
    assert taken == [b"kept all the same"]


def test_a_deleted_run_leaves_no_spool_though_it_never_started(owner: User) -> None:
    run = runs.start_run("run_ends", ["well"], user=owner)
    Run.objects.filter(pk=run.pk).delete()
    wait_for(lambda: not Spool(run.uid).folder.exists())
