"""An argparse parser as plain frozen data: what can be given to it, without Django and without HTML."""

from __future__ import annotations

import argparse
import copy
import datetime
import enum
import itertools
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from launcher.masking import MASK

_SECRETS = (
    "password",
    "passwords",
    "passwd",
    "pwd",
    "pass",
    "passcode",
    "passphrase",
    "secret",
    "secrets",
    "credential",
)
_KEYS = ("credentials", "token", "tokens", "key", "keys", "apikey", "accesskey", "secretkey", "privatekey")
SECRET_WORDS = frozenset([*_SECRETS, *_KEYS])
SECRET_ENDINGS = ("password", "passwd", "passphrase", "secret", "token", "apikey")
"""A word that ends so is one written together, such as `dbpassword`."""
KEY_KINDS = frozenset(["primary", "foreign", "natural", "pk", "pks"])
"""Words beside which a key is one of a table."""
NUMBERED_WORDS = frozenset(["key", "keys", "tokens"])
"""Words that mean a primary key or a count, not a secret, where a number is wanted."""
PATH_WORDS = frozenset(
    ["path", "file", "filename", "filepath", "csv", "fixture", "infile", "input_file", "outfile", "output_file"]
)
_LONE_PERCENT = re.compile(r"(?<!%)(?:%%)*%(?![%(])")
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
    """A word to choose."""

    word: str
    is_usable: bool
    """Whether the parser takes the word: choices that its `type` never makes can be offered by an author's mistake."""


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
    """Whether the option may stand without a value (`nargs="?"` or `"*"`)."""
    is_required: bool
    is_secret: bool
    choices: tuple[Choice, ...] | None
    is_written: bool
    """Whether it names a file to write (`FileType("w")`)."""
    default: str
    """The default as a person would write it; empty where there is none worth showing, and for a secret."""
    help: str
    metavars: tuple[str, ...]
    """The author's names for each of several values, if any."""
    display_name: str
    """The name by which argparse's messages call it."""

    @property
    def is_positional(self) -> bool:
        """Whether it is given by its place, not by an option string."""
        return not self.option_strings

    @property
    def option(self) -> str:
        """The option string to write: the first with two dashes, else the first long one, else the first."""
        ranked = sorted(self.option_strings, key=lambda text: -1 if text[:2] == text[:1] * 2 else -(len(text) > 2) / 2)
        return next(iter(ranked), "")

    @property
    def negative_option(self) -> str:
        """For YES_NO, the option string that says no; empty where the author gave it no long name."""
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
    hidden: tuple[Argument, ...] = ()
    """Those that the author keeps out of sight (`help=SUPPRESS`): accepted, but never offered."""
    secret_options: frozenset[str] = frozenset()
    """The option strings before a secret, those of hidden arguments and of sub-commands included."""

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

    `common_options` are option strings that belong to every command; `left_out` are option strings that are never
    offered; `secret` and `public` are dests that overrule what the name looks like. The parser is only read, never run.
    """
    names = unique_names(parser, common_options)
    arguments: dict[int, Argument] = {}
    hidden = []
    for index, action in enumerate(parser._actions):
        if _answers(action) or (action.option_strings and set(action.option_strings) <= set(left_out)):
            continue
        argument = _argument(parser, index, action, names[index], secret, public)
        if action.help == argparse.SUPPRESS:
            hidden.append(argument)
        else:
            arguments[index] = argument
    common = [argument for argument in arguments.values() if _is_common(argument, common_options)]
    own = _own_groups(parser, {index: item for index, item in arguments.items() if item not in common})
    return Description(
        description=_prose(parser, parser.description),
        epilog=_prose(parser, parser.epilog),
        groups=tuple(group for group in own if group.arguments),
        common=Group(title="", description="", arguments=tuple(common)),
        hidden=tuple(hidden),
        secret_options=secret_options(parser, secret=secret, public=public),
    )


def _own_groups(parser: argparse.ArgumentParser, arguments: dict[int, Argument]) -> list[Group]:
    """Return the author's groups, before them what he left alone: positionals, then required options, then the rest."""
    indexes = {id(action): index for index, action in enumerate(parser._actions)}
    left = dict(arguments)
    own = []
    for group in _walk(parser._action_groups):
        if group in (parser._positionals, parser._optionals) or not (group.title or group.description):
            continue
        places = [indexes.get(id(action), -1) for action in group._group_actions]
        mine = tuple(left.pop(place) for place in places if place in left)
        own.append(Group(title=str(group.title or ""), description=_prose(parser, group.description), arguments=mine))
    rest = sorted(left.values(), key=lambda argument: (not argument.is_positional, not argument.is_required))
    return [Group(title="", description="", arguments=tuple(rest)), *own]


