"""argv, the single truth of a run's input: made from a form, judged by the command's own parser, and read back."""

from __future__ import annotations

import argparse
import re
import shlex
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.views.decorators.debug import sensitive_variables

from launcher import arguments, catalogue
from launcher.arguments import Argument, Description, Kind
from launcher.conf import command_options
from launcher.masking import MASK as MASK

Given = Mapping[str, Sequence[str]]
"""What was given, by argument name and only for what was touched: VALUE its text (or nothing, for an option without
value), VALUES its texts, FLAG nothing, YES_NO "yes" or "no", COUNT a number as text, OTHER its words."""

MOST_REPEATS = 100
NUL_REFUSED = "A NUL character can't be given to a command."
LEFT_OUT = frozenset(["--settings", "--pythonpath"])
"""Options that choose other code: they work on the shell only, so they are never taken from a page."""


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


def build(description: Description, given: Given, extra: Sequence[str] = ()) -> list[str]:
    """Return the argv that says what was given; `extra` are words that have no field, in their order.

    Raises CannotWrite where argparse has no spelling for it.
    """
    open_ended: list[str] = []
    options: list[str] = []
    last: list[str] = []
    for argument in (*description.arguments, *description.hidden):
        if argument.name not in given:
            continue
        _refuse_unspeakable(argument, given[argument.name])
        if not argument.is_positional:
            words = _option_words(argument, given[argument.name])
            place = last if argument.nargs == argparse.REMAINDER else open_ended
            (place if _is_open_ended(argument, words) else options).extend(words)
    positionals = [argument for argument in description.arguments if argument.is_positional]
    values, rest = _positional_words(positionals, given)
    has_subcommand = any(argument.kind is Kind.OTHER for argument in positionals)
    # After positionals, options may be taken for more of them; a sub-command's words stay where they were typed.
    is_extra_first = bool(extra) and extra[0].startswith("-") and "--" not in extra and not has_subcommand
    before = [*open_ended, *options, *(extra if is_extra_first else ())]
    after = () if is_extra_first else extra
    is_ambiguous = is_extra_first or bool(open_ended and not options) or any(word.startswith("-") for word in values)
    dashes = ["--"] if values and is_ambiguous and not has_subcommand else []
    if last and dashes:
        raise CannotWrite(positionals[0].name, "A value that starts with a dash can't be given beside such an option.")
    return [*before, *dashes, *values, *rest, *last, *after]


def _refuse_unspeakable(argument: Argument, values: Sequence[str]) -> None:
    if any("\0" in value for value in values):
        raise CannotWrite(argument.name, NUL_REFUSED)
    if "--" in values and argument.kind is not Kind.OTHER and (argument.is_positional or _loses_dashes()):
        raise CannotWrite(argument.name, "The value -- can't be said on a command line: argparse takes it out.")


def extra_words(description: Description, given: Given) -> list[str]:
    """Return the words for what has no field: hidden options and sub-commands."""
    words: list[str] = []
    for argument in description.hidden:
        if argument.name in given and not argument.is_positional:
            words += _option_words(argument, given[argument.name])
    for argument in description.arguments:
        if argument.kind is Kind.OTHER:
            words += given.get(argument.name, ())
    return words


def _option_words(argument: Argument, values: Sequence[str]) -> list[str]:
    option = argument.option
    match argument.kind:
        case Kind.FLAG:
            return [option]
        case Kind.YES_NO:
            return [option if values[0] == "yes" else argument.negative_option or option]
        case Kind.COUNT:
            return [option] * _repeats(argument, values[0])
        case Kind.VALUE:
            return [f"{option}={values[0]}"] if values else [option]
    if argument.is_repeated and argument.nargs is not None:
        return [word for value in values for word in _list_words(argument, _split(argument, value))]
    # "extend" without nargs would take a word for its letters; each value with its option is what its author meant.
    if argument.is_repeated or (argument.is_extended and argument.nargs is None):
        return [f"{option}={value}" for value in values]
    return _list_words(argument, values)


