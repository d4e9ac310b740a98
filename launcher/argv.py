"""argv, the single truth of a run's input: made from a form, judged by the command's own parser, and read back."""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
import shlex
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
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
value), VALUES its texts, GROUPS each group's texts joined as for a shell, FLAG nothing, YES_NO "yes" or "no", COUNT a
number as text, SEQUENCE each option with its texts, joined as for a shell, SUBCOMMAND its word."""

MOST_REPEATS = 100
LONGEST_MESSAGE = 2000
"""Characters of a parser's message that are shown."""
NUL_REFUSED = "A NUL character can't be given to a command."
COLOURS = frozenset(["--no-color", "--force-color"])
"""Of these, `BaseCommand.execute` takes only one."""
RESERVED = frozenset(["launcher_extra", "launcher_confirm", "launcher_uploads", "launcher_paste"])
RESERVED |= {"launcher_preset_name", "launcher_preset_shared", "launcher_show", "csrfmiddlewaretoken"}
"""Names of what a form has besides arguments."""
LEFT_OUT = frozenset(["--settings", "--pythonpath"])
"""Options that choose other code: they work on the shell only, so they are never taken from a page."""


class ForeignParser(catalogue.CommandUnavailable):
    """The command's parser is another library's: its words can be typed, but not asked for one by one."""


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
    is_answer: bool = False
    """Whether the words asked for a text, such as `--help`, which is in `errors`; nothing is wrong then."""
    asks: bool = False
    """Whether the parser asked a question, which it will do again when the command runs."""

    @property
    def is_accepted(self) -> bool:
        """Whether the command would start."""
        return not self.errors


@dataclass(kw_only=True)
class Event:
    """An argument met in an argv, with the words it was given."""

    argument: Argument
    member: Argument
    """Of a SEQUENCE, the option it was; else the argument itself."""
    words: tuple[str, ...]
    option: str = ""
    """The option string, whole, however it was written."""
    overruled: tuple[str, ...] = ()
    """The names of arguments with the same dest that count no more."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What an argv says, argument by argument."""

    given: Mapping[str, tuple[str, ...]]
    """What is given to each argument, less secrets and what a mask stands for."""
    secret_values: frozenset[str] = frozenset()
    secret_options: frozenset[str] = frozenset()
    extra: tuple[str, ...] = ()
    """Words that say what no field can; behind the others, they make the argv say what it said."""
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
            raise ForeignParser(f"Its parser is not argparse's, but {type(parser).__name__}.")
    except catalogue.CommandUnavailable:
        raise
    except (Exception, SystemExit) as error:
        message = f"{type(error).__name__}: {error}".strip(": ")
        raise catalogue.CommandUnavailable(message, traceback.format_exc()) from error
    return parser


def is_foreign_parser(name: str) -> bool:
    """Tell whether the command's parser is another library's; raises CommandUnavailable if it has none at all."""
    try:
        make_parser(name)
    except ForeignParser:
        return True
    return False


def describe(name: str) -> Description:
    """Return the command's arguments as data; raises CommandUnavailable."""
    said = command_options(name)
    return arguments.describe(
        make_parser(name),
        common_options=common_options(),
        left_out=LEFT_OUT,
        secret=said.secret_arguments,
        public=said.public_arguments,
        opposed=COLOURS,
        taken=RESERVED,
    )


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """A way to write the same; which of them says what is meant, the parser is asked."""

    has_dashes: bool = False
    """Whether "--" stands before positionals in any case, not only where it must."""
    has_filler: bool = False
    """Whether an option at its default separates those that take any number of values from what follows."""


SPELLINGS = (Spelling(), Spelling(has_filler=True), Spelling(has_dashes=True))