def _walk(groups: Iterable[argparse._ArgumentGroup]) -> Iterator[argparse._ArgumentGroup]:
    """Yield groups, each before the groups that stand in it; `parser._action_groups` has only the outer ones."""
    for group in groups:
        yield group
        yield from _walk(group._action_groups)


def _is_common(argument: Argument | argparse.Action, common_options: Collection[str]) -> bool:
    return bool(argument.option_strings) and set(argument.option_strings) <= set(common_options)


def _answers(action: argparse.Action) -> bool:
    """Tell an option that prints something and ends (`--help`) from one that gives the command something."""
    return isinstance(action, argparse._HelpAction | argparse._VersionAction)


def _prose(parser: argparse.ArgumentParser, text: object) -> str:
    """Return a description as text: it may be lazy, and argparse fills in the program's name."""
    return str(text or "").replace("%(prog)s", parser.prog)


def unique_names(parser: argparse.ArgumentParser, common_options: Collection[str]) -> list[str]:
    """Return a name for each action, in the parser's order: its dest, numbered where dests repeat.

    The command's own come before what every command has, so that one named "version" or "settings" keeps its name.
    """
    names: dict[int, str] = {}
    taken: set[str] = set()
    own_first = sorted(
        enumerate(parser._actions), key=lambda pair: _answers(pair[1]) or _is_common(pair[1], common_options)
    )
    for index, action in own_first:
        base = str(action.dest) if action.dest != argparse.SUPPRESS else "subcommand"
        numbered = itertools.chain([base], map(f"{base}-{{}}".format, itertools.count(2)))
        names[index] = next(name for name in numbered if name not in taken)
        taken.add(names[index])
    return [names[index] for index in range(len(names))]


def secret_options(
    parser: argparse.ArgumentParser, *, secret: Collection[str] = (), public: Collection[str] = ()
) -> frozenset[str]:
    """Return the option strings that stand before a secret, in the parser and in its sub-commands' parsers."""
    found: set[str] = set()
    for action in parser._actions:
        if is_secret(action, secret=secret, public=public):
            found.update(action.option_strings)
        for child in children(action):
            found |= secret_options(child, secret=secret, public=public)
    return frozenset(found)


def children(action: argparse.Action) -> list[argparse.ArgumentParser]:
    """Return the parsers of the sub-commands that an action chooses between, each once whatever its aliases."""
    if not isinstance(action, argparse._SubParsersAction):
        return []
    return list({id(child): child for child in action.choices.values()}.values())


def is_secret(action: argparse.Action, *, secret: Collection[str] = (), public: Collection[str] = ()) -> bool:
    """Tell whether what is given for an action must not be shown: it was named as such, or it looks like it.

    A flag has nothing to hide, a choice is one of a list that everybody sees, and a file's name is not its content.
    """
    if _kind(action) not in (Kind.VALUE, Kind.VALUES) or action.dest in public:
        return False
    if action.dest in secret:
        return True
    if action.choices is not None or _value_type(action) is ValueType.PATH:
        return False
    words = _words(action)
    if not KEY_KINDS.isdisjoint(words):
        words -= NUMBERED_WORDS
    found = {word for word in words if word in SECRET_WORDS or word.endswith(SECRET_ENDINGS)}
    return bool(found - NUMBERED_WORDS if _value_type(action) in (ValueType.INTEGER, ValueType.FLOAT) else found)


