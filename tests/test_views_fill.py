"""What fills a form: a pasted line, a link, a sub-command's choice; and the ways to say a run elsewhere. None runs."""

import html
import re
import shlex
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from launcher.models import Run
from tests.browser import FormData
from tests.pages import FRAGMENT, GRANTED, address, said_in, stored_run, text_of

SECRET = "s3cret-word"


def paste(client: Client, command: str, text: str) -> str:
    return said_in(client.post(address("command_fill", command), {"launcher_paste": text}))


def filled(page: str) -> dict[str, list[str]]:
    """Return what stands in the form's fields, blank ones left out."""
    pairs = FormData(page, "launcher-form").pairs
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if value and name not in ("csrfmiddlewaretoken",):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize(
    "line",
    [
        "python manage.py import_csv_data x.csv --update-existing --category='Odds & ends'",
        "./manage.py import_csv_data --update-existing \\\n  --category 'Odds & ends' x.csv",
        '$ django-admin import_csv_data x.csv --update-existing --categ="Odds & ends"',
        "import_csv_data --update-existing --category Odds\\ \\&\\ ends -- x.csv",
    ],
)
def test_a_pasted_line_fills_the_form(operator_client: Client, line: str) -> None:
    page = text_of(operator_client.post(address("command_fill", "import_csv_data"), {"launcher_paste": line}))
    assert filled(page) == {"csv_path": ["x.csv"], "update_existing": ["on"], "category": ["Odds & ends"]}
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("python manage.py import_csv_data *.csv", "Word 4, “*.csv”"),
        ("python manage.py import_csv_data x.csv | tee log", "Word 5, “|”"),
        ("python manage.py import_csv_data 'x.csv", "Word 4, “'x.csv”"),
        ("python manage.py check", "This line runs “check”; this is the form of “import_csv_data”."),
        ("", "is empty"),
    ],
)
def test_a_line_that_can_not_fill_it_says_at_which_word(operator_client: Client, line: str, message: str) -> None:
    page = paste(operator_client, "import_csv_data", line)
    assert message in page or (not line and 'id="launcher-paste-error"' in page)
    assert f">\n{line}</textarea>" in page


def test_what_the_parser_does_not_take_is_told_and_the_rest_filled_in(operator_client: Client) -> None:
    page = paste(operator_client, "import_csv_data", "manage.py import_csv_data x.csv --no-such")
    assert "does not take all of it: unrecognized arguments: --no-such" in page
    assert filled(page)["csv_path"] == ["x.csv"]


@pytest.mark.parametrize(
    "line", [f"manage.py args_secrets --user=a --password={SECRET}", f"manage.py args_secrets '{SECRET}"]
)
def test_a_pasted_secret_is_not_filled_in_nor_shown(owner_client: Client, line: str) -> None:
    assert SECRET not in paste(owner_client, "args_secrets", line)


def test_a_link_fills_the_form_and_runs_nothing(operator_client: Client) -> None:
    query = {"args": "--rebuild --from=2026-01-05"}
    page = text_of(operator_client.get(address("command_run", GRANTED), query))
    assert filled(page) == {"from_date": ["2026-01-05"], "rebuild": ["on"]}
    assert not Run.objects.exists()


@pytest.mark.parametrize("args", ["'open", "a | b", "\0", "--no-such", "x" * 5000])
def test_a_link_that_can_not_be_read_is_told(operator_client: Client, args: str) -> None:
    response = operator_client.get(address("command_run", GRANTED), {"args": args})
    assert response.status_code == 200
    assert 'class="warning"' in text_of(response)


def copies(page: str) -> dict[str, str]:
    return {
        key: html.unescape(text)
        for key, text in re.findall(r'id="launcher-copy-(\w+)" dir="ltr">(.*?)</code>', page, re.S)
    }


def test_a_run_is_said_in_four_ways(owner_client: Client) -> None:
    run = stored_run("args_kinds", argv=["--text=it's 100%", "N"])
    found = copies(text_of(owner_client.get(address("run_change", run.pk))))
    assert shlex.split(found["shell"]) == ["python", "manage.py", "args_kinds", "--text=it's 100%", "N"]
    assert found["cron"].startswith("0 3 * * * cd ")
    assert "\\%" in found["cron"]
    assert found["python"] == 'call_command("args_kinds", "--text=it\'s 100%", "N")'
    page = text_of(owner_client.get(found["link"]))
    assert filled(page) == {"text": ["it's 100%"], "name": ["N"]}


def test_a_link_has_no_secret_not_even_its_mask(owner_client: Client) -> None:
    run = stored_run("args_secrets", argv=["--password=********", "--user=ann"], has_secrets=True)
    found = copies(text_of(owner_client.get(address("run_change", run.pk))))
    assert found["link"].endswith("?args=--user%3Dann")
    assert "--password=********" in found["shell"]


def test_what_has_no_such_line_says_why(owner_client: Client) -> None:
    run = stored_run("args_kinds", argv=["--text=two\nlines", "N" * 5000])
    page = said_in(owner_client.get(address("run_change", run.pk)))
    assert "It would be too long; use “Edit and run again”." in page
    assert "cron" not in copies(page)


def test_a_run_of_a_command_that_is_gone_still_has_its_lines(owner_client: Client) -> None:
    run = stored_run("no_such_command", argv=["a"])
    found = copies(text_of(owner_client.get(address("run_change", run.pk))))
    assert found["shell"] == "python manage.py no_such_command a"
    assert "link" not in found


def fields(client: Client, command: str, data: dict[str, Any], **headers: str) -> str:
    return text_of(client.post(address("command_fields", command), data, headers=headers))


def test_a_sub_commands_choice_brings_its_fields_and_keeps_what_was_typed(owner_client: Client) -> None:
    data = {"what": "add", "env": "x", "number": "many"}
    page = fields(owner_client, "args_nested", data, **FRAGMENT)
    assert "<html" not in page
    assert 'name="others"' in page
    assert 'value="many"' in page
    assert "errorlist" not in page
    assert not Run.objects.exists()


def test_without_scripts_the_whole_page_comes_with_the_fields(owner_client: Client) -> None:
    page = fields(owner_client, "args_nested", {"what": "remove", "subcommand": "by-name", "tags": ["a"]})
    assert "<html" in page
    assert 'name="names"' in page
    assert filled(page)["tags"] == ["a"]


@pytest.mark.parametrize("name", ["fields", "fill"])
def test_nothing_is_filled_for_those_without_the_right(
    outsider_client: Client, operator_client: Client, owner: User, name: str
) -> None:
    assert outsider_client.post(address(f"command_{name}", GRANTED)).status_code == 403
    assert operator_client.post(address(f"command_{name}", "check")).status_code == 403
    assert operator_client.get(address(f"command_{name}", GRANTED)).status_code == 405