@sensitive_variables()
def write(name: str, given: Given, extra: Sequence[str] = ()) -> list[str]:
    """Return the argv that says what was given; `extra` are words that have no field, in their order.

    The argv is read back by a fresh parser of the command, and another spelling is tried where that understands
    something else. Raises CannotWrite where none is understood, and CommandUnavailable if there is no parser.
    """
    description = describe(name)
    return spell(description, lambda: make_parser(name), given, extra)


@sensitive_variables()
def spell(
    description: Description,
    fresh_parser: Callable[[], argparse.ArgumentParser],
    given: Given,
    extra: Sequence[str] = (),
) -> list[str]:
    """Do the same for any parser; `fresh_parser` makes one more each time."""
    wanted = {key: tuple(values) for key, values in given.items() if key in _names(description, given)}
    first = build(description, given)
    if not first:
        return list(extra)
    read_first: dict[str, tuple[str, ...]] = {}
    is_refused = True
    for spelling in SPELLINGS:
        filler = _filler(description, given) if spelling.has_filler else {}
        for added in (extra, ()) if extra else ((),):
            events, error = take_apart(fresh_parser(), description, build(description, given, added, spelling=spelling))
            found = fold(events)
            # Words without a field may add to what was filled in, or mean to replace it.
            is_said = (
                all(found.get(key) == values for key, values in wanted.items())
                if added
                else found == {**wanted, **filler}
            )
            if not error and is_said:
                return build(description, given, extra, spelling=spelling)
            if spelling == Spelling():
                read_first, is_refused = found, bool(error)
    _blame(description, wanted, read_first, is_refused=is_refused)
    return build(description, given, extra)


def _names(description: Description, given: Given) -> set[str]:
    """Return the names of all arguments in reach: the command's own and those of the sub-commands chosen."""
    return {item.name for each in description.chain(given) for item in (*each.arguments, *each.hidden)}


def _blame(description: Description, wanted: Given, found: Given, *, is_refused: bool) -> None:
    """Raise CannotWrite for the argument that a command line has no words for.

    A parser that refuses may have other reasons, for example that something is missing: it shall say so itself.
    """
    for each in description.chain(wanted):
        for argument in (*each.arguments, *each.hidden):
            values = _single_words(argument, wanted.get(argument.name, ()))
            is_right = not is_refused and found.get(argument.name) == wanted.get(argument.name)
            if is_right or not values:
                continue
            if "--" in values:
                message = "The value -- can't be said on a command line: argparse takes it out."
                raise CannotWrite(argument.name, message)
            is_bound = argument.kind is Kind.VALUE and not argument.is_positional
            if not is_bound and any(value[:1] in each.prefix_chars and value != "-" for value in values if value):
                place = argument.option or argument.display_name
                message = f"Of several values for {place}, none can start with a dash: a command line can't say it."
                raise CannotWrite(argument.name, message)
    for name in wanted if not is_refused else ():
        if found.get(name) != wanted[name]:
            raise CannotWrite(name, "A command line can't say this together with the other values.")


def _single_words(argument: Argument, values: Sequence[str]) -> list[str]:
    is_joined = argument.kind in (Kind.GROUPS, Kind.SEQUENCE)
    return [word for value in values for word in (shlex.split(value) if is_joined else [value])]


@sensitive_variables()
def read_foreign(name: str, argv: Sequence[str]) -> Reading:
    """Say what is secret in the words for a command whose parser can't be asked, by the names of its options alone."""
    said = command_options(name)
    named = {f"--{dest.replace('_', '-')}" for dest in said.secret_arguments}
    public = {f"--{dest.replace('_', '-')}" for dest in said.public_arguments}
    written = {word.partition("=")[0] for word in argv if word.startswith("-")}
    secret = {option for option in written if option in named or arguments.sounds_secret(option)} - public
    values: set[str] = set()
    for word, following in zip(argv, [*argv[1:], ""], strict=False):
        option, equals, value = word.partition("=")
        if option in secret:
            values.add(value if equals else following)
    return Reading(
        given={}, secret_values=frozenset(values - {""}), secret_options=frozenset(secret), extra=tuple(argv)
    )


