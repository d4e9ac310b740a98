"""The warm process: that runs are forked from it, that it is never stale, and that no run depends on it."""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from launcher import runs
from launcher.checks import check_way
from launcher.engines import engine, local
from launcher.execution.identity import is_alive, process_start
from launcher.models import Run, Status
from launcher.output.store import Spool
from tests.waiting import output_of, wait_for, wait_until_finished

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every run is started cold"),
]


@pytest.fixture(autouse=True)
def own_zygote(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A spool of the test's own, so that its warm process is, too; it leaves when the folder does."""
    spool = tmp_path / "spool"
    settings.LAUNCHER = {**settings.LAUNCHER, "SPOOL_DIR": spool}
    os.environ["LAUNCHER_TEST_SPOOL"] = str(spool)
    yield spool
    del os.environ["LAUNCHER_TEST_SPOOL"]
    for path in spool.glob("zygote-*.sock"):
        path.unlink()


def told(user: User, *argv: str) -> dict[str, Any]:
    """Return what `run_tells` tells."""
    run = wait_until_finished(runs.start_run("run_tells", argv, user=user))
    assert run.status == Status.SUCCEEDED, run.reason
    found: dict[str, Any] = json.loads(output_of(run).splitlines()[-1])
    found["record"] = run
    return found


def waiting_run(user: User, gate: Path) -> Run:
    run = runs.start_run("run_waits", [str(gate)], user=user)
    wait_for(lambda: "waiting" in output_of(run))
    run.refresh_from_db()
    return run


def zygote_of(run: Run) -> int:
    """Return the parent of a going run's supervisor."""
    stat = Path(f"/proc/{run.pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def test_runs_are_forked_from_a_process_that_has_the_command_imported(owner: User) -> None:
    engine().warm_up("run_tells")
    wait_for(lambda: told(owner)["imported_in"] != told(owner)["pid"])
    assert told(owner)["record"].why_cold == ""


def test_runs_stand_in_line_before_the_warm_process_has_looked_at_them(settings: Any, owner: User, gate: Path) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "MAX_CONCURRENT_RUNS": 1}
    first = waiting_run(owner, gate)
    warm = zygote_of(first)
    os.kill(warm, signal.SIGSTOP)
    try:
        waiting = [runs.start_run("run_waits", [str(gate)], user=owner) for _ in range(3)]
        places = [engine().place(run) for run in waiting]
    finally:
        os.kill(warm, signal.SIGCONT)
    assert [place and place.before for place in places] == [0, 1, 2]
    gate.touch()
    times = [wait_until_finished(run).started_at for run in (first, *waiting)]
    assert times == sorted(times, key=str)


def test_a_run_that_is_stopped_before_the_warm_process_has_looked_at_it_is_not_begun(owner: User, gate: Path) -> None:
    first = waiting_run(owner, gate)
    warm = zygote_of(first)
    os.kill(warm, signal.SIGSTOP)
    try:
        stopped = runs.start_run("run_waits", [str(gate)], user=owner)
        assert runs.stop_run(stopped, user=owner) == Status.STOPPED
        following = runs.start_run("run_waits", [str(gate)], user=owner)
    finally:
        os.kill(warm, signal.SIGCONT)
    wait_for(lambda: "waiting" in output_of(following))
    following.refresh_from_db()
    assert zygote_of(following) == warm
    assert not Spool(stopped.uid).folder.exists()


def test_a_run_finds_what_a_process_of_its_own_would_have(owner: User) -> None:
    found = told(owner)
    assert found["is_terminal"] == [True, True, True]
    assert found["was_terminal"] is True
    assert found["threads"] == 1
    assert found["knows_models"]
    assert found["session"] == found["supervisor"]
    assert found["run"] == found["record"].uid.hex
    assert found["encoding"] == ["utf-8", "utf-8", "utf-8"]


def test_a_run_inherits_no_descriptor_but_the_link_to_its_supervisor(owner: User) -> None:
    told(owner)
    # 0 to 2, the link, the ring's (before Python 3.13 twice), and that of the listing itself.
    assert len(told(owner)["descriptors"]) <= 7


def test_the_warm_process_has_no_thread_and_no_connection(owner: User, gate: Path) -> None:
    pid = zygote_of(waiting_run(owner, gate))
    assert len(os.listdir(f"/proc/{pid}/task")) == 1
    names = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    assert [name for name in names if "sqlite" in name] == []


def test_a_file_that_the_settings_read_is_read_again_when_it_has_changed(
    owner: User, tmp_path: Path, monkeypatch: Any
) -> None:
    file = tmp_path / "read.txt"
    file.write_text("before")
    monkeypatch.setenv("LAUNCHER_TEST_READS", str(file))
    assert told(owner)["read"] == "before"
    file.write_text("after")
    assert told(owner)["read"] == "after"


def test_code_that_has_changed_is_loaded_again(owner: User, tmp_path: Path, monkeypatch: Any) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    module = folder / "sitecustomize_of_a_test.py"
    module.write_text("TEXT = 'old'")
    (folder / "settings_of_a_test.py").write_text(
        "from tests.settings import *\nfrom sitecustomize_of_a_test import TEXT as READ_BY_A_TEST\n"
    )
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr("launcher.execution.job.settings_module", lambda: "settings_of_a_test")
    assert told(owner)["read"] == "old"
    module.write_text("TEXT = 'newer'")
    assert told(owner)["read"] == "newer"


def test_another_environment_has_a_process_of_its_own(owner: User, monkeypatch: Any) -> None:
    monkeypatch.setenv("LAUNCHER_TEST_MARK", "one")
    assert told(owner, "--variable=LAUNCHER_TEST_MARK")["variable"] == "one"
    monkeypatch.setenv("LAUNCHER_TEST_MARK", "two")
    assert told(owner, "--variable=LAUNCHER_TEST_MARK")["variable"] == "two"


def test_what_the_project_prints_when_it_is_loaded_is_shown_in_each_run(owner: User, monkeypatch: Any) -> None:
    monkeypatch.setenv("LAUNCHER_TEST_PRINTS", "loaded")
    for _ in range(2):
        run = wait_until_finished(runs.start_run("run_ends", ["well"], user=owner))
        assert output_of(run) == "loaded\nto stderr: loaded\nbefore the end\n"


def test_a_command_that_makes_forking_unsafe_is_not_imported_early(owner: User) -> None:
    engine().warm_up("run_threads")
    for _ in range(2):
        run = wait_until_finished(runs.start_run("run_threads", [], user=owner))
        assert (run.status, output_of(run)) == (Status.SUCCEEDED, "threads: 2\n")
    assert told(owner)["record"].why_cold == ""


@pytest.mark.parametrize(
    ("variable", "why"),
    [
        ("LAUNCHER_TEST_THREAD_IN_READY", "thread"),
        ("LAUNCHER_TEST_SOCKET_IN_READY", "connection"),
        ("LAUNCHER_TEST_FOLDER_IN_READY", "folder"),
    ],
)
def test_a_project_that_can_not_be_forked_runs_all_the_same_and_says_why(
    owner: User, monkeypatch: Any, variable: str, why: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv(variable, str(server.getsockname()[1]))
        run = wait_until_finished(runs.start_run("run_ends", ["well"], user=owner))
        assert (run.status, output_of(run)) == (Status.SUCCEEDED, "before the end\n")
        assert why in run.why_cold
        assert why in str(check_way()[0])
        again = wait_until_finished(runs.start_run("run_ends", ["well"], user=owner))
        assert why in again.why_cold


def test_no_run_depends_on_the_process_that_forked_it(owner: User, gate: Path) -> None:
    run = waiting_run(owner, gate)
    os.kill(zygote_of(run), signal.SIGKILL)
    following = wait_until_finished(runs.start_run("run_ends", ["well"], user=owner))
    assert following.status == Status.SUCCEEDED
    gate.touch()
    assert wait_until_finished(run).status == Status.SUCCEEDED


def test_it_leaves_when_its_socket_is_gone(owner: User, gate: Path, own_zygote: Path) -> None:
    pid = zygote_of(waiting_run(owner, gate))
    started = process_start(pid)
    for path in own_zygote.glob("zygote-*.sock"):
        path.unlink()
    wait_for(lambda: not is_alive(pid, started))


def test_a_newer_process_finds_no_older_code(owner: User, gate: Path) -> None:
    zygote = zygote_of(waiting_run(owner, gate))
    before = Path(f"/proc/{zygote}/cmdline").read_bytes()
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        os.close(writing)
        local._warmed.clear()
        engine().warm_up("run_tells")
        os.read(reading, 1)  # it stays until it was looked at
        os._exit(0)
    os.close(reading)
    wait_for(lambda: Path(f"/proc/{zygote}/cmdline").read_bytes() not in (b"", before))
    os.close(writing)
    os.waitpid(pid, 0)
    assert wait_until_finished(runs.start_run("run_ends", ["well"], user=owner)).status == Status.SUCCEEDED


def test_it_can_be_turned_off(owner: User, settings: Any) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "WARM_START": False}
    found = told(owner)
    assert found["imported_in"] == found["pid"]
    assert found["record"].why_cold == "LAUNCHER['WARM_START'] is off"
