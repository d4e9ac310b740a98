"""An argparse parser as plain frozen data: what can be given to it, without Django and without HTML."""

from __future__ import annotations

import argparse
import copy
import dataclasses
import datetime
import enum
import itertools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
RANGE_LIMIT = 10
"""A range of more whole numbers than this is typed as a number with bounds."""
CHOICE_PREFIX = "launcher_choice-"


class Kind(enum.Enum):
    """What is given for an argument."""

    VALUE = "value"  # one text
    VALUES = "values"  # any number of texts
    GROUPS = "groups"  # any number of groups of texts: the option again for each (append or extend with nargs)
    FLAG = "flag"  # the option alone
    YES_NO = "yes_no"  # --x or --no-x
    COUNT = "count"  # the option so many times
    SEQUENCE = "sequence"  # several options that fill one list or number between them, in the order given
    SUBCOMMAND = "subcommand"  # a word that brings a parser of its own with it


class ValueType(enum.Enum):
    """What a value looks like to a person; the parser alone decides whether it is one."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    DATE = "date"
    TIME = "time"
    MOMENT = "moment"  # a date and a time
    PATH = "path"
    LINES = "lines"  # a text of several lines


_DATES = (
    (datetime.datetime.fromisoformat, ValueType.MOMENT),
    (datetime.date.fromisoformat, ValueType.DATE),
    (datetime.time.fromisoformat, ValueType.TIME),
)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A word to choose."""

    word: str
    is_usable: bool
    """Whether the parser takes the word: choices that its `type` never makes can be offered by an author's mistake."""


@dataclass(frozen=True, kw_only=True)
class Subcommand:
    """A word that chooses a parser of its own, or another word for the same one."""

    word: str
    is_alias: bool
    help: str
    description: Description


@dataclass(frozen=True, kw_only=True)
class Argument:
    """One action of a parser, or several that fill one list between them (SEQUENCE)."""

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
    is_custom: bool
    """Whether its action is the author's own class, which may do anything when it is parsed."""
    is_bool_type: bool
    """Whether its type is `bool`, for which every text but the empty one is true."""
    is_deprecated: bool
    minimum: int | None
    maximum: int | None
    """The bounds of a number that is one of a `range`; both inclusive."""
    default: str
    """The default as a person would write it; empty where there is none worth showing, and for a secret."""
    fixed: tuple[str, ...]
    """What is in its list already, and stays there whatever is added (append and extend with a default)."""
    const: str
    """What the option stands for without a value, or as a flag; empty where that says nothing."""
    help: str
    metavars: tuple[str, ...]
    """The author's names for each of several values, if any."""
    display_name: str
    """The name by which argparse's messages call it."""
    members: tuple[Argument, ...] = ()
    """Of a SEQUENCE: its options."""
    subcommands: tuple[Subcommand, ...] = ()
    """Of a SUBCOMMAND: its words, each alias behind the word it stands for."""

    @property
    def is_positional(self) -> bool:
        """Whether it is given by its place, not by an option string."""
        return not self.option_strings and not self.members

    @property
    def is_replaced(self) -> bool:
        """Whether giving it again replaces what it was given before."""
        adds = self.is_repeated or self.is_extended or self.is_custom
        return not adds and self.kind not in (Kind.COUNT, Kind.SEQUENCE, Kind.GROUPS)

    @property
    def group_size(self) -> int | None:
        """How many texts make a whole (`nargs=N`); None where that is not fixed."""
        return self.nargs if isinstance(self.nargs, int) and self.nargs > 0 else None

    def subcommand(self, word: str) -> Subcommand | None:
        """Return what the word chooses, or None."""
        return next((item for item in self.subcommands if item.word == word), None)

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
class Alternatives:
    """Arguments of which one is chosen: the parser allows no two (a mutually exclusive group), or the last one counts
    (several options with one dest)."""

    name: str
    """The dest, where all have the same; else one made of the first one's name."""
    names: tuple[str, ...]
    is_required: bool
    is_exclusive: bool
    default: str
    """What counts when none is chosen, as a person would write it; empty where that says nothing."""


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
    alternatives: tuple[Alternatives, ...] = ()
    prefix_chars: str = "-"
    fromfile_prefix_chars: str = ""
    is_foreign: bool = False
    """Whether it stands for a parser that can't be described, so that nothing is known of its arguments."""

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Every argument, the command's own first."""
        return (*itertools.chain.from_iterable(group.arguments for group in self.groups), *self.common.arguments)

    @property
    def everywhere(self) -> Iterator[Argument]:
        """Every argument, those of all sub-commands and the hidden ones included."""
        for argument in (*self.arguments, *self.hidden):
            yield argument
            for subcommand in argument.subcommands:
                yield from subcommand.description.everywhere

    @property
    def has_secrets(self) -> bool:
        """Whether words for it may hold a secret."""
        return self.is_foreign or any(argument.is_secret for argument in self.everywhere)

    @property
    def subcommand(self) -> Argument | None:
        """The argument that chooses a sub-command, if there is one."""
        return next((argument for argument in self.arguments if argument.kind is Kind.SUBCOMMAND), None)

    def chain(self, given: Mapping[str, Sequence[str]]) -> Iterator[Description]:
        """Yield this description, then that of the sub-command given, and so on inwards."""
        yield self
        chooser = self.subcommand
        if chooser is not None and given.get(chooser.name):
            chosen = chooser.subcommand(given[chooser.name][0])
            if chosen is not None:
                yield from chosen.description.chain(given)


