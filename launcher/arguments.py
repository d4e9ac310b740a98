"""An argparse parser as plain frozen data: what can be given to it, without Django and without HTML."""

from __future__ import annotations

import argparse
import datetime
import enum
import itertools
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

SECRET_WORDS = frozenset(
    [
        "password",
        "passwords",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "secrets",
        "token",
        "tokens",
        "key",
        "keys",
        "apikey",
        "credential",
        "credentials",
    ]
)
PATH_WORDS = frozenset(
    ["path", "file", "filename", "filepath", "csv", "fixture", "infile", "input_file", "outfile", "output_file"]
)
CHOICES_LIMIT = 2000
"""More choices than this are typed, not picked; the parser still judges them."""


class Kind(enum.Enum):
    """What is given for an argument."""

    VALUE = "value"  # one text
    VALUES = "values"  # any number of texts
    FLAG = "flag"  # the option alone
    YES_NO = "yes_no"  # --x or --no-x
    COUNT = "count"  # the option so many times
    OTHER = "other"  # sub-commands: only reachable by words typed as on the shell


class ValueType(enum.Enum):
    """What a value looks like to a person; the parser alone decides whether it is one."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    DATE = "date"
    PATH = "path"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A word that the parser accepts, and the text that explains it."""

    word: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Argument:
    """One action of a parser."""

    name: str
    """Unique in the parser: the dest, with a number behind it where another argument has the same dest."""
    index: int
    """The action's place in the parser, the same in every parser made by the same code."""
    dest: str
    option_strings: tuple[str, ...]
    kind: Kind
    value_type: ValueType
    nargs: int | str | None
    is_repeated: bool
    """Whether each value needs its option again (append) instead of one option before all values."""
    is_extended: bool
    """Whether a second option adds to the values of the first (extend) instead of replacing them."""
    is_bare_allowed: bool
    """Whether the option may stand without a value (`nargs="?"`)."""
    is_required: bool
    is_secret: bool
    choices: tuple[Choice, ...] | None
    default: str
    """The default as a person would write it; empty where there is none worth showing."""
    help: str
    display_name: str
    """The name by which argparse's messages call it."""

    @property
    def is_positional(self) -> bool:
        """Whether it is given by its place, not by an option string."""
        return not self.option_strings

    @property
    def option(self) -> str:
        """The option string to write: the first long one, else the first; empty for a positional."""
        return next((text for text in self.option_strings if len(text) > 2), next(iter(self.option_strings), ""))

    @property
    def negative_option(self) -> str:
        """For YES_NO, the option string that says no."""
        return next((text for text in self.option_strings if text.startswith("--no-")), "")


@dataclass(frozen=True, kw_only=True)
class Group:
    """Arguments that the parser's author put together; the unnamed first one holds what he left alone."""

    title: str
    description: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, kw_only=True)
class Description:
    """A parser, described."""

    description: str
    epilog: str
    groups: tuple[Group, ...]
    """The command's own, in the parser's order."""
    common: Group
    """The options that the framework adds to every command."""

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Every argument, the command's own first."""
        return (*itertools.chain.from_iterable(group.arguments for group in self.groups), *self.common.arguments)


def describe(
    parser: argparse.ArgumentParser,
    *,
    common_options: Collection[str] = (),
    left_out: Collection[str] = (),
    secret: Collection[str] = (),
    public: Collection[str] = (),
) -> Description:
    """Describe a parser.

    `common_options` are option strings that belong to every command; `left_out` are dests that are never offered;
    `secret` and `public` are dests that overrule what the name looks like. The parser is only read, never run.
    """
    names = unique_names(parser)
    arguments: dict[int, Argument] = {}
    for index, action in enumerate(parser._actions):
        if _is_offered(action) and action.dest not in left_out:
            arguments[index] = _argument(parser, index, action, names[index], secret, public)
    own, common = [], []
    members = {id(action): index for index, action in enumerate(parser._actions)}
    for group in parser._action_groups:
        indexes = [members[id(action)] for action in group._group_actions if id(action) in members]
        mine = [arguments[i] for i in indexes if i in arguments and not _is_common(arguments[i], common_options)]
        common += [arguments[i] for i in indexes if i in arguments and _is_common(arguments[i], common_options)]
        is_named = group not in (parser._positionals, parser._optionals)
        title = str(group.title or "") if is_named else ""
        own.append(Group(title=title, description=str(group.description or ""), arguments=tuple(mine)))
    unnamed = [argument for group in own if not group.title for argument in group.arguments]
    unnamed.sort(key=lambda argument: (not argument.is_positional, not argument.is_required))
    first = Group(title="", description="", arguments=tuple(unnamed))
    return Description(
        description=str(parser.description or ""),
        epilog=str(parser.epilog or ""),
        groups=tuple(group for group in (first, *(group for group in own if group.title)) if group.arguments),
        common=Group(title="", description="", arguments=tuple(common)),
    )


def _is_common(argument: Argument, common_options: Collection[str]) -> bool:
    return bool(argument.option_strings) and set(argument.option_strings) <= set(common_options)


def _is_offered(action: argparse.Action) -> bool:
    if isinstance(action, argparse._HelpAction | argparse._VersionAction):
        return False
    return action.help != argparse.SUPPRESS


def unique_names(parser: argparse.ArgumentParser) -> list[str]:
    """Return a name for each action, in the parser's order: its dest, numbered where dests repeat."""
    taken: set[str] = set()
    names = []
    for action in parser._actions:
        base = str(action.dest) if action.dest != argparse.SUPPRESS else "subcommand"
        name = next(
            name
            for name in itertools.chain([base], map(f"{base}-{{}}".format, itertools.count(2)))
            if name not in taken
        )
        taken.add(name)
        names.append(name)
    return names


