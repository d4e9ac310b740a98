"""Tests of `clear_expired_sessions`."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError
from django.utils import timezone
from pytest_django import Settings

from tests.shop.running import run


@pytest.fixture(autouse=True)
def sessions(db: None) -> None:
    """One session that is still good, and three that expired a minute, five days and forty days ago."""
    now = timezone.now()
    ages = {"good": timedelta(days=-1), "minute": timedelta(minutes=1), "five": timedelta(5), "forty": timedelta(40)}
    Session.objects.bulk_create(
        Session(session_key=key, session_data="", expire_date=now - age) for key, age in ages.items()
    )


def keys() -> set[str]:
    return set(Session.objects.values_list("session_key", flat=True))


def test_deletes_the_expired_ones_only() -> None:
    output = run("clear_expired_sessions")
    assert keys() == {"good"}
    assert output.lines[-1] == "Deleted 3 of 4 sessions."


def test_leaves_those_that_expired_only_recently() -> None:
    run("clear_expired_sessions", "--older-than-days=5")
    assert keys() == {"good", "minute"}


def test_a_dry_run_counts_and_deletes_nothing() -> None:
    output = run("clear_expired_sessions", "--dry-run", "--older-than-days=30")
    assert output.lines[-1] == "Dry run: 1 of 4 sessions would be deleted."
    assert len(keys()) == 4


def test_a_negative_age_is_refused() -> None:
    with pytest.raises(CommandError, match="argument --older-than-days: -1 is negative"):
        run("clear_expired_sessions", "--older-than-days=-1")


@pytest.mark.parametrize("days", ["1000000", "10000000000000"])
def test_an_age_beyond_the_calendar_is_refused(days: str) -> None:
    with pytest.raises(CommandError, match=f"{days} days ago is before the calendar begins"):
        run("clear_expired_sessions", f"--older-than-days={days}")


def test_sessions_that_are_not_in_the_database_are_refused(settings: Settings) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    with pytest.raises(CommandError, match="The sessions are not in the database"):
        run("clear_expired_sessions")
    assert len(keys()) == 4
