"""Big pieces of output to the text that they show, fast; knows no run and no Django.

`terminal.draw_line` says what a line shows. Most lines have nothing to draw, or colours alone: those are done for a
whole piece at once, and only what is left goes line by line.
"""

from __future__ import annotations

import re

from launcher.output.terminal import plain_text

# Sequences that change how text looks and nothing else; erasing to the right of what was written last, as grep does
# behind each colour, changes nothing. No group in it, so that `split` leaves them out.
_LOOK = re.compile(rb"\x1b(?:\[(?:[0-9;:]*m|0?K)|\]8;[^\x00-\x1f\x7f]*(?:\x07|\x1b\\))")
_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\n\t\r")
_DRAWN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")  # a tab only where a line has escapes


def shown(data: bytes) -> bytes:
    r"""Return what some lines, or a part of one, show: without escapes, as `draw_line` leaves each of them.

    It has as many "\n" as the data. Bytes that are no UTF-8 stay what they are; a reader decodes with "replace".
    A clean piece is returned as it is, so this costs little more than a look at it.
    """
    is_styled = b"\x1b" in data
    text = b"".join(_LOOK.split(data)) if is_styled else data
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    if not _has_controls(text) and not (is_styled and b"\t" in text):
        return text
    # Lines of which nothing is left to draw are right already; the others are drawn from what was written.
    lines = text.split(b"\n")
    for number, written in enumerate(data.split(b"\n")):
        if _DRAWN.search(lines[number]) or (is_styled and b"\t" in lines[number] and b"\x1b" in written):
            lines[number] = plain_text(written).encode()
    return b"\n".join(lines)


def _has_controls(text: bytes) -> bool:
    if b"\r" in text or len(text.translate(None, _CONTROLS)) != len(text):
        return True
    # Control characters of 8 bits, in UTF-8.
    return not text.isascii() and b"\xc2" in text and _DRAWN.search(text) is not None
