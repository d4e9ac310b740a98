"""What a session over the corpus counts: the pages, the arguments behind them, and the law's examples."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum


class Page(Enum):
    """What the page of a command is."""

    FIELDS = "with fields"
    RAW = "raw: another library's parser"
    REFUSED = "not launchable"
    BROKEN = "failed with cause"


@dataclass(kw_only=True)
class Tally:
    """The counts so far; tests add to them in any order."""

    pages: dict[str, Page] = field(default_factory=dict)
    """By command; only those that answered."""
    causes: dict[str, str] = field(default_factory=dict)
    """Why a command has no fields, by command."""
    own_arguments: Counter[str] = field(default_factory=Counter)
    """How many the command adds, those of its sub-commands included."""
    common_arguments: Counter[str] = field(default_factory=Counter)
    """How many it has from Django as every command."""
    drawn: Counter[str] = field(default_factory=Counter)
    """How many argvs were invented for it, those of a search for the smallest failure included."""
    accepted: Counter[str] = field(default_factory=Counter)
    """How many of these its parser took, so that the law applied."""
    beyond_fields: Counter[str] = field(default_factory=Counter)
    """How many of those the fields alone could not say, so that words went to the line for more arguments."""

    def lines(self) -> list[str]:
        """Return what was counted, for people; empty where nothing was."""
        lines = []
        if self.pages:
            counts = Counter(self.pages.values())
            lines.append(f"{len(self.pages):6} commands")
            lines += [f"{counts[page]:6}   {page.value}" for page in Page]
        if self.own_arguments:
            own, common = self.own_arguments.total(), self.common_arguments.total()
            lines.append(f"{own + common:6} arguments of {len(self.own_arguments)} parsers: {own} of their own")
        if self.drawn:
            never = sorted(name for name in self.drawn if not self.accepted[name])
            lines.append(f"{self.drawn.total():6} command lines invented for {len(self.drawn)} commands")
            lines.append(f"{self.accepted.total():6}   accepted by the command's own parser, so the law applied")
            lines.append(f"{self.beyond_fields.total():6}     not by fields alone{_of(self.beyond_fields)}")
            lines.append(f"{len(never):6}   commands that accepted none{_of(never)}")
        return [*lines, *(f"  {name}: {self.pages[name].value}: {self.causes[name]}" for name in sorted(self.causes))]


def _of(names: Collection[str]) -> str:
    return f": {', '.join(sorted(names))}" if names else ""
