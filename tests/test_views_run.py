"""A run's page, its fragments and buttons: what they show, to whom, and that what they start and stop is real."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.signals import got_request_exception
from django.db import OperationalError, connection
from django.http import HttpRequest
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables
from pytest_django import Settings

from launcher import policy, runs
from launcher.conf import options
from launcher.engines import engine
from launcher.execution.prompting import Prompt, prompt_of
from launcher.execution.turn import Place
from launcher.models import Run, Status
from launcher.output.store import Spool
from tests.conftest import logged_in
from tests.pages import (
    FRAGMENT,
    GRANTED,
    NOT_GRANTED,
    PROMPT,
    SITES,
    address,
    database_bytes,
    said_in,
    stored_run,
    text_of,
    with_output,
)
from tests.waiting import output_of, wait_for, wait_until_finished

pytestmark = pytest.mark.django_db


def locked(*args: object, **kwargs: object) -> NoReturn:
    raise OperationalError("database is <locked>")


def page_of(client: Client, run: Run, site: str = "admin", **query: Any) -> str:
    return said_in(client.get(address("run_change", run.pk, site=site), query))


def lines_in(page: str) -> list[str]:
    rows = re.findall(r'<div class="launcher-row"[^>]*>(?:<a [^>]*></a>)?<code>(.*?)</code></div>', page, re.S)
    return [re.sub(r"<[^>]+>", "", row).rstrip("\n") for row in rows]


# The page


@pytest.mark.parametrize("status", Status)
def test_each_state_is_shown_by_word_and_by_attribute(owner_client: Client, status: Status) -> None:
    page = page_of(owner_client, stored_run(status=status))
    assert f'data-launcher-status="{status}"' in page
    assert str(status.label) in page
    assert "no-such-state" not in page


@pytest.mark.parametrize("status", Status)
def test_only_a_run_that_goes_on_is_polled_and_can_be_stopped(owner_client: Client, status: Status) -> None:
    run = stored_run(status=status)
    page = page_of(owner_client, run)
    goes_on = status in {Status.QUEUED, Status.RUNNING}
    assert (address("run_stop", run.pk) in page) is goes_on
    assert ("data-live" in page.partition('id="launcher-output"')[2].partition(">")[0]) is goes_on
    assert (address("run_delete", run.pk) in page) is not goes_on


def test_the_facts_are_shown(owner_client: Client) -> None:
    run = stored_run(status=Status.FAILED, exit_code=-9, reason="Killed by signal SIGKILL.", command_line="check -v 2")
    page = page_of(owner_client, run)
    assert "python manage.py check -v 2" in page
    assert "signal 9" in page
    assert "Killed by signal SIGKILL." in page
    assert "somebody" in page


def test_the_output_is_shown_and_earlier_lines_are_a_link_without_javascript(owner_client: Client) -> None:
    run = with_output(stored_run(), b"".join(b"line %d\n" % number for number in range(2000)))
    page = page_of(owner_client, run)
    assert lines_in(page)[-1] == "line 1999"
    (end,) = re.findall(r'class="launcher-earlier" rel="prev" href="\?end=(\d+)"', page.partition("<template")[0])
    first_shown = lines_in(page)[0]
    earlier = lines_in(page_of(owner_client, run, end=end))
    assert earlier[-1] == f"line {int(first_shown.split()[1]) - 1}"
    assert lines_in(text_of(owner_client.get(address("run_lines", run.pk), {"end": end}, headers=FRAGMENT))) == earlier


def test_the_output_is_escaped(owner_client: Client) -> None:
    run = with_output(stored_run(), b"<script>alert(1)</script>\n\x1b[1m<img src=x onerror=alert(1)>\x1b[0m & more\n")
    page = text_of(owner_client.get(address("run_change", run.pk)))
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    "field", ["command_line", "user_name", "reason", "traceback", "stopped_by_name", "host", "command"]
)
def test_every_fact_is_escaped(owner_client: Client, field: str) -> None:
    given: dict[str, Any] = {"reason": "Because.", field: "<script>alert(1)</script>"}
    run = stored_run(**given)
    for url in (address("run_change", run.pk), address("run_changelist"), address("command_changelist")):
        assert "<script>alert" not in text_of(owner_client.get(url))


@pytest.mark.parametrize("site", SITES)
def test_every_link_stays_on_the_site(owner_client: Client, site: str) -> None:
    own = {"admin": "/admin/", "second": "/second-admin/"}[site]
    for status in (Status.RUNNING, Status.SUCCEEDED):
        run = with_output(stored_run(status=status), b"line\n" * 2000)
        pages = [page_of(owner_client, run, site), said_in(owner_client.get(address("run_lines", run.pk, site=site)))]
        links = re.findall(r'(?:href|action|hx-get|hx-post)="(/[^"]+)"', "".join(pages))
        assert len(links) > 5
        assert [link for link in links if not link.startswith((own, "/static/"))] == []


@pytest.mark.parametrize("site", SITES)
def test_stop_and_run_again_lead_to_pages_of_the_same_site(owner_client: Client, site: str) -> None:
    stopped, ended = stored_run(status=Status.QUEUED), stored_run()
    response = owner_client.post(address("run_stop", stopped.pk, site=site))
    assert response["Location"] == address("run_change", stopped.pk, site=site)
    response = owner_client.post(address("run_again", ended.pk, site=site))
    assert response["Location"] == address("run_change", Run.objects.latest("pk").pk, site=site)


def test_the_history_of_a_removed_command_still_opens(owner_client: Client) -> None:
    run = with_output(
        stored_run("gone_long_ago", argv=["--really"], command_line="gone_long_ago --really"), b"its words\n"
    )
    page = page_of(owner_client, run)
    assert "The project has no command of this name any more." in page
    assert lines_in(page) == ["its words"]
    assert address("run_again", run.pk) not in page
    assert owner_client.post(address("run_again", run.pk)).status_code == 404
    assert "gone_long_ago --really" in said_in(owner_client.get(address("run_changelist")))
    assert owner_client.get(address("command_changelist")).status_code == 200


def test_a_removed_command_is_still_read_by_those_to_whom_it_was_granted(operator: User, settings: Settings) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": {"gone": {"groups": ["Operators"]}}}
    run, client = stored_run("gone"), logged_in(operator)
    assert "no command of this name" in page_of(client, run)
    assert client.get(address("command_run", "gone")).status_code == 404


def test_a_run_whose_user_is_deleted_keeps_the_name(owner_client: Client, operator: User) -> None:
    run = stored_run(user=operator, user_name="operator")
    operator.delete()
    run.refresh_from_db()
    assert (run.user, run.user_name) == (None, "operator")
    assert "operator" in page_of(owner_client, run)
    assert "operator" in said_in(owner_client.get(address("run_changelist"), {"q": "operator"}))


@pytest.mark.django_db(transaction=True)
def test_a_run_goes_on_when_its_user_is_deleted_meanwhile(owner: User, gate: Path) -> None:
    starter = User.objects.create_superuser("starter")
    run = runs.start_run("run_waits", [str(gate)], user=starter)
    wait_for(lambda: "waiting" in output_of(run))
    starter.delete()
    page = page_of(logged_in(owner), run)
    gate.touch()
    assert 'data-launcher-status="running"' in page
    assert "starter" in page
    assert wait_until_finished(run).status == Status.SUCCEEDED


# Fragments


def test_the_lines_after_a_cursor_are_sent_and_then_none(owner_client: Client) -> None:
    run = with_output(stored_run(), b"one\ntwo\nthree\n")
    url = address("run_lines", run.pk)
    first = said_in(owner_client.get(url, {"cursor": "4-1-0-"}, headers=FRAGMENT))
    assert lines_in(first) == ["two", "three"]
    assert "<html" not in first
    tail = first.partition('id="launcher-tail"')[2].partition(">")[0]
    assert ("data-live" in tail, 'data-cursor="14-3-0-"' in tail) == (False, True)


def test_a_fragment_carries_the_head_only_where_the_state_has_changed(owner_client: Client) -> None:
    run = stored_run(status=Status.RUNNING)
    url = address("run_lines", run.pk)
    assert "launcher-run-head" not in text_of(owner_client.get(url, {"news": "", "seen": "running-0-0"}))
    Run.objects.filter(pk=run.pk).update(status=Status.FAILED)
    fragment = text_of(owner_client.get(url, {"news": "", "seen": "running-0-0"}))
    assert 'id="launcher-run-head" hx-swap-oob="true"' in fragment
    assert 'data-launcher-status="failed"' in fragment


def test_a_quiet_run_is_asked_less_and_less_often(owner_client: Client) -> None:
    run = stored_run(status=Status.RUNNING)
    waits = []
    for wait in ("150", "300", "1200", "99999999"):
        query = {"cursor": "0-0-0-", "wait": wait}
        waits += re.findall(r'data-wait="(\d+)"', text_of(owner_client.get(address("run_lines", run.pk), query)))
    assert waits == ["300", "600", "2000", "2000"]


@pytest.mark.parametrize("value", ["", "x", "²", "-1", "9" * 30, "1" * 5000, "0-0-0-0", "9-9-9-1;1"])
@pytest.mark.parametrize("name", ["cursor", "end", "floor", "after", "line", "wait", "seen", "only", "had"])
def test_nonsense_in_the_address_is_no_error(owner_client: Client, name: str, value: str) -> None:
    run = with_output(stored_run(), b"one\n")
    query = {name: value, **({"end": "3"} if name == "floor" else {})}
    for page in ("run_lines", "run_change"):
        assert owner_client.get(address(page, run.pk), query).status_code == 200


@pytest.mark.parametrize("pk", [0, 10**18, 10**30])
@pytest.mark.parametrize("name", ["run_change", "run_lines", "run_download", "run_search"])
def test_a_number_that_no_run_has_is_not_found(owner_client: Client, name: str, pk: int) -> None:
    assert owner_client.get(address(name, pk)).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_page_of_a_run_that_holds_the_lock_stays_readable_and_it_can_be_stopped(
    owner: User, owner_client: Client, gate: Path
) -> None:
    run = runs.start_run("run_waits", [str(gate), "--lock"], user=owner)
    wait_for(lambda: "waiting" in output_of(run))
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    page = page_of(owner_client, run)
    response = owner_client.post(address("run_stop", run.pk))
    connection.close()
    assert lines_in(page) == ["waiting"]
    assert response.status_code == 302
    assert wait_until_finished(run).status == Status.STOPPED


@pytest.mark.parametrize("name", ["run_lines", "run_change", "run_states", "command_changelist"])
def test_a_database_that_does_not_answer_is_503_whatever_was_asked(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run = stored_run()
    args = [run.pk] if name in {"run_lines", "run_change"} else []
    monkeypatch.setattr(runs, "reconcile", locked)
    fragment = owner_client.get(address(name, *args), headers=FRAGMENT)
    assert (fragment.status_code, fragment.content) == (503, b"")
    assert fragment["Retry-After"]
    page = owner_client.get(address(name, *args))
    assert page.status_code == 503
    assert "database is &lt;locked&gt;" in text_of(page)


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("run_stop", "run_change"),
        ("run_again", "run_change"),
        ("run_answer", "run_change"),
        ("run_delete", "run_delete"),
        ("command_run", "command_run"),
        ("command_line", "command_run"),
    ],
)
@pytest.mark.parametrize("site", SITES)
def test_after_a_post_that_the_database_did_not_answer_the_way_leads_to_a_page(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch, site: str, name: str, page: str
) -> None:
    argument = stored_run().pk if name.startswith("run_") else GRANTED
    for question in ("may_enter", "may_use", "may_run", "may_delete"):
        monkeypatch.setattr(policy, question, locked)
    response = owner_client.post(address(name, argument, site=site))
    text = said_in(response)
    assert response.status_code == 503
    assert "Nothing was changed" not in text
    assert "Whether what you asked for was done can’t be told" in text
    assert f'href="{address("run_changelist", site=site)}"' in text
    assert f'href="{address(page, argument, site=site)}"' in text


def test_after_a_get_that_the_database_did_not_answer_it_can_be_tried_again(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "may_enter", locked)
    text = said_in(owner_client.get(address("run_changelist"), {"q": "x"}))
    assert "Nothing was changed." in text
    assert f'href="{address("run_changelist")}?q=x"' in text


def test_thousands_are_not_separated_where_a_program_reads_them(owner_client: Client, settings: Settings) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    run = stored_run(pk=1234567, status=Status.RUNNING)
    page = page_of(owner_client, run)
    query = {"cursor": "0-0-0-", "wait": "2000"}
    fragment = text_of(owner_client.get(address("run_lines", run.pk), query, headers=FRAGMENT))
    assert 'data-wait="2000"' in fragment
    for text in (page, fragment):
        assert f'id="launcher-state-{run.pk}"' in text
        assert "1,234,567" not in text


def test_arguments_are_loaded_for_a_runs_page_alone_and_the_traceback_once(owner_client: Client) -> None:
    run = stored_run(status=Status.FAILED, reason="Why.", traceback="Traceback of it")
    url = address("run_lines", run.pk)
    for address_, query, times, argv_times in (
        (address("run_change", run.pk), {}, 1, 1),
        (url, {"cursor": "", "seen": "failed-0-0"}, 0, 0),
        (url, {"cursor": "", "seen": "running-0-0"}, 1, 0),
    ):
        with CaptureQueriesContext(connection) as queries:
            page = text_of(owner_client.get(address_, query))
        assert ("Traceback of it" in page) is bool(times)
        assert sum('"launcher_run"."traceback"' in query["sql"] for query in queries) == times
        assert sum('"launcher_run"."argv"' in query["sql"] for query in queries) == argv_times


def test_what_is_swapped_has_no_live_region_in_it_and_the_news_goes_to_one(owner_client: Client) -> None:
    run = stored_run(status=Status.FAILED)
    page = page_of(owner_client, run)
    head = page.partition('id="launcher-run-head"')[2].partition("</dl>")[0]
    assert "role=" not in re.sub('role="button"', "", head)
    assert '<p id="launcher-announcement" class="visually-hidden" role="status"></p>' in page
    assert 'role="log" aria-live="off"' in page
    fragment = said_in(owner_client.get(address("run_lines", run.pk), {"news": "", "seen": "running-0-0"}))
    assert 'hx-swap-oob="innerHTML:#launcher-announcement">Failed<' in fragment


def test_the_steps_of_a_stop_are_in_the_zone_of_the_other_times(owner_client: Client, settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"
    run = stored_run(status=Status.STOPPED, stop_steps=[["SIGINT", "2026-01-31T12:00:00+00:00"]])
    assert 'SIGINT <time datetime="2026-01-31T12:00:00+00:00">17:30:00</time>' in page_of(owner_client, run)


def test_how_it_was_started_and_what_it_may_take_is_shown(owner_client: Client) -> None:
    page = page_of(owner_client, stored_run(via="shell", timeout_seconds=90.0, why_cold="a thread runs"))
    for text in ("the shell", "1 min 30 s", "cold: a thread runs"):
        assert f"<dd>{text}</dd>" in page
    page = page_of(owner_client, stored_run())
    assert ">warm</span></dd>" in page
    assert "Time limit" not in page


@pytest.mark.parametrize("status", [Status.STOPPED, Status.TIMED_OUT])
def test_how_it_was_stopped_is_shown_whoever_or_whatever_did_it(owner_client: Client, status: Status) -> None:
    steps = [["SIGINT", "2026-01-31T12:00:00+00:00"], ["SIGTERM", "2026-01-31T12:00:05+00:00"]]
    page = page_of(owner_client, stored_run(status=status, stop_steps=steps, stopped_by_name="ada"))
    assert "SIGINT" in page
    assert "SIGTERM" in page
    assert "<dd>ada</dd>" in page


# Waiting for its turn


def queued_at(place: Place, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(engine(), "place", lambda run: place)
    return stored_run(status=Status.QUEUED)


@pytest.mark.parametrize(
    ("before", "is_for_command", "said"),
    [
        (0, False, "It is the next one. At most 16 runs go on at once on its host."),
        (1, False, "Waiting: 1 run is before it. At most 16 runs go on at once on its host."),
        (2, True, "Waiting: 2 runs are before it. Only 1 run of this command goes on at a time."),
    ],
)
def test_a_queued_run_says_how_many_are_before_it_and_why_it_waits(
    owner_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    before: int,
    is_for_command: bool,
    said: str,
) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": {GRANTED: {"max_concurrent": 1}}}
    assert options().max_concurrent_runs == 16
    run = queued_at(Place(before=before, is_for_command=is_for_command), monkeypatch)
    assert said in page_of(owner_client, run)


def test_the_head_is_sent_again_when_the_place_has_changed(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queued_at(Place(before=2, is_for_command=False), monkeypatch)
    seen = re.findall(r'data-seen="([\w-]+)"', page_of(owner_client, run))[0]
    url = address("run_lines", run.pk)
    assert "launcher-run-head" not in text_of(owner_client.get(url, {"news": "", "seen": seen}, headers=FRAGMENT))
    monkeypatch.setattr(engine(), "place", lambda run: Place(before=0, is_for_command=False))
    fragment = text_of(owner_client.get(url, {"news": "", "seen": seen}, headers=FRAGMENT))
    assert fragment.count("It is the next one.") == 2
    assert 'hx-swap-oob="innerHTML:#launcher-announcement">Queued: It is the next one.<' in fragment


@pytest.mark.django_db(transaction=True)
def test_real_runs_wait_for_their_turn(owner: User, owner_client: Client, gate: Path, settings: Settings) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": {"run_waits": {"max_concurrent": 1}}}
    first = runs.start_run("run_waits", [str(gate)], user=owner)
    wait_for(lambda: "waiting" in output_of(first))
    second, third = (runs.start_run("run_waits", [str(gate)], user=owner) for _ in range(2))
    wait_for(lambda: "Waiting: 1 run is before it. Only 1 run of this" in page_of(owner_client, third))
    assert "It is the next one." in page_of(owner_client, second)


def test_a_refusal_for_being_at_the_limit_names_the_runs_and_keeps_the_form(
    owner_client: Client, settings: Settings
) -> None:
    said = {"max_concurrent": 1, "when_busy": "refuse"}
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": {GRANTED: said}}
    going = stored_run(status=Status.RUNNING)
    reason = f"“{GRANTED}” is going on already (#{going.pk}), and one more may not start."
    page = said_in(owner_client.post(address("command_run", GRANTED), {"from_date": "2026-01-31"}))
    assert f"Nothing was started: {reason}" in page
    assert "correct the error" not in page
    assert 'value="2026-01-31"' in page
    ended = stored_run(argv=["--rebuild"])
    assert reason in said_in(owner_client.post(address("run_again", ended.pk), follow=True))
    assert Run.objects.count() == 2


# Prompts

ANSWER = "xyzzy-plugh-17"


def asking(**fields: Any) -> Run:
    """Store a run that waits for an answer elsewhere."""
    return stored_run(status=Status.RUNNING, **{"prompt": PROMPT, **fields})


def waiting_run(user: User, *argv: str) -> tuple[Run, Prompt]:
    """Start a run that really waits for an answer, and return what it asks."""
    run = runs.start_run("run_asks", argv, user=user)

    def asked() -> Prompt | None:
        run.refresh_from_db()
        return prompt_of(run)

    prompt = wait_for(asked)
    assert prompt is not None
    return run, prompt


def test_a_run_that_waits_says_so_on_each_page_and_can_be_answered_on_its_own(owner_client: Client) -> None:
    run = asking()
    page = text_of(owner_client.get(address("run_change", run.pk)))
    assert "Are you &lt;sure&gt;?" in page
    assert f'action="{address("run_answer", run.pk)}"' in page
    assert re.search(r'<input type="text" name="answer"[^>]* autocomplete="off"', page)
    for url in (
        address("run_change", run.pk),
        address("run_changelist"),
        address("command_changelist"),
        address("command_run", run.command),
        address("run_states") + f"?id={run.pk}",
    ):
        assert '"launcher-waits">waits for an answer<' in text_of(owner_client.get(url)), url


def test_what_a_command_does_not_show_is_masked(owner_client: Client) -> None:
    page = page_of(owner_client, asking(prompt={**PROMPT, "is_secret": True, "text": "Password:"}))
    assert re.search(r'<input type="password" name="answer"[^>]* autocomplete="new-password"', page)
    assert 'type="text" name="answer"' not in page


@pytest.mark.parametrize("fields", [{"prompt": None}, {"status": Status.SUCCEEDED}])
def test_a_run_that_does_not_wait_has_no_field(owner_client: Client, fields: dict[str, Any]) -> None:
    page = page_of(owner_client, asking(**fields) if "prompt" in fields else stored_run(**fields))
    assert 'name="answer"' not in page
    assert "waits for an answer" not in page


def test_a_prompt_without_words_has_a_label_all_the_same(owner_client: Client) -> None:
    assert "It waits for a line to be typed." in page_of(owner_client, asking(prompt={**PROMPT, "text": ""}))


def test_a_field_is_sent_only_where_the_page_has_another(owner_client: Client) -> None:
    run = asking()
    page = page_of(owner_client, run)
    (seen, asked) = re.findall(r'data-seen="([\w-]+)" data-asked="([\w-]+)"', page)[0]
    url = address("run_lines", run.pk)

    def fragment(asked: str) -> str:
        return said_in(owner_client.get(url, {"news": "", "seen": seen, "asked": asked}, headers=FRAGMENT))

    assert "launcher-prompt" not in fragment(asked)
    assert "launcher-run-head" not in fragment("")
    for other in ("", "2-0"):
        assert 'id="launcher-prompt"' in fragment(other)
        assert 'name="answer"' in fragment(other)
        assert "Waits for an answer: Are you <sure>?" in fragment(other)
    Run.objects.update(prompt={**PROMPT, "text": "Another text of the same?"})
    assert 'hx-swap-oob="innerHTML:#launcher-question">Another text of the same?\n<' in fragment(asked)
    assert 'name="answer"' not in fragment(asked)
    Run.objects.update(prompt=None)
    assert 'data-launcher-prompt="" hx-swap-oob="true"' in fragment(asked)
    assert 'hx-swap-oob="innerHTML:#launcher-announcement">Running<' in fragment(asked)


@pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["plain", "htmx"])
@pytest.mark.django_db(transaction=True)
def test_an_answer_is_passed_on_and_is_nowhere_else(owner: User, owner_client: Client, headers: dict[str, str]) -> None:
    run, prompt = waiting_run(owner, "--secretly")
    assert (prompt.text, prompt.is_secret) == ("Are you sure?", True)
    post = {"number": prompt.number, "answer": ANSWER}
    response = owner_client.post(address("run_answer", run.pk), post, headers=headers)
    seen = text_of(response) + str(response.headers) + str(response.cookies)
    assert response.status_code == (200 if headers else 302)
    assert wait_until_finished(run).status == Status.SUCCEEDED
    assert "14 characters." in output_of(run)
    pages = [address("run_change", run.pk), address("run_download", run.pk), address("run_history", run.pk)]
    seen += "".join(text_of(owner_client.get(url)) for url in [*pages, address("run_changelist")])
    assert ANSWER not in seen
    assert ANSWER.encode() not in database_bytes()
    assert [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")] == ["Added.", "Answered a prompt."]


@pytest.mark.django_db(transaction=True)
def test_the_end_of_input_is_an_answer_too(owner: User, owner_client: Client) -> None:
    run, prompt = waiting_run(owner)
    owner_client.post(address("run_answer", run.pk), {"number": prompt.number, "answer": "not sent", "end": "1"})
    assert wait_until_finished(run).status == Status.FAILED
    assert "EOFError" in run.reason
    assert "not sent" not in output_of(run)


@pytest.mark.django_db(transaction=True)
def test_the_second_answer_is_refused_and_says_why(owner: User, owner_client: Client) -> None:
    run, prompt = waiting_run(owner, "--twice")
    url, post = address("run_answer", run.pk), {"number": prompt.number, "answer": ANSWER}
    assert "not sent" not in said_in(owner_client.post(url, post, headers=FRAGMENT))
    refused = owner_client.post(url, post, headers=FRAGMENT)
    followed = said_in(owner_client.post(url, post, follow=True))
    reason = "Your answer was not sent: somebody else answered first"
    assert f'hx-swap-oob="innerHTML:#launcher-answer-said">{reason}' in text_of(refused)
    assert "HX-Reswap" not in refused
    assert reason in followed
    assert ANSWER not in text_of(refused) + followed.partition('id="launcher-output"')[0]
    (second,) = [wait_for(lambda: prompt_of(run))]
    assert second is not None
    assert (second.number > prompt.number, second.text) == (True, "Really?")
    owner_client.post(url, {"number": second.number, "answer": "", "end": "1"})
    wait_until_finished(run)


@pytest.mark.parametrize(
    ("post", "reason"),
    [
        ({"number": "3", "answer": ANSWER}, "It runs on elsewhere: only a page that this host serves can answer it."),
        ({"number": "2", "answer": ANSWER}, "Your answer was not sent: somebody else answered first"),
        ({"answer": ANSWER}, "It was not told which question this is for."),
        ({"number": "x", "answer": ANSWER}, "It was not told which question this is for."),
    ],
)
def test_what_can_not_be_passed_on_is_said_at_the_field_which_stays(
    owner_client: Client, post: dict[str, str], reason: str
) -> None:
    run = asking()
    response = owner_client.post(address("run_answer", run.pk), post, headers=FRAGMENT)
    assert reason in said_in(response)
    assert response.headers.get("HX-Reswap") == ("none" if post.get("number") == "3" else None)
    assert ANSWER not in text_of(response)
    assert not LogEntry.objects.exists()
    assert reason in said_in(owner_client.post(address("run_answer", run.pk), post, follow=True))


def test_nobody_answers_another_commands_run(operator_client: Client, outsider_client: Client, client: Client) -> None:
    granted, other = asking(), asking(command=NOT_GRANTED)
    post = {"number": "3", "answer": ANSWER}
    assert operator_client.post(address("run_answer", other.pk), post).status_code == 404
    assert outsider_client.post(address("run_answer", granted.pk), post).status_code == 403
    assert client.post(address("run_answer", granted.pk), post)["Location"].startswith("/admin/login/")
    assert operator_client.get(address("run_answer", granted.pk)).status_code == 405
    assert operator_client.post(address("run_answer", granted.pk), post).status_code == 302


@pytest.mark.parametrize("site", SITES)
def test_an_answer_leads_back_to_the_same_site(owner_client: Client, site: str) -> None:
    run = asking()
    url = address("run_answer", run.pk, site=site)
    assert f'hx-post="{url}"' in page_of(owner_client, run, site)
    response = owner_client.post(url, {"number": "3", "answer": ANSWER})
    assert response["Location"] == address("run_change", run.pk, site=site)
    assert f'hx-post="{url}"' in said_in(owner_client.post(url, {"number": "3"}, headers=FRAGMENT))


@pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["plain", "htmx"])
def test_an_error_report_does_not_show_the_answer(
    owner: User, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    reports: list[str] = []

    @sensitive_variables()
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a bug")

    def report(sender: object, request: HttpRequest, **kwargs: object) -> None:
        reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

    monkeypatch.setattr(engine(), "answer", fail)
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    got_request_exception.connect(report)
    try:
        client.post(address("run_answer", asking().pk), {"number": "3", "answer": ANSWER}, headers=headers)
    finally:
        got_request_exception.disconnect(report)
    assert "a bug" in reports[0]
    assert ANSWER not in reports[0]


# Download


def test_the_download_is_the_text_and_with_ansi_the_very_bytes(owner_client: Client) -> None:
    data = b"\x1b[31mred\x1b[0m\n10%\r20%\n<b>\n"
    run = with_output(stored_run(), data)
    plain = owner_client.get(address("run_download", run.pk))
    assert text_of(plain) == "red\n20%\n<b>\n"
    assert plain["Content-Type"] == "text/plain; charset=utf-8"
    assert plain["X-Content-Type-Options"] == "nosniff"
    assert f'filename="{GRANTED}-{run.pk}.txt"' in plain["Content-Disposition"]
    assert text_of(owner_client.get(address("run_download", run.pk), {"ansi": ""})).encode() == data


def test_under_asgi_a_download_is_sent_as_it_is_read_and_can_be_broken_off(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def pieces(output: object) -> Iterator[bytes]:
        try:
            for text in ("one", "two", "three"):
                read.append(text)
                yield f"{text}\n".encode()
        finally:
            read.append("closed")

    async def download() -> list[bytes]:
        client: Any = AsyncClient()
        await client.aforce_login(owner)
        response = await client.get(address("run_download", run.pk))
        assert response.is_async
        stream = aiter(response)
        got = [await anext(stream), await anext(stream)]
        assert read == ["one", "two"]
        await sync_to_async(response.close)()
        return got

    run = stored_run()
    monkeypatch.setattr("launcher.views.download.read_all", pieces)
    assert async_to_sync(download)() == [b"one\n", b"two\n"]
    assert read == ["one", "two", "closed"]


def test_under_asgi_a_download_is_whole(owner: User) -> None:
    run = with_output(stored_run(), b"one\ntwo\n")

    async def download() -> bytes:
        client: Any = AsyncClient()
        await client.aforce_login(owner)
        response = await client.get(address("run_download", run.pk), {"ansi": ""})
        return b"".join([piece async for piece in response])

    assert async_to_sync(download)() == b"one\ntwo\n"


# Stop


def test_a_queued_run_is_stopped_at_once_and_the_stop_is_in_the_log(operator_client: Client, operator: User) -> None:
    run = stored_run(status=Status.QUEUED)
    operator_client.post(address("run_stop", run.pk))
    run.refresh_from_db()
    assert (run.status, run.stopped_by_name) == (Status.STOPPED, "operator")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.action_flag, entry.get_change_message()) == (operator, CHANGE, "Stopped.")


def test_a_second_stop_changes_and_logs_nothing(operator_client: Client, owner_client: Client) -> None:
    run = stored_run(status=Status.RUNNING)
    operator_client.post(address("run_stop", run.pk))
    owner_client.post(address("run_stop", run.pk))
    run.refresh_from_db()
    assert run.stopped_by_name == "operator"
    assert LogEntry.objects.count() == 1


def test_stopping_what_has_ended_says_so(owner_client: Client) -> None:
    run = stored_run()
    response = owner_client.post(address("run_stop", run.pk), follow=True)
    assert "The run had ended by then." in said_in(response)
    assert not LogEntry.objects.exists()


def test_nobody_stops_or_starts_another_commands_run(operator_client: Client) -> None:
    run = stored_run(NOT_GRANTED, status=Status.RUNNING)
    for name in ("run_stop", "run_again"):
        assert operator_client.post(address(name, run.pk)).status_code == 404
    run.refresh_from_db()
    assert run.stop_requested_at is None
    assert Run.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_stop_button_stops_a_real_run(owner: User, owner_client: Client, gate: Path) -> None:
    run = runs.start_run("run_waits", [str(gate)], user=owner)
    wait_for(lambda: "waiting" in output_of(run))
    owner_client.post(address("run_stop", run.pk))
    assert wait_until_finished(run).status == Status.STOPPED
    page = page_of(owner_client, run)
    assert "SIGINT" in page
    assert [entry.action_flag for entry in LogEntry.objects.order_by("pk")] == [ADDITION, CHANGE]


# Run again


def test_run_again_starts_the_very_argv(owner_client: Client) -> None:
    run = stored_run(argv=["--from=2026-01-01", "--rebuild"])
    owner_client.post(address("run_again", run.pk))
    again = Run.objects.latest("pk")
    assert (again.pk != run.pk, again.argv, again.user_name) == (True, run.argv, "owner")


def test_run_again_goes_to_the_form_where_a_secret_is_missing(owner_client: Client) -> None:
    run = stored_run("secret_length", argv=["--password=********", "ada"], has_secrets=True)
    response = owner_client.post(address("run_again", run.pk), follow=True)
    assert response.redirect_chain[0][0] == f"{address('command_run', 'secret_length')}?run={run.pk}"
    assert "Secrets are not kept; type them again." in said_in(response)
    assert 'value="ada"' in said_in(response)
    assert Run.objects.count() == 1


def test_run_again_goes_to_the_form_where_an_uploaded_file_is_gone(owner_client: Client) -> None:
    run = stored_run("import_csv_data")
    run.argv = [str(Spool(run.uid).uploads_path / "csv" / "products.csv")]
    run.save()
    response = owner_client.post(address("run_again", run.pk), follow=True)
    assert "choose it again" in said_in(response)
    assert str(Spool(run.uid).folder) not in said_in(response).partition("launcher-recent")[0]
    assert Run.objects.count() == 1


def test_run_again_goes_to_the_form_where_a_confirmation_is_wanted(owner_client: Client) -> None:
    run = stored_run("flush", argv=["--no-input"])
    response = owner_client.post(address("run_again", run.pk))
    assert response["Location"].startswith(address("command_run", "flush"))
    assert Run.objects.count() == 1


def test_run_again_goes_to_the_form_where_the_parser_refuses_now(owner_client: Client) -> None:
    run = stored_run(argv=["--of-old"])
    response = owner_client.post(address("run_again", run.pk), follow=True)
    assert "unrecognized arguments: --of-old" in said_in(response)
    assert Run.objects.count() == 1


def test_run_again_is_refused_where_the_command_may_not_run_now(owner_client: Client, settings: Settings) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": {GRANTED: {"launchable": False, "reason": "Not today."}}}
    run = stored_run()
    assert address("run_again", run.pk) not in page_of(owner_client, run)
    response = owner_client.post(address("run_again", run.pk))
    assert response.status_code == 403
    assert "Not today." in said_in(response)


# What an author writes is text


@pytest.mark.django_db(transaction=True)
def test_what_a_command_prints_and_raises_is_text(owner: User, owner_client: Client) -> None:
    run = wait_until_finished(runs.start_run("markup", [], user=owner))
    page = text_of(owner_client.get(address("run_change", run.pk)))
    assert "<script>alert" not in page
    assert "javascript:" not in page
    assert "printed &lt;script&gt;alert(1)&lt;/script&gt; &amp; " in page
    assert "ValueError: raised &lt;script&gt;" in page
