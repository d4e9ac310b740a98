"""From what a form says to argv and back, with the zoo's parsers as judges."""

import argparse
import shlex
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.core.management import CommandParser
from hypothesis import strategies as st

from launcher import arguments, argv
from launcher.argv import MASK, CannotWrite, build, describe, judge, mask_options, read, redact, write
from launcher.catalogue import CommandUnavailable

Given = dict[str, tuple[str, ...]]


def written(command: str, **given: tuple[str, ...]) -> list[str]:
    return build(describe(command), given)


def refused(name: str, command: str, given: Given) -> str:
    with pytest.raises(CannotWrite) as caught:
        write(command, given)
    assert caught.value.name == name
    return caught.value.message


def errors(command: str, line: str) -> dict[str, list[str]]:
    return {name: list(messages) for name, messages in judge(command, shlex.split(line)).errors.items()}


def parsed(command: str, words: list[str]) -> dict[str, Any]:
    return vars(argv.make_parser(command).parse_args(words))


# Form -> argv -> given is the identity

NAME: Given = {"name": ("N",)}
SAID: list[Given] = [
    NAME,
    {"name": ("-dash",)},
    {"name": ("-5",), "more": ("a b", "", "--x")},
    {**NAME, "more": ("one", "two")},
    {**NAME, "text": ("--looks-like-an-option",)},
    {**NAME, "text": ("a=b",)},
    {**NAME, "text": ("  spaces  ",)},
    {**NAME, "text": ("two\nlines",)},
    {**NAME, "text": ("Grüße, 世界 ☃",)},
    {**NAME, "text": ("'quotes' \"and\" $signs",)},
    {**NAME, "text": ("",)},
    {**NAME, "n": ("-5",)},
    {**NAME, "n": ("7",)},
    {**NAME, "ratio": ("-0.5",)},
    {**NAME, "day": ("2024-02-29",)},
    {**NAME, "path": ("/tmp/-x y",)},
    {**NAME, "on": (), "off": (), "seven": ()},
    {**NAME, "cache": ("yes",)},
    {**NAME, "cache": ("no",)},
    {**NAME, "tag": ("a", "-b", "c d", "a")},
    {**NAME, "pair": ("k v", "'a b' c")},
    {**NAME, "extended": ("a", "b")},
    {**NAME, "extended": ("a", "-b")},
    {**NAME, "loud": ("3",)},
    {**NAME, "maybe": ()},
    {**NAME, "maybe": ("",)},
    {**NAME, "maybe": ("-x",)},
    {**NAME, "maybe": (), "more": ("x",)},
    {**NAME, "any": ()},
    {**NAME, "any": ("a", "b"), "more": ("x", "y")},
    {**NAME, "some": ("-only",)},
    {**NAME, "some": ("-1", "-2")},
    {**NAME, "two": ("a", "b c")},
    {**NAME, "colour": ("blue",)},
    {**NAME, "size": ("2",)},
    {**NAME, "days": ("mon", "wed")},
    {**NAME, "any": ("a",), "some": ("b", "c"), "days": ("tue",), "maybe": (), "on": (), "tag": ("t",)},
    {**NAME, "verbosity": ("3",), "traceback": (), "no_color": ()},
]


@pytest.mark.parametrize("given", SAID, ids=lambda given: " ".join(f"{k}={v}" for k, v in given.items()))
def test_what_is_written_is_read_back_the_same(given: Given) -> None:
    words = build(describe("args_kinds"), given)
    assert judge("args_kinds", words).errors == {}
    assert dict(read("args_kinds", words).given) == given


TEXT = st.one_of(
    # A carriage return is read into the line for more arguments, since no page can hold one.
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=5),
    st.sampled_from(["-", "--", "-x", "--text", "--on", "-5", "=", "a=b", " ", "", "-n", "@x", "login"]),
)
TEXTS = st.lists(TEXT, min_size=1, max_size=3).map(tuple)
ONE = TEXT.map(lambda text: (text,))
SAYABLE = st.fixed_dictionaries(
    {"name": ONE},
    optional={
        "more": TEXTS,
        "text": ONE,
        "path": ONE,
        "tag": TEXTS,
        "extended": TEXTS,
        "maybe": st.one_of(ONE, st.just(())),
        "any": st.one_of(TEXTS, st.just(())),
        "some": TEXTS,
        "two": st.tuples(TEXT, TEXT),
        "on": st.just(()),
        "n": st.integers().map(lambda number: (str(number),)),
        "traceback": st.just(()),
    },
)


