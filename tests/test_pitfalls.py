"""The mistakes that extensions of the admin make, one test for each that no other file has."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.template import engines
from django.test import Client, RequestFactory
from django.urls import get_resolver, path
from django.urls import resolve as resolve_url
from pytest_django import Settings

import launcher
from launcher.admin import RunAdmin, register
from launcher.models import Run, Status
from tests.conftest import logged_in
from tests.pages import (
    FRAGMENT,
    GRANTED,
    NOT_GRANTED,
    PROMPT,
    address,
    every_page,
    send,
    stored_run,
    text_of,
    with_output,
)

pytestmark = pytest.mark.django_db

ROOT = Path(launcher.__file__).parent
TEMPLATES = sorted((ROOT.parent / "templates" / "launcher").glob("*.html"))


class OpenSite(admin.AdminSite):
    """A site of the project's own that lets in whoever is active, staff or not."""

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active)


open_site = OpenSite(name="open")
register(open_site)
urlpatterns = [path("open/", open_site.urls), path("admin/", admin.site.urls)]


def sources() -> dict[Path, str]:
    return {path: path.read_text() for path in ROOT.rglob("*.py")}


def full_pages(client: Client) -> dict[str, str]:
    """Return every kind of page there is, rendered."""
    run = with_output(
        stored_run(status=Status.FAILED, reason="Why.", traceback="Traceback", stop_steps=[["SIGINT", "x"]]),
        b"\x1b[1;31mx\n",
    )
    going = stored_run(status=Status.RUNNING)
    asking = stored_run(status=Status.RUNNING, prompt=PROMPT)
    urls = [
        address("command_changelist"),
        address("command_run", "import_csv_data"),
        address("command_run", "secret_length"),
        address("command_run", "runserver"),
        address("command_run", "no_such_command"),
        address("run_changelist"),
        address("run_change", run.pk),
        address("run_change", going.pk),
        address("run_change", asking.pk),
        address("run_delete", run.pk),
        address("run_lines", run.pk),
        address("run_states") + f"?id={run.pk}",
    ]
    pages = {url: text_of(client.get(url)) for url in urls}
    return {**pages, "refused": text_of(client.post(address("command_run", GRANTED), {"from_date": "x"}))}


# 1. The last pattern of the admin's URLs swallows whatever comes after it.


@pytest.mark.parametrize("site", ["admin", "second"])
def test_no_stock_pattern_swallows_a_page_of_ours(site: str) -> None:
    for _, url in every_page(stored_run(), site):
        name = resolve_url(url).url_name or ""
        assert name.startswith("launcher_"), url


# 2. admin_view is no authorization: see test_admin.py. 3. current_app.


def test_every_reverse_in_python_names_the_site() -> None:
    for source, text in sources().items():
        for call in re.findall(r"\breverse\((?:[^()]|\([^()]*\))*\)", text):
            assert "current_app=" in call, f"{source.name}: {call}"


# 4. Views belong to whichever site asked.


def test_no_view_knows_the_default_site() -> None:
    for source in (ROOT / "views").glob("*.py"):
        assert re.findall(r"\badmin\.site\b(?!_)|from django.contrib.admin import site", source.read_text()) == []
    uses = [line for line in (ROOT / "admin.py").read_text().splitlines() if re.search(r"\badmin\.site\b(?!_)", line)]
    assert uses == ["register(admin.site)"]


# 5. A model is registered only where it isn't yet: see test_admin.py. 6. Sites that let in whom they like.


@pytest.mark.urls("tests.test_pitfalls")
def test_a_site_may_let_in_whoever_is_not_staff(db: None) -> None:
    guest = User.objects.create_user("guest")
    group = Group.objects.create(name="Operators")
    group.permissions.add(Permission.objects.get(codename="run_command"))
    client, run = logged_in(guest), stored_run()
    assert client.get("/open/launcher/command/").status_code == 403
    guest.groups.add(group)
    for url in ("command/", f"command/{GRANTED}/run/", "run/", f"run/{run.pk}/change/", f"run/{run.pk}/lines/"):
        assert client.get(f"/open/launcher/{url}").status_code == 200
    assert client.get(f"/open/launcher/command/{NOT_GRANTED}/run/").status_code == 403
    assert client.post(f"/open/launcher/command/{GRANTED}/run/")["Location"].startswith("/open/launcher/run/")


@pytest.mark.urls("tests.test_pitfalls")
def test_nobody_gets_anything_from_a_site_that_lets_in_everybody(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenSite, "has_permission", lambda self, request: True)
    run = stored_run()
    for url in ("command/", f"command/{GRANTED}/run/", "run/", f"run/{run.pk}/change/", "run/states/"):
        assert client.get(f"/open/launcher/{url}").status_code == 403
    assert client.post(f"/open/launcher/command/{GRANTED}/run/").status_code == 403


def test_nothing_of_ours_asks_whether_somebody_is_staff() -> None:
    assert [source.name for source, text in sources().items() if "is_staff" in text] == []


# 7. A project's own user model need not have is_superuser.


class Stranger:
    """A user of such a model: what the admin itself needs, and no more."""

    pk = 1
    is_active = is_staff = is_authenticated = True
    is_anonymous = False

    def has_perm(self, name: str, obj: object = None) -> bool:
        return name in {"launcher.run_command", "auth.view_user"}

    def has_module_perms(self, label: str) -> bool:
        return False

    def get_username(self) -> str:
        return "stranger"

    get_short_name = get_username

    def has_usable_password(self) -> bool:
        return True


def request_of(user: Any, url: str) -> WSGIRequest:
    request = RequestFactory().get(url)
    request.user = user
    return request


