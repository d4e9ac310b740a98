"""Parsers made here, described as data."""

import argparse
import datetime
import decimal
import enum
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import gettext_lazy

from launcher.arguments import Argument, Choice, Description, Kind, ValueType, describe


def parser_with(*names: str, **options: Any) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage.py command")
    parser.add_argument(*names, **options)
    return parser


def described(*names: str, **options: Any) -> Argument:
    return describe(parser_with(*names, **options)).arguments[0]


def titles(description: Description) -> list[tuple[str, list[str]]]:
    return [(group.title, [argument.name for argument in group.arguments]) for group in description.groups]


class Shade(enum.Enum):
    LIGHT = "light"
    DARK = "dark"


class Weight(enum.IntEnum):
    THIN = 100
    BOLD = 700


class Custom(argparse.Action):
    def __call__(self, *args: Any, **options: Any) -> None: ...


@pytest.mark.parametrize(
    ("names", "options", "kind"),
    [
        (["--x"], {}, Kind.VALUE),
        (["x"], {}, Kind.VALUE),
        (["x"], {"nargs": "?"}, Kind.VALUE),
        (["--x"], {"nargs": "?"}, Kind.VALUE),
        (["x"], {"nargs": "*"}, Kind.VALUES),
        (["x"], {"nargs": "+"}, Kind.VALUES),
        (["--x"], {"nargs": 1}, Kind.VALUES),
        (["x"], {"nargs": argparse.REMAINDER}, Kind.VALUES),
        (["--x"], {"action": "append"}, Kind.VALUES),
        (["--x"], {"action": "append", "nargs": 2}, Kind.GROUPS),
        (["--x"], {"action": "extend", "nargs": "+"}, Kind.VALUES),
        (["--x"], {"action": "store_true"}, Kind.FLAG),
        (["--x"], {"action": "store_false"}, Kind.FLAG),
        (["--x"], {"action": "store_const", "const": 1}, Kind.FLAG),
        (["--x"], {"action": "append_const", "const": 1}, Kind.COUNT),
        (["--x"], {"action": "count"}, Kind.COUNT),
        (["--x"], {"action": argparse.BooleanOptionalAction}, Kind.YES_NO),
        (["--x"], {"action": Custom}, Kind.VALUE),
        (["--x"], {"action": Custom, "nargs": 0}, Kind.FLAG),
    ],
)
def test_every_action_has_its_kind(names: list[str], options: dict[str, Any], kind: Kind) -> None:
    assert described(*names, **options).kind is kind


@pytest.mark.parametrize(
    ("options", "value_type"),
    [
        ({}, ValueType.TEXT),
        ({"type": int}, ValueType.INTEGER),
        ({"type": float}, ValueType.FLOAT),
        ({"type": decimal.Decimal}, ValueType.TEXT),
        ({"type": datetime.date.fromisoformat}, ValueType.DATE),
        ({"type": Path}, ValueType.PATH),
        ({"type": argparse.FileType()}, ValueType.PATH),
        ({"dest": "csv_file"}, ValueType.PATH),
        ({"metavar": "FILE"}, ValueType.PATH),
        ({"dest": "profile"}, ValueType.TEXT),
    ],
)
def test_a_value_looks_like_its_type(options: dict[str, Any], value_type: ValueType) -> None:
    assert described("--x", **options).value_type is value_type