@hypothesis.given(SAYABLE)
def test_whatever_is_said_is_read_back_the_same_or_refused(given: Given) -> None:
    try:
        words = write("args_kinds", given)
    except CannotWrite:
        hypothesis.assume(False)
    assert judge("args_kinds", words).errors == {}
    assert dict(read("args_kinds", words).given) == given


def test_the_command_gets_the_values_that_were_meant() -> None:
    got = parsed("args_kinds", build(describe("args_kinds"), {**NAME, "pair": ("a 'b c'", "d e"), "any": ("x",)}))
    assert got["pair"] == [["a", "b c"], ["d", "e"]]
    assert (got["any"], got["name"], got["more"]) == (["x"], "N", [])


def test_what_is_untouched_is_not_written() -> None:
    assert written("args_kinds") == []


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"text": ("x",)}, "--text=x"),
        ({"n": ("5",)}, "-n=5"),
        ({"n": ("-5",)}, "-n=-5"),
        ({"maybe": ()}, "--maybe"),
        ({"maybe": (), "name": ("x",)}, "--maybe -- x"),
        ({"maybe": (), "on": (), "name": ("x",)}, "--maybe --on x"),
        ({"some": ("a", "b"), "name": ("x",)}, "--some a b -- x"),
        ({"some": ("a",), "name": ("x",)}, "--some=a x"),
        ({"loud": ("2",)}, "--loud --loud"),
        ({"cache": ("no",)}, "--no-cache"),
        ({"name": ("-x",)}, "-- -x"),
        ({"tag": ("a", "b")}, "--tag=a --tag=b"),
        ({"two": ("a", "b"), "name": ("x",)}, "--two a b x"),
    ],
)
def test_argv_is_spelled_as_a_careful_person_would(given: Given, line: str) -> None:
    assert shlex.join(build(describe("args_kinds"), given)) == line


@pytest.mark.parametrize(
    ("extra", "line"),
    [
        ("--traceback", "--traceback -- N -5"),
        ("more", "-- N -5 more"),
        ("-- more", "-- N -5 -- more"),
    ],
)
def test_options_typed_in_addition_are_not_taken_for_positionals(extra: str, line: str) -> None:
    given = {"name": ("N",), "more": ("-5",)}
    assert shlex.join(build(describe("args_kinds"), given, shlex.split(extra))) == line


def test_a_positional_can_not_be_given_before_the_one_it_follows() -> None:
    message = refused("first", "args_positionals", {"second": ("x",)})
    assert message == "Needed when second[.part] is given, since it comes before it."


@pytest.mark.parametrize(
    ("command", "name", "values"),
    [
        ("args_kinds", "some", ("a", "-b")),
        ("args_kinds", "two", ("a", "-b")),
        ("args_kinds", "text", ("a\0b",)),
        ("args_kinds", "pair", ("no 'closing quote",)),
        ("args_kinds", "loud", ("many",)),
        ("args_kinds", "loud", ("-1",)),
        ("args_kinds", "loud", ("²",)),
        ("args_kinds", "loud", ("999999999",)),
        ("args_kinds", "more", ("a", "--")),
    ],
)
def test_what_a_command_line_can_not_say_is_refused_by_name(command: str, name: str, values: tuple[str, ...]) -> None:
    assert refused(name, command, {name: values})


def test_two_dashes_as_a_value_arrive_or_are_refused() -> None:
    given = {**NAME, "text": ("--",)}
    try:
        words = write("args_kinds", given)
    except CannotWrite:
        return
    assert parsed("args_kinds", words)["text"] == "--"


