"""argv, the single truth of a run's input: made from what a form says, judged by the command's own parser, and read back."""

from __future__ import annotations

import argparse
import shlex
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MethodType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from launcher import arguments, catalogue
from launcher.arguments import Argument, Description, Kind
from launcher.conf import command_options

MASK = "********"
LEFT_OUT = ("settings", "pythonpath")
"""Options that choose other code or another database: they work on the shell only, so they are never taken from a page."""


class CannotWrite(ValueError):
    """What was given can't be said on a command line; `name` is the argument it concerns."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the command's parser says of an argv."""

    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Messages by argument name; those that concern no single argument stand under the empty name."""
    details: str = ""
    """The traceback, where the parser failed instead of judging."""

    @property
    def is_accepted(self) -> bool:
        """Whether the command would start."""
        return not self.errors


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What an argv says, argument by argument."""

    given: Mapping[str, tuple[str, ...]]
    secret_values: frozenset[str] = frozenset()
    secret_options: frozenset[str] = frozenset()
    error: str = ""
    """Where the parser gave up; what it had taken until then is in `given`."""


@cache
def common_options() -> frozenset[str]:
    """Return the option strings that Django gives to every command."""
    parser = BaseCommand().create_parser("manage.py", "command")
    return frozenset(text for action in parser._actions for text in action.option_strings)


def make_parser(name: str) -> CommandParser:
    """Return a fresh parser of the command; one parse spoils it for the next, since defaults are shared lists.

    Raises CommandUnavailable if the command can't be imported or its parser can't be built.
    """
    command = catalogue.load(name)
    try:
        parser = command.create_parser("manage.py", name)
        if not isinstance(parser, argparse.ArgumentParser):
            raise catalogue.CommandUnavailable(f"Its parser is not argparse's, but {type(parser).__name__}.")
    except catalogue.CommandUnavailable:
        raise
    except (Exception, SystemExit) as error:
        message = f"{type(error).__name__}: {error}".strip(": ")
        raise catalogue.CommandUnavailable(message, traceback.format_exc()) from error
    return parser


def describe(name: str) -> Description:
    """Return the command's arguments as data; raises CommandUnavailable."""
    said = command_options(name)
    return arguments.describe(
        make_parser(name),
        common_options=common_options(),
        left_out=LEFT_OUT,
        secret=said.secret_arguments,
        public=said.public_arguments,
    )


def build(description: Description, given: Mapping[str, Sequence[str]], extra: Sequence[str] = ()) -> list[str]:
    """Return the argv that says what was given.

    `given` holds, by argument name and only for what was touched: VALUE its text (or nothing, for an option without
    value), VALUES its texts, FLAG nothing, YES_NO "yes" or "no", COUNT a number as text. `extra` are words appended as
    they are. Raises CannotWrite where argparse has no spelling for it.
    """
    open_ended: list[str] = []
    options: list[str] = []
    for argument in description.arguments:
        if not argument.is_positional and argument.name in given:
            words = _option_words(argument, given[argument.name])
            (open_ended if _is_open_ended(argument, words) else options).extend(words)
    positionals = [argument for argument in description.arguments if argument.is_positional]
    values, rest = _positional_words(positionals, given)
    needs_dashes = bool(values) and (any(word.startswith("-") for word in values) or bool(open_ended and not options))
    return [*open_ended, *options, *(["--"] if needs_dashes else []), *values, *rest, *extra]


def _option_words(argument: Argument, values: Sequence[str]) -> list[str]:
    option = argument.option
    match argument.kind:
        case Kind.FLAG:
            return [option]
        case Kind.YES_NO:
            return [option if values[0] == "yes" else argument.negative_option]
        case Kind.COUNT:
            return [option] * int(values[0])
        case Kind.VALUE:
            return [_joined(option, values[0])] if values else [option]
    if argument.is_repeated and argument.nargs is None:
        return [_joined(option, value) for value in values]
    if argument.is_repeated:
        return [word for value in values for word in (option, *shlex.split(value))]
    if any(value.startswith("-") for value in values) and len(values) == 1:
        return [_joined(option, values[0])]
    return [option, *values]


