"""The catalogue: which commands stand in it, in what order, with what beside them, and that it imports none of them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import get_commands
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from launcher.models import Status
from launcher.views import catalogue
from tests.conftest import logged_in
from tests.pages import FRAGMENT, GRANTED, SITES, address, said_in, stored_run, text_of
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db


def names_in(page: str) -> list[str]:
    """Return the names of the commands listed, in the page's order."""
    found = re.findall(r'<span class="launcher-name">(.*?)</span>', page, re.S)
    return [re.sub(r"<[^>]+>", "", name) for name in found]


def row_of(page: str, name: str) -> str:
    rows = page.split("<tr>")
    return next(row for row in rows if name in names_in(row))


def catalogue_page(client: Client, query: str = "", site: str = "admin", **more: Any) -> str:
    return said_in(client.get(address("command_changelist", site=site), {"q": query} if query else {}, **more))


def test_a_superuser_sees_every_command_that_manage_py_knows(owner_client: Client) -> None:
    names = names_in(catalogue_page(owner_client))
    assert sorted(names) == sorted(get_commands())
    assert {"migrate", "import_csv_data", "secret_length", "show_urls"} <= set(names)


@pytest.fixture
def two_grants(settings: Settings) -> None:
    said = {name: {"groups": ["Operators"]} for name in (GRANTED, "import_csv_data")}
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": said}


@pytest.mark.usefixtures("two_grants")
def test_an_operator_sees_what_is_granted_and_its_number(operator_client: Client) -> None:
    page = catalogue_page(operator_client)
    assert names_in(page) == ["import_csv_data", GRANTED]
    assert "2 commands" in page


@pytest.mark.usefixtures("two_grants")
def test_the_search_of_an_operator_finds_no_other_command(operator_client: Client) -> None:
    page = catalogue_page(operator_client, "migrate")
    assert names_in(page) == []
    assert "0 of 2 commands" in page


def test_a_grant_for_a_command_that_is_not_there_lists_nothing(operator: User, settings: Settings) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": {"gone": {"groups": ["Operators"]}}}
    page = catalogue_page(logged_in(operator))
    assert names_in(page) == []
    assert "No command has been granted to you yet." in page


def test_commands_stand_under_their_apps_the_projects_own_first(owner_client: Client) -> None:
    page = catalogue_page(owner_client)
    apps = re.findall(r"<caption>(.*?)</caption>", page)
    assert len(apps) == len(set(apps))
    assert apps[-1] == "Django"
    assert apps.index("Shop") < apps.index("django_extensions" if "django_extensions" in apps else "Django Extensions")
    shop = page.split("<caption>Shop</caption>")[1].split("</table>")[0]
    assert names_in(shop) == sorted(names_in(shop))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("recalculate_st", ["recalculate_stats"]),
        ("RECALCULATE", ["recalculate_stats"]),
        ("out of date half-way", ["recalculate_stats"]),
        ("shop csv", ["import_csv_data"]),
        ("project.shop recalc", ["recalculate_stats"]),
        ("no such thing anywhere", []),
    ],
)
def test_the_search_looks_in_name_app_and_help_without_javascript(
    owner_client: Client, query: str, found: list[str]
) -> None:
    page = catalogue_page(owner_client, query)
    assert names_in(page) == found
    assert f'value="{query}"' in page


def test_a_search_without_result_offers_the_way_back_and_is_escaped(owner_client: Client) -> None:
    page = text_of(owner_client.get(address("command_changelist"), {"q": "<i>x"}))
    assert "No command matches “&lt;i&gt;x”." in page
    assert "Show all" in page
    assert "<i>x" not in page


def test_the_search_marks_what_it_found(owner_client: Client) -> None:
    assert "recalculate_<mark>stats</mark>" in catalogue_page(owner_client, "stats")


@pytest.mark.usefixtures("known_errors")
@pytest.mark.parametrize("site", SITES)
def test_the_fragment_is_a_part_of_the_page_and_no_page(owner_client: Client, site: str) -> None:
    fragment = catalogue_page(owner_client, "recalculate", site, headers=FRAGMENT)
    assert "<html" not in fragment
    assert 'id="header"' not in fragment
    assert fragment.strip() in catalogue_page(owner_client, "recalculate", site)


def test_caches_are_told_that_page_and_fragment_differ(owner_client: Client) -> None:
    for headers in ({}, FRAGMENT):
        assert "HX-Request" in owner_client.get(address("command_changelist"), headers=headers)["Vary"]


def test_a_history_restore_gets_the_page(owner_client: Client) -> None:
    assert "<html" in catalogue_page(owner_client, headers={**FRAGMENT, "HX-History-Restore-Request": "true"})


@pytest.mark.parametrize("name", ["runserver", "testserver", "runserver_plus", "shell", "dbshell"])
def test_what_is_not_launchable_has_the_reason_in_place_of_the_button(owner_client: Client, name: str) -> None:
    row = row_of(catalogue_page(owner_client), name)
    assert address("command_run", name) not in row
    assert re.search("A server|Needs a terminal", row)


def test_an_operators_word_takes_the_button_away_and_gives_it(owner_client: Client, settings: Settings) -> None:
    said = {"check": {"launchable": False, "reason": "Not on Fridays."}, "runserver": {"launchable": True}}
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": said}
    page = catalogue_page(owner_client)
    assert "Not on Fridays." in row_of(page, "check")
    assert address("command_run", "check") not in row_of(page, "check")
    assert address("command_run", "runserver") in row_of(page, "runserver")