def test_the_rest_of_the_line_comes_last_and_as_it_is() -> None:
    words = written("args_remainder", program=("ls",), rest=("--quick", "-v"))
    assert parsed("args_remainder", words)["rest"] == ["--quick", "-v"]
    assert dict(read("args_remainder", words).given) == {"program": ("ls",), "rest": ("--quick", "-v")}


def test_an_option_that_takes_all_the_rest_comes_last() -> None:
    parser = CommandParser(prog="x")
    parser.add_argument("--run", nargs=argparse.REMAINDER)
    parser.add_argument("--on", action="store_true")
    parser.add_argument("place")
    words = build(arguments.describe(parser), {"run": ("ls", "-l"), "on": (), "place": ("here",)})
    assert words == ["--on", "here", "--run", "ls", "-l"]


def test_a_line_that_is_all_rest_can_not_start_with_a_dash() -> None:
    parser = CommandParser(prog="x")
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    with pytest.raises(CannotWrite, match="first word"):
        build(arguments.describe(parser), {"rest": ("-x",)})


def test_extend_without_nargs_gets_its_option_for_each_value() -> None:
    parser = CommandParser(prog="x")
    parser.add_argument("--x", action="extend")
    assert build(arguments.describe(parser), {"x": ("a", "b")}) == ["--x=a", "--x=b"]


def test_names_that_collide_reach_their_own_arguments() -> None:
    given: Given = {
        "app-label": ("shop",),
        "model[.field]": ("m",),
        "settings": ("mine",),
        "version": ("2",),
        "dry_run-2": (),
        "a.b": ("c",),
    }
    words = build(describe("args_names"), given)
    assert judge("args_names", words).errors == {}
    assert words == ["--dry_run", "--a.b=c", "shop", "m", "mine", "2"]
    assert dict(read("args_names", words).given) == given


def test_words_without_a_field_are_read_for_the_line_of_more_arguments() -> None:
    reading = read("args_everything", ["--hidden=h", "--set=a=1", "--set=b=2", "place"])
    assert reading.given == {"places": ("place",)}
    assert reading.extra == ("--hidden=h", "--set=a=1", "--set=b=2")


@pytest.mark.parametrize("option", ["--noinput", "--no-input"])
def test_each_spelling_of_a_flag_is_read_for_its_field(option: str) -> None:
    reading = read("flush", [option])
    assert (reading.given, reading.extra) == ({"interactive": ()}, ())


def test_a_text_beside_no_option_is_refused_by_name() -> None:
    assert refused("types", "args_everything", {"places": ("p",), "types": ("--str", "'=to whom'")}) == (
        "Choose the option that “to whom” is for."
    )


def test_a_sub_commands_arguments_are_read_by_their_own_names() -> None:
    given = read("args_nested", ["--env=x", "a", "3", "--env=y"]).given
    assert given == {"env": ("x",), "what": ("a",), "number": ("3",), "env-2": ("y",)}
    assert write("args_nested", given) == ["--env=x", "a", "--env=y", "3"]


# The parser's verdict


@pytest.mark.parametrize(
    ("line", "name", "message"),
    [
        ("N -n=many", "n", "argument -n: invalid int value: 'many'"),
        ("N --ratio=half", "ratio", "argument --ratio: invalid float value: 'half'"),
        ("N --day=monday", "day", "argument --day: invalid fromisoformat value: 'monday'"),
        ("N --size=9", "size", "argument --size: invalid choice: 9 (choose from"),
        ("N --colour=green", "colour", "argument --colour: invalid Colour value: 'green'"),
        ("N --days sat", "days", "argument --days: invalid choice: 'sat'"),
        ("N --two a", "two", "argument --two: expected 2 arguments"),
        ("N --on=1", "on", "argument --on: ignored explicit argument '1'"),
        ("N --text", "text", "argument --text: expected one argument"),
        ("N -v9", "verbosity", "argument -v/--verbosity: invalid choice: 9"),
        ("N --unknown", "", "unrecognized arguments: --unknown"),
        ("", "name", "the following arguments are required: name"),
    ],
)
def test_a_refusal_stands_at_its_argument_in_the_parsers_words(line: str, name: str, message: str) -> None:
    ((place, messages),) = errors("args_kinds", line).items()
    assert place == name
    assert messages[0].startswith(message)