def foreign_description(name: str, argv: Sequence[str]) -> Description:
    """Return a description without arguments, which only knows what to mask in these words."""
    nothing = arguments.Group(title="", description="", arguments=())
    secret = read_foreign(name, argv).secret_options
    return Description(description="", epilog="", groups=(), common=nothing, secret_options=secret, is_foreign=True)


def judge_foreign(argv: Sequence[str]) -> Verdict:
    """Refuse what Launcher takes for no command; all else the command says itself when it runs."""
    if any("\0" in word for word in argv):
        return Verdict(errors={"": [NUL_REFUSED]})
    refused = [word for word in argv if word.partition("=")[0] in LEFT_OUT]
    text = f"argument {refused[0].partition('=')[0]}: not accepted here: it works on the shell only" if refused else ""
    return Verdict(errors={"": [text]}) if text else Verdict()


def build(
    description: Description, given: Given, extra: Sequence[str] = (), *, spelling: Spelling = SPELLINGS[0]
) -> list[str]:
    """Spell out what was given, without asking the parser whether it understands; `write` does.

    Raises CannotWrite where argparse has no spelling for it.
    """
    if spelling.has_filler:
        given = {**given, **_filler(description, given)}
    open_ended: list[str] = []
    options: list[str] = []
    last: list[str] = []
    for argument in (*description.arguments, *description.hidden):
        if argument.name not in given:
            continue
        _refuse_unspeakable(description, argument, given[argument.name])
        if not argument.is_positional:
            words = _option_words(argument, given[argument.name])
            place = last if argument.nargs == argparse.REMAINDER else open_ended
            (place if _is_open_ended(argument, words) else options).extend(words)
    # On a page the required ones come first; a command line knows them by their places alone.
    positionals = sorted((item for item in description.arguments if item.is_positional), key=lambda item: item.index)
    chooser = description.subcommand
    values, rest = _positional_words([item for item in positionals if item is not chooser], given)
    inner = _subcommand_words(chooser, given, spelling)
    # After positionals, options may be taken for more of them; a sub-command's words stay where they were typed.
    is_extra_first = bool(extra) and extra[0].startswith("-") and "--" not in extra and chooser is None
    before = [*open_ended, *options, *(extra if is_extra_first else ())]
    after = () if is_extra_first else extra
    is_ambiguous = is_extra_first or bool(open_ended and not options) or spelling.has_dashes
    is_ambiguous = is_ambiguous or any(word[:1] in description.prefix_chars for word in values if word)
    dashes = ["--"] if values and is_ambiguous and chooser is None else []
    if last and dashes:
        raise CannotWrite(positionals[0].name, "A value that starts with a dash can't be given beside such an option.")
    return [*before, *dashes, *values, *rest, *inner, *last, *after]


def _filler(description: Description, given: Given) -> dict[str, tuple[str, ...]]:
    """Return an option that may be given at its default, which changes nothing."""
    for argument in description.common.arguments:
        if argument.kind is Kind.VALUE and argument.nargs is None and argument.default and argument.name not in given:
            return {argument.name: (argument.default,)}
    return {}


def _subcommand_words(chooser: Argument | None, given: Given, spelling: Spelling) -> list[str]:
    if chooser is None or not given.get(chooser.name):
        return []
    word = given[chooser.name][0]
    chosen = chooser.subcommand(word)
    # A filler is an option of the command, which its sub-commands need not know.
    inner = dataclasses.replace(spelling, has_filler=False)
    return [word, *(build(chosen.description, given, spelling=inner) if chosen else ())]


