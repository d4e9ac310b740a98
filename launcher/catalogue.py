"""The list of commands, found without importing one; and the loading of a single command on demand."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import os
import re
import sysconfig
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import django
from django.apps import AppConfig, apps
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from launcher.conf import Options, command_options, options

_SERVER = _("A server: it runs until it is killed, so it belongs to a process manager, not to a page.")
_WORKER = _("A worker: it runs until it is killed, so it belongs to a process manager, not to a page.")
_TERMINAL = _("Needs a terminal to type into.")
_STARTER = _("Starts another command from the shell. Here, start that command itself.")

_DJANGO_CORE = os.path.join(django.__path__[0], "core")

NOT_LAUNCHABLE: Mapping[str, object] = MappingProxyType(
    {
        **dict.fromkeys(
            ("runserver", "runserver_plus", "runsslserver", "testserver", "livereload", "runmailer"), _SERVER
        ),
        **dict.fromkeys(("tailwind_start", "run_gunicorn", "runuwsgi", "grpcrunserver", "runprofileserver"), _SERVER),
        **dict.fromkeys(("rqworker", "rqworker-pool", "rqscheduler", "qcluster", "qmonitor", "run_huey"), _WORKER),
        **dict.fromkeys(("runworker", "db_worker", "process_tasks", "celery", "celeryd", "celerybeat"), _WORKER),
        **dict.fromkeys(("shell", "shell_plus", "dbshell", "debugsqlshell", "async_shell"), _TERMINAL),
        "launch": _STARTER,
    }
)
"""Commands that a page can't usefully start, each with the reason shown; an operator may say otherwise."""

DESTRUCTIVE = frozenset(
    {
        "flush",
        "reset_db",
        "reset_schema",
        "drop_test_database",
        "delete_squashed_migrations",
        "clean_duplicate_history",
        "clean_old_history",
        "remove_stale_contenttypes",
        "clear_cache",
    }
)
"""Commands that destroy data: their form asks for the name to be typed, unless the operator says otherwise."""


class CommandUnavailable(Exception):
    """A command whose module can't be imported or whose parser can't be built; `details` is the traceback's text."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = details


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A command as far as it is known without importing it."""

    name: str
    app_name: str
    app_title: str
    path: Path | None
    summary: str
    """The first line of its help, or an empty string where the source doesn't say it plainly."""
    help: str
    obstacle: str
    """Why it has no Run button; empty for a launchable command."""
    is_own: bool
    """Whether it stands in the project itself, not in an installed package."""


KEPT_SECONDS = 30.0
"""How long nobody looks again for a change in the commands' files: a look at hundreds of them takes its time."""


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """An answer of `entries`, and all that it depends on besides the files."""

    entries: tuple[Entry, ...]
    paths: tuple[str, ...]
    times: tuple[int, ...]
    until: float
    commands: Mapping[str, object]
    said: Options
    language: str | None

    def depends_on(self, commands: Mapping[str, object], said: Options, language: str | None) -> bool:
        return self.commands is commands and self.said is said and self.language == language


_kept: _Kept | None = None


def obstacle(name: str) -> str:
    """Return the reason why the command can't be started from a page, or an empty string."""
    said = command_options(name)
    if said.launchable is True:
        return ""
    if said.launchable is False:
        return said.reason or str(_("Taken off this page by the project's settings."))
    return str(NOT_LAUNCHABLE.get(name, ""))


def wants_confirmation(name: str) -> bool:
    """Tell whether the form asks for the command's name to be typed."""
    said = command_options(name).confirm
    return name in DESTRUCTIVE if said is None else said


def exists(name: str) -> bool:
    """Tell whether the project has a command of that name; nothing is imported."""
    return name in get_commands()


def entry(name: str) -> Entry:
    """Return one command's entry; raises KeyError for an unknown name."""
    return _entry(name, {config.name: config for config in apps.get_app_configs()})


def entries() -> Sequence[Entry]:
    """Return every command's entry: the project's own apps first, then installed ones, then Django's, each by name.

    The same answer, the very same object, is given while settings, commands and their files are the same; the files
    are looked at every KEPT_SECONDS.
    """
    global _kept
    commands, said, language = get_commands(), options(), get_language()
    if _kept and _kept.depends_on(commands, said, language):
        if _kept.until < time.monotonic() and _times_of(_kept.paths) == _kept.times:
            _kept = dataclasses.replace(_kept, until=time.monotonic() + KEPT_SECONDS)
        if _kept.until > time.monotonic():
            return _kept.entries
    configs = {config.name: config for config in apps.get_app_configs()}
    found = tuple(sorted((_entry(name, configs) for name in commands), key=_order))
    until = time.monotonic() + KEPT_SECONDS
    paths = tuple(str(item.path) for item in found if item.path)
    times = _times_of(paths)
    _kept = _Kept(entries=found, paths=paths, times=times, until=until, commands=commands, said=said, language=language)
    return found


