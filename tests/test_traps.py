"""argparse's traps, each once: what Launcher does where a parser surprises. An id or a docstring names the trap.

Most commands are made here, of the arguments that the trap needs; `filled` goes the whole way from a drawn form to its
argv. Where a process of its own is the point, the zoo's `trap_*` commands run in real ones.
"""

import argparse
import copy
import datetime
import decimal
import enum
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from html import unescape
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import User
from django.core.management import get_commands
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.utils.translation import gettext_lazy

from launcher import arguments, argv, runs
from launcher.arguments import Argument, Description, Kind, ValueType
from launcher.argv import CannotWrite
from launcher.catalogue import CommandUnavailable
from launcher.controls import control_for
from launcher.forms import CommandForm
from launcher.models import Run, Status
from tests.browser import FormData
from tests.law import breach, form_page, namespace_of
from tests.pages import address, said_in
from tests.waiting import output_of, wait_for, wait_until_finished

Given = dict[str, tuple[str, ...]]
Spec = tuple[tuple[str, ...], dict[str, Any]] | Callable[[Any], object]
Register = Callable[..., str]

ROOT = Path(__file__).parent.parent
TRAP = "trap"
REMAINDER = argparse.REMAINDER
SUPPRESS = argparse.SUPPRESS
YES_NO = argparse.BooleanOptionalAction
real_runs = pytest.mark.django_db(transaction=True)


def arg(*names: str, **options: Any) -> Spec:
    """What `add_argument` is called with, anew for each parser."""
    return names, options


class Trap(BaseCommand):
    """A command of the arguments that one trap needs; a spec may also be a function that is given the parser."""

    def __init__(self, specs: Sequence[Spec], parser_options: dict[str, Any]) -> None:
        super().__init__()
        self.specs = specs
        self.parser_options = parser_options

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, **self.parser_options, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        for spec in self.specs:
            if isinstance(spec, tuple):
                parser.add_argument(*spec[0], **copy.deepcopy(spec[1]))
            else:
                spec(parser)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Register the command `trap` with these arguments; keywords are for its parser."""

    def register(*specs: Spec, **parser_options: Any) -> str:
        monkeypatch.setitem(get_commands(), TRAP, Trap(specs, parser_options))
        return TRAP

    return register


@pytest.fixture
def traps_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the zoo's actions ask, wait and leave, in processes that are started from here."""
    monkeypatch.setenv("LAUNCHER_TEST_TRAPS", "1")


def filled(given: Given, extra: Sequence[str] = ()) -> list[str]:
    """Fill the trap's form, draw it, send it as a browser does, and return the argv it says."""
    shown = CommandForm(argv.describe(TRAP), given=given, extra=extra)
    return posted(FormData(form_page(shown, TRAP)).post)


def posted(post: QueryDict) -> list[str]:
    form = CommandForm(argv.describe(TRAP), data=post)
    assert form.is_valid(), form.errors
    return argv.write(TRAP, form.given(), form.extra_words())


def refusal(given: Given) -> tuple[str, str]:
    """Return the argument that a command line can't say, and why."""
    with pytest.raises(CannotWrite) as caught:
        filled(given)
    return caught.value.name, caught.value.message


def got(words: Sequence[str]) -> dict[str, Any]:
    """Return what the command's own parser makes of an argv."""
    return vars(argv.make_parser(TRAP).parse_args(list(words)))


def errors(line: str | Sequence[str], name: str = TRAP) -> dict[str, list[str]]:
    words = shlex.split(line) if isinstance(line, str) else line
    return {place: list(messages) for place, messages in runs.judge(name, words).errors.items()}


def pasted(line: str) -> Given:
    """Return what a pasted line fills in."""
    reading = argv.read(TRAP, shlex.split(line))
    assert not reading.error, reading.error
    return dict(reading.given)


def described(name: str) -> Argument:
    """Return the trap's argument of that name."""
    return next(argument for argument in argv.describe(TRAP).arguments if argument.name == name)


def html() -> str:
    """Return the fields of the trap's form as drawn, with character references as they are."""
    return form_page(CommandForm(argv.describe(TRAP)), TRAP)


def finished(user: User, name: str, *words: str) -> Run:
    return wait_until_finished(runs.start_run(name, words, user=user))


def on_the_shell(name: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a person would on the shell, in a process of its own."""
    line = [sys.executable, "manage.py", name, *words]
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.run(line, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False)


def add_subcommands(parser: Any) -> None:
    """subparsers_in_django: an alias, a type inside, and an option of the command's own dest inside."""
    children = parser.add_subparsers(dest="cmd", required=True)
    add = children.add_parser("add", aliases=["a"])
    add.add_argument("n", type=int)
    add.add_argument("--env", default="sub")
    parser.add_argument("--env", default="top")


def add_inner_line(parser: Any) -> None:
    parser.add_subparsers(dest="c").add_parser("one").add_argument("x", nargs="?")


def add_nameless_subcommands(parser: Any) -> None:
    parser.add_subparsers().add_parser("one")


def add_needed_nameless_subcommands(parser: Any) -> None:
    parser.add_subparsers(required=True).add_parser("one")


def add_plain_subcommand(parser: Any) -> None:
    children = parser.add_subparsers(dest="c", parser_class=argparse.ArgumentParser)
    children.add_parser("one").add_argument("--n", type=int)


def exclusive(*specs: tuple[tuple[str, ...], dict[str, Any]] | Any, required: bool = True) -> Spec:
    """Return arguments of which the parser takes one."""

    def add(parser: Any) -> None:
        group = parser.add_mutually_exclusive_group(required=required)
        for names, options in specs:
            group.add_argument(*names, **options)

    return add


# Giving it to the command


@real_runs
@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param("trap_namespace", "", id="skip_checks_no_system_checks: no extra key"),
        pytest.param("trap_namespace", "--x=1 a b", id="args_dest_goes_to_star_args"),
        pytest.param("trap_namespace", "--no-input", id="kwargs_dest_by_option_name"),
        pytest.param("trap_namespace", "--no-color", id="color_flags: one of them"),
        pytest.param("trap_namespace_nargs", "--numbers 1 2 --url=u -- x", id="required_kwargs_types"),
        pytest.param("trap_namespace_nargs", "--many a b --numbers=1 -v1 x 3", id="kwargs_required_mutex"),
        pytest.param("trap_namespace_nargs", "--numbers=1 --latest --pair c d --skip-checks x", id="skip_checks given"),
        pytest.param("trap_namespace_subcommands", "--env=prod add 3", id="subparsers: the inner default wins"),
        pytest.param("trap_namespace_subcommands", "a 3 --env=x", id="subparsers: alias"),
        pytest.param("trap_namespace_subcommands", "show -- -x", id="subparsers: set_defaults"),
    ],
)
def test_handle_gets_what_it_gets_on_the_shell(owner: User, name: str, line: str) -> None:
    """skip_checks_differs: `call_command` alone gives another namespace than the shell in nearly every case."""
    run = finished(owner, name, *shlex.split(line))
    assert run.status == Status.SUCCEEDED, output_of(run)
    shell = on_the_shell(name, *shlex.split(line))
    assert json.loads(output_of(run)) == json.loads(shell.stdout), shell.stderr
    assert "DJANGO_COLORS" not in os.environ  # --no-color and --force-color alter the environment


@real_runs
@pytest.mark.parametrize("how", ["returncode", "command-error", "sys-exit", "sys-exit-text", "exception"])
def test_a_run_ends_with_the_shells_exit_code(owner: User, how: str) -> None:
    """exit_codes, handle_sys_exit: `CommandError(returncode=7)` is 7 on the shell only."""
    assert finished(owner, "run_ends", how).exit_code == on_the_shell("run_ends", how).returncode


@real_runs
def test_what_handle_returns_is_printed_once(owner: User) -> None:
    """stdout_stderr_are_stealth: `call_command` prints what handle() returns, and returns it too."""
    assert output_of(finished(owner, "trap_returns")) == "said once\n"


def test_the_streams_that_call_command_takes_are_no_options(command: Register) -> None:
    """stdout_stderr_are_stealth: they are known to `call_command`, not to the parser."""
    command()
    assert {"stdout", "stderr"}.isdisjoint(argument.dest for argument in argv.describe(TRAP).arguments)
    assert errors("--stdout=x") == {"": ["unrecognized arguments: --stdout=x"]}