@pytest.mark.parametrize(
    ("names", "options", "is_required"),
    [
        (["x"], {}, True),
        (["x"], {"nargs": "+"}, True),
        (["x"], {"nargs": 2}, True),
        (["x"], {"nargs": "?"}, False),
        (["x"], {"nargs": "*"}, False),
        (["x"], {"nargs": argparse.REMAINDER}, False),
        (["--x"], {}, False),
        (["--x"], {"required": True}, True),
    ],
)
def test_required_is_what_the_parser_insists_on(names: list[str], options: dict[str, Any], is_required: bool) -> None:
    assert described(*names, **options).is_required is is_required


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, ""),
        ({"default": argparse.SUPPRESS}, ""),
        ({"default": "text"}, "text"),
        ({"default": ""}, ""),
        ({"default": 0}, "0"),
        ({"default": False}, "False"),
        ({"default": ["a", 1]}, "a, 1"),
        ({"default": Shade.DARK}, "dark"),
        ({"default": datetime.date(2024, 5, 1)}, "2024-05-01"),
        ({"default": Path("a/b")}, "a/b"),
        ({"default": gettext_lazy("Saturday")}, "Saturday"),
        ({"default": object()}, ""),
        ({"default": print}, ""),
        ({"default": "hidden", "dest": "password"}, ""),
        ({"action": "store_true"}, ""),
        ({"action": argparse.BooleanOptionalAction, "default": True}, "yes"),
        ({"action": argparse.BooleanOptionalAction}, ""),
    ],
)
def test_a_default_is_shown_as_a_person_would_write_it(options: dict[str, Any], shown: str) -> None:
    assert described("--x", **options).default == shown


@pytest.mark.parametrize(
    ("options", "choices"),
    [
        ({"choices": ["a", "b"]}, [("a", True), ("b", True)]),
        ({"choices": {"a": 1, "b": 2}}, [("a", True), ("b", True)]),
        ({"choices": [1, 2], "type": int}, [("1", True), ("2", True)]),
        ({"choices": [1, 2]}, [("1", False), ("2", False)]),
        ({"choices": range(2), "type": int}, [("0", True), ("1", True)]),
        ({"choices": list(Shade), "type": Shade}, [("light", True), ("dark", True)]),
        ({"choices": list(Shade), "type": Shade.__getitem__}, [("LIGHT", True), ("DARK", True)]),
        ({"choices": list(Weight), "type": int}, [("100", True), ("700", True)]),
        ({"choices": list(Shade)}, [("Shade.LIGHT", False), ("Shade.DARK", False)]),
        ({"choices": ["A", "B"], "type": str.upper}, [("A", True), ("B", True)]),
    ],
)
def test_a_choice_is_the_word_that_the_type_turns_into_it(
    options: dict[str, Any], choices: list[tuple[str, bool]]
) -> None:
    assert described("--x", **options).choices == tuple(Choice(word=word, is_usable=usable) for word, usable in choices)


@pytest.mark.parametrize("choices", ["abc", [], range(10_000)])
def test_choices_that_make_no_list_are_typed(choices: Any) -> None:
    assert described("--x", choices=choices).choices is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("By default %(default)s, for %(prog)s.", "By default D, for manage.py command."),
        ("100%% sure", "100% sure"),
        ("100% sure", "100% sure"),
        ("%(nonsense)s", "%(nonsense)s"),
        ("One\n        line", "One line"),
        (gettext_lazy("Saturday %(default)s"), "Saturday D"),
        ("<b> & co", "<b> & co"),
        (None, ""),
    ],
)
def test_help_is_expanded_as_argparse_does(text: Any, shown: str) -> None:
    # Python 3.14 looks at help when an argument is added; the older ones only when help is printed.
    parser = parser_with("--x", default="D")
    parser._actions[-1].help = text
    assert describe(parser).arguments[0].help == shown


