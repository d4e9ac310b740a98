"""The evidence by which the local engine calls a run's process gone, and what it checks."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from launcher.engines import engine
from launcher.engines.local import LocalEngine
from launcher.execution.evidence import SECOND_LOOK_SECONDS, SILENT_SECONDS, STARTING_SECONDS, UNSTARTED_SECONDS
from launcher.execution.identity import own_start
from launcher.execution.owner import note_owner
from launcher.models import Run
from launcher.output.store import Spool, host_name


def run(**fields: Any) -> Run:
    return Run(command="check", **fields)


def saved(**fields: Any) -> Run:
    made = run(**fields)
    made.save()
    return made


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def test_a_run_whose_process_lives_is_not_gone_however_silent() -> None:
    mine = run(host=host_name(), status="running", pid=os.getpid(), pid_started=own_start(), heartbeat_at=ago(10_000))
    assert not LocalEngine().is_gone(mine)


def test_a_run_whose_process_is_another_one_is_gone() -> None:
    other = run(host=host_name(), status="running", pid=os.getpid(), pid_started="another")
    assert LocalEngine().is_gone(other)


@pytest.mark.django_db
def test_a_run_of_another_machine_is_gone_when_it_is_silent_at_two_looks(monkeypatch: Any) -> None:
    silent = saved(host="elsewhere", status="running", heartbeat_at=ago(SILENT_SECONDS + 1))
    assert not LocalEngine().is_gone(silent)
    later = time.monotonic() + SECOND_LOOK_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert LocalEngine().is_gone(silent)


@pytest.mark.django_db
def test_a_clock_that_jumped_makes_no_run_lost_that_is_heard_of_again(monkeypatch: Any) -> None:
    silent = saved(host="elsewhere", status="running", heartbeat_at=ago(SILENT_SECONDS + 1))
    LocalEngine().is_gone(silent)
    later = time.monotonic() + SECOND_LOOK_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    silent.heartbeat_at = ago(SILENT_SECONDS + 0.5)
    silent.save()
    assert not LocalEngine().is_gone(silent)


@pytest.mark.django_db
def test_a_run_of_another_machine_that_beats_is_not_gone() -> None:
    assert not LocalEngine().is_gone(saved(host="elsewhere", status="running", heartbeat_at=ago(1)))


def test_a_run_that_nobody_started_is_gone_after_a_while(monkeypatch: Any) -> None:
    assert not LocalEngine().is_gone(run(pk=1, host=host_name(), queued_at=ago(1)))
    waiting = run(pk=1, host=host_name(), queued_at=ago(STARTING_SECONDS + 1))
    assert not LocalEngine().is_gone(waiting)
    later = time.monotonic() + UNSTARTED_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert LocalEngine().is_gone(waiting)


def test_a_queued_run_is_not_gone_while_whoever_is_to_fork_it_lives() -> None:
    waiting = run(host=host_name(), queued_at=ago(100))
    Spool(waiting.uid).make()
    note_owner(Spool(waiting.uid).folder, os.getpid(), is_supervisor=False)
    assert not LocalEngine().is_gone(waiting)


def test_stop_never_signals_a_process_that_only_has_the_same_id() -> None:
    LocalEngine().stop(run(host=host_name(), pid=os.getpid(), pid_started="another"))


def test_last_words_are_the_last_line_of_the_log() -> None:
    silent = run()
    assert LocalEngine().last_words(silent) == ""
    Spool(silent.uid).make()
    Spool(silent.uid).log_path.write_text("Traceback …\nImproperlyConfigured: no\n")
    assert LocalEngine().last_words(silent) == "ImproperlyConfigured: no"


def test_the_engine_follows_the_setting(settings: Any) -> None:
    assert engine().name == "local"
    settings.LAUNCHER = {"ENGINE": "no.such.Engine"}
    with pytest.raises(ImportError):
        engine()


def test_settings_that_work_leave_nothing_to_say(settings: Any, tmp_path: Path) -> None:
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path / "spool"}
    assert LocalEngine().check() == []