def test_every_word_is_text_and_nothing_stands_for_what_is_not_given(command: Register) -> None:
    """argv_elements_are_strd_and_flattened: `None` would arrive as "None"."""
    command(arg("a", nargs="*"), arg("--n", type=int))
    words = filled({"a": ("x", "1")})
    assert words == ["x", "1"]
    assert {type(word) for word in words} == {str}


@pytest.mark.parametrize(
    ("line", "place"),
    [
        pytest.param("--n=9 --req=x", "n", id="argv_bad: choice"),
        pytest.param("--n=nine --req=x", "n", id="kw_bad_choice_and_type"),
        pytest.param("--n=1", "req", id="kw_req_None"),
        pytest.param("--req=x --nope=1", "", id="kw_unknown"),
    ],
)
def test_types_choices_and_needs_are_the_parsers_business(command: Register, line: str, place: str) -> None:
    """kwargs_bypass_parser: keywords pass by types and choices, an argv does not."""
    command(arg("--n", type=int, choices=[1, 2]), arg("--req", required=True))
    assert list(errors(line)) == [place]


def test_of_a_group_that_needs_one_each_can_be_given_and_two_are_refused(command: Register) -> None:
    """kwargs_required_mutex, required_optional_group: keywords mix up such groups."""
    command(exclusive(arg("--a"), arg("--f", action="store_true"), arg("--m", nargs="+")))
    each: list[Given] = [{"a": ("1",)}, {"f": ()}, {"m": ("1", "2")}]
    for given in each:
        words = filled(given)
        assert (errors(words), argv.read(TRAP, words).given) == ({}, given)
    assert errors("--a=1 --f") == {"f": ["argument --f: not allowed with argument --a"]}
    assert len(errors("")) == 1
    assert got(filled(pasted("--a=1 --a=2")))["a"] == "2"


@pytest.mark.parametrize("option", ["--settings", "--pythonpath"])
def test_other_code_is_neither_offered_nor_accepted(command: Register, option: str) -> None:
    """settings_pythonpath_ignored_by_call_command."""
    command()
    assert option not in html()
    assert "not accepted here" in next(iter(errors(f"{option}=x").values()))[0]
    assert "not accepted here" in next(iter(errors(f"{option[:5]} x").values()))[0]


def test_colours_are_one_choice_and_both_are_refused(command: Register) -> None:
    """color_flags: `execute` refuses both, after parsing."""
    command()
    (group,) = argv.describe(TRAP).alternatives
    assert set(group.names) == {"no_color", "force_color"}
    assert filled({"no_color": ()}) == ["--no-color"]
    assert set(errors("--no-color --force-color")) == {"no_color", "force_color"}


@pytest.mark.parametrize(
    ("specs", "parser_options", "line", "place", "message"),
    [
        pytest.param([arg("--n", type=int)], {}, "--n=z", "n", "invalid int value", id="commanderror_vs_systemexit"),
        pytest.param([add_plain_subcommand], {}, "one --n=z", "n", "invalid int value", id="subparser_plain"),
        pytest.param([add_subcommands], {}, "add z", "n", "invalid int value", id="subparsers: bad int"),
        pytest.param([add_subcommands], {}, "", "cmd", "required: cmd", id="subparsers: missing"),
        pytest.param([add_needed_nameless_subcommands], {}, "", "subcommand", "required: {one}", id="without dest"),
        pytest.param([add_nameless_subcommands], {}, "zz", "subcommand", "invalid choice: 'zz'", id="unknown"),
        pytest.param(
            [arg("--n", type=int)], {"exit_on_error": False}, "--n=z", "n", "invalid int", id="exit_on_error: type"
        ),
        pytest.param(
            [arg("--r", required=True)], {"exit_on_error": False}, "", "r", "required: --r", id="exit_on_error: missing"
        ),
        pytest.param([], {"exit_on_error": False}, "--zz", "", "unrecognized", id="exit_on_error: unknown"),
        pytest.param([], {}, "-v 5", "verbosity", "invalid choice: 5", id="verbosity_choices"),
        pytest.param([arg("--n", type=int)], {}, "--n=", "n", "invalid int value: ''", id="empty_string_values"),
        pytest.param([arg("--f", action="store_true")], {}, "--f=1", "f", "ignored explicit", id="flag with a value"),
        pytest.param([arg("--c", action=YES_NO)], {}, "--c=1", "c", "ignored explicit", id="boolean_optional: value"),
    ],
)
def test_a_refusal_stands_on_its_field_however_the_parser_ends(
    command: Register, specs: list[Spec], parser_options: dict[str, Any], line: str, place: str, message: str
) -> None:
    command(*specs, **parser_options)
    ((found, messages),) = errors(line).items()
    assert found == place
    assert message in messages[0]


@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_what_prints_and_ends_is_an_answer_and_has_no_field(command: Register, option: str) -> None:
    """version_and_help_exit: they end with `SystemExit(0)` while parsing."""
    command()
    verdict = runs.judge(TRAP, [option])
    assert verdict.is_answer
    assert verdict.errors[""][0]
    assert not {"help", "version"} & {argument.name for argument in argv.describe(TRAP).arguments}


def test_an_answer_starts_no_run(command: Register, owner: User) -> None:
    """version_and_help_exit."""
    command()
    with pytest.raises(runs.NotAccepted):
        runs.start_run(TRAP, ["--help"], user=owner)
    assert not Run.objects.exists()


def fail(word: str) -> NoReturn:
    raise KeyError("boom")


def say(word: str) -> NoReturn:
    raise argparse.ArgumentTypeError("nice message")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        pytest.param(fail, "argument --x: KeyError: 'boom'", id="KeyError escapes"),
        pytest.param(decimal.Decimal, "argument --x: InvalidOperation: ", id="decimal"),
        pytest.param(say, "argument --x: nice message", id="ArgumentTypeError"),
        pytest.param(sys.exit, "argument --x: SystemExit: zz", id="a type that leaves"),
    ],
)
def test_whatever_a_type_raises_stands_on_its_field(command: Register, kind: Any, message: str) -> None:
    """type_errors_other_than_value_error."""
    command(arg("--x", type=kind))
    ((place, messages),) = errors("--x=zz").items()
    assert place == "x"
    assert messages[0].startswith(message)


@real_runs
def test_a_file_is_opened_by_the_run_alone(owner: User, tmp_path: Path) -> None:
    """filetype: `FileType("w")` truncates by parsing."""
    file = tmp_path / "o.txt"
    file.write_text("precious")
    assert breach("trap_file", [f"--out={file}"]) == ""
    assert runs.judge("trap_file", [f"--out={file}"]).is_accepted
    assert file.read_text() == "precious"
    assert finished(owner, "trap_file", f"--out={file}").status == Status.SUCCEEDED
    assert file.read_text() == "written"


def test_a_file_named_by_a_dash_is_the_standard_stream(command: Register) -> None:
    """filetype: dash_is_stdout."""
    command(arg("--o", type=argparse.FileType("w")))
    assert filled({"o": ("-",)}) == ["--o=-"]
    assert errors("--o=-") == {}


@pytest.mark.parametrize("line", ["--openly", "--quietly"])
def test_an_action_that_asks_is_told_from_one_that_refuses(traps_set: None, line: str) -> None:
    """custom_action_prompts: by input() and by getpass()."""
    begun = time.monotonic()
    verdict = runs.judge("trap_asks", [line])
    assert (verdict.asks, verdict.is_accepted) == (True, True)
    assert time.monotonic() - begun < 15


@real_runs
def test_an_action_that_asks_is_answered_when_run(owner: User, traps_set: None) -> None:
    """custom_action_prompts: bare with nothing to read."""
    run = runs.start_run("trap_asks", ["--openly"], user=owner)
    wait_for(lambda: not runs.answer(run, 1, None, user=owner))
    wait_until_finished(run)
    assert run.status == Status.FAILED
    assert "It asked a question" in run.reason


def test_an_action_that_has_its_value_does_not_ask(traps_set: None) -> None:
    """custom_action_prompts."""
    verdict = runs.judge("trap_asks", ["--openly=x", "--quietly=y"])
    assert (verdict.asks, verdict.is_accepted) == (False, True)