def describe(
    parser: argparse.ArgumentParser,
    *,
    common_options: Collection[str] = (),
    left_out: Collection[str] = (),
    secret: Collection[str] = (),
    public: Collection[str] = (),
    taken: Collection[str] = (),
    opposed: Collection[str] = (),
) -> Description:
    """Describe a parser, and those of its sub-commands.

    `common_options` are option strings that belong to every command; `left_out` are option strings that are never
    offered; `secret` and `public` are dests that overrule what the name looks like; `taken` are names used already,
    by the parser whose sub-command this one is; `opposed` are option strings of which the command itself takes only
    one, whatever its parser says. The parser is only read, never run.
    """
    names = unique_names(parser, common_options, taken)
    arguments: dict[int, Argument] = {}
    hidden = []
    for index, action in enumerate(parser._actions):
        if _answers(action) or (action.option_strings and set(action.option_strings) <= set(left_out)):
            continue
        argument = _argument(parser, index, action, names[index], secret, public)
        if isinstance(action, argparse._SubParsersAction):
            inner = {"secret": secret, "public": public, "taken": {*taken, *names}}
            argument = dataclasses.replace(argument, subcommands=_subcommands(action, inner))
        if action.help == argparse.SUPPRESS and argument.kind is not Kind.SUBCOMMAND:
            hidden.append(argument)
        else:
            arguments[index] = argument
    exclusive = _exclusive(parser, arguments)
    arguments = _with_sequences(parser, arguments, exclusive)
    common = [argument for argument in arguments.values() if _is_common(argument, common_options)]
    own = _own_groups(parser, {index: item for index, item in arguments.items() if item not in common})
    return Description(
        description=_prose(parser, parser.description),
        epilog=_prose(parser, parser.epilog),
        groups=tuple(group for group in own if group.arguments),
        common=Group(title="", description="", arguments=tuple(common)),
        hidden=tuple(hidden),
        secret_options=secret_options(parser, secret=secret, public=public),
        alternatives=(*_alternatives(parser, arguments, exclusive), *_opposed(parser, common, opposed)),
        prefix_chars=parser.prefix_chars,
        fromfile_prefix_chars=parser.fromfile_prefix_chars or "",
    )


def _subcommands(action: argparse._SubParsersAction[Any], inner: Mapping[str, Any]) -> tuple[Subcommand, ...]:
    """Return the words of a sub-command's place; words with the same parser are aliases of the first one."""
    helps = {str(pseudo.dest): str(pseudo.help or "") for pseudo in action._choices_actions}
    described: dict[int, tuple[str, Description]] = {}
    seen: dict[str, object] = {}
    found = []
    for word, parser in action.choices.items():
        is_alias = id(parser) in described
        if not is_alias:
            described[id(parser)] = (word, _beside(parser, inner, seen))
        first, description = described[id(parser)]
        text = helps.get(first, "")
        text = "" if text == argparse.SUPPRESS else text or description.description
        found.append(Subcommand(word=word, is_alias=is_alias, help=text, description=description))
    return tuple(found)


