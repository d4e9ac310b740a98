"""The `LAUNCHER` setting, read once into frozen values; nothing else in the app reads Django's settings for options."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed


def _default_spool_dir() -> Path:
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"launcher-{owner}"


def _default_python() -> str:
    """The interpreter for runs; application servers such as uWSGI put themselves into `sys.executable`."""
    if "python" in Path(sys.executable or "").name:
        return sys.executable
    return str(Path(sys.prefix) / "bin" / "python")


def _option(default: Any, doc: str) -> Any:
    if callable(default):
        return field(default_factory=default, metadata={"doc": doc})
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, kw_only=True)
class CommandOptions:
    """What an operator says about one command, under `LAUNCHER["COMMANDS"][name]`; keys are the field names."""

    groups: tuple[str, ...] = _option(
        (), "Names of auth groups. Their members may see, run, read and stop this command if they have `run_command`."
    )
    permissions: tuple[str, ...] = _option(
        (), "Permissions as `app.codename`. A user who has one of them is granted the command like a group's member."
    )
    launchable: bool | None = _option(
        None, "`False` takes the Run button away; `True` gives it to a command that Launcher takes for a server."
    )
    reason: str = _option("", "The sentence shown in place of the button when `launchable` is `False`.")
    confirm: bool | None = _option(
        None,
        "Whether the form asks for the command's name to be typed. Default: only for commands known to destroy data.",
    )
    secret_arguments: tuple[str, ...] = _option(
        (), "Arguments (by `dest`) to treat as secret, besides those whose name looks like one."
    )
    public_arguments: tuple[str, ...] = _option((), "Arguments (by `dest`) whose name looks secret but that are not.")


@dataclass(frozen=True, kw_only=True)
class Options:
    """The whole `LAUNCHER` dict; each key is a field's name in capitals."""

    commands: Mapping[str, CommandOptions] = _option(
        lambda: MappingProxyType({}), "Grants and options by command name; see the table of command options."
    )
    engine: str = _option(
        "launcher.engines.local.LocalEngine", "Dotted path of the engine that carries runs to a process."
    )
    python: str = _option(_default_python, "The Python interpreter that runs are started with.")
    spool_dir: Path = _option(
        _default_spool_dir,
        "Folder for the output of going runs and for uploaded files; the web server's user's own, on a local disk.",
    )
    stop_grace_seconds: float = _option(5.0, "How long Stop waits after asking (SIGINT) and after telling (SIGTERM).")
    upload_limit_bytes: int = _option(100 * 1024 * 1024, "The largest file that a form accepts.")


def _names(value: Any, where: str) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise ImproperlyConfigured(f"{where} must be a list of strings.")
    return tuple(value)


def _reject_unknown(given: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise ImproperlyConfigured(
            f"{where} has unknown keys: {', '.join(unknown)}. Known: {', '.join(sorted(known))}."
        )


def _command_options(name: str, given: Any) -> CommandOptions:
    where = f'LAUNCHER["COMMANDS"][{name!r}]'
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"{where} must be a dict.")
    _reject_unknown(given, {option.name for option in fields(CommandOptions)}, where)
    values = dict(given)
    for key in ("groups", "permissions", "secret_arguments", "public_arguments"):
        if key in values:
            values[key] = _names(values[key], f"{where}[{key!r}]")
    return CommandOptions(**values)


@cache
def options() -> Options:
    """Return the validated options; raises ImproperlyConfigured with the key's name where one is wrong or unknown."""
    given = getattr(django_settings, "LAUNCHER", {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured("LAUNCHER must be a dict.")
    _reject_unknown(given, {option.name.upper() for option in fields(Options)}, "LAUNCHER")
    values = {key.lower(): value for key, value in given.items()}
    commands = values.get("commands", {})
    if not isinstance(commands, Mapping):
        raise ImproperlyConfigured('LAUNCHER["COMMANDS"] must be a dict.')
    values["commands"] = MappingProxyType({name: _command_options(name, value) for name, value in commands.items()})
    if "spool_dir" in values:
        values["spool_dir"] = Path(values["spool_dir"])
    return Options(**values)


def command_options(name: str) -> CommandOptions:
    """Return the operator's options for a command, or the defaults where nothing was said."""
    return options().commands.get(name) or CommandOptions()


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "LAUNCHER":
        options.cache_clear()


setting_changed.connect(_forget)