def test_each_missing_argument_is_told() -> None:
    found = errors("args_groups", "")
    assert set(found) == {"table", "positional"}
    assert found["table"] == ["the following arguments are required: --table, positional"]


def test_of_options_that_exclude_each_other_one_may_be_needed_and_two_are_refused() -> None:
    assert set(errors("args_groups", "x --table=t")) == {"launcher_choice-url"}
    ((name, messages),) = errors("args_groups", "x --table=t --url=u --latest").items()
    assert (name, messages) == ("latest", ["argument --latest: not allowed with argument --url"])


@pytest.mark.parametrize(
    ("line", "name", "message"),
    [
        ("--look-up=two", "look_up", "argument --look-up: KeyError: 'two'"),
        ("--price=cheap", "price", "argument --price: InvalidOperation: [<class 'decimal.ConversionSyntax'>]"),
        ("--leave=now", "leave", "argument --leave: SystemExit: now"),
        ("--validate=x", "validate", "argument --validate: “x” is no good."),
    ],
)
def test_a_type_may_raise_what_it_likes(line: str, name: str, message: str) -> None:
    assert errors("args_types", line) == {name: [message]}


def test_a_failure_of_a_type_keeps_its_traceback() -> None:
    assert "look_up" in judge("args_types", ["--look-up=two"]).details
    assert judge("args_kinds", ["N", "-n=x"]).details == ""


def test_judging_and_reading_open_no_files(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("content")
    assert judge("args_types", [f"--write={kept}", "--read=/no/such/file"]).is_accepted
    assert read("args_types", [f"--write={kept}"]).given == {"write": (str(kept),)}
    assert kept.read_text() == "content"


@pytest.mark.parametrize(
    "line",
    [
        "--settings=other.settings",
        "--settings other.settings",
        "--set=x",
        "--pythonpath=/tmp",
        "--pyth /tmp",
        "--settings=",
    ],
)
def test_djangos_settings_and_pythonpath_are_refused_however_written(line: str) -> None:
    ((messages),) = errors("args_kinds", f"N {line}").values()
    assert messages[0].endswith("not accepted here: it works on the shell only")


def test_an_argument_that_only_shares_the_name_settings_is_taken() -> None:
    assert judge("args_names", ["label", "model", "mine"]).is_accepted
    assert "settings" in {argument.name for argument in describe("args_names").arguments}


@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_help_and_version_answer_with_their_text(option: str) -> None:
    ((name, messages),) = errors("args_kinds", option).items()
    assert name == ""
    assert messages[0]


def test_the_answer_to_help_is_the_commands_help() -> None:
    assert "Takes an argument of every kind." in errors("args_kinds", "--help")[""][0]


def test_both_colours_are_refused_before_the_run() -> None:
    found = errors("args_kinds", "N --no-color --force-color")
    assert found["no_color"] == ["The --no-color and --force-color options can't be used together."]


def test_a_nul_is_refused() -> None:
    assert "NUL" in judge("args_kinds", ["a\0b"]).errors[""][0]


def test_a_parser_that_ends_the_process_is_heard_out() -> None:
    assert errors("args_own_parser", "") == {"things": ["own words: Name at least one thing."]}
    assert "required: --needed" in errors("args_own_parser", "x")["needed"][0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("logout --times=x", "argument --times: invalid int value: 'x'"),
        ("login", "the following arguments are required: name"),
        ("dance", "invalid choice: 'dance'"),
        ("", "the following arguments are required: action"),
    ],
)
def test_a_sub_commands_refusal_is_told(line: str, message: str) -> None:
    (messages,) = errors("args_subcommands", line).values()
    assert message in messages[0]


def test_judging_leaves_no_trace_for_the_next() -> None:
    assert errors("args_kinds", "N --tag=a") == errors("args_kinds", "N --tag=b") == {}
    assert read("args_kinds", ["N", "--tag=c"]).given["tag"] == ("c",)