def _times_of(paths: Iterable[str]) -> tuple[int, ...]:
    """Return the time of the last change of each file; 0 for one that is gone."""
    times = []
    for path in paths:
        try:
            times.append(os.stat(path).st_mtime_ns)
        except OSError:
            times.append(0)
    return tuple(times)


def _entry(name: str, configs: Mapping[str, AppConfig]) -> Entry:
    app: object = get_commands()[name]
    # A programmatically registered command is an instance, as `call_command` allows.
    app_name = app if isinstance(app, str) else type(app).__module__
    config = configs.get(app_name)
    found = _source(os.path.join(config.path if config else _DJANGO_CORE, "management", "commands", f"{name}.py"))
    is_known = config is not None or app_name == "django.core"
    path, mtime_ns = found if found and is_known else (None, 0)
    text = _help_in_source(str(path), mtime_ns) if path else ""
    return Entry(
        name=name,
        app_name=app_name,
        app_title="Django" if app_name == "django.core" else str(config.verbose_name) if config else app_name,
        path=path,
        summary=next((line.strip() for line in text.splitlines() if line.strip()), ""),
        help=text,
        obstacle=obstacle(name),
        is_own=path is not None and not _is_installed(path),
    )


def has_own_entry(name: str) -> bool:
    """Tell whether the command overrides `run_from_argv`, which only the shell calls; raises CommandUnavailable."""
    return type(load(name)).run_from_argv is not BaseCommand.run_from_argv


def load(name: str) -> BaseCommand:
    """Import the command and return an instance; raises CommandUnavailable."""
    try:
        app = get_commands()[name]
    except KeyError:
        raise CommandUnavailable(f"There is no command {name!r}.") from None
    if isinstance(app, BaseCommand):
        return app
    try:
        return load_command_class(app, name)
    except (Exception, SystemExit) as error:
        message = f"{type(error).__name__}: {error}".strip(": ")
        raise CommandUnavailable(message, traceback.format_exc()) from error


def _order(item: Entry) -> tuple[int, str, str]:
    if item.app_name.startswith("django."):  # first, for Django may be a checkout beside the project
        rank = 3 if item.app_name == "django.core" else 2
    else:
        rank = 0 if item.is_own else 1
    return rank, item.app_title.casefold(), item.name


def _source(path: str) -> tuple[Path, int] | None:
    """Return a module's path and the time of its last change, or None if there is no such file."""
    try:
        return _path(path), os.stat(path).st_mtime_ns
    except OSError:
        return None


@lru_cache(maxsize=4096)
def _path(path: str) -> Path:
    return Path(path)


@lru_cache(maxsize=4096)
def _is_installed(path: Path) -> bool:
    if not {"site-packages", "dist-packages"}.isdisjoint(path.parts):
        return True
    return any(path.is_relative_to(sysconfig.get_path(kind)) for kind in ("purelib", "platlib", "stdlib"))


@lru_cache(maxsize=4096)
def _help_in_source(path: str, mtime_ns: int) -> str:
    """Return the literal `help` of the module's Command class, or an empty string; the time makes an edit count."""
    try:
        module = ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ""
    constants = {"__doc__": ast.get_docstring(module) or ""}
    for name, value in _assignments(module.body):
        constants[name] = _literal_text(value, constants)
    classes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
    name = "Command"
    while name in classes:
        node = classes.pop(name)
        docstring = ast.get_docstring(node)
        inside = {**constants, "__doc__": docstring} if docstring else constants
        if (text := dict(_assignments(node.body)).get("help")) is not None:
            return inspect.cleandoc(_literal_text(text, inside)).strip()
        name = next((base.id for base in node.bases if isinstance(base, ast.Name) and base.id in classes), "")
    return ""


def _assignments(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for statement in body:
        match statement:
            case ast.Assign(targets=targets, value=value):
                yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _literal_text(node: ast.expr, constants: Mapping[str, str]) -> str:
    """Return the text an expression plainly stands for: a literal, a sum of them, or one in a call such as `_()`.

    What is filled in when the module runs is shown as "…".
    """
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name):
            return constants.get(name, "")
        case ast.JoinedStr(values=parts):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
            return text if text.strip("… ") else ""
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _literal_text(left, constants) + _literal_text(right, constants)
        case ast.BinOp(left=left, op=ast.Mod()):
            return re.sub(r"%(\(\w+\))?[sdr]", "…", _literal_text(left, constants)).replace("%%", "%")
        case ast.Call(func=ast.Attribute(value=inner, attr=method)) if text := _literal_text(inner, constants):
            return re.sub(r"\{[^{}]*\}", "…", text) if method == "format" else text  # "…".format(x), "…".strip()
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[*_, inner]) if "pgettext" in name:
            return _literal_text(inner, constants)
        case ast.Call(args=[inner, *_]):
            return _literal_text(inner, constants)
    return ""