def _argument(
    parser: argparse.ArgumentParser,
    index: int,
    action: argparse.Action,
    name: str,
    secret: Collection[str],
    public: Collection[str],
) -> Argument:
    kind = _kind(action)
    is_hidden_value = is_secret(action, secret=secret, public=public)
    is_repeated = isinstance(action, argparse._AppendAction) and not isinstance(action, argparse._ExtendAction)
    is_optional_value = action.nargs in (argparse.OPTIONAL, argparse.ZERO_OR_MORE) and not is_repeated
    return Argument(
        name=name,
        index=index,
        dest=str(action.dest),
        option_strings=tuple(action.option_strings),
        kind=kind,
        value_type=_value_type(action),
        nargs=action.nargs,
        is_repeated=is_repeated,
        is_extended=isinstance(action, argparse._ExtendAction),
        is_bare_allowed=bool(action.option_strings) and is_optional_value,
        is_required=is_required(action),
        is_secret=is_hidden_value,
        is_written=isinstance(action.type, argparse.FileType) and not action.type._mode.startswith("r"),
        choices=_choices(parser, action) if kind in (Kind.VALUE, Kind.VALUES) else None,
        default="" if is_hidden_value else _default(action, kind),
        help=_help(parser, action, is_hidden_value),
        metavars=tuple(map(str, action.metavar)) if isinstance(action.metavar, tuple) else (),
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


def is_required(action: argparse.Action) -> bool:
    """Tell whether the parser insists on it."""
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
    if isinstance(action.metavar, str) and "=" not in action.metavar:  # KEY=VALUE is no key
        names.append(action.metavar)
    found: set[str] = set()
    for name in names:
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip("-<>[]")).lower().replace("-", "_")
        found |= {snake, *re.split(r"[^a-z0-9]+", snake)}
    return found


def _choices(parser: argparse.ArgumentParser, action: argparse.Action) -> tuple[Choice, ...] | None:
    if action.choices is None or isinstance(action.choices, str):
        return None
    listed = list(itertools.islice(_iterate(action.choices), CHOICES_LIMIT + 1))
    if not listed or len(listed) > CHOICES_LIMIT:
        return None
    convert = parser._registry_get("type", action.type, action.type)
    found = {choice.word: choice for choice in (_choice(item, convert) for item in listed)}
    return tuple(found.values())


def _iterate(choices: Iterable[Any]) -> Iterator[Any]:
    try:
        yield from choices
    except TypeError:  # a container that knows only `in`
        return


def _choice(choice: Any, convert: Any) -> Choice:
    """Find the word that the argument's type turns into the choice."""
    candidates = [str(choice)]
    if isinstance(choice, enum.Enum):
        candidates = [str(choice.value), choice.name, str(choice)]
    for candidate in candidates:
        try:
            if convert(candidate) == choice:
                return Choice(word=candidate, is_usable=True)
        except Exception:  # noqa: BLE001, S112  a type may raise anything for a word that isn't its own
            continue
    return Choice(word=candidates[-1], is_usable=False)


def _default(action: argparse.Action, kind: Kind) -> str:
    default = action.default
    if default is None or default == argparse.SUPPRESS or kind in (Kind.OTHER, Kind.FLAG):
        return ""
    if isinstance(default, bool) and kind is Kind.YES_NO:
        return "yes" if default else "no"
    if isinstance(default, list | tuple | set | frozenset):
        return ", ".join(map(_default_text, default))
    return _default_text(default)


def _default_text(default: Any) -> str:
    if isinstance(default, enum.Enum):
        return str(default.value)
    text = "" if callable(default) else str(default)
    return "" if " at 0x" in text else text  # an object that has no text of its own


def _help(parser: argparse.ArgumentParser, action: argparse.Action, is_hidden_value: bool) -> str:
    """Return the author's help with `%(default)s` and its kind filled in, or as it stands where that fails.

    Line breaks are the source's, so they go, as in argparse; a raw formatter keeps them. A secret's default is masked.
    """
    if not action.help or action.help == argparse.SUPPRESS:
        return ""
    shown = action
    if is_hidden_value and action.default is not None:
        shown = copy.copy(action)
        shown.default = MASK
    try:
        if _LONE_PERCENT.search(str(action.help)):
            raise ValueError
        formatter = parser._get_formatter()
        text = str(formatter._expand_help(shown))
        is_raw = isinstance(formatter, argparse.RawTextHelpFormatter)
    except Exception:  # noqa: BLE001  help that argparse's own --help fails on, or garbles ("100% sure")
        text, is_raw = str(action.help), False
    if is_hidden_value and isinstance(action.default, str) and len(action.default) > 3:
        text = text.replace(action.default, MASK)
    return text.strip() if is_raw else " ".join(text.split())


def display_name(action: argparse.Action) -> str:
    """Return the name argparse gives an action in its messages (`argparse._get_action_name`)."""
    if action.option_strings:
        return "/".join(action.option_strings)
    if isinstance(action.metavar, tuple):
        return ", ".join(map(str, action.metavar))
    if action.metavar is not None and action.metavar != argparse.SUPPRESS:
        return str(action.metavar)
    if action.dest not in (None, argparse.SUPPRESS):
        return str(action.dest)
    return "{" + ",".join(map(str, action.choices or ())) + "}"
