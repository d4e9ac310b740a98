"""The LAUNCHER setting: what is accepted, what is refused, and that each refusal names the key."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

import launcher
from launcher import conf
from launcher.conf import CommandOptions, Options, command_options, options

DOCS = Path(launcher.__file__).parent.parent / "docs" / "settings.md"


def refusal_of(settings: Settings, given: Any) -> str:
    settings.LAUNCHER = given
    with pytest.raises(ImproperlyConfigured) as caught:
        options()
    return str(caught.value)


def test_a_project_that_says_nothing_gets_the_defaults(settings: Settings) -> None:
    del settings.LAUNCHER
    conf.options.cache_clear()
    assert options() == Options()
    assert command_options("check") == CommandOptions()


def test_every_option_has_a_doc() -> None:
    assert [
        option.name for kind in (Options, CommandOptions) for option in fields(kind) if not option.metadata["doc"]
    ] == []


def test_the_docs_say_of_every_option_what_the_code_says() -> None:
    rows = {line for line in DOCS.read_text().splitlines() if line.startswith("| `")}
    said = {(row.split("`")[1], row.rsplit(" | ", 1)[1].removesuffix(" |")) for row in rows}
    known = {(option.name.upper(), option.metadata["doc"]) for option in fields(Options)}
    known |= {(option.name, option.metadata["doc"]) for option in fields(CommandOptions)}
    assert said == known


def test_every_default_is_a_value_that_may_be_given(settings: Settings) -> None:
    defaults = Options()
    settings.LAUNCHER = {option.name.upper(): getattr(defaults, option.name) for option in fields(Options)}
    assert options() == defaults


def test_every_default_of_a_command_is_a_value_that_may_be_given(settings: Settings) -> None:
    defaults = CommandOptions()
    given = {option.name: getattr(defaults, option.name) for option in fields(CommandOptions)}
    settings.LAUNCHER = {"COMMANDS": {"check": given}}
    assert command_options("check") == defaults


def test_values_are_read(settings: Settings) -> None:
    settings.LAUNCHER = {
        "SPOOL_DIR": "/somewhere",
        "STOP_GRACE_SECONDS": 2,
        "COMMANDS": {"check": {"groups": ["Operators"], "permissions": {"auth.view_user"}, "confirm": True}},
    }
    assert (options().spool_dir, options().stop_grace_seconds) == (Path("/somewhere"), 2.0)
    said = command_options("check")
    assert (said.groups, said.permissions, said.confirm) == (("Operators",), ("auth.view_user",), True)


def test_a_change_of_the_setting_counts_at_once(settings: Settings) -> None:
    settings.LAUNCHER = {"UPLOAD_LIMIT_BYTES": 1}
    assert options().upload_limit_bytes == 1
    settings.LAUNCHER = {"UPLOAD_LIMIT_BYTES": 2}
    assert options().upload_limit_bytes == 2


def test_options_can_not_be_changed_by_code(settings: Settings) -> None:
    settings.LAUNCHER = {"COMMANDS": {"check": {}}}
    with pytest.raises(FrozenInstanceError):
        options().engine = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        options().commands["migrate"] = CommandOptions()  # type: ignore[index]


def test_an_unknown_key_is_refused_with_those_that_there_are(settings: Settings) -> None:
    message = refusal_of(settings, {"SPOOLDIR": "/tmp", 5: "five"})
    assert "unknown keys: 5, SPOOLDIR." in message
    assert "SPOOL_DIR" in message


def test_keys_are_written_in_capitals(settings: Settings) -> None:
    assert "unknown keys: engine." in refusal_of(settings, {"engine": "x"})


def test_an_unknown_key_of_a_command_is_refused(settings: Settings) -> None:
    message = refusal_of(settings, {"COMMANDS": {"check": {"group": ["Operators"]}}})
    assert message.startswith("LAUNCHER['COMMANDS']['check'] has unknown keys: group.")


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (["ENGINE"], "LAUNCHER must be a dict."),
        (None, "LAUNCHER must be a dict."),
        ({"COMMANDS": ["check"]}, "LAUNCHER['COMMANDS'] must be a dict"),
        ({"COMMANDS": {5: {}}}, "LAUNCHER['COMMANDS'] must be a dict"),
        ({"COMMANDS": {"check": ["Operators"]}}, "LAUNCHER['COMMANDS']['check'] must be a dict."),
        ({"ENGINE": None}, "LAUNCHER['ENGINE'] must be a string."),
        ({"PYTHON": 3}, "LAUNCHER['PYTHON'] must be a path."),
        ({"SPOOL_DIR": None}, "LAUNCHER['SPOOL_DIR'] must be a path."),
        ({"SPOOL_DIR": ""}, "LAUNCHER['SPOOL_DIR'] must be a path."),
        ({"STOP_GRACE_SECONDS": "5"}, "LAUNCHER['STOP_GRACE_SECONDS'] must be a number"),
        ({"STOP_GRACE_SECONDS": -1}, "LAUNCHER['STOP_GRACE_SECONDS'] must be a number"),
        ({"STOP_GRACE_SECONDS": float("nan")}, "LAUNCHER['STOP_GRACE_SECONDS'] must be a number"),
        ({"UPLOAD_LIMIT_BYTES": True}, "LAUNCHER['UPLOAD_LIMIT_BYTES'] must be a number"),
        ({"UPLOAD_LIMIT_BYTES": 1.5}, "LAUNCHER['UPLOAD_LIMIT_BYTES'] must be a number"),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(settings: Settings, given: Any, where: str) -> None:
    assert refusal_of(settings, given).startswith(where)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("groups", "Operators"),
        ("groups", 5),
        ("groups", None),
        ("groups", {"Operators": True}),
        ("groups", [5]),
        ("permissions", "shop.view_order"),
        ("permissions", ["view_order"]),
        ("permissions", ["shop."]),
        ("permissions", ["a.b.c"]),
        ("launchable", "no"),
        ("launchable", 0),
        ("confirm", "yes"),
        ("reason", None),
        ("secret_arguments", "pin"),
        ("public_arguments", [None]),
    ],
)
def test_a_wrong_value_for_a_command_is_refused_by_its_key(settings: Settings, key: str, value: Any) -> None:
    message = refusal_of(settings, {"COMMANDS": {"check": {key: value}}})
    assert message.startswith(f"LAUNCHER['COMMANDS']['check']['{key}']")
