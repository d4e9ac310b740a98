"""How many runs go on at once: never more than the limit, in order, and none waits for ever."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from launcher import runs
from launcher.engines import engine, local
from launcher.execution import dispatch
from launcher.execution.evidence import owner_of
from launcher.models import Run, Status
from tests.waiting import output_of, wait_for, wait_until_finished

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def one_waiter(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """At most one run of `run_waits` at once, here and in the processes that are started."""
    yield from allowed(settings, monkeypatch, {"run_waits": {"max_concurrent": 1}})


@pytest.fixture
def no_second_waiter(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from allowed(settings, monkeypatch, {"run_waits": {"max_concurrent": 1, "when_busy": "refuse"}})


def allowed(settings: Any, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any]) -> Iterator[None]:
    monkeypatch.setenv("LAUNCHER_TEST_COMMANDS", json.dumps(said))
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": {**settings.LAUNCHER["COMMANDS"], **said}}
    yield


def waiter(user: User, gate: Path) -> Run:
    return runs.start_run("run_waits", [str(gate)], user=user)


def going_waiter(user: User, gate: Path) -> Run:
    run = waiter(user, gate)
    wait_for(lambda: "waiting" in output_of(run))
    run.refresh_from_db()
    return run


def has_place(run: Run, before: int) -> bool:
    run.refresh_from_db()
    place = engine().place(run)
    return place is not None and place.before == before


@pytest.mark.usefixtures("one_waiter")
def test_a_run_waits_in_order_and_is_told_its_place(owner: User, gate: Path) -> None:
    going_waiter(owner, gate)
    second, third = waiter(owner, gate), waiter(owner, gate)
    wait_for(lambda: has_place(second, 0) and has_place(third, 1))
    assert {second.status, third.status} == {Status.QUEUED}
    gate.touch()
    for run in (second, third):
        assert wait_until_finished(run).status == Status.SUCCEEDED
    assert second.started_at is not None
    assert third.started_at is not None
    assert second.finished_at is not None
    assert second.finished_at <= third.started_at


@pytest.mark.usefixtures("one_waiter")
def test_a_waiting_run_is_stopped_at_once_and_those_behind_it_move_up(owner: User, gate: Path) -> None:
    going_waiter(owner, gate)
    second, third = waiter(owner, gate), waiter(owner, gate)
    wait_for(lambda: has_place(third, 1))
    assert runs.stop_run(second, user=owner) == Status.STOPPED
    assert second.stopped_by_name == "owner"
    wait_for(lambda: has_place(third, 0))


@pytest.mark.usefixtures("one_waiter")
def test_one_that_is_stopped_before_its_process_is_known_leaves_the_line(
    owner: User, gate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_waiter(owner, gate)
    second, third = waiter(owner, gate), waiter(owner, gate)
    wait_for(lambda: has_supervisor(second))
    monkeypatch.setattr(local, "supervisor_of", lambda run: None)
    assert runs.stop_run(second, user=owner) == Status.STOPPED
    wait_for(lambda: has_place(third, 0))
    second.refresh_from_db()
    assert (second.status, second.reason) == (Status.STOPPED, "Stopped before it started.")


@pytest.mark.usefixtures("one_waiter")
def test_another_command_does_not_wait_for_it(owner: User, gate: Path) -> None:
    going_waiter(owner, gate)
    waiter(owner, gate)
    run = runs.start_run("run_ends", ["well"], user=owner)
    assert wait_until_finished(run).status == Status.SUCCEEDED


@pytest.mark.usefixtures("no_second_waiter")
def test_one_that_may_not_wait_is_refused_before_anything_is_stored(owner: User, gate: Path) -> None:
    run = going_waiter(owner, gate)
    with pytest.raises(runs.Busy, match=f"#{run.pk}"):
        waiter(owner, gate)
    assert Run.objects.count() == 1


@pytest.mark.usefixtures("no_second_waiter")
def test_two_clicks_at_once_are_told_apart_where_the_run_starts(owner: User, gate: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(runs, "_refuse_if_busy", lambda command: None)
    going_waiter(owner, gate)
    second = wait_until_finished(waiter(owner, gate))
    assert second.status == Status.FAILED
    assert second.reason.startswith("Not started: ")


@pytest.mark.usefixtures("one_waiter")
def test_the_limit_of_a_command_holds_across_hosts(owner: User, gate: Path) -> None:
    elsewhere = Run.objects.create(
        command="run_waits", status=Status.RUNNING, host="elsewhere", command_slot="run_waits:0"
    )
    Run.objects.filter(pk=elsewhere.pk).update(heartbeat_at=elsewhere.queued_at)
    run = waiter(owner, gate)
    gate.touch()
    wait_for(lambda: has_supervisor(run))
    run.refresh_from_db()
    assert run.status == Status.QUEUED
    Run.objects.filter(pk=elsewhere.pk).update(status=Status.SUCCEEDED, command_slot=None)
    assert wait_until_finished(run).status == Status.SUCCEEDED


def has_supervisor(run: Run) -> bool:
    owner = owner_of(run)
    return owner is not None and owner.is_supervisor


@pytest.mark.usefixtures("one_waiter")
def test_the_slot_of_a_killed_run_is_free_again(owner: User, gate: Path) -> None:
    killed = going_waiter(owner, gate)
    following = waiter(owner, gate)
    assert killed.pid is not None
    os.kill(killed.pid, signal.SIGKILL)
    gate.touch()
    assert wait_until_finished(following).status == Status.SUCCEEDED
    assert wait_until_finished(killed).status == Status.LOST


def test_a_time_limit_ends_a_run_by_the_same_steps(owner: User, gate: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("LAUNCHER_TEST_COMMANDS", '{"run_waits": {"timeout_seconds": 0.3}}')
    monkeypatch.setenv("LAUNCHER_TEST_STOP_GRACE_SECONDS", "0.2")
    run = wait_until_finished(runs.start_run("run_waits", [str(gate), "--deaf"], user=owner))
    assert run.status == Status.TIMED_OUT
    assert [name for name, _ in run.stop_steps] == ["SIGINT", "SIGTERM", "SIGKILL"]
    assert run.reason == "It took longer than its time limit of 0.3 seconds. Ended by SIGKILL."


def test_a_project_without_a_warm_process_waits_in_order_as_well(
    owner: User, gate: Path, one_waiter: None, monkeypatch: Any
) -> None:
    monkeypatch.setattr(dispatch, "why_cold", lambda job, key: "a test wants it so")
    going_waiter(owner, gate)
    second, third = waiter(owner, gate), waiter(owner, gate)
    wait_for(lambda: has_place(second, 0) and has_place(third, 1))
    gate.touch()
    for run in (second, third):
        assert wait_until_finished(run).status == Status.SUCCEEDED
    assert second.why_cold == "a test wants it so"
