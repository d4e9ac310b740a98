"""What carries a run to a process. The engine in use is named by `LAUNCHER["ENGINE"]`."""

from __future__ import annotations

from functools import cache

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from launcher.conf import options
from launcher.engines.base import Engine, EngineError

__all__ = ["Engine", "EngineError", "engine"]


@cache
def engine() -> Engine:
    """Return the project's engine; raises ImportError for a wrong path."""
    made: Engine = import_string(options().engine)()
    return made


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "LAUNCHER":
        engine.cache_clear()


setting_changed.connect(_forget)