def test_an_action_that_never_comes_back_is_ended_and_told(traps_set: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("launcher.execution.judging.JUDGE_SECONDS", 2)
    begun = time.monotonic()
    assert errors("--lock=x", "trap_waits") == {"": ["The command's parser gave no answer within 2 seconds."]}
    assert time.monotonic() - begun < 10


def test_an_action_that_ends_its_process_is_told(traps_set: None) -> None:
    assert errors("--list-all", "trap_leaves") == {
        "": ["The command's parser ended the process that asked it, with code 3."]
    }


class Leaks(argparse.Action):
    """Adds to its default in place, which argparse's own `append` is careful not to do."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        getattr(namespace, self.dest).append(values)


def test_no_parse_sees_what_an_earlier_one_left(command: Register) -> None:
    """parser_state_between_parses, call_command_leaves_namespace_defaults_shared."""
    command(arg("--l", action=Leaks, default=[]), arg("--n", action="append"))
    for _again in range(2):
        assert argv.judge(TRAP, ["--l=a", "--n=b"]).errors == {}
        assert got(filled({"l": ("a",), "n": ("b",)})) | {"l": ["a"], "n": ["b"]} == got(["--l=a", "--n=b"])
    assert (described("l").default, got([])["l"], got([])["n"]) == ("", [], None)


def leave(parser: Any) -> None:
    sys.exit("no parser today")


def query(parser: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM no_such_table")


BROKEN = [
    pytest.param([leave], "no parser today", id="add_arguments leaves"),
    pytest.param([query], "no such table: no_such_table", id="dynamic_choices_db: without its table"),
    pytest.param([arg("--color", action=YES_NO)], "conflicting option string", id="boolean_optional_no_color_conflict"),
    pytest.param([arg("--verbosity", dest="mine")], "conflicting option string: --verbosity", id="conflict without"),
    pytest.param(
        [lambda parser: parser.add_mutually_exclusive_group().add_argument("names", nargs="*")],
        "mutually exclusive arguments must be optional",
        id="mutex_with_positional: star without default",
    ),
]


@pytest.mark.parametrize(("specs", "message"), BROKEN)
def test_a_parser_that_can_not_be_built_is_a_page(
    command: Register, owner_client: Client, specs: list[Spec], message: str
) -> None:
    url = address("command_run", command(*specs))
    for response in (owner_client.get(url), owner_client.post(url), owner_client.post(address("command_line", TRAP))):
        assert response.status_code == 200
        assert message in said_in(response)
    assert not Run.objects.exists()


@pytest.mark.parametrize(("specs", "message"), BROKEN)
def test_a_parser_that_can_not_be_built_starts_nothing(
    command: Register, owner: User, specs: list[Spec], message: str
) -> None:
    command(*specs)
    for service in (runs.judge, runs.read):
        with pytest.raises(CommandUnavailable, match=message):
            service(TRAP, [])
    with pytest.raises(CommandUnavailable, match=message):
        runs.start_run(TRAP, [], user=owner)


def test_choices_from_the_database_are_those_of_the_moment(command: Register, owner_client: Client) -> None:
    """dynamic_choices_db."""
    command(lambda parser: parser.add_argument("--u", choices=list(User.objects.values_list("username", flat=True))))
    url = address("command_run", TRAP)
    assert 'value="bob"' not in said_in(owner_client.get(url))
    User.objects.create_user("bob")
    assert 'value="bob"' in said_in(owner_client.get(url))
    assert errors("--u=bob") == {}


def test_an_unknown_command_is_none(owner_client: Client) -> None:
    """unknown_command_and_broken_module."""
    assert owner_client.get(address("command_run", "no_such_command")).status_code == 404
    with pytest.raises(CommandUnavailable, match="no_such_command"):
        runs.judge("no_such_command", [])


def test_a_missing_args_message_stands_on_the_first_positional(
    command: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """missing_args_message: it is an error of nothing given at all."""
    monkeypatch.setattr(Trap, "missing_args_message", "Enter one.", raising=False)
    command(arg("args", nargs="*"), arg("--x"))
    assert errors("") == {"args": ["Enter one."]}
    assert errors("--x=1") == errors("a") == {}


def test_a_name_need_not_be_an_identifier(command: Register) -> None:
    """dest_names: a dash, dots, brackets."""
    command(arg("app-label"), arg("model[.x]", nargs="?"), arg("--a.b"), arg("-x-y"))
    given: Given = {"app-label": ("1",), "model[.x]": ("2",), "a.b": ("3",), "x_y": ("4",)}
    words = filled(given)
    assert errors(words) == {}
    assert {name: (got(words)[name],) for name in given} == given


def test_two_options_of_one_dest_have_a_name_each(command: Register) -> None:
    """twin_options."""
    command(arg("--dry-run", action="store_true"), arg("--dry_run", action="store_true"))
    for name, option in (("dry_run", "--dry-run"), ("dry_run-2", "--dry_run")):
        assert filled({name: ()}) == [option]
        assert filled(pasted(option)) == [option]


# Writing argv

NEGATIVE = [arg("n", type=int, nargs="?"), arg("--d", type=int), arg("--m", type=int, nargs="+")]
MINUS_ONE = [*NEGATIVE, arg("-1", dest="one", action="store_true")]
DASHES = [arg("v", nargs="?"), arg("--o"), arg("--m", nargs="+"), arg("-k")]
GREEDY = [arg("pos"), arg("--tags", nargs="*"), arg("--log", nargs="?", const="C")]
SPLIT = [arg("a", nargs="?"), arg("b", nargs="*"), arg("--x", action="store_true")]
GAP = [arg("a", nargs="?"), arg("b", nargs="?")]
STAR = [arg("a", nargs="*", default=["d"]), arg("--o", nargs="*", default=["d"])]
THREE = [
    arg("--c", nargs="?", const="CONST", default="DEF"),
    arg("--i", nargs="?", const="7", type=int, default="3"),
    arg("--n", nargs="?"),
]
APPEND = [
    arg("--t", action="append", default=["d"]),
    arg("--e", action="extend", nargs="+", default=["d"]),
    arg("--s", nargs="+", default=["d"]),
]
COUNT = [arg("-w", action="count"), arg("-q", action="count", default=2)]
BOOLEAN = [arg("--c", action=YES_NO), arg("-x", "--xx", action=YES_NO, default=True)]
SHARED = [
    arg("--a", dest="f", action="store_const", const="A", default="D"),
    arg("--b", dest="f", action="store_const", const="B"),
]
ON_OFF = [arg("--on", dest="s", action="store_true"), arg("--off", dest="s", action="store_false")]
NAME_OR_ALL = [exclusive(arg("name", nargs="?"), arg("--all", action="store_true"))]
BY_IDENTITY = [exclusive(arg("--n", type=int, default=5), arg("--s", default="dd"), arg("--f", action="store_true"))]
REST = [arg("--x"), arg("cmd"), arg("rest", nargs=REMAINDER)]
SINGLE = [arg("-pk"), arg("-p", action="store_true"), arg("-k")]
EQUALS = [
    arg("--a", nargs="+"),
    arg("--b", nargs=1),
    arg("--c", nargs=2),
    arg("--d", nargs="?"),
    arg("--e", nargs="*"),
]
EMPTY = [arg("--a", nargs="+"), arg("pos", nargs="*")]
TEXT = [arg("--x"), arg("v", nargs="*")]
BEFORE_SUBCOMMAND = [arg("--tags", nargs="*"), add_inner_line]
PARAMETERS = ("specs", "given", "meant")
WRITTEN = [
    pytest.param(NEGATIVE, {"d": ("-5",)}, {"d": -5}, id="negative_numbers: option"),
    pytest.param(NEGATIVE, {"n": ("-5",)}, {"n": -5}, id="negative_numbers: positional"),
    pytest.param(NEGATIVE, {"m": ("-1", "-2")}, {"m": [-1, -2]}, id="negative_numbers: several"),
    pytest.param(MINUS_ONE, {"d": ("-5",)}, {"d": -5}, id="negative_numbers: with -1, option"),
    pytest.param(MINUS_ONE, {"n": ("-5",)}, {"n": -5}, id="negative_numbers: with -1, positional"),
    pytest.param(MINUS_ONE, {"one": (), "n": ("-5",)}, {"n": -5, "one": True}, id="negative_numbers: with -1, both"),
    pytest.param([arg("--f", type=float)], {"f": ("-1e3",)}, {"f": -1000.0}, id="negative_numbers: -1e3"),
    pytest.param(NEGATIVE, {"d": ("-1_000",)}, {"d": -1000}, id="negative_numbers: -1_000"),
    pytest.param(DASHES, {"o": ("--foo",)}, {"o": "--foo"}, id="dash_values: --o --foo"),
    pytest.param(DASHES, {"v": ("--foo",)}, {"v": "--foo"}, id="dash_values: -- --foo"),
    pytest.param(DASHES, {"o": ("-",)}, {"o": "-"}, id="dash_values: --o -"),
    pytest.param(DASHES, {"o": ("-a b",)}, {"o": "-a b"}, id="dash_values: --o '-a b'"),
    pytest.param(DASHES, {"k": ("-x",)}, {"k": "-x"}, id="dash_values: -k=-x"),
    pytest.param(DASHES, {"k": ("",)}, {"k": ""}, id="dash_values: -k="),
    pytest.param(DASHES, {"k": ("=x",)}, {"k": "=x"}, id="dash_values: = behind -k"),
    pytest.param(DASHES, {"o": ("",)}, {"o": ""}, id="dash_values: --o="),
    pytest.param(DASHES, {"m": ("-x",)}, {"m": ["-x"]}, id="dash_values: --m=-x"),
    pytest.param(DASHES, {"m": ("", "")}, {"m": ["", ""]}, id="dash_values: --m '' ''"),
    pytest.param(DASHES, {"m": ("a", "b"), "v": ("-x",)}, {"m": ["a", "b"], "v": "-x"}, id="dash_values: both"),
    pytest.param(GREEDY, {"tags": ("a", "b"), "pos": ("p",)}, {"tags": ["a", "b"], "pos": "p"}, id="greedy: *"),
    pytest.param(GREEDY, {"log": (), "pos": ("p",)}, {"log": "C", "pos": "p"}, id="greedy: ?"),
    pytest.param(GREEDY, {"tags": (), "pos": ("p",)}, {"tags": [], "pos": "p"}, id="greedy: bare *"),
    pytest.param(SPLIT, {"a": ("1",), "x": (), "b": ("2",)}, {"a": "1", "b": ["2"], "x": True}, id="star split"),
    pytest.param(
        [arg("cmd"), arg("rest", nargs="*"), arg("--x")],
        {"cmd": ("c",), "rest": ("1", "3"), "x": ("2",)},
        {"cmd": "c", "rest": ["1", "3"], "x": "2"},
        id="intermixed",
    ),
    pytest.param(GAP, {"a": ("v",)}, {"a": "v", "b": None}, id="optional_positional_gap: one value"),
    pytest.param(GAP, {"a": ("",), "b": ("v",)}, {"a": "", "b": "v"}, id="optional_positional_gap: '' as first"),
    pytest.param(
        [arg("a"), arg("m", nargs="?"), arg("z")],
        {"a": ("1",), "z": ("2",)},
        {"a": "1", "m": None, "z": "2"},
        id="optional_positional_gap: a m? z",
    ),
    pytest.param(STAR, {"o": ()}, {"a": ["d"], "o": []}, id="star_defaults: --o empty"),
    pytest.param(STAR, {"a": ("x",)}, {"a": ["x"], "o": ["d"]}, id="star_defaults: given"),
    pytest.param(
        [arg("a", nargs="*", choices=["x", "y"])], {"a": ("x", "y")}, {"a": ["x", "y"]}, id="star_positional_choices"
    ),
    pytest.param(
        [arg("a", nargs="*", choices=["x", "y"])], {"a": ("y", "x", "y")}, {"a": ["y", "x", "y"]}, id="in any order"
    ),
    pytest.param(THREE, {"c": ()}, {"c": "CONST"}, id="qmark_three_states: bare"),
    pytest.param(THREE, {"c": ("v",)}, {"c": "v"}, id="qmark_three_states: value"),
    pytest.param(THREE, {"c": ("",)}, {"c": ""}, id="qmark_three_states: empty"),
    pytest.param(THREE, {"c": ("DEF",)}, {"c": "DEF"}, id="qmark_three_states: as by default"),
    pytest.param(THREE, {"i": ()}, {"i": 7}, id="qmark_three_states: const through type"),
    pytest.param(THREE, {"n": ()}, {"n": None}, id="qmark_three_states: const as the default"),
    pytest.param([arg("--n", type=int, default="zz")], {"n": ("1",)}, {"n": 1}, id="bad string default but given"),
    pytest.param(APPEND, {"t": ("x",)}, {"t": ["d", "x"]}, id="append_default_list: append"),
    pytest.param(APPEND, {"e": ("x", "y")}, {"e": ["d", "x", "y"]}, id="append_default_list: extend"),
    pytest.param(APPEND, {"s": ("x",)}, {"s": ["x"]}, id="append_default_list: nargs"),
    pytest.param(
        [arg("--t", action="append", nargs=2)],
        {"t": ("1 2", "3 ' '")},
        {"t": [["1", "2"], ["3", " "]]},
        id="append_default_list: append_nargs",
    ),
    pytest.param(COUNT, {"w": ("2",)}, {"w": 2, "q": 2}, id="count_default_none: -ww"),
    pytest.param(COUNT, {"q": ("1",)}, {"w": None, "q": 3}, id="count_default_none: default 2"),
    pytest.param(BOOLEAN, {"c": ("yes",)}, {"c": True, "xx": True}, id="boolean_optional: yes"),
    pytest.param(BOOLEAN, {"c": ("no",), "xx": ("no",)}, {"c": False, "xx": False}, id="boolean_optional: no"),
    pytest.param(BOOLEAN, {"xx": ("yes",)}, {"c": None, "xx": True}, id="boolean_optional: as by default"),
    pytest.param(SHARED, {"f": ()}, {"f": "A"}, id="store_const_shared_dest: first"),
    pytest.param(SHARED, {"f-2": ()}, {"f": "B"}, id="store_const_shared_dest: second"),
    pytest.param(ON_OFF, {"s": ()}, {"s": True}, id="on_off_shared_dest: on"),
    pytest.param(ON_OFF, {"s-2": ()}, {"s": False}, id="on_off_shared_dest: off"),
    pytest.param(
        [arg("--y", action="store_true", default=True)], {"y": ()}, {"y": True}, id="store_true, default True"
    ),
    pytest.param([arg("--b", type=bool, default=True)], {"b": ("False",)}, {"b": True}, id="bool_type: False"),
    pytest.param([arg("--b", type=bool, default=True)], {"b": ("",)}, {"b": False}, id="bool_type: empty"),
    pytest.param(NAME_OR_ALL, {"name": ("x",)}, {"name": "x", "all": False}, id="mutex_with_positional: name"),
    pytest.param(NAME_OR_ALL, {"all": ()}, {"name": None, "all": True}, id="mutex_with_positional: --all"),
    pytest.param(BY_IDENTITY, {"n": ("6",)}, {"n": 6}, id="mutex_default_identity: another"),
    pytest.param(BY_IDENTITY, {"s": ("dd",)}, {"s": "dd"}, id="mutex_default_identity: equal, passes"),
    pytest.param(
        [arg("--m", default=SUPPRESS), arg("pos", nargs="?", default=SUPPRESS)],
        {"m": ("1",), "pos": ("3",)},
        {"m": "1", "pos": "3"},
        id="suppress",
    ),
    pytest.param([add_subcommands], {"cmd": ("add",), "n": ("3",)}, {"cmd": "add", "n": 3}, id="subparsers"),
    pytest.param([add_subcommands], {"cmd": ("a",), "n": ("-3",)}, {"cmd": "a", "n": -3}, id="subparsers: alias"),
    pytest.param(
        [add_subcommands],
        {"cmd": ("add",), "n": ("3",), "env-2": ("--x",)},
        {"n": 3, "env": "--x"},
        id="subparsers: inner option",
    ),
    pytest.param([add_nameless_subcommands], {"subcommand": ("one",)}, {}, id="subparsers_not_required_no_dest"),
    pytest.param([add_plain_subcommand], {"c": ("one",), "n": ("1",)}, {"c": "one", "n": 1}, id="subparser_plain"),
    pytest.param(
        BEFORE_SUBCOMMAND,
        {"tags": ("a", "b"), "c": ("one",)},
        {"tags": ["a", "b"], "c": "one", "x": None},
        id="greedy_before_subcommand: two",
    ),
    pytest.param(
        BEFORE_SUBCOMMAND, {"tags": (), "c": ("one",)}, {"tags": [], "c": "one"}, id="greedy_before_subcommand: none"
    ),
    pytest.param(
        BEFORE_SUBCOMMAND, {"c": ("one",), "x": ("-x",)}, {"c": "one", "x": "-x"}, id="greedy_before_subcommand: inside"
    ),
    pytest.param(
        REST,
        {"cmd": ("c",), "rest": ("--x", "1", "-y")},
        {"x": None, "cmd": "c", "rest": ["--x", "1", "-y"]},
        id="remainder: c --x 1 -y",
    ),
    pytest.param(
        REST,
        {"x": ("1",), "cmd": ("c",), "rest": ("-y",)},
        {"x": "1", "cmd": "c", "rest": ["-y"]},
        id="remainder: --x 1 c -y",
    ),
    pytest.param([arg("rest", nargs=REMAINDER)], {"rest": ("a", "-y")}, {"rest": ["a", "-y"]}, id="remainder: only"),
    pytest.param(SINGLE, {"pk": ("1",)}, {"pk": "1", "p": False, "k": None}, id="single_dash_long_options: -pk=1"),
    pytest.param(SINGLE, {"pk": ("-k",)}, {"pk": "-k", "k": None}, id="single_dash_long_options: -pk=-k"),
    pytest.param(SINGLE, {"k": ("1",)}, {"pk": None, "p": False, "k": "1"}, id="single_dash_long_options: -k=1"),
    pytest.param(SINGLE, {"p": (), "k": ("1",)}, {"pk": None, "p": True, "k": "1"}, id="single_dash: -p -k 1"),
    pytest.param(EQUALS, {"a": ("1", "2")}, {"a": ["1", "2"]}, id="equals_form_with_nargs: --a 1 2"),
    pytest.param(EQUALS, {"b": ("-x",)}, {"b": ["-x"]}, id="equals_form_with_nargs: --b=-x"),
    pytest.param(EQUALS, {"c": ("1", "2")}, {"c": ["1", "2"]}, id="equals_form_with_nargs: --c 1 2"),
    pytest.param(EQUALS, {"d": ("",)}, {"d": ""}, id="equals_form_with_nargs: --d="),
    pytest.param(EQUALS, {"e": ("-x",)}, {"e": ["-x"]}, id="equals_form_with_nargs: --e=-x"),
    pytest.param(EMPTY, {"a": ("", "x")}, {"a": ["", "x"]}, id="empty_string_values: option"),
    pytest.param(EMPTY, {"pos": ("", "x")}, {"pos": ["", "x"]}, id="empty_string_values: positional"),
    pytest.param(EMPTY, {"pos": ("",)}, {"pos": [""]}, id="empty_string_values: alone"),
    pytest.param(TEXT, {"x": ("a\nb",), "v": ("c\nd",)}, {"x": "a\nb", "v": ["c\nd"]}, id="control_chars: newline"),
    pytest.param(TEXT, {"v": ("", "")}, {"v": ["", ""]}, id="control_chars: empty positional"),
    pytest.param(TEXT, {"x": ("\t  a ",)}, {"x": "\t  a "}, id="control_chars: spaces at the ends"),
    pytest.param(TEXT, {"x": ("☃",)}, {"x": "☃"}, id="unicode: snowman"),
    pytest.param(TEXT, {"x": ("\u00a0a\u00a0",)}, {"x": "\u00a0a\u00a0"}, id="unicode: nbsp"),
    pytest.param([arg("--n", type=int)], {"n": ("٣",)}, {"n": 3}, id="unicode: int_unicode_digits"),
    pytest.param([arg("--c", choices={"a": 1})], {"c": ("a",)}, {"c": "a"}, id="choices: dict"),
    pytest.param([arg("--c", choices=["", "a"])], {"c": ("",)}, {"c": ""}, id="choices: with_empty_string"),
    pytest.param([arg("--c", choices="abc")], {"c": ("bc",)}, {"c": "bc"}, id="choices: str_substring"),
    pytest.param([arg("--c", type=int, choices=range(3))], {"c": ("2",)}, {"c": 2}, id="choices: range"),
    pytest.param([arg("--c", type=int, choices=range(10**5))], {"c": ("5",)}, {"c": 5}, id="choices: huge"),
]


@pytest.mark.parametrize(PARAMETERS, WRITTEN)
def test_what_the_page_says_is_what_the_command_gets(
    command: Register, specs: list[Spec], given: Given, meant: dict[str, Any]
) -> None:
    command(*specs)
    words = filled(given)
    assert errors(words) == {}
    namespace = got(words)
    assert {name: namespace[name] for name in meant} == meant
    assert argv.read(TRAP, words).given.items() >= given.items()


@pytest.mark.parametrize(PARAMETERS, WRITTEN)
def test_what_is_untouched_is_never_sent(
    command: Register, specs: list[Spec], given: Given, meant: dict[str, Any]
) -> None:
    """string_default_goes_through_type, unprintable_defaults: a default that is fed back may mean something else."""
    command(*specs)
    assert filled({}) == []


@pytest.mark.parametrize(
    ("specs", "given", "name", "message"),
    [
        pytest.param(DASHES, {"m": ("a", "-x")}, "m", "none can start with a dash", id="dash_values: --m a -x"),
        pytest.param(EQUALS, {"c": ("1", "-x")}, "c", "none can start with a dash", id="equals_form_with_nargs: --c"),
        pytest.param(MINUS_ONE, {"m": ("-1", "-2")}, "m", "none can start with a dash", id="negative_numbers: with -1"),
        pytest.param(GAP, {"b": ("v",)}, "a", "Needed when b is given", id="optional_positional_gap: only b"),
        pytest.param([arg("rest", nargs=REMAINDER)], {"rest": ("-y",)}, "rest", "start with a dash", id="remainder"),
        pytest.param(TEXT, {"x": ("a\0b",)}, "x", "NUL", id="surrogates_and_nul"),
    ],
)
def test_what_no_command_line_can_say_is_refused_on_its_field(
    command: Register, specs: list[Spec], given: Given, name: str, message: str
) -> None:
    command(*specs)
    place, text = refusal(given)
    assert place == name
    assert message in text


@pytest.mark.parametrize(
    ("specs", "given", "line"),
    [
        pytest.param([arg("--o")], {"o": ("--",)}, "--o=--", id="--o=--"),
        pytest.param([arg("a"), arg("b")], {"a": ("--",), "b": ("x",)}, "-- -- x", id="-- -- x"),
        pytest.param([arg("a"), arg("b", nargs="*")], {"a": ("x",), "b": ("--",)}, "-- x --", id="-- x --"),
        pytest.param([arg("a"), arg("b", nargs="*")], {"a": ("x",), "b": ("--", "y")}, "-- x -- y", id="-- x -- y"),
        pytest.param(REST, {"cmd": ("c",), "rest": ("--",)}, "-- c --", id="remainder: -- c --"),
        pytest.param([arg("--m", nargs="+")], {"m": ("--",)}, "--m=--", id="--m=--"),
    ],
)
def test_two_dashes_arrive_where_the_parser_can_take_them_and_are_refused_with_the_reason_where_not(
    command: Register, specs: list[Spec], given: Given, line: str
) -> None:
    """double_dash_literal: before 3.13 they are lost inside values."""
    command(*specs)

    def arrives(words: Sequence[str]) -> bool:
        namespace = got(words)
        return all(tuple(namespace[name]) == texts or (namespace[name],) == texts for name, texts in given.items())

    if arrives(shlex.split(line)):
        assert arrives(filled(given))
    else:
        assert "--" in refusal(given)[1]


def test_before_a_sub_commands_word_there_are_no_dashes() -> None:
    """greedy_before_subcommand: "--" is taken for its name; a parser without Django's options has nothing between."""

    def make() -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(prog="x")
        parser.add_argument("--tags", nargs="*")
        parser.add_argument("--deep", action="store_true")
        parser.add_subparsers(dest="c").add_parser("one")
        return parser

    description = arguments.describe(make())
    given: Given = {"tags": ("a", "b"), "c": ("one",)}
    with pytest.raises(CannotWrite):
        argv.spell(description, make, given)
    assert argv.spell(description, make, {**given, "deep": ()}) == ["--tags", "a", "b", "--deep", "one"]
    assert argv.spell(description, make, {"tags": ("a",), "c": ("one",)}) == ["--tags=a", "one"]


def test_only_a_first_value_can_be_left_out_by_being_empty(command: Register) -> None:
    """optional_positional_gap: `a m? z` with two values gives them to a and z, so that m can't be without z."""
    command(arg("a"), arg("m", nargs="?"), arg("z"))
    assert refusal({"a": ("1",), "m": ("2",)})[0] in ("m", "z")


def test_nothing_but_what_the_parser_insists_on_is_required(command: Register) -> None:
    """star_positional_required_attribute: `*` and REMAINDER call themselves required."""
    command(arg("d", nargs="?"), arg("a", nargs="*"), arg("c", nargs=REMAINDER))
    assert [described(name).is_required for name in "dac"] == [False, False, False]
    assert errors(filled({})) == {}


@pytest.mark.parametrize(
    "specs",
    [
        pytest.param([arg("a", nargs="*", choices=["x", "y"])], id="empty_no_default: an error on 3.11 only"),
        pytest.param([arg("a", nargs="*", choices=["x"], default=["x"])], id="empty_default_list"),
        pytest.param([arg("a", nargs="?", choices=["x"], default="zz")], id="qmark_bad_default"),
        pytest.param([arg("--a", type=int, default="zz")], id="bad_str_default"),
        pytest.param([arg("--a", type=int, choices=[1], default="5")], id="default_outside_choices"),
    ],
)
def test_a_bare_command_is_refused_where_its_parser_refuses_it_and_only_there(
    command: Register, specs: list[Spec]
) -> None:
    """star_positional_choices, string_default_goes_through_type."""
    command(*specs)
    assert filled({}) == []
    assert list(errors("")) == ([] if namespace_of(TRAP, []) is not None else ["a"])


def test_a_const_that_is_no_choice_is_refused_on_its_field(command: Register) -> None:
    """qmark_three_states: --ch (const not in choices)."""
    command(arg("--ch", nargs="?", choices=["a"], const="zz"))
    assert filled({"ch": ()}) == ["--ch"]
    assert list(errors("--ch")) == ["ch"]


def test_what_a_list_holds_already_is_shown_and_not_sent(command: Register) -> None:
    """append_default_list: it can't be made shorter."""
    command(*APPEND)
    assert [described(name).fixed for name in "tes"] == [("d",), ("d",), ()]
    assert html().count("in the list already") >= 2
    assert filled({"t": ("x",)}) == ["--t=x"]


@pytest.mark.parametrize(
    ("on", "off", "default", "shown"),
    [
        pytest.param({}, {}, False, "False", id="absent"),
        pytest.param({"default": None}, {}, None, "", id="absent_None"),
        pytest.param({}, {"default": None}, False, "False", id="absent_second_None"),
        pytest.param({"default": "Z"}, {}, "Z", "Z", id="set_defaults"),
    ],
)
def test_of_options_with_one_dest_the_first_default_counts(
    command: Register, on: dict[str, Any], off: dict[str, Any], default: object, shown: str
) -> None:
    """on_off_shared_dest."""
    command(
        arg("--on", dest="s", action="store_true", **on),
        arg("--off", dest="s", action="store_false", **off),
    )
    assert got([])["s"] == default
    assert [group.default for group in argv.describe(TRAP).alternatives if group.name == "s"] == [shown]


def test_one_dest_is_one_choice_and_leaving_it_alone_sends_nothing(command: Register) -> None:
    """store_const_shared_dest: --a --b."""
    command(*SHARED)
    group = next(group for group in argv.describe(TRAP).alternatives if group.name == "f")
    assert (group.names, group.default) == (("f", "f-2"), "D")
    assert filled(pasted("--a --b")) == ["--b"]
    assert filled(pasted("--b --a")) == ["--a"]


def test_a_flag_given_twice_is_ticked_once(command: Register) -> None:
    """flag_given_twice_and_value."""
    command(arg("--f", action="store_true"))
    assert filled(pasted("--f --f")) == ["--f"]
    assert argv.read(TRAP, ["--f="]).error


def test_any_text_for_true_is_warned_of(command: Register) -> None:
    """bool_type: `--b=False` is True, so it is no tick."""
    command(arg("--b", type=bool, default=True))
    assert described("b").kind is Kind.VALUE
    assert "even “False”" in html()


def test_a_positional_of_a_group_is_one_of_its_choices(command: Register) -> None:
    """mutex_with_positional: none, and both."""
    command(*NAME_OR_ALL)
    assert len(errors("")) == 1
    assert list(errors("--all x")) == ["name"]


def test_a_value_equal_to_the_default_is_sent_and_the_parser_decides(command: Register) -> None:
    """mutex_default_identity: it passes or fails by identity."""
    command(*BY_IDENTITY)
    assert filled({"n": ("5",)}) == ["--n=5"]
    ((_place, messages),) = errors("--n=5").items()
    assert "one of the arguments --n --s --f is required" in messages[0]


class Shade(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Tone(str, enum.Enum):  # noqa: UP042  as authors write it who support older Pythons
    RED = "red"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"type": int, "choices": range(3)}, ["0", "1", "2"], id="range"),
        pytest.param({"choices": {"a": 1}}, ["a"], id="dict"),
        pytest.param({"type": Shade, "choices": list(Shade)}, ["red", "blue"], id="enum_value"),
        pytest.param({"type": Shade, "choices": Shade}, ["red", "blue"], id="enum_class"),
        pytest.param({"choices": list(Tone)}, ["red"], id="str_enum"),
        pytest.param({"type": Tone, "choices": list(Tone)}, ["red"], id="str_enum_typed"),
        pytest.param({"choices": ("b", "a")}, ["b", "a"], id="tuple"),
        pytest.param({"choices": ["", "a"]}, ["", "a"], id="with_empty_string"),
    ],
)
def test_a_choice_is_the_word_that_the_parser_takes(
    command: Register, options: dict[str, Any], words: list[str]
) -> None:
    """choices_containers."""
    command(arg("--c", **options))
    assert [choice.word for choice in described("c").choices or ()] == words
    for word in words:
        assert filled({"c": (word,)}) == [f"--c={word}"]
        assert errors(f"--c={word}") == {}


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"choices": [1, 2]}, id="int_choices_no_type"),
        pytest.param({"choices": Shade}, id="enum_no_type: its values count since 3.12"),
        pytest.param({"choices": list(Shade)}, id="enum members, no type"),
    ],
)
def test_a_choice_that_the_parser_never_takes_is_shown_as_such(command: Register, options: dict[str, Any]) -> None:
    """choices_containers: whatever the parser says of a word, the page says of it."""
    command(arg("--c", **options))
    choices = described("c").choices or ()
    is_taken = {choice.word: namespace_of(TRAP, [f"--c={choice.word}"]) is not None for choice in choices}
    assert {choice.word: choice.is_usable for choice in choices} == is_taken
    assert unescape(html()).count("refused by the command's parser") == list(is_taken.values()).count(False)
    assert len(is_taken) == 2
    assert {word for word in ("1", "red") if namespace_of(TRAP, [f"--c={word}"])} <= is_taken.keys()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        pytest.param({"type": int, "choices": range(3)}, "9", id="range_bad"),
        pytest.param({"choices": [1, 2]}, "1", id="int_choices_no_type"),
        pytest.param({"choices": []}, "x", id="empty"),
        pytest.param({"choices": Shade}, "green", id="enum_no_type: a TypeError on 3.11"),
    ],
)
def test_a_word_that_is_no_choice_is_refused_on_its_field(
    command: Register, options: dict[str, Any], word: str
) -> None:
    """choices_containers."""
    command(arg("--c", **options))
    assert list(errors(f"--c={word}")) == ["c"]