def test_a_raw_formatter_keeps_the_lines_of_help() -> None:
    parser = argparse.ArgumentParser(formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--x", help="One.\nTwo.")
    assert describe(parser).arguments[0].help == "One.\nTwo."


def test_a_formatter_that_adds_defaults_is_heard() -> None:
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--x", default=3, help="Three.")
    assert describe(parser).arguments[0].help == "Three. (default: 3)"


def test_the_default_of_a_secret_is_in_no_text() -> None:
    argument = described("--password", default="correct horse", help="Default: %(default)s, or 'correct horse'.")
    assert "horse" not in repr(argument)


@pytest.mark.parametrize(
    "names",
    [
        ["--password"],
        ["--db-password"],
        ["--dbpassword"],
        ["--dbPassword"],
        ["token"],
        ["--API_KEY"],
        ["--apikey"],
        ["--key"],
        ["-p", "--pass"],
        ["--client-secret"],
        ["--authtoken"],
    ],
)
def test_a_secret_is_known_by_its_name(names: list[str]) -> None:
    assert described(*names).is_secret


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("--forget-password", {"action": "store_true"}),
        ("--password", {"action": argparse.BooleanOptionalAction}),
        ("--token", {"action": "count"}),
        ("--key", {"type": int}),
        ("--max-tokens", {"type": int}),
        ("--key-type", {"choices": ["rsa"]}),
        ("--password-file", {}),
        ("--key", {"type": Path}),
        ("--set", {"metavar": "KEY=VALUE"}),
        ("--pks", {"dest": "primary_keys"}),
        ("--foreign-key", {}),
        ("--keyboard", {}),
        ("--bypass", {}),
        ("--monkey", {}),
    ],
)
def test_what_only_resembles_a_secret_is_none(name: str, options: dict[str, Any]) -> None:
    assert not described(name, **options).is_secret


def test_a_number_can_be_a_password() -> None:
    assert described("--token", type=int).is_secret
    assert described("--password", type=int).is_secret


def test_the_operator_outranks_what_a_name_looks_like() -> None:
    parser = parser_with("--pin", type=int)
    parser.add_argument("--sort-key")
    pin, sort_key = describe(parser, secret=["pin"], public=["sort_key"]).arguments
    assert pin.is_secret
    assert not sort_key.is_secret


def test_groups_keep_the_authors_order_and_what_stands_alone_comes_first() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--late")
    second = parser.add_argument_group("second", "About it.")
    first = parser.add_argument_group("first")
    first.add_argument("--in-first")
    second.add_mutually_exclusive_group().add_argument("--in-second")
    parser.add_argument("--needed", required=True)
    parser.add_argument("place")
    description = describe(parser)
    assert titles(description) == [
        ("", ["place", "needed", "late"]),
        ("second", ["in_second"]),
        ("first", ["in_first"]),
    ]
    assert description.groups[1].description == "About it."


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_argument_in_a_nested_group_is_not_lost() -> None:
    parser = argparse.ArgumentParser()
    outer = parser.add_argument_group("outer")
    outer.add_argument("--one")
    outer.add_argument_group("inner").add_argument("--two")
    outer.add_mutually_exclusive_group().add_mutually_exclusive_group().add_argument("--three")
    names = {argument.name for argument in describe(parser).arguments}
    assert names == {"one", "two", "three"}


def test_a_group_with_a_description_only_keeps_it() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument_group(description="About them.").add_argument("--x")
    (group,) = describe(parser).groups
    assert (group.title, group.description) == ("", "About them.")


def test_common_options_stand_apart_and_some_are_left_out() -> None:
    parser = parser_with("--own")
    parser.add_argument("-v", "--verbosity")
    parser.add_argument("--settings")
    description = describe(parser, common_options=["-v", "--verbosity", "--settings"], left_out=["--settings"])
    assert titles(description) == [("", ["own"])]
    assert [argument.name for argument in description.common.arguments] == ["verbosity"]


def test_help_and_version_are_no_arguments() -> None:
    parser = parser_with("--version", action="version", version="1")
    assert describe(parser).arguments == ()


def test_hidden_arguments_are_known_but_not_offered() -> None:
    description = describe(parser_with("--secret", help=argparse.SUPPRESS))
    assert description.arguments == ()
    assert [argument.name for argument in description.hidden] == ["secret"]
    assert description.secret_options == {"--secret"}


