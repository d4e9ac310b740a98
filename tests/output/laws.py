"""What holds for any bytes that go through the terminal; Hypothesis and `fuzz/terminal.py` look for exceptions."""

from __future__ import annotations

import re

from launcher.output.html import spans_html
from launcher.output.screen import HELD_ROWS, ROWS, Screen, moves_vertically
from launcher.output.style import PLAIN, Span
from launcher.output.terminal import COLUMNS, draw_line, draw_lines
from launcher.output.width import MARKS_PER_CHARACTER
from tests.output.inert import read

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
MOST_CHARACTERS = (ROWS + HELD_ROWS) * COLUMNS * (1 + MARKS_PER_CHARACTER)


def check_lines(data: bytes) -> None:
    """Assert that bytes drawn as lines are only text in our markup, whichever way they are drawn."""
    lines, style = draw_lines(data, PLAIN)
    one_style, one_by_one = PLAIN, []
    for line in data.removesuffix(b"\n").split(b"\n") if data else ():
        spans, one_style = draw_line(line, one_style)
        one_by_one.append(spans)
    assert (lines, style) == (one_by_one, one_style)
    for spans in lines:
        check_html(spans)


def check_html(spans: list[Span]) -> None:
    """Assert that the HTML of a line says what was drawn, and nothing else."""
    text = "".join(text for text, _ in spans)
    assert not _CONTROL.search(text)
    reader = read(spans_html(spans))
    assert reader.text == _TURNING.sub("\ufffd", text)


def check_screen(data: bytes, cut: int) -> None:
    """Assert that a screen is bounded, the same whichever way it is fed, and goes on from its snapshot."""
    whole, cuts = Screen(), Screen()
    whole.feed(data)
    cuts.feed(data[:cut])
    copy = Screen()
    copy.feed(cuts.snapshot())
    assert copy.take_settled() == []
    assert copy.snapshot() == cuts.snapshot()
    settled = [line.data for line in cuts.take_settled()]
    cuts.feed(data[cut:])
    copy.feed(data[cut:])
    assert whole.snapshot() == cuts.snapshot() == copy.snapshot()
    assert whole.lines() == cuts.lines() == copy.lines()
    assert sum(len(text) for line in whole.lines() for text, _ in line.spans) <= MOST_CHARACTERS
    for line in whole.lines():
        check_html(list(line.spans))
    ends = [[line.data for line in screen.finish()] for screen in (whole, cuts, copy)]
    assert ends[0] == settled + ends[1] == settled + ends[2]
    for end in ends[0]:
        assert not moves_vertically(end)
        assert draw_line(end.removesuffix(b"\n"), PLAIN)[1] == PLAIN
