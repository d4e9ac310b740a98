"""What real programs wrote to a terminal of ours is drawn as they meant it; tests/recordings says how it came there."""

import random
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest

from launcher.output.screen import Screen, moves_vertically
from launcher.output.terminal import PLAIN, draw_lines, plain_text
from tests.output.test_screen import cells, fed, state
from tests.output.witness import Witness

FOLDER = Path(__file__).parents[1] / "recordings"
NAMES = sorted(path.stem for path in FOLDER.glob("*.bytes"))
VERTICAL = {"curses_bar", "rich_progress", "rich_table", "tqdm_nested"}


def recorded(name: str) -> bytes:
    return (FOLDER / f"{name}.bytes").read_bytes()


def wanted(name: str) -> list[str]:
    """Return the lines that are left in the end."""
    return (FOLDER / f"{name}.txt").read_text().splitlines()


def whole_text(screen: Screen) -> list[str]:
    return without_blank_end(plain_text(line.data.removesuffix(b"\n")) for line in screen.finish())


def without_blank_end(lines: Iterable[str]) -> list[str]:
    """Return lines without blanks at their ends, and without blank ones at the end."""
    found = [line.rstrip() for line in lines]
    while found and not found[-1]:
        found.pop()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_ends_in_the_text_that_a_terminal_has_then(name: str) -> None:
    assert whole_text(fed(recorded(name))) == wanted(name)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "curses_bar"])  # pyte has no alternate screen
def test_a_recording_ends_in_the_screen_that_pyte_has_then(name: str) -> None:
    screen, witness = fed(recorded(name)), Witness(recorded(name).decode())
    assert cells(screen) == witness.cells()
    assert (screen.y, screen.column) == witness.place()


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_drawn_the_same_in_whatever_pieces_it_comes(name: str) -> None:
    data = recorded(name)
    cuts = sorted(random.Random(name).sample(range(len(data)), 20))
    pieces = fed(*(data[start:end] for start, end in pairwise([0, *cuts, len(data)])))
    assert state(fed(data)) == state(pieces) == state(fed(*(bytes([byte]) for byte in data)))


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_goes_on_from_a_snapshot(name: str) -> None:
    data = recorded(name)
    for cut in random.Random(name).sample(range(len(data)), 10):
        first = fed(data[:cut])
        second = fed(first.snapshot())
        before = first.take_settled()
        second.feed(data[cut:])
        assert [line.data for line in before + second.finish()] == [line.data for line in fed(data).finish()]


@pytest.mark.parametrize("name", NAMES)
def test_only_what_moves_from_line_to_line_needs_a_screen(name: str) -> None:
    data = recorded(name)
    assert moves_vertically(data) == (name in VERTICAL)
    if name not in VERTICAL:
        lines = ("".join(text for text, _ in spans) for spans in draw_lines(data, PLAIN)[0])
        assert without_blank_end(lines) == wanted(name)
