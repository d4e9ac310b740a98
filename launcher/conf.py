"""The `LAUNCHER` setting, read once into frozen values; nothing else in the app reads Django's settings for options."""

from __future__ import annotations

import math
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.functional import Promise


def _default_spool_dir() -> Path:
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"launcher-{owner}"


def _default_python() -> str:
    """The interpreter for runs; application servers such as uWSGI put themselves into `sys.executable`."""
    if re.fullmatch(r"(python|pypy)[\d.]*", Path(sys.executable or "").name):
        return sys.executable
    return str(Path(sys.prefix) / "bin" / "python")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str | Promise):
        raise ImproperlyConfigured(f"{where} must be a string.")
    return str(value)


def _path(value: Any, where: str) -> Path:
    if not isinstance(value, str | os.PathLike) or not str(value):
        raise ImproperlyConfigured(f"{where} must be a path.")
    return Path(value)


def _program(value: Any, where: str) -> str:
    return str(_path(value, where))


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(item, str) for item in value):
        raise ImproperlyConfigured(f"{where} must be a list of strings.")
    return tuple(value)


def _permissions(value: Any, where: str) -> tuple[str, ...]:
    for name in _names(value, where):
        if name.count(".") != 1 or not all(name.split(".")):
            raise ImproperlyConfigured(f"{where} has {name!r}; a permission is written as app.codename.")
    return tuple(value)


def _yes_or_no(value: Any, where: str) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ImproperlyConfigured(f"{where} must be True, False or None.")
    return value


def _seconds(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ImproperlyConfigured(f"{where} must be a number of seconds.")
    return float(value)


def _bytes(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ImproperlyConfigured(f"{where} must be a number of bytes.")
    return value


def _limit_seconds(value: Any, where: str) -> float | None:
    return None if value is None else _seconds(value, where) or None


def _limit(value: Any, where: str) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ImproperlyConfigured(f"{where} must be a number of runs, 1 or more, or None.")
    return value


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ImproperlyConfigured(f"{where} must be True or False.")
    return value


def _when_busy(value: Any, where: str) -> str:
    if value not in ("queue", "refuse"):
        raise ImproperlyConfigured(f"{where} must be 'queue' or 'refuse'.")
    return str(value)


def _commands(value: Any, where: str) -> Mapping[str, CommandOptions]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ImproperlyConfigured(f"{where} must be a dict, by command name.")
    return MappingProxyType(
        {name: CommandOptions(**_read(given, CommandOptions, f"{where}[{name!r}]")) for name, given in value.items()}
    )


def _option(default: Any, read: Callable[[Any, str], Any], doc: str) -> Any:
    """Declare an option: its default, what accepts a given value or raises ImproperlyConfigured, and its doc."""
    metadata = {"read": read, "doc": doc}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class CommandOptions:
    """What an operator says about one command, under `LAUNCHER["COMMANDS"][name]`; keys are the field names."""

    groups: tuple[str, ...] = _option(
        (),
        _names,
        "Names of auth groups. Their members may see, run, read and stop this command if they have `run_command`.",
    )
    permissions: tuple[str, ...] = _option(
        (),
        _permissions,
        "Permissions as `app.codename`. A user who has one of them is granted the command like a group's member.",
    )
    launchable: bool | None = _option(
        None,
        _yes_or_no,
        "`False` takes the Run button away; `True` gives it to a command that Launcher takes for a server.",
    )
    reason: str = _option("", _text, "The sentence shown in place of the button when `launchable` is `False`.")
    confirm: bool | None = _option(
        None,
        _yes_or_no,
        "Whether the form asks for the command's name to be typed. Default: only for commands known to destroy data.",
    )
    secret_arguments: tuple[str, ...] = _option(
        (), _names, "Arguments (by `dest`) to treat as secret, besides those whose name looks like one."
    )
    public_arguments: tuple[str, ...] = _option(
        (), _names, "Arguments (by `dest`) whose name looks secret but that are not."
    )
    timeout_seconds: float | None = _option(
        None, _limit_seconds, "How long a run may take before it is ended; `None` leaves that to `TIMEOUT_SECONDS`."
    )
    max_concurrent: int | None = _option(
        None, _limit, "How many runs of the command may go on at once, on all hosts together; `None` is no limit."
    )
    when_busy: str = _option(
        "queue", _when_busy, "What becomes of one more: `'queue'` lets it wait, `'refuse'` does not start it."
    )
    terminal: bool = _option(
        True, _flag, "`False` gives the command a pipe to write to instead of a terminal, and nothing to read."
    )


@dataclass(frozen=True, kw_only=True)
class Options:
    """The whole `LAUNCHER` dict; each key is a field's name in capitals."""

    commands: Mapping[str, CommandOptions] = _option(
        lambda: MappingProxyType({}), _commands, "Grants and options by command name; see the table of command options."
    )
    engine: str = _option(
        "launcher.engines.local.LocalEngine", _text, "Dotted path of the engine that carries runs to a process."
    )
    python: str = _option(_default_python, _program, "The Python interpreter that runs are started with.")
    spool_dir: Path = _option(
        _default_spool_dir,
        _path,
        "Folder for the output of going runs and for uploaded files; the web server's user's own, on a local disk.",
    )
    stop_grace_seconds: float = _option(
        5.0, _seconds, "How long Stop waits after asking (SIGINT) and after telling (SIGTERM)."
    )
    timeout_seconds: float | None = _option(
        None, _limit_seconds, "How long a run may take before it is ended like by Stop; `None` is no limit."
    )
    answer_timeout_seconds: float | None = _option(
        3600.0, _limit_seconds, "How long a run may wait for somebody to answer its question; `None` is no limit."
    )
    max_concurrent_runs: int | None = _option(
        16, _limit, "How many runs may go on at once on a host; the others wait in order. `None` is no limit."
    )
    warm_start: bool = _option(True, _flag, "Whether runs are forked from a warm process that has the project loaded.")
    output_limit_bytes: int = _option(
        512 * 1024 * 1024,
        _bytes,
        "How much is kept of a run's output: half of it from the beginning, half from the end. `0` keeps everything.",
    )
    upload_limit_bytes: int = _option(100 * 1024 * 1024, _bytes, "The largest file that a form accepts.")


def _read(given: Any, kind: type[Options | CommandOptions], where: str) -> dict[str, Any]:
    """Return the values of a dict by field name; raises ImproperlyConfigured for a key or value that is wrong."""
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"{where} must be a dict.")
    known = {option.name.upper() if kind is Options else option.name: option for option in fields(kind)}
    unknown = sorted(str(key) for key in given if key not in known)
    if unknown:
        raise ImproperlyConfigured(
            f"{where} has unknown keys: {', '.join(unknown)}. Known: {', '.join(sorted(known))}."
        )
    return {known[key].name: known[key].metadata["read"](value, f"{where}[{key!r}]") for key, value in given.items()}


@cache
def options() -> Options:
    """Return the validated options; raises ImproperlyConfigured with the key's name where one is wrong or unknown."""
    return Options(**_read(getattr(django_settings, "LAUNCHER", {}), Options, "LAUNCHER"))


def command_options(name: str) -> CommandOptions:
    """Return the operator's options for a command, or the defaults where nothing was said."""
    return options().commands.get(name) or CommandOptions()


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "LAUNCHER":
        options.cache_clear()


setting_changed.connect(_forget)