def _refuse_unspeakable(description: Description, argument: Argument, values: Sequence[str]) -> None:
    if any("\0" in value for value in values):
        raise CannotWrite(argument.name, NUL_REFUSED)
    if argument.kind is Kind.SEQUENCE:
        for text in (word[1:] for word in _single_words(argument, values) if word.startswith("=")):
            shown = MASK if argument.is_secret else text
            raise CannotWrite(argument.name, f"Choose the option that “{shown}” is for.")
    size = argument.group_size
    groups = [_split(argument, value) for value in values] if argument.kind is Kind.GROUPS else [values]
    if size and argument.option_strings and any(len(group) != size for group in groups):
        # The option would take what follows it, and the parser would complain of something else.
        noun = "argument" if size == 1 else "arguments"
        raise CannotWrite(argument.name, f"argument {argument.display_name}: expected {size} {noun}")
    is_joined = argument.kind in (Kind.GROUPS, Kind.SEQUENCE)
    is_alone = not argument.option_strings or len(values) > 1 or argument.group_size or is_joined
    starts = description.fromfile_prefix_chars
    if starts and is_alone and argument.kind is not Kind.SUBCOMMAND:
        words = [word for value in values for word in (_split(argument, value) if is_joined else [value])]
        if any(word[:1] in starts for word in words if word):
            text = f"A value that starts with {starts} can't be given here: the parser would read a file of that name."
            raise CannotWrite(argument.name, text)


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
        case Kind.SEQUENCE:
            return [word for value in values for word in _split(argument, value)]
        case Kind.GROUPS:
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
    is_dashed = any(value[:1] == "-" and not _NUMBER.fullmatch(value) for value in values if value != "-")
    if is_dashed and argument.is_extended and takes_one:
        return [f"{option}={value}" for value in values]
    return [option, *values]


_NUMBER = re.compile(r"-\d+|-\d*\.\d+")


def _looks_like_an_option(value: str) -> bool:
    return value.startswith("-") and value != "-" and not _NUMBER.fullmatch(value)


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
        shown = "" if argument.is_secret else f": {value}"
        raise CannotWrite(argument.name, f"{error}{shown}") from error


def _is_open_ended(argument: Argument, words: Sequence[str]) -> bool:
    """Tell whether the option would take a positional that follows it."""
    if argument.nargs == argparse.REMAINDER:
        return True
    if argument.kind is Kind.SEQUENCE:
        return any(member.nargs in ("?", "*", "+") for member in argument.members)
    takes_more = argument.nargs in (argparse.ZERO_OR_MORE, argparse.ONE_OR_MORE)
    if words[-1:] == [argument.option]:
        return takes_more or argument.nargs == argparse.OPTIONAL
    return takes_more and bool(words) and not words[-1].startswith(f"{argument.option}=")


def _positional_words(positionals: Sequence[Argument], given: Given) -> tuple[list[str], list[str]]:
    values: list[str] = []
    rest: list[str] = []
    missing: Argument | None = None
    for argument in positionals:
        words = _single_words(argument, given.get(argument.name, ()))
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


def extra_words(description: Description, given: Given) -> list[str]:
    """Return the words for what has no field: hidden options."""
    words: list[str] = []
    for each in description.chain(given):
        for argument in each.hidden:
            if argument.name in given and not argument.is_positional:
                words += _option_words(argument, given[argument.name])
    return words