def _beside(parser: argparse.ArgumentParser, inner: Mapping[str, Any], seen: dict[str, object]) -> Description:
    """Describe a sub-command's parser beside others, `seen`: a field keeps what was typed when the choice is another.

    So a name may serve two of them only for arguments alike: what is typed as a secret must not be shown as a text.
    """
    taken = set(inner["taken"])
    while True:
        description = describe(parser, **{**inner, "taken": taken})
        likeness = {
            item.name: (item.kind, item.value_type, item.is_secret, item.nargs, item.choices)
            for item in description.everywhere
        }
        clashes = {name for name, like in likeness.items() if seen.get(name, like) != like}
        if not clashes:
            seen.update(likeness)
            return description
        taken |= clashes


def _exclusive(
    parser: argparse.ArgumentParser, arguments: Mapping[int, Argument]
) -> list[tuple[argparse._MutuallyExclusiveGroup, list[int]]]:
    """Return the mutually exclusive groups with the places of their arguments, each argument in one group at most."""
    places = {id(action): index for index, action in enumerate(parser._actions)}
    claimed: set[int] = set()
    found = []
    for group in parser._mutually_exclusive_groups:
        mine = [places.get(id(action), -1) for action in group._group_actions]
        mine = [place for place in mine if place in arguments and place not in claimed]
        claimed.update(mine)
        found.append((group, mine))
    return found


def _with_sequences(
    parser: argparse.ArgumentParser,
    arguments: Mapping[int, Argument],
    exclusive: Sequence[tuple[argparse._MutuallyExclusiveGroup, Sequence[int]]],
) -> dict[int, Argument]:
    """Put options that fill one list or number between them into one SEQUENCE, since their order counts."""
    by_dest: dict[str, list[int]] = {}
    for index, argument in arguments.items():
        if argument.option_strings:
            by_dest.setdefault(argument.dest, []).append(index)
    result = dict(arguments)
    for indexes in by_dest.values():
        members = [arguments[index] for index in indexes]
        is_one_group = any(set(indexes) <= set(mine) for _, mine in exclusive)
        if len(indexes) < 2 or is_one_group or all(member.is_replaced for member in members):
            continue
        first = members[0]
        result[indexes[0]] = dataclasses.replace(
            first,
            kind=Kind.SEQUENCE,
            option_strings=(),
            members=tuple(members),
            is_required=any(member.is_required for member in members),
            is_secret=any(member.is_secret for member in members),
            choices=None,
            help="",
            display_name=" ".join(member.option for member in members),
        )
        for index in indexes[1:]:
            del result[index]
    return result


def _alternatives(
    parser: argparse.ArgumentParser,
    arguments: Mapping[int, Argument],
    exclusive: Sequence[tuple[argparse._MutuallyExclusiveGroup, Sequence[int]]],
) -> tuple[Alternatives, ...]:
    found: dict[int, Alternatives] = {}
    claimed: set[int] = set()
    for group, indexes in exclusive:
        mine = [index for index in indexes if index in arguments]
        claimed.update(mine)
        if len(mine) > 1:
            members = [arguments[index] for index in mine]
            found[mine[0]] = _alternative(parser, members, is_required=group.required, is_exclusive=True)
    by_dest: dict[str, list[int]] = {}
    for index, argument in arguments.items():
        if argument.option_strings and argument.is_replaced and index not in claimed:
            by_dest.setdefault(argument.dest, []).append(index)
    for indexes in by_dest.values():
        if len(indexes) > 1:
            members = [arguments[index] for index in indexes]
            is_required = any(member.is_required for member in members)
            found[indexes[0]] = _alternative(parser, members, is_required=is_required, is_exclusive=False)
    return tuple(found[index] for index in sorted(found))


def _opposed(
    parser: argparse.ArgumentParser, common: Sequence[Argument], opposed: Collection[str]
) -> list[Alternatives]:
    members = [argument for argument in common if set(argument.option_strings) & set(opposed)]
    return [_alternative(parser, members, is_required=False, is_exclusive=True)] if len(members) > 1 else []


def _first_default(parser: argparse.ArgumentParser, dest: str) -> Any:
    """Return what the namespace has for a dest when nothing is given: the first action's default, be it None."""
    for action in parser._actions:
        if action.dest == dest and action.default != argparse.SUPPRESS:
            return action.default
    return parser._defaults.get(dest)


