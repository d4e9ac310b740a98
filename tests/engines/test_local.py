"""The evidence by which the local engine calls a run's process gone, and what it checks."""

import os
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from launcher.engines import engine
from launcher.engines.local import STALE_SECONDS, STARTING_SECONDS, LocalEngine
from launcher.execution.identity import own_start
from launcher.models import Run
from launcher.output.store import Spool, host_name


def run(**fields: Any) -> Run:
    return Run(command="check", **fields)


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def test_a_run_whose_process_lives_is_not_gone_however_silent() -> None:
    mine = run(host=host_name(), pid=os.getpid(), pid_started=own_start(), heartbeat_at=ago(10_000))
    assert not LocalEngine().is_gone(mine)


def test_a_run_whose_process_is_another_one_is_gone() -> None:
    assert LocalEngine().is_gone(run(host=host_name(), pid=os.getpid(), pid_started="another"))


def test_a_run_of_another_machine_is_gone_when_it_has_been_silent_for_long() -> None:
    assert LocalEngine().is_gone(run(host="elsewhere", pid=1, pid_started="x", heartbeat_at=ago(STALE_SECONDS + 1)))
    assert not LocalEngine().is_gone(run(host="elsewhere", pid=1, pid_started="x", heartbeat_at=ago(1)))


def test_a_run_that_nobody_started_is_gone_after_a_while() -> None:
    assert not LocalEngine().is_gone(run(queued_at=ago(1)))
    assert LocalEngine().is_gone(run(queued_at=ago(STARTING_SECONDS + 1)))


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


def test_settings_that_work_leave_nothing_to_say() -> None:
    assert LocalEngine().check() == []
