"""How many columns of a terminal a character takes; knows only Unicode."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MARKS_PER_CHARACTER = 8
"""Marks that a character keeps: writing systems need three or four, and a pile of them hides the lines above."""

_SURELY_ONE = re.compile(
    "[\\x20-\\x7e\\xa0-\u02ff\u0370-\u0482\u048a-\u0590\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2100-\u2319"
    "\u2400-\u2426\u2460-\u25fc\u2713-\u2727\u2800-\u28ff\ufffd]*"
)


def is_one_column_each(text: str) -> bool:
    """Tell whether each character surely takes one column; quick for all that commands commonly write."""
    return text.isascii() or _SURELY_ONE.fullmatch(text) is not None


def has_piled_marks(text: str) -> bool:
    """Tell whether a character has more marks than it may keep."""
    return _piled_marks().search(text) is not None


@lru_cache(maxsize=1)
def _piled_marks() -> re.Pattern[str]:
    # Made when a text is first not ASCII, since looking at all characters takes milliseconds. Two sets in a row are
    # what `re` searches quickly; it does so only within the first plane, which has all that could be piled.
    marks = [chr(number) for number in range(0x300, 0xFFFF) if unicodedata.category(chr(number)) in ("Mn", "Me")]
    one = f"[{''.join(map(re.escape, marks))}]"
    return re.compile(f"{one}{one}{{{MARKS_PER_CHARACTER}}}")


@lru_cache(maxsize=4096)
def columns(character: str) -> int:
    """Return 2 for wide characters, 0 for those that change the one before (marks, joiners), else 1.

    Ambiguous ones take one column, as on all terminals but those set up for East Asian fonts (Unicode TR 11).
    """
    category = unicodedata.category(character)
    if category in ("Mn", "Me") or (category == "Cf" and character != "\xad") or "\u1160" <= character <= "\u11ff":
        return 0  # the last are vowels and finals of Hangul, drawn into the syllable before
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