def _alternative(
    parser: argparse.ArgumentParser, members: Sequence[Argument], *, is_required: bool, is_exclusive: bool
) -> Alternatives:
    dests = {member.dest for member in members}
    are_flags = all(member.kind is Kind.FLAG for member in members)
    default = _first_default(parser, members[0].dest) if len(dests) == 1 else None
    return Alternatives(
        name=members[0].name if len(dests) == 1 and are_flags else f"{CHOICE_PREFIX}{members[0].name}",
        names=tuple(member.name for member in members),
        is_required=is_required,
        is_exclusive=is_exclusive,
        default="" if default is None or default == argparse.SUPPRESS else _default_text(default),
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
        mine = tuple(sorted((left.pop(place) for place in places if place in left), key=_rank))
        own.append(Group(title=str(group.title or ""), description=_prose(parser, group.description), arguments=mine))
    rest = sorted(left.values(), key=_rank)
    return [Group(title="", description="", arguments=tuple(rest)), *own]


def _rank(argument: Argument) -> tuple[bool, bool, bool]:
    """Order positionals first, as they follow each other, then what is required.

    A sub-command, which brings fields of its own, comes last.
    """
    is_optional = not argument.is_positional and not argument.is_required
    return argument.kind is Kind.SUBCOMMAND, not argument.is_positional, is_optional


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


def unique_names(
    parser: argparse.ArgumentParser, common_options: Collection[str], taken: Collection[str] = ()
) -> list[str]:
    """Return a name for each action, in the parser's order: its dest, numbered where dests repeat or are taken.

    The command's own come before what every command has, so that one named "version" or "settings" keeps its name.
    """
    names: dict[int, str] = {}
    used = set(taken)
    own_first = sorted(
        enumerate(parser._actions), key=lambda pair: _answers(pair[1]) or _is_common(pair[1], common_options)
    )
    for index, action in own_first:
        base = str(action.dest) if action.dest != argparse.SUPPRESS else "subcommand"
        numbered = itertools.chain([base], map(f"{base}-{{}}".format, itertools.count(2)))
        names[index] = next(name for name in numbered if name not in used)
        used.add(names[index])
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
    if _kind(action) not in (Kind.VALUE, Kind.VALUES, Kind.GROUPS) or action.dest in public:
        return False
    if action.dest in secret:
        return True
    if action.choices is not None or _value_type(action) is ValueType.PATH:
        return False
    found = _secret_words(_words(action))
    return bool(found - NUMBERED_WORDS if _value_type(action) in (ValueType.INTEGER, ValueType.FLOAT) else found)


def sounds_secret(option: str) -> bool:
    """Tell whether an option's name alone sounds like a secret's."""
    return bool(_secret_words(_words_in([option])))


def _secret_words(words: set[str]) -> set[str]:
    if not KEY_KINDS.isdisjoint(words):
        words = words - NUMBERED_WORDS
    return {word for word in words if word in SECRET_WORDS or word.endswith(SECRET_ENDINGS)}


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
        is_custom=is_custom(action),
        is_bool_type=action.type is bool,
        is_deprecated=bool(getattr(action, "deprecated", False)),
        choices=_choices(parser, action) if kind in (Kind.VALUE, Kind.VALUES, Kind.GROUPS) else None,
        minimum=_bounds(action)[0],
        maximum=_bounds(action)[1],
        default="" if is_hidden_value else _default(action, kind),
        fixed=() if is_hidden_value else _fixed(action),
        const=_const(action),
        help=_help(parser, action, is_hidden_value),
        metavars=tuple(map(str, action.metavar)) if isinstance(action.metavar, tuple) else (),
        display_name=display_name(action),
    )


def _kind(action: argparse.Action) -> Kind:
    match action:
        case argparse._SubParsersAction():
            return Kind.SUBCOMMAND
        case argparse.BooleanOptionalAction():
            return Kind.YES_NO
        case argparse._CountAction() | argparse._AppendConstAction():
            return Kind.COUNT
        case argparse._ExtendAction():
            return Kind.GROUPS if isinstance(action.nargs, int) else Kind.VALUES
        case argparse._AppendAction():
            return Kind.VALUES if action.nargs is None else Kind.GROUPS
    if action.nargs == 0:
        return Kind.FLAG
    return Kind.VALUE if action.nargs in (None, argparse.OPTIONAL) else Kind.VALUES