def test_a_parser_that_can_not_be_built_is_unavailable() -> None:
    with pytest.raises(CommandUnavailable, match="LookupError: no such table: shops") as caught:
        describe("broken_parser")
    assert "Traceback" in caught.value.details


# Secrets

SECRET = "s3cret"


@pytest.mark.parametrize(
    "line",
    [
        f"--password={SECRET}",
        f"--password {SECRET}",
        f"--passw={SECRET}",
        f"--passw {SECRET}",
        f"-p{SECRET}",
        f"-p={SECRET}",
        f"-p {SECRET}",
        f"--user-token={SECRET}",
        f"--api-keys {SECRET} {SECRET}2",
        f"--backup-secret={SECRET}",
        f"--backup {SECRET}",
        f"--user={SECRET} --password={SECRET}",
        f"--password={SECRET} --traceback --user bob",
    ],
)
def test_no_spelling_lets_a_secret_through(line: str) -> None:
    words = shlex.split(line)
    reading = read("args_secrets", words)
    shown, has_secrets = redact(words, reading)
    assert judge("args_secrets", words).is_accepted
    assert has_secrets
    assert SECRET not in " ".join(shown)
    assert SECRET not in repr(read("args_secrets", shown).given)


@pytest.mark.parametrize("secret", ["--dashes", "a=b", "with space", "=", "ключ"])
def test_a_secret_may_look_like_anything(secret: str) -> None:
    words = build(describe("args_secrets"), {"password": (secret,)})
    shown, _ = redact(words, read("args_secrets", words))
    assert shown == [f"--password={MASK}"]


def test_the_argument_named_by_the_operator_is_masked_and_the_public_one_is_not() -> None:
    words = ["--pin=1234", "--sort-key=name", "--key=5", "--user=bob", "--forget-password"]
    shown, _ = redact(words, read("args_secrets", words))
    assert shown == [f"--pin={MASK}", "--sort-key=name", "--key=5", "--user=bob", "--forget-password"]


def test_a_secret_stays_one_whatever_its_type() -> None:
    words = ["--token-path", "abc"]
    shown, _ = redact(words, read("args_secrets", words))
    assert shown == ["--token-path", MASK]


def test_a_secret_of_a_sub_command_is_masked() -> None:
    for words in (["login", "me", f"--password={SECRET}"], ["in", "me", "--passw", SECRET]):
        shown, has_secrets = redact(words, read("args_subcommands", words))
        assert has_secrets
        assert SECRET not in " ".join(shown)
        assert shown[:2] == words[:2]


def test_what_has_no_secret_is_shown_whole() -> None:
    words = ["--user=bob", "--traceback"]
    assert redact(words, read("args_secrets", words)) == (words, False)


@pytest.mark.parametrize(
    "line",
    [
        f"--password={SECRET}",
        f"--password {SECRET}",
        f"--passw={SECRET}",
        f"-p{SECRET}",
        f"-p={SECRET}",
        f"-p {SECRET}",
        f"--api-keys {SECRET} {SECRET}2 --user",
        f"--backup-secret {SECRET}",
        f"--unknown --password {SECRET}",
    ],
)
def test_a_line_that_is_not_accepted_yet_shows_no_secret_either(line: str) -> None:
    assert SECRET not in " ".join(mask_options(shlex.split(line), describe("args_secrets")))


def test_masking_spares_what_only_begins_like_a_secrets_option() -> None:
    words = ["--user=bob", "--user", "bob", "-v2"]
    assert mask_options(words, describe("args_secrets")) == words


def test_what_is_masked_is_not_filled_in_again() -> None:
    assert read("args_secrets", [f"--user={MASK}", f"--password={MASK}", "--key=5"]).given == {"primary_key": ("5",)}


def test_a_bare_secret_option_asks_and_has_nothing_to_hide() -> None:
    assert redact(["--password"], read("args_secrets", ["--password"])) == (["--password"], False)