def _joined(option: str, value: str) -> str:
    # `-o=x` means "=x" to argparse where the option is a single letter; `--o x` fails where x starts with a dash.
    return f"{option}={value}" if len(option) > 2 else f"{option}{value}" if value else f"{option}="


def _is_open_ended(argument: Argument, words: Sequence[str]) -> bool:
    """Tell whether the option would take a positional that follows it."""
    if argument.nargs in (argparse.ZERO_OR_MORE, argparse.ONE_OR_MORE):
        return True
    return argument.nargs == argparse.OPTIONAL and words[-1:] == [argument.option]


def _positional_words(
    positionals: Sequence[Argument], given: Mapping[str, Sequence[str]]
) -> tuple[list[str], list[str]]:
    values: list[str] = []
    rest: list[str] = []
    missing: Argument | None = None
    for argument in positionals:
        words = list(given.get(argument.name, ()))
        if not words:
            missing = missing or argument
        elif missing is not None and not missing.is_required:
            raise CannotWrite(missing.name, f"Needed when {argument.display_name} is given, since it comes before it.")
        if argument.nargs == argparse.REMAINDER:
            rest += words
        else:
            values += words
    return values, rest


def judge(name: str, argv: Sequence[str]) -> Verdict:
    """Let a fresh parser of the command judge an argv, without running the command or touching files.

    Raises CommandUnavailable if there is no parser.
    """
    if any("\0" in word for word in argv):
        return Verdict(errors={"": ["A NUL character can't be given to a command."]})
    parser = make_parser(name)
    printed = _quieten(parser)
    try:
        namespace = parser.parse_args(list(argv))
    except argparse.ArgumentError as error:
        return Verdict(errors=_located(parser, error.argument_name, str(error)))
    except CommandError as error:
        return Verdict(errors=_located(parser, None, str(error).removeprefix("Error: ")))
    except SystemExit as error:
        message = "".join(printed).strip() or f"The command's parser ended with code {error.code}."
        return Verdict(errors=_located(parser, None, message))
    except Exception as error:  # noqa: BLE001  an argument's type may raise anything
        return Verdict(errors={"": [f"{type(error).__name__}: {error}"]}, details=traceback.format_exc())
    for action in parser._actions:
        if _is_left_out(action) and getattr(namespace, action.dest, None) is not None:
            return Verdict(
                errors={"": [f"{action.option_strings[0]} is not accepted here: it works on the shell only."]}
            )
    return Verdict()


def _is_left_out(action: argparse.Action) -> bool:
    """Tell Django's own `--settings` from an option of the command that happens to have the same dest."""
    return (
        action.dest in LEFT_OUT and bool(action.option_strings) and common_options().issuperset(action.option_strings)
    )


def _quieten(parser: argparse.ArgumentParser) -> list[str]:
    """Make the parser raise instead of exit, keep what it prints in the list returned, and open no files."""
    printed: list[str] = []
    parser.exit_on_error = False
    parser._print_message = lambda message, file=None: printed.append(message or "")  # type: ignore[method-assign]
    for action in parser._actions:
        if isinstance(action.type, argparse.FileType):
            action.type = str  # FileType("w") would truncate the file by parsing
        if isinstance(action, argparse._SubParsersAction):
            for child in set(action.choices.values()):
                printed_by_child = _quieten(child)
                printed_by_child.clear()
                child._print_message = parser._print_message  # type: ignore[method-assign]
    return printed


def _located(parser: argparse.ArgumentParser, argument_name: str | None, message: str) -> dict[str, list[str]]:
    """Put a parser's message under the arguments it names, else under the empty name."""
    names = arguments.unique_names(parser)
    by_display = {arguments.display_name(action): name for action, name in zip(parser._actions, names, strict=True)}
    if argument_name in by_display:
        return {by_display[argument_name]: [message]}
    listing, _, listed = message.partition(": ")
    if listed and "required" in listing:
        named = [by_display[word] for word in listed.split(", ") if word in by_display]
        if named:
            return {name: [message] for name in named}
    return {"": [message]}


