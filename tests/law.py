"""The law of the form: whatever namespace a parser can make, the form says it, and its post makes the same again.

Owns how argvs are invented for any parser, and the way namespace -> page -> post -> argv -> namespace. It knows
argparse, not how Launcher describes it: a kind of argument that Launcher forgets is not forgotten here.
"""

from __future__ import annotations

import argparse
import datetime
import enum
import json
import shlex
import uuid
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from pathlib import PurePath
from typing import Any

from django.http import QueryDict
from django.template.loader import render_to_string
from hypothesis import strategies as st

from launcher import argv as argv_module
from launcher import shell
from launcher.arguments import Kind
from launcher.catalogue import entry
from launcher.forms import EXTRA, CommandForm
from tests.browser import FormData

ODD = [
    "-",
    "--",
    "-x",
    "--text",
    "-5",
    "=",
    "a=b",
    " ",
    "",
    "-n",
    "@x",
    "a b",
    "two\nlines",
    "a\rb",
    "\r\n",
    "'",
    '"',
    "$HOME",
    "*",
    "☃",
    "<b>",
]
TEXT = st.one_of(
    st.sampled_from(["a", "b", "name", "1"]),
    st.sampled_from(ODD),
    # NUL and lone surrogates can't be given to a command.
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
)
ANYTHING = [
    "1",
    "0",
    "a",
    "x=y",
    "2024-02-29",
    "2024-02-29T12:30",
    "12:30",
    "1.5",
    "True",
    "[1]",
    '{"a": 1}',
    "a.b",
    "a,b",
]
BY_TYPE: list[tuple[object, st.SearchStrategy[str]]] = [
    (int, st.one_of(st.integers(-3, 120).map(str), st.sampled_from(["1_0", "+3", "٣"]))),
    (float, st.sampled_from(["0", "1.5", "-2.25", "1e3", "inf", "nan", "-.5", "1_0"])),
    (bool, st.sampled_from(["", "True", "False", "no"])),
    (json.loads, st.sampled_from(["1", "[]", '{"a": [1, "two"]}', '"x"', "null"])),
    (uuid.UUID, st.sampled_from(["12345678123456781234567812345678"])),
    (datetime.date.fromisoformat, st.sampled_from(["2024-02-29", "20240229", "2024-W09-4", "0001-01-01"])),
    (datetime.time.fromisoformat, st.sampled_from(["12:30", "12:30:15", "12", "12:30:15.123456", "12:30+01:00"])),
    (datetime.datetime.fromisoformat, st.sampled_from(["2024-02-29T12:30", "2024-02-29", "2024-02-29T12:30:01+02:00"])),
]


class CannotType(Exception):
    """A secret that no keyboard has the keys for."""


def words_for(action: argparse.Action) -> st.SearchStrategy[str]:
    """Return words that the action's type and choices may take."""
    choices: Any = action.choices
    if choices is not None and not isinstance(choices, str):
        try:
            listed = list(islice(iter(choices), 50))
        except TypeError:
            listed = []
        said = [str(item.value) if isinstance(item, enum.Enum) else str(item) for item in listed]
        said += [item.name for item in listed if isinstance(item, enum.Enum)]
        if said:
            return st.sampled_from(said)
    if isinstance(choices, str):
        return st.sampled_from([*choices, choices[:2], ""])
    if isinstance(action.type, type) and issubclass(action.type, enum.Enum):
        return st.sampled_from([str(member.value) for member in action.type])
    for kind, strategy in BY_TYPE:
        if action.type == kind:
            return strategy
    is_text = action.type in (None, str) or isinstance(action.type, argparse.FileType)
    if is_text or (isinstance(action.type, type) and issubclass(action.type, PurePath)):
        return TEXT
    return st.one_of(st.sampled_from(ANYTHING), TEXT)


def values_of(action: argparse.Action) -> st.SearchStrategy[list[str]]:
    """Return lists of words as long as the action takes."""
    word = words_for(action)
    nargs = action.nargs
    if nargs is None:
        return word.map(lambda text: [text])
    if isinstance(nargs, int):
        return st.lists(word, min_size=nargs, max_size=nargs)
    least = 1 if nargs in (argparse.ONE_OR_MORE, argparse.PARSER) else 0
    return st.lists(word, min_size=least, max_size=1 if nargs == argparse.OPTIONAL else 3)


@st.composite
def option_use(draw: st.DrawFn, action: argparse.Action) -> list[str]:
    """Return one use of an option, in any of the spellings of a command line."""
    option = draw(st.sampled_from(list(action.option_strings)))
    values = draw(values_of(action))
    if len(values) == 1 and draw(st.booleans()):
        return [f"{option}={values[0]}"]
    return [option, *values]


