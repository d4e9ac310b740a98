"""Secrets in odd places: no page, message, link or preset quotes one, whatever is typed around it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from launcher import argv
from launcher.models import Preset, Run
from tests.pages import FRAGMENT, address, said_in

SECRET = "hunter2"
COMMAND = "args_secret_places"
LINES = [
    f"--password={SECRET}",
    f"--password-new={SECRET}$X",
    f"--password-new {SECRET} 'open",
    f"--passw {SECRET} 'open",
    f"--password-new -- {SECRET}",
    f"--password-new '-{SECRET} phrase'",
    f"--login-secret ann {SECRET}",
    SECRET,
]


@pytest.mark.parametrize("line", LINES)
def test_a_typed_line_shows_no_secret_anywhere(owner_client: Client, line: str) -> None:
    data = {"launcher_extra": f"{line} --no-such", "launcher_preset_name": "p"}
    for name in ("command_run", "command_line", "command_fields", "preset_save"):
        assert SECRET not in said_in(owner_client.post(address(name, COMMAND), data, follow=True)), name
    assert SECRET not in Preset.objects.get().extra
    assert not Run.objects.exists()


@pytest.mark.parametrize("line", LINES)
def test_neither_a_link_nor_a_pasted_line_shows_one(owner_client: Client, line: str) -> None:
    assert SECRET not in said_in(owner_client.get(address("command_run", COMMAND), {"args": f"{line} --no-such"}))
    data = {"launcher_paste": f"manage.py {COMMAND} {line} --no-such"}
    assert SECRET not in said_in(owner_client.post(address("command_fill", COMMAND), data))


@pytest.mark.parametrize(
    "data",
    [
        {"password_old": [SECRET]},
        {"login_secret": ["ann", SECRET]},
        {"login_secret": [SECRET]},
        {"tokens": ["", "--no-token"], "tokens__words": [SECRET, ""]},
        {"tokens": ["--no-token"], "tokens__words": [SECRET]},
        {"password": SECRET},
        {"what": "text", "key": SECRET},
    ],
)
def test_a_field_shows_none(owner_client: Client, data: dict[str, Any]) -> None:
    data = {**data, "verbosity": "9", "launcher_preset_name": "p"}
    for name in ("command_run", "command_line", "command_fields", "preset_save"):
        assert SECRET not in said_in(owner_client.post(address(name, COMMAND), data, follow=True)), name


def test_the_shown_line_has_as_many_words_as_the_real_one(owner_client: Client) -> None:
    data = {"login_secret": ["ann", SECRET], "tokens": ["--add-token", "--no-token"], "tokens__words": [SECRET, ""]}
    line = said_in(owner_client.post(address("command_line", COMMAND), data))
    assert f"--login-secret '{argv.MASK}' '{argv.MASK}'" in line
    assert f"'--add-token={argv.MASK}' --no-token" in line


def test_a_sub_commands_secret_is_no_other_ones_text(owner_client: Client) -> None:
    data = {"what": "number", "key": SECRET, "force": "on"}
    page = said_in(owner_client.post(address("command_fields", COMMAND), data, headers=FRAGMENT))
    assert SECRET not in page
    assert 'value="on"' not in page


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--user", "ann", "--password", argv.MASK, "file"], ["--user", "ann", "file"]),
        ([f"--password={argv.MASK}", "--loud"], ["--loud"]),
        ([f"-p{argv.MASK}", argv.MASK, "x"], ["x"]),
        (["a", "b"], ["a", "b"]),
    ],
)
def test_what_is_dropped_takes_its_option_along(words: list[str], kept: list[str]) -> None:
    assert argv.without_masked(words) == kept


def test_arguments_called_like_parts_of_a_form_are_arguments(owner_client: Client, settings: Settings) -> None:
    said = {"args_reserved": {"confirm": True}}
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": said}
    page = said_in(owner_client.get(address("command_run", "args_reserved")))
    assert page.count('name="launcher_extra"') == 1
    assert 'name="launcher_extra-2"' in page
    assert "Type its name" in page
    data = {"errors": "e", "launcher_extra-2": "x", "launcher_uploads-2": "u", "launcher_confirm": "args_reserved"}
    assert owner_client.post(address("command_run", "args_reserved"), data).status_code == 302
    assert sorted(Run.objects.get().argv) == ["--errors=e", "--launcher_extra=x", "--launcher_uploads=u"]


@pytest.mark.parametrize(
    "given",
    [
        {"cache": []},
        {"loud": []},
        {"text": ["a", "b"]},
        {"text": "abc"},
        {"on": ["x"]},
        {"pair": ["'open"]},
        {"text": [5]},
        [1],
        None,
        {"nowhere": ["x"]},
    ],
)
def test_a_preset_that_does_not_fit_any_more_fills_what_it_can(owner_client: Client, owner: User, given: Any) -> None:
    preset = Preset.objects.create(command="args_kinds", name="old", owner_key=str(owner.pk), given=given or [])
    response = owner_client.get(address("command_run", "args_kinds"), {"preset": preset.pk})
    assert response.status_code == 200
    if isinstance(given, dict):
        assert "any more; the preset has one" in said_in(response)


def test_a_preset_of_a_sub_command_without_a_word_fills_nothing(owner_client: Client, owner: User) -> None:
    preset = Preset.objects.create(command="args_nested", name="x", owner_key=str(owner.pk), given={"what": []})
    assert owner_client.get(address("command_run", "args_nested"), {"preset": preset.pk}).status_code == 200
