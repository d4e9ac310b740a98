"""What every engine offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from django.core.checks import CheckMessage

from launcher.models import Run


class EngineError(Exception):
    """The engine can't take a run; the message is for the person who asked."""


class Engine(ABC):
    """Carries runs to a process. It never writes a run's status: supervisor and `runs` do."""

    name: str

    @abstractmethod
    def submit(self, run: Run, argv: Sequence[str], secrets: Sequence[str]) -> None:
        """Have the run carried out with this argv, whole; `secrets` are texts in it that no record may show.

        Called after the run is committed. Raises EngineError if that is already known to fail.
        """

    @abstractmethod
    def stop(self, run: Run) -> None:
        """Make the run's supervisor look at once at what `runs` noted; it would find it by itself a little later."""

    @abstractmethod
    def is_gone(self, run: Run) -> bool:
        """Tell, by evidence, that no process carries the unfinished run and none will."""

    @abstractmethod
    def last_words(self, run: Run) -> str:
        """Return what a lost run's supervisor said of its trouble, or an empty string."""

    def check(self) -> list[CheckMessage]:
        """Return what is wrong with the engine's settings, as system check messages."""
        return []
