"""The transitions of a run's status: each has its reason, and no other is possible."""

from itertools import product

import pytest
from django.db import connection

from launcher.models import TRANSITIONS, UNFINISHED, Command, Run, Status, sources_of
from tests.pages import stored_run

REASONS = {
    (Status.QUEUED, Status.RUNNING): "a supervisor took it",
    (Status.QUEUED, Status.STOPPED): "somebody stopped it before a supervisor took it",
    (Status.QUEUED, Status.LOST): "the process that should have taken it is gone",
    (Status.QUEUED, Status.FAILED): "refused where it was to start: its command was at its limit",
    (Status.RUNNING, Status.SUCCEEDED): "exit code 0",
    (Status.RUNNING, Status.FAILED): "any other exit code, or death by a signal that nobody asked for",
    (Status.RUNNING, Status.STOPPED): "ended after a person's stop",
    (Status.RUNNING, Status.TIMED_OUT): "ended after its time limit's stop",
    (Status.RUNNING, Status.LOST): "supervisor and child are gone without a word",
    (Status.LOST, Status.RUNNING): "its supervisor was only silent, and goes on",
    (Status.LOST, Status.SUCCEEDED): "its supervisor was only silent, and speaks after all",
    (Status.LOST, Status.FAILED): "the same",
    (Status.LOST, Status.STOPPED): "the same",
    (Status.LOST, Status.TIMED_OUT): "the same",
}


@pytest.mark.parametrize(("before", "after"), REASONS)
def test_a_status_may_move_where_there_is_a_reason(before: Status, after: Status) -> None:
    assert after in TRANSITIONS[before], REASONS[before, after]
    assert before in sources_of(after)


@pytest.mark.parametrize(("before", "after"), sorted(set(product(Status, Status)) - set(REASONS)))
def test_a_status_may_move_nowhere_else(before: Status, after: Status) -> None:
    assert after not in TRANSITIONS[before]
    assert before not in sources_of(after)


@pytest.mark.django_db
@pytest.mark.parametrize("after", Status)
def test_the_conditional_update_moves_exactly_the_runs_that_may_move(after: Status) -> None:
    runs = {before: stored_run(status=before) for before in Status}
    Run.objects.filter(status__in=sources_of(after)).update(status=after)
    moved = {before for before, run in runs.items() if Run.objects.get(pk=run.pk).status != before}
    assert moved == {before for before, target in REASONS if target == after}


def test_every_status_is_in_the_table_and_only_two_are_unfinished() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert {Status.QUEUED, Status.RUNNING} == UNFINISHED


@pytest.mark.django_db
def test_a_run_knows_whether_it_is_finished() -> None:
    assert [status for status in Status if not stored_run(status=status).is_finished] == sorted(
        UNFINISHED, key=list(Status).index
    )


@pytest.mark.django_db
def test_the_duration_is_none_before_the_start_and_never_negative() -> None:
    run = stored_run()
    assert run.duration_seconds == pytest.approx(3)
    run.finished_at, run.started_at = run.started_at, run.finished_at
    assert run.duration_seconds == 0
    run.started_at = None
    assert run.duration_seconds is None


@pytest.mark.django_db
def test_command_has_no_table_and_run_says_what_it_is() -> None:
    assert Command._meta.db_table not in connection.introspection.table_names()
    run = stored_run("check")
    assert (str(run), str(Command(name="check"))) == (f"check #{run.pk}", "check")
