"""How many examples a property is tried with: few in the common run, more with LAUNCHER_EXAMPLES=20 of those."""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import settings

_TIMES = int(os.environ.get("LAUNCHER_EXAMPLES", "1"))


def examples(count: int) -> Callable[[Any], Any]:
    """Return the decorator that asks for so many, or that many times more."""
    return settings(max_examples=count * _TIMES)