@st.composite
def argvs(draw: st.DrawFn, parser: argparse.ArgumentParser, passed_over: Collection[str]) -> list[str]:
    """Return an argv that the parser may take: some options, maybe several times, then positionals, then a sub-command.

    `passed_over` are option strings that Launcher never takes.
    """
    usable = [
        action
        for action in parser._actions
        if not isinstance(action, argparse._HelpAction | argparse._VersionAction)
        and not set(action.option_strings) & set(passed_over)
    ]
    options = [action for action in usable if action.option_strings]
    needed = [action for action in options if action.required]
    for group in parser._mutually_exclusive_groups:
        mine = [action for action in group._group_actions if action in options]
        if group.required and mine:
            needed.append(draw(st.sampled_from(mine)))
    some = draw(st.lists(st.sampled_from(options), max_size=5)) if options else []
    uses = [draw(option_use(action)) for action in draw(st.permutations([*needed, *some]))]
    words = [word for use in uses for word in use]
    places = [action for action in usable if not action.option_strings]
    positionals: list[str] = []
    inner: list[str] = []
    for action in places:
        if isinstance(action, argparse._SubParsersAction):
            if action.required or draw(st.booleans()):
                word = draw(st.sampled_from(list(action.choices)))
                inner = [word, *draw(argvs(action.choices[word], passed_over))]
            break
        positionals += draw(values_of(action))
    has_dashes: bool = draw(st.booleans())
    dashes = ["--"] if positionals and has_dashes else []
    return [*words, *dashes, *positionals, *inner]


def namespace_of(name: str, argv: Sequence[str]) -> dict[str, Any] | None:
    """Return what the command's own parser makes of the argv, or None where it refuses. Files are not opened."""
    parser = argv_module.make_parser(name)
    argv_module._quieten(parser)
    try:
        namespace = vars(parser.parse_args(list(argv)))
        # BaseCommand.execute refuses both, so no command is ever run with them.
        return None if namespace.get("no_color") is True and namespace.get("force_color") is True else namespace
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | MemoryError):
            raise
        return None


def are_same(one: object, other: object) -> bool:
    """Compare two namespaces' values: those of a class without equality by what they say of themselves."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(are_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        pairs = zip(one, other, strict=False)
        return type(one) is type(other) and len(one) == len(other) and all(are_same(*pair) for pair in pairs)
    if type(one) is not type(other):
        return False
    if one == other:
        return True
    try:
        return repr(one) == repr(other) or are_same(vars(one), vars(other))
    except TypeError:
        return False


def form_page(form: CommandForm, name: str) -> str:
    """Return the fields as the form's page has them."""
    context = {"form": form, "sections": form.sections, "entry": entry(name), "extra_field": form[EXTRA]}
    return "".join(render_to_string(f"launcher/{part}.html", context) for part in ("_sections", "_extra"))


def said_by_form(name: str, argv: Sequence[str], page_of: Callable[[CommandForm, str], str] = form_page) -> list[str]:
    """Fill the command's form with an argv as a link does, send it as a browser does, and return the argv it says.

    Secrets are not filled in by any link, so they are typed, as a person would.
    """
    description = argv_module.describe(name)
    reading = argv_module.read(name, argv)
    assert not argv or not reading.error, reading.error
    # A secret in the line for more arguments is masked there, and typed again.
    extra = argv if any(argv_module.MASK in word for word in reading.extra) else reading.extra
    shown = CommandForm(description, given=reading.given, extra=extra)
    post = FormData(page_of(shown, name)).post
    if argv_module.MASK in post["launcher_extra"]:  # a place there may be a secret's, so its words are masked too
        post["launcher_extra"] = shell.join_for_typing(extra)
    if extra is not argv:
        _type_secrets(post, name, argv)
    else:
        post["launcher_extra"] = shell.join_for_typing(argv)
    sent = CommandForm(description, data=post)
    sent.is_valid()
    assert not sent.errors, sent.errors
    return argv_module.write(name, sent.given(), sent.extra_words())


def _type_secrets(post: QueryDict, name: str, argv: Sequence[str]) -> None:
    description = argv_module.describe(name)
    events, _error = argv_module.take_apart(argv_module.make_parser(name), description, argv)
    secrets = {event.argument.name: event for event in events if event.argument.is_secret}
    if any("\r" in word for event in secrets.values() for word in event.words):
        raise CannotType("Nobody types a carriage return, and no page shows what a secret was.")
    for argument, texts in argv_module.fold(events).items():
        if argument not in secrets:
            continue
        if secrets[argument].argument in description.hidden:
            words = shell.join(argv_module._event_words(secrets[argument]))
            post["launcher_extra"] = f"{post['launcher_extra']} {words}"
            continue
        kind = secrets[argument].argument.kind
        if kind is Kind.SEQUENCE:
            uses = [shlex.split(text) for text in texts]
            texts = tuple(use[0].partition("=")[0] for use in uses)
            values = [use[0].partition("=")[2] if "=" in use[0] else shlex.join(use[1:]) for use in uses]
            post.setlist(f"{argument}__words", values)
            post.setlist(argument, list(texts))
            meant = [str(place) for place, use in enumerate(uses) if "=" in use[0] and not values[place]]
            post.setlist(f"{argument}__empty", meant)
            continue
        if kind is Kind.GROUPS and secrets[argument].argument.group_size:
            texts = tuple(word for text in texts for word in shlex.split(text))
        post.setlist(argument, list(texts))
        post.setlist(f"{argument}__empty", [str(place) for place, text in enumerate(texts) if not text])
        if not texts:
            post[f"{argument}__bare"] = "on"


def breach(name: str, argv: Sequence[str]) -> str:
    """Return how the law is broken for an argv that the parser takes, or an empty string."""
    meant = namespace_of(name, argv)
    if meant is None:
        return ""
    try:
        said = said_by_form(name, argv)
    except CannotType:
        return ""
    got = namespace_of(name, said)
    if got is not None and are_same(meant, got):
        return ""
    return f"{shell.join([name, *argv])}\n  meant {meant}\n  said  {shell.join(said)}\n  got   {got}"