def test_a_user_without_is_superuser_sees_what_is_granted_and_nothing_crashes(settings: Settings) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": {"check": {"permissions": ["auth.view_user"]}}}
    stored_run("check"), stored_run(GRANTED)
    statuses = {}
    for url in (address("command_changelist"), address("command_run", "check"), address("command_run", GRANTED)):
        view, args, kwargs = get_resolver().resolve(url)
        statuses[url] = view(request_of(Stranger(), url), *args, **kwargs).status_code
    assert list(statuses.values()) == [200, 200, 403]
    readable = RunAdmin(Run, admin.site).get_queryset(request_of(Stranger(), "/"))
    assert [run.command for run in readable] == ["check"]


# 8. Permissions that exist: see test_policy.py. 9. LogEntry's way that is there in every version.


def test_the_log_is_written_in_the_way_that_every_version_has() -> None:
    calls = {call for text in sources().values() for call in re.findall(r"\blog_\w+\(", text)}
    assert calls == {"log_actions("}


# 10. each_context costs queries.


def test_no_fragment_pays_for_the_frame_of_a_page(owner_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise AssertionError("each_context was called")

    run = stored_run(status=Status.RUNNING)
    monkeypatch.setattr(admin.AdminSite, "each_context", fail)
    for name, args in [("command_changelist", []), ("run_states", []), ("run_lines", [run.pk])]:
        assert owner_client.get(address(name, *args), headers=FRAGMENT).status_code == 200
    assert owner_client.post(address("command_line", GRANTED), headers=FRAGMENT).status_code == 200


# 11. Sessions that end: see test_admin.py. 12. Help is text: see test_views_form.py. 13. Blocks and breadcrumbs.


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.name))
def test_templates_use_only_what_every_version_and_theme_has(template: Path) -> None:
    text = template.read_text()
    assert "{% block object-tools" not in text
    assert (
        re.findall(
            r"{% block (nav-breadcrumbs|extrabody|usertools|userlinks|welcome-msg|stylesheet|dark-mode-vars)", text
        )
        == []
    )
    assert 'extends "admin/base.html"' not in text
    assert '<div class="breadcrumbs"' not in text


def test_breadcrumbs_are_a_list(owner_client: Client) -> None:
    for url, page in full_pages(owner_client).items():
        if "<html" in page and "/delete/" not in url:
            assert '<ol class="breadcrumbs">' in page, url
            assert 'aria-current="page"' in page


# 14. Our pages bring their own style and script.


def test_every_page_of_ours_brings_its_own_style_and_script(owner_client: Client) -> None:
    for url, page in full_pages(owner_client).items():
        if "<html" in page and "/delete/" not in url:
            assert "launcher/launcher.css" in page, url
            assert "launcher/launcher.js" in page
            assert len(re.findall(r"<script[^>]*/htmx[^>]*>", page)) == 1


# 15. Nothing is copied, and deleted only by those who may: see test_history.py. 16. GET runs nothing.


def test_no_get_changes_anything(owner_client: Client) -> None:
    run = stored_run(status=Status.RUNNING)
    for _, url in every_page(run):
        for method in ("get", "head", "options"):
            send(owner_client, method, url)
    run.refresh_from_db()
    assert (run.status, run.stop_requested_at, Run.objects.count()) == (Status.RUNNING, None, 1)


# 17. Lists and single objects obey the same rule: see test_admin.py. 18. A POST to a URL without slash loses its body.


def test_every_address_that_htmx_or_a_form_uses_ends_with_a_slash(owner_client: Client) -> None:
    found = set()
    for page in full_pages(owner_client).values():
        found |= set(re.findall(r'(?:hx-get|hx-post|action)="([^"?]+)', page))
    assert len(found) >= 5
    assert [url for url in found if not url.endswith("/")] == []


# 19. Proxies that collect a stream before they pass it on.


def test_a_streamed_answer_asks_proxies_not_to_hold_it_back(owner_client: Client) -> None:
    response = owner_client.get(address("run_download", stored_run().pk))
    assert response.streaming
    assert response["X-Accel-Buffering"] == "no"


# 20. Content security policies.


def test_no_page_has_inline_script_style_or_handlers(owner_client: Client) -> None:
    for url, page in full_pages(owner_client).items():
        tags = re.findall(r"<[a-zA-Z][^>]*>", page)
        assert re.findall(r"<style\b", page) == [], url
        assert [
            tag for tag in tags if tag.startswith("<script") and "src=" not in tag and "application/json" not in tag
        ] == []
        assert [tag for tag in tags if re.search(r"""\s(style|on\w+|hx-on[\w:-]*)\s*=""", tag)] == []
        assert "javascript:" not in page
        assert "hx-vals" not in page


def with_nonce(request: HttpRequest) -> dict[str, str]:
    """A context processor as Django 6's own."""
    return {"csp_nonce": "r4nd0m"}


def test_our_tags_carry_the_projects_nonce(owner_client: Client, settings: Settings) -> None:
    backend = settings.TEMPLATES[0]
    processors = [*backend["OPTIONS"]["context_processors"], "tests.test_pitfalls.with_nonce"]
    settings.TEMPLATES = [{**backend, "OPTIONS": {"context_processors": processors}}]
    assert engines.all()
    for url in (address("command_changelist"), address("command_run", "check"), address("run_changelist")):
        page = text_of(owner_client.get(url))
        ours = re.findall(r"<(?:script|link)[^>]*(?:launcher/|htmx)[^>]*>", page)
        assert len(ours) >= 3, url
        assert [tag for tag in ours if 'nonce="r4nd0m"' not in tag] == []


def test_without_a_policy_there_is_no_nonce(owner_client: Client) -> None:
    assert "nonce=" not in text_of(owner_client.get(address("command_changelist")))