def test_the_last_run_stands_beside_its_command_with_state_and_time(owner_client: Client) -> None:
    stored_run(status=Status.SUCCEEDED)
    last = stored_run(status=Status.FAILED)
    row = row_of(catalogue_page(owner_client), GRANTED)
    assert 'data-launcher-status="failed"' in row
    assert 'data-launcher-status="succeeded"' not in row
    assert address("run_change", last.pk) in row
    assert f'datetime="{last.queued_at.isoformat()[:16]}' in row


def test_a_command_that_never_ran_has_no_last_run(owner_client: Client) -> None:
    assert "data-launcher-status" not in row_of(catalogue_page(owner_client), GRANTED)


def test_the_number_of_queries_does_not_grow_with_the_runs(
    owner_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for command in ("check", "migrate", "recalculate_stats", "import_csv_data", "gone"):
        for _ in range(5):
            stored_run(command)
    with django_assert_max_num_queries(5):
        owner_client.get(address("command_changelist"))


@pytest.mark.parametrize("site", SITES)
def test_every_link_stays_on_the_site(owner_client: Client, site: str) -> None:
    stored_run()
    page = catalogue_page(owner_client, site=site)
    own = {"admin": "/admin/", "second": "/second-admin/"}[site]
    links = re.findall(r'(?:href|action|hx-\w+)="(/[^"]*)"', page)
    assert [link for link in links if not link.startswith((own, "/static/")) and link != "/"] == []
    assert f"{own}launcher/command/{GRANTED}/run/" in links


@pytest.fixture
def broken_app(tmp_path: Path, settings: Settings) -> Iterator[None]:
    """An app with a command whose module can't be imported, and a sound one that can."""
    commands = tmp_path / "catalogue_zoo" / "management" / "commands"
    commands.mkdir(parents=True)
    for folder in (commands, commands.parent, commands.parent.parent):
        (folder / "__init__.py").touch()
    (commands / "cracked.py").write_text("import no_such_module_at_all\n")
    (commands / "whole.py").write_text(
        "from django.core.management.base import BaseCommand\nclass Command(BaseCommand):\n    help = 'All is well.'\n"
    )
    sys.path.insert(0, str(tmp_path))
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "catalogue_zoo"]
    settings.LAUNCHER = {**settings.LAUNCHER, "SPOOL_DIR": tmp_path / "spool"}
    get_commands.cache_clear()  # type: ignore[attr-defined]
    yield
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "catalogue_zoo"]:
        del sys.modules[name]
    get_commands.cache_clear()  # type: ignore[attr-defined]


@pytest.fixture
def known_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe's answer, as if its process had the settings of this very test."""
    errors = {"cracked": "ModuleNotFoundError: No module named 'no_such_module_at_all' <b>"}
    monkeypatch.setattr(catalogue, "import_errors", lambda entries, wait_seconds: errors)


@pytest.mark.usefixtures("broken_app", "known_errors")
def test_a_command_that_can_not_be_imported_has_its_error_in_place_of_the_button(owner_client: Client) -> None:
    page = text_of(owner_client.get(address("command_changelist")))
    row = row_of(page, "cracked")
    assert "No module named &#x27;no_such_module_at_all&#x27; &lt;b&gt;" in row
    assert address("command_run", "cracked") not in row
    assert address("command_run", "whole") in row_of(page, "whole")


@pytest.mark.usefixtures("broken_app")
def test_the_page_of_a_command_that_can_not_be_imported_says_why_and_starts_nothing(owner_client: Client) -> None:
    for response in (
        owner_client.get(address("command_run", "cracked")),
        owner_client.post(address("command_run", "cracked")),
    ):
        page = said_in(response)
        assert response.status_code == 200
        assert "ModuleNotFoundError: No module named 'no_such_module_at_all'" in page
        assert "<form method" not in page.partition('id="content"')[2]
    assert "No module" in said_in(owner_client.post(address("command_line", "cracked")))


@pytest.mark.usefixtures("broken_app")
def test_its_neighbour_works(owner_client: Client) -> None:
    assert "All is well." in said_in(owner_client.get(address("command_run", "whole")))


def test_while_errors_are_not_known_the_page_says_so_and_asks_again(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "import_errors", lambda entries, wait_seconds: None)
    page = catalogue_page(owner_client, "stats")
    assert "checking which can be imported" in page
    assert f'hx-get="{address("command_changelist")}?q=stats" hx-trigger="load' in page


def test_the_probes_own_answer_reaches_the_page(owner_client: Client) -> None:
    page = wait_for(lambda: page if "checking which" not in (page := catalogue_page(owner_client)) else "")
    assert address("command_run", "check") in row_of(page, "check")
    assert "ModuleNotFoundError" in row_of(page, "broken_import")
    assert address("command_run", "broken_import") not in page


IMPORTS_NOTHING = """
import sys
import django

django.setup()
from django.core.management import get_commands
from django.test import Client
from django.contrib.auth.models import User
from launcher.views import catalogue

catalogue.import_errors = lambda entries, wait_seconds: {}
client = Client()
client.force_login(User.objects.get(username="owner"))
assert client.get("/admin/launcher/command/").status_code == 200
assert client.get("/admin/launcher/command/", {"q": "stats"}).status_code == 200
assert client.get("/admin/launcher/run/").status_code == 200
print("IMPORTED", sorted(name for name in sys.modules if ".management.commands." in name))
"""


@pytest.mark.django_db(transaction=True)
def test_catalogue_and_history_import_no_command(owner: User) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS_NOTHING],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.endswith("IMPORTED []\n"), done.stdout + done.stderr