def test_choices_that_can_be_asked_only_once_are_left_to_the_parser(command: Register) -> None:
    """choices_containers: generator."""
    command(lambda parser: parser.add_argument("--c", choices=(letter for letter in "ab")))
    assert described("c").choices is None
    for _again in range(2):
        assert (errors("--c=b") == {}) == (namespace_of(TRAP, ["--c=b"]) is not None)


def test_very_many_numbers_are_typed_between_their_bounds(command: Register) -> None:
    """choices_containers: huge."""
    command(arg("--c", type=int, choices=range(10**5)))
    assert (described("c").minimum, described("c").maximum) == (0, 10**5 - 1)
    assert list(errors(["--c=-1"])) == ["c"]


def test_no_value_is_taken_for_a_file_of_arguments(command: Register, tmp_path: Path) -> None:
    """fromfile_prefix: behind `=` it is a value; alone, the parser would read the file."""
    (tmp_path / "a").write_text("--x\nfrom file\n")
    command(arg("--x"), arg("v", nargs="?"), arg("--m", nargs="+"), fromfile_prefix_chars="@")
    assert got(filled({"x": (f"@{tmp_path}/a",)}))["x"] == f"@{tmp_path}/a"
    assert "a file of that name" in refusal({"v": (f"@{tmp_path}/a",)})[1]
    assert refusal({"m": ("a", "@b")})[0] == "m"
    assert got(filled({"m": ("@b",)}))["m"] == ["@b"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"x": ()}, ["+x"], id="+x"),
        pytest.param({"long": ("1",)}, ["++long=1"], id="++long=1"),
        pytest.param({"long": ("+y",)}, ["++long=+y"], id="++long=+y"),
        pytest.param({"v": ("+y",)}, ["--", "+y"], id="-- +y"),
        pytest.param({"x": (), "v": ("-y",)}, ["+x", "--", "-y"], id="-- -y"),
    ],
)
def test_options_may_start_with_something_else(command: Register, given: Given, words: list[str]) -> None:
    """prefix_chars."""
    command(arg("+x", action="store_true"), arg("++long"), arg("v", nargs="?"), prefix_chars="-+")
    assert filled(given) == words
    assert errors(words) == {}
    assert argv.read(TRAP, words).given == given