@sensitive_variables()
def judge(name: str, argv: Sequence[str]) -> Verdict:
    """Let a fresh parser of the command judge an argv, without running the command or touching files.

    Raises CommandUnavailable if there is no parser.
    """
    if any("\0" in word for word in argv):
        return Verdict(errors={"": [NUL_REFUSED]})
    parser = make_parser(name)
    printed = _quieten(parser)

    def located(argument_name: str | None, message: str) -> dict[str, list[str]]:
        # A refusal names every choice, of which there may be millions.
        shown = f"{message[:LONGEST_MESSAGE]}…" if len(message) > LONGEST_MESSAGE else message
        return _located(name, argv, argument_name, shown)

    try:
        namespace = parser.parse_args(list(argv))
    except argparse.ArgumentError as error:
        cause = error.__cause__
        details = "".join(traceback.format_exception(cause)) if cause and not _is_expected(cause) else ""
        return Verdict(errors=located(error.argument_name, str(error)), details=details)
    except CommandError as error:
        return Verdict(errors=located(None, str(error).removeprefix("Error: ")))
    except SystemExit as error:
        text = "".join(printed).strip()
        if error.code in (None, 0):  # --help, --version
            return Verdict(errors={"": [text or "The command's parser ended without an answer."]}, is_answer=bool(text))
        message = text.rpartition(": error: ")[2] or f"The command's parser ended with code {error.code}."
        return Verdict(errors=located(None, message))
    except Exception as error:  # noqa: BLE001  an action may raise anything
        return Verdict(errors={"": [_words_of(error)]}, details=traceback.format_exc())
    if getattr(namespace, "no_color", None) is True and getattr(namespace, "force_color", None) is True:
        message = "The --no-color and --force-color options can't be used together."  # as BaseCommand.execute says
        return Verdict(errors={"no_color": [message], "force_color": [message]})
    return Verdict()


@sensitive_variables()
def meets_custom_action(name: str, argv: Sequence[str]) -> bool:
    """Tell whether judging the argv would call an action of the author's own, which may ask, wait or leave."""
    parser = make_parser(name)
    if not any(arguments.is_custom(action) for each in _with_children(parser) for action in each._actions):
        return False
    events, _error = take_apart(parser, describe(name), argv)
    return any(event.member.is_custom for event in events)


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
        each._check_value = _guarded(each._check_value)  # type: ignore[assignment,method-assign]
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


def _located(name: str, argv: Sequence[str], argument_name: str | None, message: str) -> dict[str, list[str]]:
    """Put a parser's message under the arguments or the group it names, else under the empty name.

    A sub-command's parser speaks first, so its arguments are looked through first.
    """
    parser = make_parser(name)
    description = describe(name)
    chain = list(description.chain(fold(take_apart(parser, description, argv)[0])))
    if argument_name is None and (found := re.search(r"\bargument (.+?): ", message)):
        argument_name = found[1]
    for each in reversed(chain):
        if named := _named_in(each, argument_name, message):
            return {item: [message] for item in named}
    if (getattr(parser, "missing_args_message", None) or "\0") in message:
        first = [item.name for item in description.arguments if item.is_positional][:1]
        return {item: [message] for item in first} or {"": [message]}
    return {argument_name or "": [message]}  # one that is never offered, such as --settings


def _named_in(description: Description, argument_name: str | None, message: str) -> list[str]:
    everything = (*description.arguments, *description.hidden)
    by_display = {part.display_name: item.name for item in reversed(everything) for part in item.members or (item,)}
    by_display |= {item.display_name: item.name for item in reversed(everything) if not item.members}
    if argument_name is not None:
        return [by_display[argument_name]] if argument_name in by_display else []
    needed = {part.display_name for item in everything for part in item.members or (item,) if part.is_required}
    if found := re.search(r"the following arguments are required: (.+)", message):
        return [by_display[word] for word in found[1].split(", ") if word in needed]
    if found := re.search(r"one of the arguments (.+) is required", message):
        named = {by_display[word] for word in found[1].split(" ") if word in by_display}
        groups = [group.name for group in description.alternatives if named and named <= set(group.names)]
        return groups[:1] or sorted(named)
    return []