def _argument(
    parser: argparse.ArgumentParser,
    index: int,
    action: argparse.Action,
    name: str,
    secret: Collection[str],
    public: Collection[str],
) -> Argument:
    kind = _kind(action)
    value_type = _value_type(action)
    takes_text = kind in (Kind.VALUE, Kind.VALUES)
    looks_secret = bool(SECRET_WORDS.intersection(_words(action)))
    return Argument(
        name=name,
        index=index,
        dest=action.dest,
        option_strings=tuple(action.option_strings),
        kind=kind,
        value_type=value_type,
        nargs=action.nargs,
        is_repeated=isinstance(action, argparse._AppendAction) and not isinstance(action, argparse._ExtendAction),
        is_extended=isinstance(action, argparse._ExtendAction),
        is_bare_allowed=bool(action.option_strings) and action.nargs == argparse.OPTIONAL,
        is_required=_is_required(action),
        is_secret=takes_text and action.dest not in public and (action.dest in secret or looks_secret),
        choices=_choices(action) if takes_text else None,
        default=_default(action, kind),
        help=_help(parser, action),
        display_name=display_name(action),
    )


def _kind(action: argparse.Action) -> Kind:
    match action:
        case argparse._SubParsersAction():
            return Kind.OTHER
        case argparse.BooleanOptionalAction():
            return Kind.YES_NO
        case argparse._CountAction():
            return Kind.COUNT
        case argparse._AppendAction():
            return Kind.VALUES
    if action.nargs == 0:
        return Kind.FLAG
    return Kind.VALUE if action.nargs in (None, argparse.OPTIONAL) else Kind.VALUES


def _is_required(action: argparse.Action) -> bool:
    # A positional "*" without a default calls itself required though nothing needs to be given.
    if action.option_strings or isinstance(action, argparse._SubParsersAction):
        return action.required
    return action.nargs is None or action.nargs == argparse.ONE_OR_MORE or isinstance(action.nargs, int)


def _value_type(action: argparse.Action) -> ValueType:
    kind: Any = action.type
    if kind is int:
        return ValueType.INTEGER
    if kind is float:
        return ValueType.FLOAT
    if kind == datetime.date.fromisoformat:
        return ValueType.DATE
    if isinstance(kind, argparse.FileType) or (isinstance(kind, type) and issubclass(kind, PurePath)):
        return ValueType.PATH
    if kind in (None, str) and action.choices is None and PATH_WORDS.intersection(_words(action)):
        return ValueType.PATH
    return ValueType.TEXT


def _words(action: argparse.Action) -> set[str]:
    """Return the lower-case words in an action's names, each whole name included."""
    names = [str(action.dest), *action.option_strings]
    if isinstance(action.metavar, str):
        names.append(action.metavar)
    found: set[str] = set()
    for name in names:
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip("-<>[]")).lower().replace("-", "_")
        found |= {snake, *re.split(r"[^a-z0-9]+", snake)}
    return found


def _choices(action: argparse.Action) -> tuple[Choice, ...] | None:
    if action.choices is None or isinstance(action.choices, str):
        return None
    listed = list(itertools.islice(_iterate(action.choices), CHOICES_LIMIT + 1))
    if not listed or len(listed) > CHOICES_LIMIT:
        return None
    return tuple(Choice(word=word, label=word) for word in (_word_for(choice, action.type) for choice in listed))


def _iterate(choices: Iterable[Any]) -> Iterator[Any]:
    try:
        yield from choices
    except TypeError:  # a container that knows only `in`
        return


def _word_for(choice: Any, convert: Any) -> str:
    """Return the word that the argument's type turns into the choice."""
    candidates = [str(choice)]
    if isinstance(choice, enum.Enum):
        candidates = [str(choice.value), choice.name, str(choice)]
    if callable(convert):
        for candidate in candidates:
            try:
                if convert(candidate) == choice:
                    return candidate
            except Exception:  # noqa: BLE001, S112  a type may raise anything for a word that isn't its own
                continue
    return candidates[-1] if isinstance(choice, enum.Enum) else candidates[0]


def _default(action: argparse.Action, kind: Kind) -> str:
    default = action.default
    if default is None or default == argparse.SUPPRESS or default == "" or kind is Kind.OTHER:
        return ""
    if kind is Kind.FLAG:
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, enum.Enum):
        return str(default.value)
    if isinstance(default, list | tuple | set | frozenset):
        return ", ".join(map(str, default))
    if isinstance(default, str | int | float | PurePath | datetime.date):
        return str(default)
    if callable(default) or " object at 0x" in repr(default):
        return ""
    return str(default)


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Return the author's help with `%(default)s` and its kind filled in, or as it stands where that fails."""
    if not action.help:
        return ""
    text = str(action.help)
    try:
        return parser._get_formatter()._expand_help(action).strip()
    except Exception:  # noqa: BLE001  a lone "%" in help makes argparse's own --help fail
        return text.strip()


def display_name(action: argparse.Action) -> str:
    """Return the name argparse gives an action in its messages (`argparse._get_action_name`)."""
    if action.option_strings:
        return "/".join(action.option_strings)
    if isinstance(action.metavar, str):
        return action.metavar
    if isinstance(action.metavar, tuple):
        return ", ".join(action.metavar)
    if action.dest not in (None, argparse.SUPPRESS):
        return str(action.dest)
    return "{" + ",".join(map(str, action.choices or ())) + "}"
