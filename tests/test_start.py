"""`launcher.start`: a run from Python, the same as from the page."""

import os
import pwd
from datetime import date
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction

import launcher
from launcher import runs
from launcher.catalogue import CommandUnavailable
from launcher.models import Run, Status, Via
from tests.waiting import output_of, wait_until_finished

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_is_started_in_the_name_of_the_systems_user() -> None:
    run = wait_until_finished(launcher.start("run_ends", "well"))
    assert (run.status, run.via, run.user) == (Status.SUCCEEDED, Via.API, None)
    assert run.user_name == pwd.getpwuid(os.getuid()).pw_name
    assert output_of(run) == "before the end\n"


def test_a_user_is_the_runs(owner: User) -> None:
    run = wait_until_finished(launcher.start("run_ends", "well", user=owner))
    assert (run.user, run.user_name) == (owner, "owner")


def test_a_user_who_may_not_is_refused(operator: User) -> None:
    with pytest.raises(PermissionDenied):
        launcher.start("run_ends", "well", user=operator)
    assert not Run.objects.exists()


def test_words_need_not_be_strings(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    run = wait_until_finished(launcher.start("run_waits", gate, "--lines", 3))
    assert run.argv == [str(gate), "--lines", "3"]
    assert output_of(run).count("\n") == 5


def test_what_the_parser_refuses_is_not_started() -> None:
    with pytest.raises(runs.NotAccepted, match="invalid choice"):
        launcher.start("run_ends", date(2026, 1, 1))
    assert not Run.objects.exists()


@pytest.mark.parametrize("name", ["no_such_command", "broken_import"])
def test_a_command_that_is_not_there_is_not_started(name: str) -> None:
    with pytest.raises(CommandUnavailable):
        launcher.start(name)


def test_inside_a_transaction_it_starts_on_commit() -> None:
    with transaction.atomic():
        run = launcher.start("run_ends", "well")
        run.refresh_from_db()
        assert run.status == Status.QUEUED
    assert wait_until_finished(run).status == Status.SUCCEEDED


def test_rolled_back_it_never_starts() -> None:
    with transaction.atomic():
        run = launcher.start("run_ends", "well")
        transaction.set_rollback(True)
    assert not Run.objects.filter(pk=run.pk).exists()


def test_a_run_may_start_another() -> None:
    run = wait_until_finished(launcher.start("run_starts"))
    other = wait_until_finished(Run.objects.get(pk=int(output_of(run))))
    assert (other.status, other.via, output_of(other)) == (Status.SUCCEEDED, Via.API, "before the end\n")


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert runs.system_user() == f"uid {os.getuid()}"