@sensitive_variables()
def read(name: str, argv: Sequence[str]) -> Reading:
    """Say what an argv gives to each argument, by letting a fresh parser take it apart.

    Values of secret arguments are not read into `given`. Nothing of the author's is called: neither types nor actions
    of his own. Raises CommandUnavailable if there is no parser.
    """
    description = describe(name)
    events, error = take_apart(make_parser(name), description, argv)
    secrets = {word for event in events if event.member.is_secret for word in event.words if word}
    # What is masked in a stored argv is not known any more, even where it was no secret's own place.
    lost = {id(event) for event in events if event.argument.is_secret or any(MASK in word for word in event.words)}
    moved = [] if error else _beyond_fields(description, lambda: make_parser(name), events)
    reading = Reading(
        given={}, secret_values=frozenset(secrets), secret_options=description.secret_options, extra=(), error=error
    )
    if moved is None:
        return dataclasses.replace(reading, extra=tuple(redact(argv, reading)[0]))
    gone = {event.argument.name for event in moved}
    # A word that chooses nothing is told by the error; it may be anything, a secret too.
    lost |= {id(event) for event in events if event.argument.subcommands and not _chooses(event)}
    kept = [event for event in events if id(event) not in lost and event.argument.name not in gone]
    extra = [word for event in moved if id(event) not in lost for word in _event_words(event)]
    return dataclasses.replace(reading, given=fold(kept), extra=tuple(extra))


def _chooses(event: Event) -> bool:
    return bool(event.words) and event.argument.subcommand(event.words[0]) is not None


def _beyond_fields(
    description: Description, fresh_parser: Callable[[], argparse.ArgumentParser], events: Sequence[Event]
) -> list[Event] | None:
    """Return the events that no field can say, which is most often none; or None where only the very argv says it."""
    given = fold(events)
    moved_names = {item.name for each in description.chain(given) for item in each.hidden}
    # A browser makes a newline of a carriage return, whatever the control.
    moved_names |= {event.argument.name for event in events if any("\r" in word for word in event.words)}
    for each in description.chain(given):
        for group in each.alternatives:  # an option at its default may stand beside another one of its group
            moved_names |= set([name for name in group.names if name in given][1:])
    for _attempt in range(2):
        shown = {key: values for key, values in given.items() if key not in moved_names}
        moved = [event for event in events if event.argument.name in moved_names]
        extra = [word for event in moved for word in _event_words(event)]
        wrong: set[str] = set()
        for spelling in SPELLINGS:
            try:
                words = build(description, shown, extra, spelling=spelling)
            except CannotWrite as error:
                wrong = wrong or {error.name}
                continue
            said, refusal = take_apart(fresh_parser(), description, words)
            filler = _filler(description, shown) if spelling.has_filler else {}
            found = _differing(events, [event for event in said if event.argument.name not in filler])
            if not found and not refusal:
                return moved
            wrong = wrong or found or {""}
        moved_names |= wrong
    return None


def _differing(one: Sequence[Event], other: Sequence[Event]) -> set[str]:
    """Return the names of arguments that the command would get differently."""
    names = {event.argument.name for event in (*one, *other)}
    return {name for name in names if _effect(name, one) != _effect(name, other)}


def _effect(name: str, events: Sequence[Event]) -> list[tuple[int, tuple[str, ...], bool]]:
    found = [(event.member.index, event.words, _says_no(event)) for event in events if event.argument.name == name]
    of_it = [event for event in events if event.argument.name == name]
    last = max((place for place, event in enumerate(events) if event.argument.name == name), default=0)
    if any(name in event.overruled for event in events[last:]):
        return []
    if all(event.argument.is_replaced for event in of_it):
        return found[-1:]
    if all(event.argument.is_extended for event in of_it):  # however the words are spread over its uses
        return [(index, tuple(word for each in found for word in each[1]), False) for index, _, _ in found[:1]]
    return found


def _says_no(event: Event) -> bool:
    return event.argument.kind is Kind.YES_NO and event.option == event.argument.negative_option


def _event_words(event: Event) -> list[str]:
    """Return an event's words as the command line has them."""
    if not event.option:
        return list(event.words)
    if len(event.words) == 1:
        return [f"{event.option}={event.words[0]}"]
    return [event.option, *event.words]


