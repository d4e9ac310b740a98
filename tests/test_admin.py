"""Every page of both entries, on both sites: who gets in, who is sent away, and how."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import resolve
from pytest_django import Settings

from launcher.admin import CommandAdmin, RunAdmin, register
from launcher.models import Command, Run, Status
from tests.conftest import logged_in
from tests.pages import FRAGMENT, NOT_GRANTED, SITES, address, every_page, send, stored_run, text_of

LOGIN = {"admin": "/admin/login/", "second": "/second-admin/login/"}
LOGIN_REQUIRED = "django.contrib.auth.middleware.LoginRequiredMiddleware"
# Places in `every_page`, which needs a run and so the database.
PAGES = range(23)


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answers(client: Client, run: Run, site: str, **more: Any) -> dict[str, Any]:
    return {f"{method} {url}": send(client, method, url, **more) for method, url in every_page(run, site)}


def is_stock_not_found(response: Any) -> bool:
    """The admin's own pages send on to the index where there is no such object, with a message that there says so."""
    return response.status_code == 302 and response["Location"] in {"/admin/", "/second-admin/"}


@pytest.mark.django_db
def test_every_url_of_ours_is_in_the_list_of_pages() -> None:
    listed = {resolve(url).url_name for _, url in every_page(stored_run())}
    ours = {
        pattern.name
        for kind in (CommandAdmin, RunAdmin)
        for pattern in kind(Run, admin.site).get_urls()
        if pattern.name
    }
    assert listed == ours - {"launcher_run_add"}
    assert len(every_page(stored_run())) == len(PAGES)


@pytest.mark.django_db
@pytest.mark.parametrize("number", PAGES)
def test_nobody_is_sent_to_the_login_of_the_very_site(client: Client, site: str, number: int) -> None:
    method, url = every_page(stored_run(), site)[number]
    response = send(client, method, url)
    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN[site] + "?next=")


@pytest.mark.parametrize("number", PAGES)
def test_nobody_is_sent_there_under_login_required_middleware_too(
    client: Client, db: None, site: str, number: int, settings: Settings
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, LOGIN_REQUIRED]
    method, url = every_page(stored_run(), site)[number]
    response = send(client, method, url)
    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN[site] + "?next=")


@pytest.mark.parametrize("middleware", [[], [LOGIN_REQUIRED]])
def test_a_fragment_whose_session_has_ended_has_the_page_reloaded_unless_a_form_is_being_filled_in(
    client: Client, db: None, site: str, settings: Settings, middleware: list[str]
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *middleware]
    for page, response in answers(client, stored_run(), site, headers=FRAGMENT).items():
        assert (response.status_code, response.content) == (204, b"")
        assert response.headers.get("HX-Refresh") == (None if page.startswith("post ") else "true")


def test_a_history_restore_is_a_page_and_goes_to_the_login(client: Client, db: None, site: str) -> None:
    headers = {**FRAGMENT, "HX-History-Restore-Request": "true"}
    response = client.get(address("run_changelist", site=site), headers=headers)
    assert response["Location"].startswith(LOGIN[site])


def test_staff_without_the_right_get_nothing(outsider_client: Client, site: str) -> None:
    run = stored_run(command_line="a secret line")
    for page, response in answers(outsider_client, run, site).items():
        assert response.status_code == 403 or is_stock_not_found(response), page
        assert "a secret line" not in text_of(response)


def test_staff_without_the_right_see_no_entry(outsider_client: Client, operator_client: Client) -> None:
    assert "Launcher</a>" not in text_of(outsider_client.get("/admin/"))
    index = text_of(operator_client.get("/admin/"))
    assert address("command_changelist") in index
    assert address("run_changelist") in index


def test_a_user_whose_right_is_taken_away_is_out_at_once(operator: User) -> None:
    client, run = logged_in(operator), stored_run()
    assert client.get(address("run_change", run.pk)).status_code == 200
    operator.groups.clear()
    assert client.get(address("run_change", run.pk)).status_code == 403


