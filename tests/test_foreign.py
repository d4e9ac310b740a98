"""Commands whose parser is not argparse's: a line to type on, their own help beside it, and a run as on the shell."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from launcher import argv, runs
from launcher.models import Run, Status
from tests.pages import FRAGMENT, address, said_in
from tests.waiting import output_of, wait_until_finished

FOREIGN = ["foreign_typer", "foreign_click", "foreign_own"]


def post(client: Client, command: str, words: str, **data: Any) -> Any:
    return client.post(address("command_run", command), {"launcher_extra": words, **data})


@pytest.mark.parametrize("name", FOREIGN)
def test_the_form_is_a_line_with_the_commands_own_help_beside_it(owner_client: Client, name: str) -> None:
    page = said_in(owner_client.get(address("command_run", name)))
    assert 'name="launcher_extra"' in page
    assert f'hx-post="{address("command_help", name)}"' in page
    assert 'name="verbosity"' not in page
    assert "Traceback" not in page


@pytest.mark.parametrize(
    ("name", "text"),
    [("foreign_typer", "Greets, in typer's way."), ("foreign_click", "How often."), ("foreign_own", "WORD...")],
)
def test_the_help_is_what_the_shell_would_show(owner_client: Client, name: str, text: str) -> None:
    found = said_in(owner_client.post(address("command_help", name), headers=FRAGMENT))
    assert text in found
    assert "\x1b" not in found
    assert "site-packages" not in found


def test_a_command_with_an_argparse_parser_has_fields_whoever_made_it(owner_client: Client) -> None:
    assert not argv.is_foreign_parser("args_own_parser")
    assert 'name="needed"' in said_in(owner_client.get(address("command_run", "args_own_parser")))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "words", "status", "code", "text"),
    [
        ("foreign_typer", "Ann --times 2", Status.SUCCEEDED, 0, "Hello Ann"),
        ("foreign_typer", "Ann --times many", Status.FAILED, 1, "'many' is not a valid int"),
        ("foreign_click", "'Ann Lee' --times=1", Status.SUCCEEDED, 0, "Hello Ann Lee"),
        ("foreign_click", "", Status.FAILED, 2, "Missing argument 'NAME'"),
        ("foreign_own", "a 'b c' --x", Status.SUCCEEDED, 0, "words: ['a', 'b c', '--x']"),
        ("foreign_own", "fail", Status.FAILED, 3, "words: ['fail']"),
    ],
)
def test_it_runs_as_on_the_shell(
    owner_client: Client, name: str, words: str, status: Status, code: int, text: str
) -> None:
    assert post(owner_client, name, words).status_code == 302
    run = wait_until_finished(Run.objects.get())
    assert text in output_of(run)
    assert (run.status, run.exit_code) == (status, code)


@pytest.mark.parametrize("words", ["--settings=x Ann", "Ann --pythonpath /tmp"])
def test_other_settings_and_code_are_not_accepted(owner_client: Client, words: str) -> None:
    response = post(owner_client, "foreign_click", words)
    assert "not accepted here: it works on the shell only" in said_in(response)
    assert not Run.objects.exists()


@pytest.mark.parametrize("words", ["Ann --token s3cret", "Ann --token=s3cret", "--api-key s3cret Ann"])
def test_a_secret_is_known_by_its_options_name(owner: User, words: str) -> None:
    reading = runs.read("foreign_typer", words.split())
    shown, has_secrets = argv.redact(words.split(), reading)
    assert has_secrets
    assert "s3cret" not in " ".join(shown)


def test_a_refused_secret_is_not_on_the_page(owner_client: Client) -> None:
    page = said_in(post(owner_client, "foreign_typer", "Ann --token s3cret --settings=x"))
    assert "not accepted here" in page
    assert "s3cret" not in page


def test_an_earlier_run_fills_the_line_again(owner_client: Client, owner: User) -> None:
    run = Run.objects.create(command="foreign_own", argv=["a", "b c"], command_line="foreign_own a 'b c'", user=owner)
    page = said_in(owner_client.get(address("command_run", "foreign_own"), {"run": run.pk}))
    assert ">\na 'b c'</textarea>" in page


def test_the_shell_line_follows_the_line(owner_client: Client) -> None:
    said = said_in(owner_client.post(address("command_line", "foreign_own"), {"launcher_extra": "'a b'"}))
    assert "python manage.py foreign_own 'a b'" in said


@pytest.mark.parametrize("name", FOREIGN)
def test_only_a_library_known_to_answer_is_asked_without_a_click(owner_client: Client, name: str) -> None:
    page = said_in(owner_client.get(address("command_run", name)))
    assert ('hx-trigger="load"' in page) is (name != "foreign_own")
    assert "Ask it for its help" in page


@pytest.mark.parametrize("name", ["check", "migrate", "runserver", "no_such_command"])
def test_no_other_command_is_asked(owner_client: Client, name: str) -> None:
    assert owner_client.post(address("command_help", name)).status_code in (403, 404)
    assert owner_client.get(address("command_help", "foreign_own")).status_code == 405


@pytest.mark.parametrize("words", ["Ann --token -s3cret-x", "Ann --token s3cret-x 'open"])
def test_a_secret_that_looks_like_an_option_or_cant_be_split_off_is_not_shown(owner_client: Client, words: str) -> None:
    for url in (address("command_line", "foreign_click"), address("preset_save", "foreign_click")):
        data = {"launcher_extra": words, "launcher_preset_name": ""}
        assert "s3cret-x" not in said_in(owner_client.post(url, data))
    reading = runs.read("foreign_typer", ["Ann", "--token", "-s3cret-x"])
    assert argv.redact(["Ann", "--token", "-s3cret-x"], reading)[0] == ["Ann", "--token", argv.MASK]