def test_secrets_of_sub_commands_are_known() -> None:
    parser = argparse.ArgumentParser()
    parser.add_subparsers().add_parser("login", aliases=["in"]).add_argument("-p", "--password")
    description = describe(parser)
    assert description.secret_options == {"-p", "--password"}
    assert [argument.kind for argument in description.arguments] == [Kind.SUBCOMMAND]


def test_names_are_unique_where_dests_are_not() -> None:
    parser = parser_with("--on", dest="switch", action="store_true")
    parser.add_argument("--off", dest="switch", action="store_false")
    parser.add_argument("--version", action="version", version="1")
    parser.add_argument("version")
    assert {argument.name for argument in describe(parser).arguments} == {"switch", "switch-2", "version"}


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (["-x"], "-x"),
        (["-x", "--long"], "--long"),
        (["-pk", "-p"], "-pk"),
        (["-pk", "--primary"], "--primary"),
        (["--first", "--second"], "--first"),
        (["place"], ""),
    ],
)
def test_the_option_written_is_the_first_long_one(names: list[str], written: str) -> None:
    assert described(*names).option == written


def test_descriptions_may_be_lazy() -> None:
    parser: Any = argparse.ArgumentParser(prog="me")
    parser.description, parser.epilog = gettext_lazy("Saturday"), "By %(prog)s."
    description = describe(parser)
    assert (description.description, description.epilog) == ("Saturday", "By me.")


def test_a_trap_is_known() -> None:
    assert described("--really", type=bool).is_bool_type
    assert not described("--really", type=str).is_bool_type


def test_what_is_in_a_list_already_is_known() -> None:
    assert described("--x", action="append", default=["a", 1]).fixed == ("a", "1")
    assert described("--x", action="extend", nargs="+", default=["a"]).fixed == ("a",)
    assert described("--x", nargs="+", default=["a"]).fixed == ()


@pytest.mark.parametrize(
    ("options", "bounds"),
    [
        ({"type": int, "choices": range(1, 32)}, (1, 31)),
        ({"type": int, "choices": range(3)}, (None, None)),
        ({"type": int, "choices": range(0, 100, 5)}, (None, None)),
        ({"choices": range(100)}, (None, None)),
        ({"type": int}, (None, None)),
    ],
)
def test_a_long_range_gives_bounds(options: dict[str, Any], bounds: tuple[int | None, int | None]) -> None:
    argument = described("--x", **options)
    assert (argument.minimum, argument.maximum) == bounds


def test_options_that_fill_one_list_are_one_argument() -> None:
    parser = parser_with("--str", dest="types", action="append_const", const=str)
    parser.add_argument("--int", dest="types", action="append_const", const=int)
    (argument,) = describe(parser).arguments
    assert (argument.kind, argument.name) == (Kind.SEQUENCE, "types")
    assert [member.option for member in argument.members] == ["--str", "--int"]


def test_alternatives_are_the_parsers_groups_and_options_with_one_dest() -> None:
    parser = parser_with("--on", dest="switch", action="store_true")
    parser.add_argument("--off", dest="switch", action="store_false")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--url")
    group.add_argument("place", nargs="?")
    found = [(item.name, item.names, item.is_required, item.is_exclusive) for item in describe(parser).alternatives]
    assert found == [
        ("switch", ("switch", "switch-2"), False, False),
        ("launcher_choice-url", ("url", "place"), True, True),
    ]


def test_a_sub_commands_names_avoid_those_of_the_command() -> None:
    parser = parser_with("--env")
    child = parser.add_subparsers(dest="what").add_parser("add", aliases=["a"], help="Adds.")
    child.add_argument("--env")
    chooser = describe(parser).subcommand
    assert chooser is not None
    assert [(item.word, item.is_alias, item.help) for item in chooser.subcommands] == [
        ("add", False, "Adds."),
        ("a", True, "Adds."),
    ]
    assert [argument.name for argument in chooser.subcommands[0].description.arguments] == ["env-2"]