def test_an_operator_gets_every_page_of_a_granted_command_but_those_to_delete(
    operator_client: Client, site: str
) -> None:
    """What is everyone's, a run's record or a preset, is deleted by those with the right alone."""
    statuses = {page: response.status_code for page, response in answers(operator_client, stored_run(), site).items()}
    assert {page for page, status in statuses.items() if status == 403} == {
        page for page in statuses if page.endswith("/delete/") or "/preset/" in page.removesuffix("/preset/")
    }
    assert {status for page, status in statuses.items() if page.endswith("/stream/")} == {501}  # not by WSGI
    assert {status for page, status in statuses.items() if page.endswith(("/help/", "/line/1.txt"))} == {404}
    others = {s for page, s in statuses.items() if not page.endswith(("/help/", "/stream/", "/line/1.txt"))}
    assert others == {200, 302, 403}


def test_an_operator_gets_no_page_of_another_command(operator_client: Client, site: str) -> None:
    run = stored_run(NOT_GRANTED, command_line="a secret line")
    lists = {address(name, site=site) for name in ("command_changelist", "run_changelist", "run_states")}
    for page, response in answers(operator_client, run, site).items():
        assert "a secret line" not in text_of(response)
        if page.partition(" ")[2] not in lists:
            assert response.status_code in {403, 404} or is_stock_not_found(response), page


def test_a_superuser_gets_every_page(owner_client: Client, site: str) -> None:
    statuses = {
        page: response.status_code for page, response in answers(owner_client, stored_run(NOT_GRANTED), site).items()
    }
    # A command that has fields is not asked for its help; the run has no line, and this server does not stream.
    expected = {"/help/": 404, "/line/1.txt": 404, "/stream/": 501}
    assert {page: status for page, status in statuses.items() if status not in (200, 302)} == {
        page: status for page in statuses for end, status in expected.items() if page.endswith(end)
    }


