"""What every engine offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from django.core.checks import CheckMessage
from django.utils.translation import gettext as _

from launcher.execution.turn import Place
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

    def warm_up(self, command: str) -> None:  # noqa: B027  an engine that starts nothing early need not say so
        """Make ready for a run of the command, which somebody is about to start. Never waits and never fails."""

    def place(self, run: Run) -> Place | None:
        """Return where a queued run stands, or None if it does not wait for its turn."""
        return None

    def answer(self, run: Run, number: int, text: str | None) -> str:
        """Type a line where the run waits for one, None for the end of all input; `number` is the prompt's.

        Returns an empty string, or why that can't be done. The text is passed on and never kept.
        """
        return _("This engine's runs can't be answered.")

    @abstractmethod
    def stop(self, run: Run) -> None:
        """Make the run's supervisor look at once at what `runs` noted; it would find it by itself a little later."""

    @abstractmethod
    def is_gone(self, run: Run) -> bool:
        """Tell, by evidence, that no process carries the unfinished run and none will."""

    def clear_up(self, run: Run) -> None:  # noqa: B027  nor one that leaves nothing
        """End what is left of a run that is gone, on this machine."""

    @abstractmethod
    def last_words(self, run: Run) -> str:
        """Return what a lost run's supervisor said of its trouble, or an empty string."""

    def check(self) -> list[CheckMessage]:
        """Return what is wrong with the engine's settings, as system check messages."""
        return []

    def check_way(self) -> list[CheckMessage]:
        """Return what makes runs start more slowly than they could, as messages for `check --deploy`."""
        return []