@sensitive_variables()
def take_apart(
    parser: argparse.ArgumentParser, description: Description, argv: Sequence[str]
) -> tuple[list[Event], str]:
    """Let a fresh parser, which this spoils, go through an argv; return what it met, and where it gave up.

    Only argparse itself is at work: types, choices and the author's actions are passed over.
    """
    _quieten(parser)
    places = dict(_places(parser, description))
    events: list[Event] = []

    def get_values(action: argparse.Action, words: list[str], original: Callable[..., Any]) -> Any:
        try:
            return original(action, words)
        finally:  # it has taken a "--" out of the words, where this Python does that
            argument, member, overruled = places.get(id(action), (None, None, ()))
            # Only a "--" leaves a place empty that has to be filled.
            is_said = bool(words) or (argument is not None and (not argument.is_positional or argument.is_required))
            if argument is not None and member is not None and is_said:
                is_chooser = argument.kind is Kind.SUBCOMMAND
                taken = tuple(words[:1] if is_chooser else words)
                events.append(Event(argument=argument, member=member, words=taken, overruled=overruled))

    def note_option(action: argparse.Action, option: str | None) -> None:
        if option and events and places.get(id(action), (None, None))[1] is events[-1].member:
            events[-1].option = option

    for each in _with_children(parser):
        each._get_values = partial(get_values, original=each._get_values)  # type: ignore[method-assign]
        each._get_value = lambda action, word: word  # type: ignore[assignment,method-assign]
        each._check_value = lambda action, value: None  # type: ignore[method-assign]
        # Whether an option at its default counts as given is a question of types, so groups are left to the judge.
        each._mutually_exclusive_groups.clear()
        for action in each._actions:
            _silence(action, note_option)
    try:
        parser.parse_args(list(argv))
    except SystemExit:
        return events, "The command's parser refused these arguments."
    except Exception as problem:  # noqa: BLE001  as in `judge`
        return events, str(problem).removeprefix("Error: ")
    return events, ""


def _places(
    parser: argparse.ArgumentParser, description: Description
) -> Iterator[tuple[int, tuple[Argument, Argument, tuple[str, ...]]]]:
    """Yield each action's id with its argument, itself as an argument, and the names of those that it overrules."""
    everything = (*description.arguments, *description.hidden)
    options = [item for item in everything if item.option_strings and item.is_replaced]
    for argument in everything:
        overruled = tuple(
            item.name for item in options if item.dest == argument.dest and item is not argument and argument in options
        )
        for member in argument.members or (argument,):
            action = parser._actions[member.index]
            yield id(action), (argument, member, overruled)
            for subcommand in member.subcommands:
                yield from _places(action.choices[subcommand.word], subcommand.description)  # type: ignore[index]


def _silence(action: argparse.Action, note: Callable[[argparse.Action, str | None], None]) -> None:
    """Have an action only note that it was called; one that leads on or answers goes on as it is."""
    if isinstance(action, argparse._SubParsersAction | argparse._HelpAction | argparse._VersionAction):
        return
    action.launcher_note = note  # type: ignore[attr-defined]
    with suppress(TypeError):  # a class with a layout of its own
        action.__class__ = _silent_class(type(action))  # type: ignore[arg-type]


