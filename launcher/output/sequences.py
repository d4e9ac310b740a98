"""The grammar of what a program writes to a terminal: text, control characters, escape sequences (ECMA-48, 5).

An escape sequence that is no known one is swallowed; one without its end is as well, and the next escape or the
line's end gives way to what follows. Sequences have bounds, beyond which they have no effect.
"""

from __future__ import annotations

import re

LONGEST_SEQUENCE = 4096
"""Characters. A longer sequence is one of those that have no effect, so of its beginning nothing need be kept."""

_STRING = r"[^\x07\n\x18\x1a\x1b]*"
TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<control>[^\x1b])"
    r"|\x1b\[(?P<style>[0-9;:]{0,100})m"
    r"|\x1b\[(?P<private>[<-?]?)(?P<parameters>[0-9;:]{0,100})(?P<final>[@-~])"
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"  # CSI without effect, or cut off
    r"|\x1b\]8;[^;\x00-\x1f\x7f-\x9f]{0,1000};(?P<link>[!-~]{0,2000})(?:\x07|\x1b\\)"
    rf"|\x1b\](?P<unlink>8;){_STRING}(?:\x07|\x1b\\)?"  # an address that is none, or without its end
    r"|\x1b\]7711;(?P<time>[0-9.]{0,20})\x07"
    rf"|\x1b[\]P_^X]{_STRING}(?:\x07|\x1b\\)?"  # OSC, DCS, APC, PM, SOS; any other escape ends them too
    r"|\x1b(?P<escape>[0-~])"
    r"|\x1b[ -/]*[0-~]?"  # other escapes, or one cut off
)
"""Matches at any place of a text; `lastgroup` tells what it is, None that it has no effect.

8-bit controls are not obeyed but shown, since text encoded twice is full of them.
"""

_CUT_OFF = re.compile(rf"\x1b(?:\[[0-?]*[ -/]*|[\]P_^X]{_STRING}\x1b?|[ -/]*)\Z")


def cut_off_at(text: str) -> int:
    """Return where a sequence begins that may go on after the text's end; its length, if none does."""
    last = text.rfind("\x1b")
    if last < 0:
        return len(text)
    if last == len(text) - 1:  # it may be the first half of a string's end
        before = text.rfind("\x1b", 0, last)
        return before if before >= 0 and _CUT_OFF.match(text, before) else last
    return last if _CUT_OFF.match(text, last) else len(text)


def shortened(sequence: str) -> str:
    """Return a short beginning that whatever follows continues as it would one that is too long to have an effect."""
    if len(sequence) <= LONGEST_SEQUENCE:
        return sequence
    if sequence[1] == "[":
        return "\x1b[" + "0" * 101 + (" " if sequence[-1] < "0" else "")
    if sequence[1] in "]P_^X":
        return "\x1bX\x1b" if sequence.endswith("\x1b") else "\x1bX"
    return "\x1b "