def test_a_pasted_line_may_abbreviate_and_is_written_out(command: Register) -> None:
    """abbrev."""
    command(arg("--dry-run", action="store_true"), arg("--drop-x"))
    assert filled(pasted("--dry --drop=y")) == ["--dry-run", "--drop-x=y"]
    assert "ambiguous option: --dr" in next(iter(errors("--dr").values()))[0]
    assert argv.read(TRAP, ["--dr"]).error
    assert got(filled({"drop_x": ("--dry",)}))["drop_x"] == "--dry"


def test_where_nothing_may_be_abbreviated_it_is_refused(command: Register) -> None:
    """abbrev: off."""
    command(arg("--dry-run", action="store_true"), allow_abbrev=False)
    assert "unrecognized arguments: --dry" in next(iter(errors("--dry").values()))[0]
    assert filled({"dry_run": ()}) == ["--dry-run"]


def test_an_option_left_of_its_long_name_keeps_its_own_meaning(command: Register) -> None:
    """conflict_resolve: `--verbosity` is the command's own now, `-v` is Django's still."""
    command(arg("--verbosity", dest="mine"), conflict_handler="resolve")
    words = filled({"mine": ("zz",), "verbosity": ("2",)})
    assert errors(words) == {}
    assert (got(words)["mine"], got(words)["verbosity"]) == ("zz", 2)


