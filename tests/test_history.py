"""The history: the admin's own list of runs, with the user's own runs in it, read-only; and who may delete what."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from launcher.models import Chunk, Run, Status
from launcher.output.store import host_name
from tests.conftest import logged_in
from tests.pages import FRAGMENT, GRANTED, NOT_GRANTED, SITES, address, said_in, stored_run, text_of, with_output

pytestmark = pytest.mark.django_db


@pytest.fixture
def deleter(operator: User) -> Client:
    """An operator who may delete runs as well."""
    operator.user_permissions.add(Permission.objects.get(codename="delete_run"))
    return logged_in(operator)


def shown(client: Client, site: str = "admin", **query: Any) -> list[int]:
    """Return the keys of the runs in the list, in its order."""
    page = said_in(client.get(address("run_changelist", site=site), query))
    return [int(key) for key in re.findall(r'<span class="launcher-state" id="launcher-state-(\d+)"', page)]


# What is listed


def test_the_newest_run_comes_first(owner_client: Client) -> None:
    runs = [stored_run().pk for _ in range(3)]
    assert shown(owner_client) == runs[::-1]


def test_only_runs_of_granted_commands_are_listed(operator_client: Client, owner_client: Client) -> None:
    mine, other = stored_run().pk, stored_run(NOT_GRANTED).pk
    assert shown(operator_client) == [mine]
    assert shown(owner_client) == [other, mine]


@pytest.mark.parametrize("site", SITES)
def test_links_lead_to_the_runs_page_on_the_same_site(owner_client: Client, site: str) -> None:
    run = stored_run()
    page = said_in(owner_client.get(address("run_changelist", site=site)))
    own = {"admin": "/admin/", "second": "/second-admin/"}[site]
    links = re.findall(r'(?:href|action|hx-get)="(/[^"]+)"', page)
    assert address("run_change", run.pk, site=site) in [link.partition("?")[0] for link in links]
    assert [link for link in links if not link.startswith((own, "/static/"))] == []
    assert f'hx-get="{own}launcher/run/states/' in page


def test_a_row_says_what_ran_by_whom_when_how_long_and_how_it_ended(owner_client: Client) -> None:
    stored_run(status=Status.FAILED, exit_code=-15, command_line="check --deploy", user_name="ada")
    page = said_in(owner_client.get(address("run_changelist")))
    row = page.partition("<tbody>")[2].partition("</tbody>")[0]
    for text in ("Failed", "check --deploy", "ada", "3.0 s", "signal 15"):
        assert text in row


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status__exact": "failed"}, ["b"]),
        ({"status__exact": "succeeded"}, ["c", "a"]),
        ({"command": NOT_GRANTED}, ["b"]),
        ({"user_name": "owner"}, ["c"]),
        ({"user_name": "ada"}, ["b"]),
        ({"queued_at__gte": "TODAY"}, ["c", "b"]),
        ({"q": "rebuild"}, ["a"]),
        ({"q": "ada"}, ["b"]),
        ({"q": "REBUILD from"}, ["a"]),
        ({"q": "nothing of it"}, []),
    ],
)
def test_it_can_be_filtered_and_searched(
    owner: User, owner_client: Client, query: dict[str, str], expected: list[str]
) -> None:
    now = timezone.now()
    runs = {
        "a": stored_run(queued_at=now - timedelta(days=9), command_line=f"{GRANTED} --from=x --rebuild"),
        "b": stored_run(NOT_GRANTED, status=Status.FAILED, user_name="ada"),
        "c": stored_run(user=owner, user_name="owner"),
    }
    words = {"TODAY": f"{now.date()} 00:00:00+00:00"}
    given = {key: words.get(value, value) for key, value in query.items()}
    names = {run.pk: name for name, run in runs.items()}
    assert [names[pk] for pk in shown(owner_client, **given)] == expected


def test_filters_are_offered_by_state_command_user_and_date(owner: User, owner_client: Client) -> None:
    stored_run(user=owner)
    stored_run(NOT_GRANTED)
    page = said_in(owner_client.get(address("run_changelist")))
    for parameter in ("status__exact=failed", f"command={NOT_GRANTED}", "user_name=", "queued_at__gte="):
        assert parameter in page


def test_filters_offer_only_what_is_in_the_users_own_runs(operator_client: Client, owner: User, operator: User) -> None:
    stored_run(user=operator)
    stored_run(user=operator, user_name="operator", status=Status.FAILED)
    stored_run(NOT_GRANTED, user=owner)
    stored_run("migrate", user=owner)
    page = said_in(operator_client.get(address("run_changelist")))
    filters = page.partition('id="changelist-filter"')[2]
    assert NOT_GRANTED not in filters
    assert "owner" not in filters


@pytest.mark.parametrize("query", [{"user__password__startswith": "m"}, {"chunks__data__contains": "x"}])
def test_no_filter_reaches_into_passwords_or_output(owner_client: Client, query: dict[str, str]) -> None:
    run = with_output(stored_run(), b"secret output\n")
    response = owner_client.get(address("run_changelist"), query)
    assert response.status_code in {302, 400}
    assert f"launcher-state-{run.pk}" not in text_of(response)


@pytest.mark.parametrize("query", [{"command": "a\0"}, {"q": "\0"}, {"a\0": "b"}])
def test_what_no_database_can_hold_is_taken_out_of_the_address(owner_client: Client, query: dict[str, str]) -> None:
    response = owner_client.get(address("run_changelist"), query)
    assert (response.status_code, response["Location"]) == (302, address("run_changelist"))


def test_thousands_are_not_separated_where_a_program_reads_them(owner_client: Client, settings: Settings) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    going, ended = stored_run(pk=1234567, status=Status.RUNNING), stored_run(pk=1234568)
    page = said_in(owner_client.get(address("run_changelist")))
    query: dict[str, Any] = {"id": [going.pk, ended.pk], "newest": ended.pk}
    fragment = said_in(owner_client.get(address("run_states"), query, headers=FRAGMENT))
    for text in (page, fragment):
        assert f"?newest={ended.pk}&id={going.pk}" in text
        for name in ("state", "duration", "code"):
            assert f'id="launcher-{name}-{going.pk}"' in text


@pytest.mark.parametrize("name", ["run_changelist", "run_states", "command_changelist"])
def test_no_list_loads_tracebacks_and_arguments(owner_client: Client, name: str) -> None:
    runs = [stored_run(status=status, reason="Why.", traceback="Traceback") for status in Status]
    with CaptureQueriesContext(connection) as queries:
        owner_client.get(address(name), {"id": [run.pk for run in runs]} if name == "run_states" else {})
    loading = [query["sql"] for query in queries if re.search(r'SELECT.*"launcher_run"."uid"', query["sql"])]
    assert loading
    assert [sql for sql in loading if '."traceback"' in sql or '."argv"' in sql] == []
    assert [query for query in queries if '."traceback"' in query["sql"]] == []


def test_the_number_of_queries_does_not_grow_with_the_runs(
    owner_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for status in Status:
        for _ in range(5):
            with_output(stored_run(status=status), b"line\n")
    with django_assert_max_num_queries(14):
        owner_client.get(address("run_changelist"))


def test_a_run_whose_process_is_gone_is_told_to_be_lost(owner_client: Client) -> None:
    run = stored_run(status=Status.RUNNING, host=host_name(), pid=2**22 + 1, pid_started="long ago")
    assert 'data-launcher-status="lost"' in said_in(owner_client.get(address("run_changelist")))
    run.refresh_from_db()
    assert run.status == Status.LOST


# States, swapped in while the list is open


@pytest.mark.parametrize("site", SITES)
def test_the_states_fragment_tells_of_the_runs_asked_for(owner_client: Client, site: str) -> None:
    going, ended = stored_run(status=Status.RUNNING), stored_run()
    query: dict[str, Any] = {"id": [going.pk, ended.pk], "newest": ended.pk}
    fragment = said_in(owner_client.get(address("run_states", site=site), query, headers=FRAGMENT))
    assert "<html" not in fragment
    for run in (going, ended):
        assert f'id="launcher-state-{run.pk}" data-launcher-status="{run.status}" hx-swap-oob="true"' in fragment
    assert f'hx-get="{address("run_states", site=site)}?newest={ended.pk}&id={going.pk}"' in fragment.replace(
        "&amp;", "&"
    )


def test_the_states_fragment_tells_nothing_of_other_commands_runs(operator_client: Client) -> None:
    hidden = [stored_run(NOT_GRANTED, status=Status.RUNNING).pk for _ in range(2)]
    query: dict[str, Any] = {"id": hidden, "newest": hidden[0] - 1}
    fragment = said_in(operator_client.get(address("run_states"), query, headers=FRAGMENT))
    assert "launcher-state-" not in fragment
    assert "new run" not in fragment
    assert f"id={hidden[0]}" not in fragment


def test_the_states_fragment_says_how_many_are_new(operator_client: Client) -> None:
    last = stored_run().pk
    stored_run(NOT_GRANTED)
    stored_run()
    fragment = said_in(operator_client.get(address("run_states"), {"newest": last}, headers=FRAGMENT))
    assert "1 new run" in fragment


@pytest.mark.parametrize("value", ["", "x", "²", "-1", "9" * 30, "1" * 5000])
@pytest.mark.parametrize("name", ["id", "newest"])
def test_nonsense_in_the_address_is_no_error(owner_client: Client, name: str, value: str) -> None:
    stored_run()
    assert owner_client.get(address("run_states"), {name: value}, headers=FRAGMENT).status_code == 200


def test_the_fragment_is_cheap(operator_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    keys = [stored_run(status=Status.RUNNING).pk for _ in range(20)]
    query: dict[str, Any] = {"id": keys, "newest": keys[-1]}
    with django_assert_max_num_queries(7):
        operator_client.get(address("run_states"), query, headers=FRAGMENT)


# Deleting


def delete_selected(client: Client, *runs: Run, **data: str) -> Any:
    return client.post(
        address("run_changelist"),
        {"action": "delete_selected", "_selected_action": [run.pk for run in runs], "post": "yes", **data},
    )


def test_who_may_not_delete_has_no_action_for_it_and_no_way(operator_client: Client) -> None:
    run = stored_run()
    assert "delete_selected" not in text_of(operator_client.get(address("run_changelist")))
    delete_selected(operator_client, run)
    assert operator_client.post(address("run_delete", run.pk), {"post": "yes"}).status_code == 403
    assert Run.objects.count() == 1


def test_a_finished_run_is_deleted_with_its_output_and_that_is_in_the_log(deleter: Client, operator: User) -> None:
    run = with_output(stored_run(), b"line\n")
    response = deleter.post(address("run_delete", run.pk), {"post": "yes"})
    assert response["Location"] == address("run_changelist")
    assert (Run.objects.count(), Chunk.objects.count()) == (0, 0)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.action_flag, entry.object_repr) == (operator, DELETION, f"{GRANTED} #{run.pk}")


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_an_unfinished_run_is_not_deleted(deleter: Client, status: Status) -> None:
    run = stored_run(status=status)
    assert deleter.get(address("run_delete", run.pk)).status_code == 403
    assert deleter.post(address("run_delete", run.pk), {"post": "yes"}).status_code == 403
    page = said_in(delete_selected(deleter, run, stored_run()))
    assert f"{run} is {status}: stop it first" in page
    assert Run.objects.count() == 2


def test_selected_finished_runs_are_deleted_and_logged(deleter: Client) -> None:
    runs = [with_output(stored_run(status=status), b"x\n") for status in Status if status not in {"queued", "running"}]
    response = delete_selected(deleter, *runs)
    assert response.status_code == 302
    assert (Run.objects.count(), Chunk.objects.count()) == (0, 0)
    assert LogEntry.objects.filter(action_flag=DELETION).count() == len(runs)


def test_another_commands_run_is_not_deleted(deleter: Client) -> None:
    run = stored_run(NOT_GRANTED)
    deleter.post(address("run_delete", run.pk), {"post": "yes"})
    delete_selected(deleter, run)
    delete_selected(deleter, run, stored_run(), select_across="1")
    assert Run.objects.get().pk == run.pk


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_deleting_never_loads_the_output(owner_client: Client, is_confirmed: bool) -> None:
    run, others = with_output(stored_run(), b"x\n"), [with_output(stored_run(), b"x\n") for _ in range(3)]
    post = {"post": "yes"} if is_confirmed else {}
    with CaptureQueriesContext(connection) as queries:
        page = owner_client.post(address("run_delete", run.pk), post)
        selected = owner_client.post(
            address("run_changelist"),
            {"action": "delete_selected", "_selected_action": [other.pk for other in others], **post},
        )
    assert {page.status_code, selected.status_code} == ({302} if is_confirmed else {200})
    reading = [
        query["sql"] for query in queries if "launcher_chunk" in query["sql"] and query["sql"].startswith("SELECT")
    ]
    assert reading == []


def test_the_page_before_deleting_names_the_runs_and_no_chunk(owner_client: Client) -> None:
    run = with_output(stored_run(), b"x\n")
    page = said_in(owner_client.get(address("run_delete", run.pk)))
    assert str(run) in page
    assert "bytes 0 to" not in page


@pytest.mark.parametrize("site", SITES)
def test_deleting_stays_on_the_site(owner_client: Client, site: str) -> None:
    run = stored_run()
    response = owner_client.post(address("run_delete", run.pk, site=site), {"post": "yes"})
    assert response["Location"] == address("run_changelist", site=site)


def test_the_admins_own_history_of_a_run_opens(owner_client: Client) -> None:
    run = stored_run(status=Status.QUEUED)
    owner_client.post(address("run_stop", run.pk))
    assert "Stopped." in said_in(owner_client.get(address("run_history", run.pk)))