def without_token(text: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


@pytest.mark.parametrize(
    ("method", "name"), [("get", "command_run"), ("post", "command_run"), ("post", "command_line")]
)
def test_an_operator_can_not_tell_a_command_that_is_not_granted_from_none(
    operator_client: Client, site: str, method: str, name: str
) -> None:
    hidden = send(operator_client, method, address(name, "runserver", site=site))
    missing = send(operator_client, method, address(name, "no_such_command", site=site))
    assert hidden.status_code == missing.status_code == 403
    assert without_token(text_of(hidden)) == without_token(text_of(missing))
    may_differ = {name: hidden[name] for name in ("Content-Length", "Expires") if name in hidden}
    assert dict(hidden.headers) == dict(missing.headers) | may_differ


@pytest.mark.parametrize("name", ["run_change", "run_lines", "run_download", "run_search"])
def test_an_operator_can_not_tell_another_commands_run_from_none(operator_client: Client, name: str) -> None:
    hidden = stored_run(NOT_GRANTED).pk
    missing = hidden + 1
    there, nowhere = (operator_client.get(address(name, pk)) for pk in (hidden, missing))
    assert there.status_code == nowhere.status_code == 404
    assert without_token(text_of(there)).replace(f"run {hidden}", f"run {missing}") == without_token(text_of(nowhere))


def test_a_superuser_is_told_of_an_unknown_command_in_the_admins_dress(owner_client: Client, site: str) -> None:
    response = owner_client.get(address("command_run", "no_such_command", site=site))
    assert response.status_code == 404
    page = text_of(response)
    assert "There is no command “no_such_command”." in page
    assert 'id="header"' in page
    assert f'href="{LOGIN[site].removesuffix("login/")}"' in page


def test_refusals_wear_the_admins_dress(outsider_client: Client, owner_client: Client) -> None:
    for response in (
        outsider_client.get(address("command_changelist")),
        owner_client.get(address("run_change", 12345)),
    ):
        assert 'id="header"' in text_of(response)
        assert "Launcher demo shop" in text_of(response)


def test_the_message_of_a_refusal_is_escaped(owner_client: Client) -> None:
    page = text_of(owner_client.get(address("command_run", "<b>bold")))
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold" in page


WRONG_METHODS = [
    ("command_changelist", "post"),
    ("command_changelist", "delete"),
    ("command_run", "put"),
    ("command_run", "delete"),
    ("command_line", "get"),
    ("run_changelist", "put"),
    ("run_states", "post"),
    ("run_change", "post"),
    ("run_change", "put"),
    ("run_lines", "post"),
    ("run_download", "post"),
    ("run_search", "post"),
    ("run_stop", "get"),
    ("run_stop", "head"),
    ("run_again", "get"),
    ("run_again", "put"),
]


@pytest.mark.parametrize(("name", "method"), WRONG_METHODS)
def test_a_wrong_method_is_refused_with_the_right_ones(owner_client: Client, site: str, name: str, method: str) -> None:
    run = stored_run(status=Status.RUNNING)
    args = (
        [run.command]
        if name in {"command_run", "command_line"}
        else []
        if name.endswith(("list", "states"))
        else [run.pk]
    )
    response = send(owner_client, method, address(name, *args, site=site))
    assert response.status_code == 405
    assert method.upper() not in response["Allow"]
    run.refresh_from_db()
    assert (run.status, run.stop_requested_at, Run.objects.count()) == (Status.RUNNING, None, 1)


def test_nothing_can_be_added_or_changed(owner_client: Client) -> None:
    run = stored_run()
    assert owner_client.get("/admin/launcher/run/add/").status_code == 403
    assert owner_client.post("/admin/launcher/run/add/", {"command": "check"}).status_code == 403
    assert owner_client.post(address("run_change", run.pk), {"status": "failed"}).status_code == 405
    assert owner_client.post("/admin/launcher/run/x/change/", {"status": "failed"}).status_code in {302, 403}
    assert owner_client.get("/admin/launcher/command/add/").status_code == 404
    assert Run.objects.get().status == Status.SUCCEEDED


def test_a_stock_page_refuses_in_the_same_dress(owner_client: Client) -> None:
    running = stored_run(status=Status.RUNNING)
    for url in ("/second-admin/launcher/run/add/", address("run_delete", running.pk, site="second")):
        page = text_of(owner_client.get(url))
        assert "This is not allowed." in page
        assert 'href="/second-admin/launcher/run/"' in page
    assert owner_client.put(address("run_delete", running.pk)).status_code == 405


PAGES_THAT_POST = ["command_run", "command_line", "run_stop", "run_again"]


@pytest.mark.parametrize("name", PAGES_THAT_POST)
def test_a_post_without_token_is_refused(owner: User, site: str, name: str) -> None:
    client, run = Client(enforce_csrf_checks=True), stored_run()
    client.force_login(owner)
    argument = run.pk if name.startswith("run_") else run.command
    assert client.post(address(name, argument, site=site)).status_code == 403
    assert Run.objects.count() == 1


def test_a_post_with_the_pages_token_is_taken(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    page = client.get(address("command_run", "check"))
    response = client.post(address("command_run", "check"), {"csrfmiddlewaretoken": page.context["csrf_token"]})
    assert response.status_code == 302
    assert Run.objects.get().command == "check"


def test_pages_are_never_cached(owner_client: Client) -> None:
    run = stored_run()
    for name, args in [("command_changelist", []), ("run_change", [run.pk]), ("run_lines", [run.pk])]:
        assert "no-store" in owner_client.get(address(name, *args))["Cache-Control"]


def test_registering_leaves_a_projects_own_entry_alone() -> None:
    class OwnAdmin(RunAdmin):
        pass

    own = admin.AdminSite(name="own")
    own.register(Run, OwnAdmin)
    register(own)
    register(own)
    assert type(own.get_model_admin(Run)) is OwnAdmin
    assert type(own.get_model_admin(Command)) is CommandAdmin


def test_a_right_to_delete_shows_the_button(operator: User) -> None:
    client, run = logged_in(operator), stored_run()
    assert address("run_delete", run.pk) not in text_of(client.get(address("run_change", run.pk)))
    operator.user_permissions.add(Permission.objects.get(codename="delete_run"))
    assert address("run_delete", run.pk) in text_of(client.get(address("run_change", run.pk)))
    assert client.get(address("run_delete", run.pk)).status_code == 200