def test_line_breaks_of_a_browser_become_those_of_a_command_line(command: Register) -> None:
    """control_chars: a text area posts CRLF."""
    command(arg("--x", default="one\ntwo"))
    assert described("x").value_type is ValueType.LINES
    assert posted(QueryDict("x=a%0D%0Ab%0D%0A")) == ["--x=a\nb\n"]


def test_empty_is_told_from_not_given(command: Register) -> None:
    """empty_string_values: an empty text is a value, a blank input is none."""
    command(arg("--x"), arg("v", nargs="*"))
    assert posted(QueryDict("x=&v=")) == []
    assert posted(QueryDict("x=&x__empty=0&v=&v__empty=0")) == ["--x=", ""]
    assert posted(QueryDict("x=+&v=+a+")) == ["--x= ", " a "]


def test_text_that_is_no_unicode_passes_unchanged(command: Register) -> None:
    """unicode_and_surrogates: a file's name as the system has it."""
    command(*TEXT)
    words = argv.write(TRAP, {"x": ("\udcff",), "v": ("\udcfe",)})
    assert (got(words)["x"], got(words)["v"]) == ("\udcff", ["\udcfe"])


@pytest.mark.parametrize(
    ("specs", "line"),
    [
        pytest.param(SPLIT, "--x 1", id="star_positional_split_by_option"),
        pytest.param(GREEDY, "--tags a b -- pos", id="greedy_options_eat_positionals"),
        pytest.param(MINUS_ONE, "-- -5", id="negative_numbers"),
        pytest.param(THREE, "--c --i 4", id="qmark_three_states"),
        pytest.param(APPEND, "--t x --e a --e b c --s q", id="append_default_list"),
        pytest.param(COUNT, "-wwq", id="count_default_none"),
        pytest.param(BOOLEAN, "--c --no-c -x", id="boolean_optional"),
        pytest.param(ON_OFF, "--on --off --on", id="on_off_shared_dest"),
        pytest.param(REST, "-- c -y", id="remainder: -- c -y"),
        pytest.param(REST, "-- c --", id="remainder: -- c --"),
        pytest.param([arg("rest", nargs=REMAINDER)], "-- -y", id="remainder: only, -- -y"),
        pytest.param(SINGLE, "-pk 1 -k1 -p", id="single_dash_long_options"),
        pytest.param([add_subcommands], "--env=prod add 3", id="sub default clobbers parent value"),
        pytest.param([add_subcommands], "--env=prod a 3 --env=x", id="subparsers: both"),
        pytest.param(BEFORE_SUBCOMMAND, "--tags a -v1 one -- -x", id="greedy_before_subcommand"),
        pytest.param(BEFORE_SUBCOMMAND, "--tags a one", id="greedy_before_subcommand: swallowed"),
        pytest.param(BY_IDENTITY, "--n=5 --f", id="mutex_default_identity: stands beside another"),
        pytest.param(BY_IDENTITY, "--f --s=dd", id="mutex_default_identity: the same text"),
        pytest.param([arg("a"), arg("b")], "-- -- x", id="double_dash_literal"),
        pytest.param([arg("--m", nargs="*"), arg("v", nargs="*")], "--m= -- '' ''", id="empty_string_values"),
        pytest.param([arg("--r", nargs=REMAINDER), arg("v", nargs="?")], "v --r a -x", id="remainder: of an option"),
        pytest.param([add_nameless_subcommands], "one", id="subparsers_not_required_no_dest"),
        pytest.param([arg("--m", default=SUPPRESS), arg("--h", help=SUPPRESS)], "--m=1 --h=2", id="suppress"),
    ],
)
def test_a_pasted_line_means_the_same_after_it_went_through_the_page(
    command: Register, specs: list[Spec], line: str
) -> None:
    """The law of tests/law.py, at the traps' own command lines."""
    command(*specs)
    assert breach(TRAP, shlex.split(line)) == ""