def read(name: str, argv: Sequence[str]) -> Reading:
    """Say what an argv gives to each argument, by letting a fresh parser take it apart.

    Values of secret arguments are not read into `given`. Raises CommandUnavailable if there is no parser.
    """
    parser = make_parser(name)
    _quieten(parser)
    said = command_options(name)
    description = arguments.describe(parser, secret=said.secret_arguments, public=said.public_arguments)
    by_index = {argument.index: argument for argument in description.arguments}
    indexes = {id(action): index for index, action in enumerate(parser._actions)}
    given: dict[str, tuple[str, ...]] = {}
    secrets: set[str] = set()
    get_values = parser._get_values

    def record(self: argparse.ArgumentParser, action: argparse.Action, words: list[str]) -> Any:
        argument = by_index.get(indexes[id(action)])
        plain = [word for word in words if word != "--"] if action.nargs != argparse.REMAINDER else list(words)
        if argument is None:
            return get_values(action, words)
        if argument.is_secret:
            secrets.update(word for word in plain if word)
            return (plain or [""])[0] if action.nargs in (None, argparse.OPTIONAL) else plain
        _add(given, argument, plain)
        return get_values(action, words)

    parser._get_values = MethodType(record, parser)  # type: ignore[method-assign]
    error = ""
    namespace: Any = None
    try:
        namespace = parser.parse_args(list(argv))
    except SystemExit:
        error = "The command's parser refused these arguments."
    except Exception as problem:  # noqa: BLE001  as in `judge`
        error = str(problem).removeprefix("Error: ")
    for argument in description.arguments:
        if argument.kind is Kind.YES_NO and argument.name in given:
            given[argument.name] = ("yes" if getattr(namespace, argument.dest, False) else "no",)
    options = frozenset(
        text for argument in description.arguments if argument.is_secret for text in argument.option_strings
    )
    return Reading(given=given, secret_values=frozenset(secrets), secret_options=options, error=error)


def _add(given: dict[str, tuple[str, ...]], argument: Argument, words: Sequence[str]) -> None:
    before = given.get(argument.name, ())
    if argument.is_positional and not words:
        return
    if argument.kind is Kind.COUNT:
        given[argument.name] = (str(int(before[0]) + 1 if before else 1),)
    elif argument.is_repeated and argument.nargs is not None:
        given[argument.name] = (*before, shlex.join(words))
    elif argument.is_repeated or argument.is_extended:
        given[argument.name] = (*before, *words)
    else:
        given[argument.name] = tuple(words)


def redact(argv: Sequence[str], reading: Reading) -> tuple[list[str], bool]:
    """Return the argv with every secret masked, and whether there was one.

    A word that equals a secret is masked wherever it stands: showing too little is the safe mistake.
    """
    masked = [_masked(word, reading) for word in argv]
    return masked, masked != list(argv)


def mask_options(argv: Sequence[str], description: Description) -> list[str]:
    """Return the argv with what follows a secret option masked, for an argv that no parser has accepted yet."""
    options = frozenset(
        text for argument in description.arguments if argument.is_secret for text in argument.option_strings
    )
    reading = Reading(given={}, secret_options=options)
    return [
        MASK if before in options else _masked(word, reading) for before, word in zip(["", *argv], argv, strict=False)
    ]


def _masked(word: str, reading: Reading) -> str:
    if word in reading.secret_values:
        return MASK
    option, equals, value = word.partition("=")
    if equals and value and (value in reading.secret_values or option in reading.secret_options):
        return f"{option}={MASK}"
    for option in reading.secret_options:
        if len(option) == 2 and word.startswith(option) and word[2:] in reading.secret_values:
            return f"{option}{MASK}"
    return word


def shell_line(name: str, argv: Sequence[str]) -> str:
    """Return the line that does the same on a POSIX shell."""
    return shlex.join(["python", "manage.py", name, *argv])