def is_required(action: argparse.Action) -> bool:
    """Tell whether the parser insists on it."""
    # A positional "*" without a default calls itself required though nothing needs to be given.
    if action.option_strings or isinstance(action, argparse._SubParsersAction):
        return action.required
    return action.nargs in (None, argparse.ONE_OR_MORE, argparse.PARSER) or isinstance(action.nargs, int)


def is_custom(action: argparse.Action) -> bool:
    """Tell whether the action's class is somebody's own, which may do anything when it is called."""
    return type(action).__call__.__module__ != "argparse"


def _value_type(action: argparse.Action) -> ValueType:
    kind: Any = action.type
    if kind is int:
        return ValueType.INTEGER
    if kind is float:
        return ValueType.FLOAT
    for made, value_type in _DATES:
        if kind == made:
            return value_type
    if isinstance(action.default, str) and "\n" in action.default:
        return ValueType.LINES
    if kind is json.loads:
        return ValueType.LINES
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
    return _words_in(names)


def _words_in(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip("-<>[]")).lower().replace("-", "_")
        found |= {snake, *re.split(r"[^a-z0-9]+", snake)}
    return found


def _bounds(action: argparse.Action) -> tuple[int | None, int | None]:
    """Return the bounds of a long `range` of whole numbers, which are typed; short ones are picked."""
    choices = action.choices
    if isinstance(choices, range) and choices.step == 1 and len(choices) > RANGE_LIMIT and action.type is int:
        return choices[0], choices[-1]
    return None, None


def _choices(parser: argparse.ArgumentParser, action: argparse.Action) -> tuple[Choice, ...] | None:
    choices: Any = action.choices
    if choices is None and isinstance(action.type, type) and issubclass(action.type, enum.Enum):
        choices = action.type
    if choices is None or isinstance(choices, str | Iterator) or _bounds(action) != (None, None):
        return None  # a text's parts count as its choices too, and an iterator can be asked only once
    listed = list(itertools.islice(_iterate(choices), CHOICES_LIMIT + 1))
    if not listed or len(listed) > CHOICES_LIMIT:
        return None
    convert = parser._registry_get("type", action.type, action.type)
    found = {choice.word: choice for choice in (_choice(item, convert, action.choices) for item in listed)}
    return tuple(found.values())


def _iterate(choices: Iterable[Any]) -> Iterator[Any]:
    try:
        yield from choices
    except TypeError:  # a container that knows only `in`
        return


def _choice(choice: Any, convert: Any, container: Any) -> Choice:
    """Find the word that the argument's type turns into the choice, or, from 3.12, one that an Enum class contains."""
    candidates = [str(choice)]
    if isinstance(choice, enum.Enum):
        candidates = [str(choice.value), choice.name, str(choice)]
    for candidate in candidates:
        try:
            is_contained = isinstance(container, enum.EnumMeta) and convert(candidate) in container
            if convert(candidate) == choice or is_contained:
                return Choice(word=candidate, is_usable=True)
        except Exception:  # noqa: BLE001, S112  a type may raise anything for a word that isn't its own
            continue
    return Choice(word=candidates[-1], is_usable=False)


def _default(action: argparse.Action, kind: Kind) -> str:
    default = action.default
    if default is None or default == argparse.SUPPRESS or kind is Kind.SUBCOMMAND:
        return ""
    if kind is Kind.FLAG and default in (False, None):
        return ""
    if isinstance(default, bool) and kind is Kind.YES_NO:
        return "yes" if default else "no"
    if isinstance(default, list | tuple | set | frozenset):
        return ", ".join(map(_default_text, default))
    return _default_text(default)


def _fixed(action: argparse.Action) -> tuple[str, ...]:
    """Return what a list holds before anything is added to it."""
    if not isinstance(action, argparse._AppendAction | argparse._AppendConstAction):
        return ()
    default = action.default
    return tuple(map(_default_text, default)) if isinstance(default, list | tuple) else ()


def _const(action: argparse.Action) -> str:
    const = getattr(action, "const", None)
    return "" if const is None or isinstance(const, bool) else _default_text(const)


def _default_text(default: Any) -> str:
    if isinstance(default, enum.Enum):
        return str(default.value)
    try:
        text = "" if callable(default) else str(default)
    except Exception:  # noqa: BLE001  an object of the author's, or a lazy text that can't be translated now
        return ""
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