# Reading the parser


def set_bad_help(parser: Any) -> None:
    parser._actions[-1].help = "100%"


def set_lazy_description(parser: Any) -> None:
    parser.description = gettext_lazy("lazy")


def set_deprecated(parser: Any) -> None:
    parser._actions[-1].deprecated = True


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        pytest.param({"default": "D", "help": "d=%(default)s 100%%"}, "d=D 100%", id="expanded"),
        pytest.param({"help": "100%"}, "100%", id="a lone %"),
        pytest.param({"help": "%(nonsense)s"}, "%(nonsense)s", id="an unknown name"),
        pytest.param({"help": gettext_lazy("lazy %(default)s")}, "lazy None", id="lazy_help"),
        pytest.param({"choices": ["a%b", "c"], "help": "x"}, "x", id="choices_and_help_metavar"),
    ],
)
def test_help_is_expanded_or_shown_as_it_stands(
    command: Register, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], shown: str
) -> None:
    """percent_in_help: Python 3.14 refuses bad help when an argument is added, the older ones when help is printed."""
    monkeypatch.setattr(argparse.ArgumentParser, "_check_help", lambda self, action: None, raising=False)
    command(arg("--x", **options))
    assert described("x").help == shown
    assert shown in html()


@pytest.mark.parametrize(
    ("specs", "parser_options"),
    [
        pytest.param([set_bad_help], {}, id="percent_in_help"),
        pytest.param([], {"epilog": gettext_lazy("lazy")}, id="lazy_help: epilog"),
        pytest.param(
            [lambda parser: setattr(parser, "description", gettext_lazy("lazy"))], {}, id="lazy_help: command"
        ),
        pytest.param([], {"usage": "100%"}, id="usage overridden"),
    ],
)
def test_a_help_that_argparse_fails_to_print_costs_neither_the_page_nor_an_answer(
    command: Register, owner_client: Client, specs: list[Spec], parser_options: dict[str, Any]
) -> None:
    """percent_in_help, lazy_help: format_help() raises."""
    url = address("command_run", command(arg("--n", type=int, help="N"), *specs, **parser_options))
    assert owner_client.get(url).status_code == 200
    assert owner_client.post(url, {"launcher_extra": "--help"}).status_code == 200
    assert list(errors("--n=z")) == ["n"]
    assert errors("--help")[""]


def test_lazy_texts_are_read(command: Register) -> None:
    """lazy_help: metavar, default, description and epilog."""
    command(arg("--y", metavar=gettext_lazy("M"), default=gettext_lazy("D")), epilog=gettext_lazy("E"))
    assert argv.describe(TRAP).epilog == "E"
    assert described("y").default == "D"
    assert filled({}) == []
    assert errors("--y") == {"y": ["argument --y: expected one argument"]}


