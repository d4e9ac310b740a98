"""The list of commands, found without importing one; and the loading of a single command on demand."""

from __future__ import annotations

import ast
import sysconfig
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import django
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.utils.translation import gettext_lazy as _

from launcher.conf import command_options

_SERVER = _("A server: it runs until it is killed, so it belongs to a process manager, not to a page.")
_WORKER = _("A worker: it runs until it is killed, so it belongs to a process manager, not to a page.")
_TERMINAL = _("Needs a terminal to type into.")

NOT_LAUNCHABLE: Mapping[str, object] = MappingProxyType(
    {
        **dict.fromkeys(
            ("runserver", "runserver_plus", "runsslserver", "testserver", "livereload", "runmailer"), _SERVER
        ),
        **dict.fromkeys(("tailwind_start", "run_gunicorn", "runuwsgi", "grpcrunserver", "runprofileserver"), _SERVER),
        **dict.fromkeys(("rqworker", "rqworker-pool", "rqscheduler", "qcluster", "qmonitor", "run_huey"), _WORKER),
        **dict.fromkeys(("runworker", "db_worker", "process_tasks", "celery", "celeryd", "celerybeat"), _WORKER),
        **dict.fromkeys(("shell", "shell_plus", "dbshell", "debugsqlshell", "async_shell"), _TERMINAL),
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


def is_launchable(name: str) -> bool:
    """Tell whether a page may start the command at all, whoever asks."""
    return not obstacle(name)


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
    app = get_commands()[name]
    # A programmatically registered command is an instance, as `call_command` allows.
    app_name = app if isinstance(app, str) else type(app).__module__
    path = _source_path(app_name, name)
    text = _help_in_source(str(path), path.stat().st_mtime_ns) if path else ""
    return Entry(
        name=name,
        app_name=app_name,
        app_title=_app_title(app_name),
        path=path,
        summary=next((line.strip() for line in text.splitlines() if line.strip()), ""),
        help=text,
        obstacle=obstacle(name),
        is_own=bool(path) and not _is_installed(path),
    )


def entries() -> list[Entry]:
    """Return every command's entry: the project's own apps first, then installed ones, then Django's, each by name."""
    return sorted(map(entry, get_commands()), key=_order)


def load(name: str) -> BaseCommand:
    """Import the command and return an instance; raises CommandUnavailable whatever its module does, KeyError if unknown."""
    app = get_commands()[name]
    if isinstance(app, BaseCommand):
        return app
    try:
        return load_command_class(app, name)
    except (Exception, SystemExit) as error:
        message = f"{type(error).__name__}: {error}".strip(": ")
        raise CommandUnavailable(message, traceback.format_exc()) from error


def _order(item: Entry) -> tuple[int, str, str]:
    rank = (
        0 if item.is_own else 3 if item.app_name == "django.core" else 2 if item.app_name.startswith("django.") else 1
    )
    return rank, item.app_title.casefold(), item.name


def _app_title(app_name: str) -> str:
    if app_name == "django.core":
        return "Django"
    for config in apps.get_app_configs():
        if config.name == app_name:
            return str(config.verbose_name)
    return app_name


def _source_path(app_name: str, name: str) -> Path | None:
    root = Path(django.__path__[0]) / "core" if app_name == "django.core" else None
    for config in apps.get_app_configs():
        if config.name == app_name:
            root = Path(config.path)
    path = root / "management" / "commands" / f"{name}.py" if root else None
    return path if path and path.is_file() else None


def _is_installed(path: Path) -> bool:
    return any(path.is_relative_to(sysconfig.get_path(kind)) for kind in ("purelib", "platlib", "stdlib"))


@lru_cache(maxsize=4096)
def _help_in_source(path: str, mtime_ns: int) -> str:
    """Return the literal `help` of the module's Command class, or an empty string; the time makes an edit count."""
    try:
        module = ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ""
    classes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
    name = "Command"
    while name in classes:
        node = classes.pop(name)
        for value in _assigned(node, "help"):
            return _literal_text(value, ast.get_docstring(module) or "").strip()
        name = next((base.id for base in node.bases if isinstance(base, ast.Name) and base.id in classes), "")
    return ""


def _assigned(node: ast.ClassDef, name: str) -> Iterator[ast.expr]:
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            if any(isinstance(target, ast.Name) and target.id == name for target in statement.targets):
                yield statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            if isinstance(statement.target, ast.Name) and statement.target.id == name:
                yield statement.value


def _literal_text(node: ast.expr, module_docstring: str) -> str:
    """Return the text an expression plainly stands for: a literal, a sum of them, or one wrapped in a call such as `_()`."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id="__doc__"):
            return module_docstring
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _literal_text(left, module_docstring) + _literal_text(right, module_docstring)
        case ast.Call(func=ast.Attribute(value=inner), args=[]):  # "…".strip()
            return _literal_text(inner, module_docstring)
        case ast.Call(args=[inner, *_]):
            return _literal_text(inner, module_docstring)
    return ""
