"""Questions on the terminal: seen, answered once, kept from the record if secret, and never waited for for ever."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from launcher import runs
from launcher.execution.prompting import LONGEST_ANSWER_BYTES, Prompt, prompt_of
from launcher.models import Run, Status
from tests.waiting import bytes_of, output_of, wait_for, wait_until_finished

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ended_runs(transactional_db: None, owner: User) -> Iterator[None]:
    """No question of a failed test is left open."""
    yield
    for run in Run.objects.filter(status__in=[Status.QUEUED, Status.RUNNING]):
        runs.stop_run(run, user=owner)
        wait_until_finished(run)


def asking(user: User, *argv: str) -> tuple[Run, Prompt]:
    """Start a run that asks, and return it with its question."""
    run = runs.start_run("run_asks", argv, user=user)
    return run, next_prompt(run)


def next_prompt(run: Run) -> Prompt:
    def found() -> Prompt | None:
        run.refresh_from_db()
        return prompt_of(run)

    prompt = wait_for(found)
    assert prompt is not None
    return prompt


def test_a_question_is_seen_and_answered(owner: User) -> None:
    run, prompt = asking(owner)
    assert (prompt.number, prompt.text, prompt.is_secret) == (1, "Are you sure?", False)
    assert runs.answer(run, prompt.number, "yes, ä", user=owner) == ""
    assert wait_until_finished(run).status == Status.SUCCEEDED
    assert output_of(run) == "Are you sure? yes, ä\n6 characters.\n"


def test_a_secret_answer_is_in_no_record(owner: User) -> None:
    run, prompt = asking(owner, "--secretly")
    assert prompt.is_secret
    assert runs.answer(run, prompt.number, "hush-hush", user=owner) == ""
    assert wait_until_finished(run).status == Status.SUCCEEDED
    assert output_of(run) == "Are you sure? \n9 characters.\n"
    assert b"hush-hush" not in bytes_of(run)


def test_a_question_of_a_subprocess_is_seen_too(owner: User) -> None:
    run, prompt = asking(owner, "--apart")
    assert runs.answer(run, prompt.number, "yes", user=owner) == ""
    assert wait_until_finished(run).status == Status.SUCCEEDED
    assert output_of(run).endswith("3 characters, read apart.\n")


def test_a_question_is_answered_once_whoever_is_second(owner: User) -> None:
    run, prompt = asking(owner, "--twice")
    assert runs.answer(run, prompt.number, "first", user=owner) == ""
    assert "not wait for this answer" in runs.answer(run, prompt.number, "second", user=owner)
    following = next_prompt(run)
    assert following.number == 2
    assert runs.answer(run, following.number, "again", user=owner) == ""
    wait_until_finished(run)
    assert "second" not in output_of(run)


def test_the_end_of_input_is_an_answer_too(owner: User) -> None:
    run, prompt = asking(owner)
    assert runs.answer(run, prompt.number, None, user=owner) == ""
    assert wait_until_finished(run).status == Status.FAILED
    assert run.reason.startswith("EOFError")


def test_a_line_that_a_terminal_would_cut_is_refused(owner: User) -> None:
    run, prompt = asking(owner)
    assert "no line as long" in runs.answer(run, prompt.number, "x" * (LONGEST_ANSWER_BYTES + 1), user=owner)
    assert runs.answer(run, prompt.number, "x" * LONGEST_ANSWER_BYTES, user=owner) == ""
    assert wait_until_finished(run).status == Status.SUCCEEDED
    assert f"{LONGEST_ANSWER_BYTES} characters." in output_of(run)


def test_a_run_that_computes_in_silence_does_not_ask(owner: User, gate: Path) -> None:
    run = runs.start_run("run_waits", [str(gate)], user=owner)
    wait_for(lambda: "waiting" in output_of(run))
    end = time.monotonic() + 1  # several looks of the supervisor
    while time.monotonic() < end:
        run.refresh_from_db()
        assert prompt_of(run) is None
    gate.touch()
    assert wait_until_finished(run).status == Status.SUCCEEDED


def test_a_question_that_nobody_answers_ends_the_run(owner: User, monkeypatch: Any) -> None:
    monkeypatch.setenv("LAUNCHER_TEST_ANSWER_TIMEOUT_SECONDS", "0.5")
    run, _ = asking(owner)
    assert wait_until_finished(run).status == Status.TIMED_OUT
    assert run.reason.startswith("Nobody answered within 0.5 seconds: Are you sure?")


def test_the_database_knows_of_the_question_for_the_lists(owner: User) -> None:
    run, prompt = asking(owner)
    wait_for(lambda: Run.objects.filter(pk=run.pk, prompt__number=1).exists())
    runs.answer(run, prompt.number, "yes", user=owner)
    assert wait_until_finished(run).prompt is None


def test_an_outsider_may_not_answer(owner: User, outsider: User) -> None:
    run, prompt = asking(owner)
    with pytest.raises(Exception, match="no right"):
        runs.answer(run, prompt.number, "yes", user=outsider)


def test_without_a_terminal_there_is_nothing_to_read(owner: User, monkeypatch: Any) -> None:
    monkeypatch.setenv("LAUNCHER_TEST_COMMANDS", '{"run_asks": {"terminal": false}}')
    run = wait_until_finished(runs.start_run("run_asks", [], user=owner))
    assert run.status == Status.FAILED
    assert run.reason.startswith("EOFError")