def test_what_authors_write_is_text_and_never_html(command: Register) -> None:
    """Help, metavars, defaults, choices, group titles and fixed rows."""
    mark = "<b>&"
    command(
        arg("--x", help=mark, metavar=mark, default=mark),
        arg("--c", choices=[mark]),
        arg("--t", action="append", default=[mark]),
        arg("p", metavar=mark, nargs="?"),
        lambda parser: parser.add_argument_group(mark, mark).add_argument("--g", nargs=2, metavar=(mark, mark)),
    )
    assert "<b>" not in html()
    assert "&lt;b&gt;&amp;" in html()


@pytest.mark.filterwarnings("ignore:Nesting argument groups:DeprecationWarning")
def test_an_argument_of_a_group_in_a_group_is_offered(command: Register) -> None:
    """Groups nest."""
    command(lambda parser: parser.add_argument_group("outer").add_argument_group("inner").add_argument("--two"))
    assert filled({"two": ("x",)}) == ["--two=x"]
    assert "Inner" in html()


class Intermixed(CommandParser):
    """intermixed: a parser with a `parse_args` of its own."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        return self.parse_intermixed_args(args, namespace)


class Adds(CommandParser):
    """A parser that adds words of its own."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_args(["--x=from elsewhere", *args], namespace)


class Raises(CommandParser):
    """A parser with an `error` of its own."""

    def error(self, message: str) -> NoReturn:
        raise LookupError(f"in own words: {message}")


class Leaves(CommandParser):
    """A parser with an `error` that ends the process without a word."""

    def error(self, message: str) -> NoReturn:
        sys.exit(9)


def of_class(kind: type[CommandParser]) -> Spec:
    return lambda parser: setattr(parser, "__class__", kind)


def test_a_parser_may_take_positionals_among_options(command: Register) -> None:
    """intermixed: c 1 --x 2 3."""
    command(of_class(Intermixed), arg("cmd"), arg("rest", nargs="*"), arg("--x"))
    given: Given = {"cmd": ("c",), "rest": ("1", "-3"), "x": ("2",)}
    namespace = got(filled(given))
    assert (namespace["cmd"], namespace["rest"], namespace["x"]) == ("c", ["1", "-3"], "2")
    assert breach(TRAP, ["c", "1", "--x", "2", "3"]) == ""


def test_a_parser_may_add_words_of_its_own(command: Register) -> None:
    """A subclass with its own parse_args."""
    command(of_class(Adds), arg("--x"), arg("--y"))
    assert filled({}) == []
    assert got(filled({"y": ("1",)}))["y"] == "1"
    assert got(filled({"x": ("1",)}))["x"] == "1"


@pytest.mark.parametrize("kind", [Raises, Leaves])
def test_a_parser_may_tell_an_error_in_its_own_way(command: Register, kind: type[CommandParser]) -> None:
    """A subclass with its own error; since 3.13 one that may raise instead is not asked for it."""
    command(of_class(kind), arg("--r", required=True), arg("--n", type=int))
    ((message,),) = errors("").values()
    assert "are required: --r" in message or "ended with code 9" in message
    assert list(errors("--r=1 --n=z")) == ["n"]
    assert argv.read(TRAP, ["--zz"]).error


def add_siblings(parser: Any) -> None:
    """parents_shared_default: what is set on one child holds for all that share the action."""
    base = argparse.ArgumentParser(add_help=False)
    base.add_argument("--l", action="append", default=[])
    children = parser.add_subparsers(dest="c", parser_class=argparse.ArgumentParser)
    children.add_parser("one", parents=[base])
    children.add_parser("two", parents=[base]).set_defaults(l=["x"])


def test_a_default_that_another_child_sets_is_shown_where_it_counts(command: Register) -> None:
    """parents_shared_default."""
    command(add_siblings)
    chooser = argv.describe(TRAP).subcommand
    assert chooser is not None
    descriptions: list[Description] = [item.description for item in chooser.subcommands]
    assert [item.arguments[0].fixed for item in descriptions] == [("x",), ("x",)]
    assert got(filled({"c": ("one",), "l": ("y",)}))["l"] == ["x", "y"]


def test_a_sub_command_without_a_dest_is_named_and_need_not_be_chosen(command: Register) -> None:
    """subparsers_not_required_no_dest: it leaves no trace in the namespace."""
    command(add_nameless_subcommands)
    chooser = argv.describe(TRAP).subcommand
    assert chooser is not None
    assert (chooser.name, chooser.is_required) == ("subcommand", False)
    assert errors("") == errors("one") == {}


def test_an_own_entry_to_the_shell_is_told_on_the_form(owner_client: Client) -> None:
    """run_from_argv_overrides_not_used: Django's `test`."""
    assert "run_from_argv" in said_in(owner_client.get(address("command_run", "test")))
    assert "run_from_argv" not in said_in(owner_client.get(address("command_run", "check")))


def test_what_is_deprecated_is_marked_and_prints_nothing(command: Register, capfd: pytest.CaptureFixture[str]) -> None:
    """deprecated: `add_argument` knows it since 3.13."""
    command(arg("--x"), set_deprecated)
    assert described("x").is_deprecated
    assert "deprecated" in html()
    assert errors("--x=1") == {}
    assert pasted("--x=1") == {"x": ("1",)}
    assert capfd.readouterr().err == ""


def test_what_is_hidden_is_not_offered_but_accepted_as_typed(command: Register) -> None:
    """suppress: help=SUPPRESS."""
    command(arg("--h", help=SUPPRESS), arg("--m"))
    assert 'name="h"' not in html()
    assert filled({}, ["--h=2"]) == ["--h=2"]
    assert filled({}, argv.read(TRAP, ["--h=2"]).extra) == ["--h=2"]
    assert errors("--h=2") == {}


def test_what_is_hidden_and_required_is_asked_for(command: Register, owner_client: Client) -> None:
    """required_dest_without_metavar: hidden required."""
    url = address("command_run", command(arg("--x", required=True, help=SUPPRESS)))
    assert "the following arguments are required: --x" in said_in(owner_client.post(url))
    assert errors(filled({}, ["--x=1"])) == {}


def test_reading_a_parser_calls_none_of_its_types(command: Register) -> None:
    """type_called_twice: a type may do anything, so it is called for the judgement alone, and once."""
    calls: list[str] = []
    command(lambda parser: parser.add_argument("--x", type=calls.append, default="d"))
    words = filled({"x": ("1",)})
    argv.read(TRAP, words)
    assert calls == []
    argv.judge(TRAP, words)
    assert calls == ["1"]


def test_a_default_that_no_text_expresses_is_shown_and_never_sent(command: Register) -> None:
    """unprintable_defaults: `3 days, 0:00:00` fed back is an error."""
    command(arg("--t", type=lambda text: datetime.timedelta(days=int(text)), default=datetime.timedelta(days=3)))
    assert described("t").default == "3 days, 0:00:00"
    assert filled({}) == []
    assert got(filled({"t": ("4",)}))["t"] == datetime.timedelta(days=4)


def test_the_program_is_called_as_on_the_shell(command: Register) -> None:
    """prog_and_usage: `call_command` has none."""
    command(arg("--x", help="of %(prog)s"), epilog="See %(prog)s.")
    assert described("x").help == f"of manage.py {TRAP}"
    assert argv.describe(TRAP).epilog == f"See manage.py {TRAP}."
    assert f"manage.py {TRAP}" in errors("--help")[""][0]


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        pytest.param({}, "TextControl", id="store"),
        pytest.param({"action": "store_true"}, "FlagControl", id="store_true"),
        pytest.param({"action": YES_NO}, "ChoiceControl", id="boolean_optional"),
        pytest.param({"action": "count"}, "CountControl", id="count"),
        pytest.param({"action": "append"}, "RowsControl", id="append"),
        pytest.param({"action": "append", "nargs": 2}, "GroupsControl", id="append_nargs"),
        pytest.param({"nargs": 2}, "TupleControl", id="nargs N"),
        pytest.param({"nargs": "*", "choices": ["a"]}, "ListControl", id="choices"),
        pytest.param({"type": bool}, "TextControl", id="bool_type"),
    ],
)
def test_each_kind_of_argument_has_the_control_that_can_say_it(
    command: Register, options: dict[str, Any], kind: str
) -> None:
    command(arg("--x", **options))
    assert type(control_for(described("x"))).__name__ == kind