@lru_cache(maxsize=1024)
def _silent_class(kind: type[argparse.Action]) -> type[argparse.Action]:
    def call(self: Any, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        self.launcher_note(self, option_string)

    return type(kind.__name__, (kind,), {"__call__": call})


def fold(events: Iterable[Event]) -> dict[str, tuple[str, ...]]:
    """Return what events give to each argument; `build` unfolds it again."""
    given: dict[str, tuple[str, ...]] = {}
    for event in events:
        argument, words = event.argument, event.words
        before = given.get(argument.name, ())
        for name in event.overruled:
            given.pop(name, None)
        match argument.kind:
            case Kind.COUNT:
                given[argument.name] = (str(int(before[0]) + 1 if before else 1),)
            case Kind.GROUPS:
                given[argument.name] = (*before, shlex.join(words))
            case Kind.SEQUENCE:
                given[argument.name] = (*before, shlex.join(_event_words(event)))
            case Kind.YES_NO:
                given[argument.name] = ("no" if _says_no(event) else "yes",)
            case _ if argument.is_repeated or argument.is_extended:
                given[argument.name] = (*before, *words)
            case _:
                given[argument.name] = words
    return given


def redact(argv: Sequence[str], reading: Reading) -> tuple[list[str], bool]:
    """Return the argv with every secret masked, and whether there was one.

    A word that equals a secret is masked wherever it stands: showing too little is the safe mistake.
    """
    masked = [_masked(word, reading) for word in argv]
    return masked, masked != list(argv)


def mask_options(argv: Sequence[str], description: Description) -> list[str]:
    """Return the argv with what may be secret masked, for an argv that no parser has accepted yet.

    What follows a secret option is masked as far as it takes values; so is every positional, where one is secret.
    """
    everything = list(description.everywhere)
    options = {text for item in everything for part in item.members or (item,) for text in part.option_strings}
    exact = options - description.secret_options
    has_secret_place = any(item.is_secret and item.is_positional for item in everything)
    masked: list[str] = []
    values_left = 0.0
    for word in argv:
        option, equals, value = word.partition("=")
        if option not in exact and _is_secret_option(option, description.secret_options):
            masked.append(f"{option}={MASK}" if value else word)
            values_left = 0 if equals else _values_after(option, everything)
        elif word == "--":
            masked.append(word)
        elif values_left and option not in options:
            masked.append(MASK)
            values_left -= 1
        elif has_secret_place and word[:1] not in description.prefix_chars:
            masked.append(MASK)
        else:
            masked.append(_mask_joined(word, description.secret_options) if option not in exact else word)
            values_left = 0
    return masked


def _values_after(option: str, everything: Iterable[Argument]) -> float:
    """Return how many words an option takes, be it written whole or by its beginning; one where it is not known."""
    parts = [part for item in everything for part in item.members or (item,)]
    found = [part for part in parts if any(text.startswith(option) for text in part.option_strings)]
    numbers = [
        part.nargs if isinstance(part.nargs, int) else 1 if part.nargs in (None, "?") else math.inf for part in found
    ]
    return max(numbers, default=1)


def without_masked(words: Sequence[str]) -> list[str]:
    """Return words without those that are masked, and without the options that these are the values of."""
    kept: list[str] = []
    for word in words:
        if MASK not in word:
            kept.append(word)
        elif word == MASK and kept and kept[-1].startswith("-") and "=" not in kept[-1]:
            kept.pop()
    return kept


def secret_parts(argv: Sequence[str], description: Description) -> set[str]:
    """Return what `mask_options` hides, to hide it in a message about the argv as well."""
    parts = set()
    for word, masked in zip(argv, mask_options(argv, description), strict=True):
        if word != masked:
            parts.add(word[len(masked) - len(MASK) :])
    return parts


def masked_values(argument: Argument, values: Sequence[str]) -> tuple[str, ...]:
    """Return as many masks as there are values, so that the argv has the same words less the secrets."""
    match argument.kind:
        case Kind.GROUPS:
            return tuple(shlex.join([MASK] * len(_split(argument, value))) for value in values)
        case Kind.SEQUENCE:
            return tuple(shlex.join(_masked_use(_split(argument, value))) for value in values)
    return (MASK,) * len(values)


def _masked_use(words: Sequence[str]) -> list[str]:
    option, equals, _value = words[0].partition("=")
    return [f"{option}={MASK}" if equals else option, *[MASK] * (len(words) - 1)]


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
    if word[:1] != word[1:2]:  # -pSECRET, -vpSECRET
        for value in reading.secret_values:
            if word.endswith(value) and f"{word[:1]}{word.removesuffix(value)[-1:]}" in reading.secret_options:
                return f"{word.removesuffix(value)}{MASK}"
    return word