def _list_words(argument: Argument, values: Sequence[str]) -> list[str]:
    """Return an option with all its values; only after "=" may one start with a dash, and there is one "=" to have."""
    option = argument.option
    takes_one = argument.nargs in (argparse.ZERO_OR_MORE, argparse.ONE_OR_MORE, argparse.OPTIONAL, 1)
    if len(values) == 1 and takes_one:
        return [f"{option}={values[0]}"]
    if argument.nargs != argparse.REMAINDER and any(_looks_like_an_option(value) for value in values):
        if argument.is_extended and takes_one:
            return [f"{option}={value}" for value in values]
        raise CannotWrite(
            argument.name, f"Of several values for {option}, none can start with a dash: a command line can't say it."
        )
    return [option, *values]


def _looks_like_an_option(value: str) -> bool:
    return value.startswith("-") and value != "-" and not re.fullmatch(r"-\d+|-\d*\.\d+", value)


def _repeats(argument: Argument, value: str) -> int:
    try:
        number = int(value)
    except ValueError:
        number = -1
    if not 0 <= number <= MOST_REPEATS:
        raise CannotWrite(argument.name, f"How often, as a whole number from 0 to {MOST_REPEATS}.")
    return number


def _split(argument: Argument, value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError as error:
        raise CannotWrite(argument.name, f"{error}: {value}") from error


def _is_open_ended(argument: Argument, words: Sequence[str]) -> bool:
    """Tell whether the option would take a positional that follows it."""
    if argument.nargs == argparse.REMAINDER:
        return True
    takes_more = argument.nargs in (argparse.ZERO_OR_MORE, argparse.ONE_OR_MORE)
    if words[-1:] == [argument.option]:
        return takes_more or argument.nargs == argparse.OPTIONAL
    return takes_more and bool(words) and not words[-1].startswith(f"{argument.option}=")


def _positional_words(positionals: Sequence[Argument], given: Given) -> tuple[list[str], list[str]]:
    values: list[str] = []
    rest: list[str] = []
    missing: Argument | None = None
    for argument in positionals:
        words = list(given.get(argument.name, ()))
        if not words:
            missing = missing or (None if argument.is_required else argument)
        elif missing is not None and not (argument.is_required and argument.nargs is None):
            raise CannotWrite(missing.name, f"Needed when {argument.display_name} is given, since it comes before it.")
        if argument.nargs != argparse.REMAINDER:
            values += words
            continue
        if words and not values and _looks_like_an_option(words[0]):
            raise CannotWrite(argument.name, "The first word can't start with a dash: it would be taken for an option.")
        rest += words
    return values, rest


@sensitive_variables()
def judge(name: str, argv: Sequence[str]) -> Verdict:
    """Let a fresh parser of the command judge an argv, without running the command or touching files.

    Raises CommandUnavailable if there is no parser.
    """
    if any("\0" in word for word in argv):
        return Verdict(errors={"": [NUL_REFUSED]})
    parser = make_parser(name)
    printed = _quieten(parser)
    try:
        namespace = parser.parse_args(list(argv))
    except argparse.ArgumentError as error:
        cause = error.__cause__
        details = "".join(traceback.format_exception(cause)) if cause and not _is_expected(cause) else ""
        return Verdict(errors=_located(parser, error.argument_name, str(error)), details=details)
    except CommandError as error:
        return Verdict(errors=_located(parser, None, str(error).removeprefix("Error: ")))
    except SystemExit as error:
        text = "".join(printed).strip()
        if error.code in (None, 0):  # --help, --version
            return Verdict(errors={"": [text or "The command's parser ended without an answer."]})
        message = text.rpartition(": error: ")[2] or f"The command's parser ended with code {error.code}."
        return Verdict(errors=_located(parser, None, message))
    except Exception as error:  # noqa: BLE001  an action may raise anything
        return Verdict(errors={"": [_words_of(error)]}, details=traceback.format_exc())
    if getattr(namespace, "no_color", None) is True and getattr(namespace, "force_color", None) is True:
        message = "The --no-color and --force-color options can't be used together."  # as BaseCommand.execute says
        return Verdict(errors={"no_color": [message], "force_color": [message]})
    return Verdict()


def _is_expected(error: BaseException) -> bool:
    return isinstance(error, argparse.ArgumentTypeError | CommandError | ValidationError)


def _words_of(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    if isinstance(error, CommandError):
        return str(error)
    return f"{type(error).__name__}: {error}".strip(": ")


def _is_left_out(action: argparse.Action) -> bool:
    """Tell Django's own `--settings` from an argument of the command that happens to have the same dest."""
    return bool(action.option_strings) and LEFT_OUT.issuperset(action.option_strings)


def _refuse(word: str) -> str:
    raise argparse.ArgumentTypeError("not accepted here: it works on the shell only")


def _quieten(parser: argparse.ArgumentParser) -> list[str]:
    """Make the parser raise instead of exit, keep what it prints in the list returned, and open no files.

    What Launcher doesn't take is refused, and an argument's type that fails in a way of its own is refused by name.
    """
    printed: list[str] = []
    for each in _with_children(parser):
        each.exit_on_error = False
        each._print_message = lambda message, file=None: printed.append(message or "")  # type: ignore[method-assign]
        each._get_value = _guarded(each._get_value)  # type: ignore[assignment,method-assign]
        for action in each._actions:
            if isinstance(action.type, argparse.FileType):
                action.type = str  # FileType("w") would truncate the file by parsing
            elif _is_left_out(action):
                action.type = _refuse
            if isinstance(action.metavar, tuple) and not action.option_strings:
                action.metavar = arguments.display_name(action)  # argparse fails in naming what is missing
            elif action.metavar is not None and not isinstance(action.metavar, tuple):
                action.metavar = str(action.metavar)  # the same for a lazy text
    return printed


def _with_children(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        for child in arguments.children(action):
            yield from _with_children(child)


def _guarded(get_value: Callable[[argparse.Action, str], Any]) -> Callable[[argparse.Action, str], Any]:
    def get(action: argparse.Action, word: str) -> Any:
        try:
            return get_value(action, word)
        except argparse.ArgumentError:
            raise
        except (Exception, SystemExit) as error:
            raise argparse.ArgumentError(action, _words_of(error)) from error

    return get


def _located(parser: argparse.ArgumentParser, argument_name: str | None, message: str) -> dict[str, list[str]]:
    """Put a parser's message under the arguments it names, else under the empty name."""
    names = arguments.unique_names(parser, common_options())
    pairs = list(zip(parser._actions, names, strict=True))
    by_display = {arguments.display_name(action): name for action, name in reversed(pairs)}
    if argument_name is None and (found := re.search(r"\bargument (.+?): ", message)):
        argument_name = found[1]
    if argument_name in by_display:
        return {by_display[argument_name]: [message]}
    needed = {arguments.display_name(action) for action in parser._actions if arguments.is_required(action)}
    if found := re.search(r"the following arguments are required: (.+)", message):
        named = [by_display[word] for word in found[1].split(", ") if word in needed]
    elif found := re.search(r"one of the arguments (.+) is required", message):
        named = [by_display[word] for word in found[1].split(" ") if word in by_display]
    elif (getattr(parser, "missing_args_message", None) or "\0") in message:
        named = [name for action, name in pairs if not action.option_strings][:1]
    else:
        named = []
    return {name: [message] for name in named} or {"": [message]}


@cache
def _loses_dashes() -> bool:
    """Tell whether this Python takes a "--" out of the values of every argument, wherever it comes from."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--x")
    return bool(parser.parse_args(["--x=--"]).x != "--")


@sensitive_variables()
def read(name: str, argv: Sequence[str]) -> Reading:
    """Say what an argv gives to each argument, by letting a fresh parser take it apart.

    Values of secret arguments are not read into `given`, and their types are not asked about them. Raises
    CommandUnavailable if there is no parser.
    """
    parser = make_parser(name)
    _quieten(parser)
    said = command_options(name)
    secret, public = said.secret_arguments, said.public_arguments
    description = arguments.describe(
        parser, common_options=common_options(), left_out=LEFT_OUT, secret=secret, public=public
    )
    known = {argument.index: argument for argument in (*description.arguments, *description.hidden)}
    indexes = {id(action): index for index, action in enumerate(parser._actions)}
    given: dict[str, tuple[str, ...]] = {}
    secrets: set[str] = set()
    secret_actions: set[int] = set()

    def note(action: argparse.Action, words: Sequence[str]) -> None:
        argument = known.get(indexes.get(id(action), -1))
        if id(action) in secret_actions:
            secrets.update(word for word in words if word)
        # What is masked in a stored argv is not known any more, even where it was no secret's own place.
        elif argument is not None and (argument.kind is Kind.OTHER or not any(MASK in word for word in words)):
            _add(given, argument, words)

    def recorder(get_values: Callable[[argparse.Action, list[str]], Any]) -> Callable[..., Any]:
        def record(action: argparse.Action, words: list[str]) -> Any:
            try:
                return get_values(action, words)
            finally:  # it has taken a "--" out of the words, where this Python does that
                note(action, words)

        return record

    for each in _with_children(parser):
        each._get_values = recorder(each._get_values)  # type: ignore[method-assign]
        for action in each._actions:
            if arguments.is_secret(action, secret=secret, public=public):
                secret_actions.add(id(action))
                action.type = None  # it would refuse a mask
    error = ""
    namespace = argparse.Namespace()
    try:
        parser.parse_args(list(argv), namespace)
    except SystemExit:
        error = "The command's parser refused these arguments."
    except Exception as problem:  # noqa: BLE001  as in `judge`
        error = str(problem).removeprefix("Error: ")
    for argument in known.values():
        if argument.kind is Kind.YES_NO and argument.name in given:
            given[argument.name] = ("yes" if getattr(namespace, argument.dest, False) else "no",)
    return Reading(
        given=given, secret_values=frozenset(secrets), secret_options=description.secret_options, error=error
    )


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
    everything = (*description.arguments, *description.hidden)
    exact = {text for argument in everything for text in argument.option_strings} - description.secret_options
    masked: list[str] = []
    is_after_secret = False
    for word in argv:
        option, equals, value = word.partition("=")
        if option not in exact and _is_secret_option(option, description.secret_options):
            masked.append(f"{option}={MASK}" if value else word)
            is_after_secret = not equals
        elif is_after_secret and not _looks_like_an_option(word):
            masked.append(MASK)
        else:
            masked.append(_mask_joined(word, description.secret_options) if option not in exact else word)
            is_after_secret = False
    return masked


def _is_secret_option(word: str, options: frozenset[str]) -> bool:
    """Tell whether a word is a secret's option, or a beginning of it as argparse takes it."""
    return word in options or (len(word) > 2 and any(option.startswith(word) for option in options))


def _mask_joined(word: str, options: frozenset[str]) -> str:
    """Mask what is written right behind a single letter, as in `-pSECRET` or `-vpSECRET`."""
    if word.startswith("-") and not word.startswith("--"):
        for place in range(1, len(word) - 1):
            if f"-{word[place]}" in options:
                return f"{word[: place + 1]}{MASK}"
            if not word[place].isalpha():
                break
    return word


def _masked(word: str, reading: Reading) -> str:
    if word in reading.secret_values:
        return MASK
    option, equals, value = word.partition("=")
    if equals and value and (value in reading.secret_values or option in reading.secret_options):
        return f"{option}={MASK}"
    if word.startswith("-") and not word.startswith("--"):  # -pSECRET, -vpSECRET
        for value in reading.secret_values:
            if word.endswith(value) and f"-{word.removesuffix(value)[-1:]}" in reading.secret_options:
                return f"{word.removesuffix(value)}{MASK}"
    return word


def shell_line(name: str, argv: Sequence[str]) -> str:
    """Return the line that does the same on a POSIX shell."""
    return shlex.join(["python", "manage.py", name, *argv])
