"""A line is drawn as a terminal would leave it; pyte is the witness for what happens within a line."""

import itertools
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from launcher.output.terminal import (
    COLUMNS,
    ERROR_OFF,
    ERROR_ON,
    PLAIN,
    Style,
    draw_line,
    draw_lines,
    is_only_marks,
    parse_style,
    plain_text,
    style_after,
    uncut_length,
    whole_length,
    without_marks,
)
from tests.fuzzing import examples
from tests.output.witness import Cell, Witness, stripped

RED = Style(foreground=1)

parts_of_colours = st.integers(0, 255)
colours = st.none() | parts_of_colours | st.tuples(parts_of_colours, parts_of_colours, parts_of_colours)
styles = st.builds(
    Style,
    foreground=colours,
    background=colours,
    is_bold=st.booleans(),
    is_dim=st.booleans(),
    is_italic=st.booleans(),
    is_underlined=st.booleans(),
    is_reversed=st.booleans(),
    is_struck=st.booleans(),
    is_error=st.booleans(),
    link=st.just(""),
)
texts = st.text(st.sampled_from("abc XYZ-0189#=>|%éß✓█"), max_size=8)
# What pyte knows too: it has no faint text, double underline or colons.
numbers = st.sampled_from([0, 1, 3, 4, 7, 9, 22, 23, 24, 27, 29, *range(30, 38), 39, *range(40, 48), 49, 90, 97, 100])
palette_colours = st.builds("{};5;{}".format, st.sampled_from([38, 48]), st.integers(0, 255))
true_colours = st.builds("{};2;{};{};{}".format, st.sampled_from([38, 48]), *[parts_of_colours] * 3)
sgr = st.lists(numbers | palette_colours | true_colours, max_size=4).map(
    lambda parts: f"\x1b[{';'.join(map(str, parts))}m"
)
edits = st.builds("\x1b[{}{}".format, st.sampled_from(["", *range(30)]), st.sampled_from("CDGPX@"))
erasures = st.sampled_from(["\x1b[K", "\x1b[0K", "\x1b[1K", "\x1b[2K"])
controls = st.sampled_from(["\r", "\r", "\b", "\t", "\x07", "\x0e"])
ignored = st.sampled_from(["\x1b]0;title\x07", "\x1b]8;;http://x/\x1b\\", "\x1b[?25l", "\x1b(B", "\x1b[6n"])
lines = st.lists(texts | sgr | edits | erasures | controls | ignored, max_size=20).map("".join)
escapes = st.lists(
    st.binary(max_size=6)
    | st.sampled_from([b"\x1b[", b"\x1b]", b"\x1b", b"31", b";", b":", b"m", b"\r", b"\xc3", b"1K", b"7711"])
    | st.sampled_from([ERROR_ON, ERROR_OFF, b"\x1b[0m", b"\x1b[m"])
).map(b"".join)


def terminal_cells(line: str) -> list[Cell]:
    """Return what pyte shows of a line, over all rows that it takes."""
    witness = Witness(line)
    blank = (" ", PLAIN)
    *full, last = witness.cells()[: witness.cursor.y + 1]
    return stripped([cell for row in full for cell in [*row, *[blank] * (COLUMNS - len(row))]] + last)


def drawn_cells(line: str) -> list[Cell]:
    spans, _ = draw_line(line.encode(), PLAIN)
    cells: list[Cell] = []
    for text, style in spans:
        for character in text:
            size = 8 - len(cells) % COLUMNS % 8 if character == "\t" else 1
            cells += [(" " if character == "\t" else character, style)] * size
    return stripped(cells)


@examples(100)
@given(lines)
@example("10%\r\x1b[K9%")
@example("ab\tc\rx\x1b[1K")
def test_a_line_looks_as_pyte_shows_it(line: str) -> None:
    assert drawn_cells(line) == terminal_cells(line)


def test_plain_text_is_one_span() -> None:
    assert draw_line(b"Imported 12 rows", RED) == ([("Imported 12 rows", RED)], RED)
    assert draw_line(b"", RED) == ([], RED)


def test_the_carriage_return_of_a_windows_line_is_left_out() -> None:
    assert draw_line(b"one\r", PLAIN) == ([("one", PLAIN)], PLAIN)
    assert plain_text(b"\x1b[1mone\x1b[0m\r") == "one"


def test_a_tab_stays_a_tab_unless_the_cursor_is_moved() -> None:
    assert plain_text(b"sku\tname") == "sku\tname"
    assert plain_text(b"\x1b[1msku\tname") == "sku\tname"
    assert plain_text(b"sku\tname\rS") == "Sku     name"


@pytest.mark.parametrize(
    ("parameters", "style"),
    [
        ("31", RED),
        ("1;31", Style(foreground=1, is_bold=True)),
        ("95;104", Style(foreground=13, background=12)),
        ("38;5;208", Style(foreground=208)),
        ("48:5:208", Style(background=208)),
        ("38;2;255;135;1", Style(foreground=(255, 135, 1))),
        ("38:2:255:135:1", Style(foreground=(255, 135, 1))),
        ("48:2::255:135:1", Style(background=(255, 135, 1))),
        ("38;2;128;999;128;1", Style(foreground=(128, 255, 128), is_bold=True)),
        ("4:3", Style(is_underlined=True)),
        ("4;4:0", PLAIN),
        ("21", Style(is_underlined=True)),
        ("58;5;9", PLAIN),
        ("58:2::1:3:4;3", Style(is_italic=True)),
        ("31;", PLAIN),
        ("31;38;5", RED),
        ("31;38;7;3", Style(foreground=1, is_italic=True)),
        ("31;55;99999999999999", RED),
    ],
)
def test_sgr_parameters_make_the_style_of_ecma_48_and_xterm(parameters: str, style: Style) -> None:
    assert draw_line(f"\x1b[{parameters}mx".encode(), PLAIN) == ([("x", style)], style)


@pytest.mark.parametrize("parameters", [">4;2", "?1", "1 ", "1" * 200])
def test_a_sequence_that_only_resembles_sgr_changes_nothing(parameters: str) -> None:
    assert draw_line(f"\x1b[{parameters}mx".encode(), RED) == ([("x", RED)], RED)


@pytest.mark.parametrize(
    "junk",
    [
        "\x1b]0;a title\x07",
        "\x1b]8;;http://example.com\x1b\\",
        "\x1bP1$r0m\x1b\\",
        "\x1b_apc\x1b\\",
        "\x1b[?2004h",
        "\x1b[2 q",
        "\x1b(B",
        "\x1b7",
        "\x07",
    ],
)
def test_what_has_no_effect_within_a_line_is_swallowed(junk: str) -> None:
    assert plain_text(f"be{junk}fore".encode()) == "before"


@pytest.mark.parametrize("cut", ["\x1b", "\x1b[", "\x1b[31", "\x1b[31;", "\x1b]8;;http://exam", "\x1b("])
def test_an_escape_without_its_end_is_swallowed(cut: str) -> None:
    assert plain_text(f"text{cut}".encode()) == "text"


def test_a_string_without_its_end_gives_way_to_the_next_escape() -> None:
    assert draw_line(b"\x1b]0;title\x1b[31mred", PLAIN) == ([("red", RED)], RED)


def test_neighbours_of_one_style_are_one_span() -> None:
    assert draw_line(b"a\x1b[0mb\x07c\x1b[31md", PLAIN)[0] == [("abc", PLAIN), ("d", RED)]


def test_other_control_characters_are_shown() -> None:
    assert plain_text(b"a\0b\x01c\x7fd\x0c") == "a\u2400b\u2401c\u2421d\u240c"
    assert plain_text("a\x9b31mb".encode()) == "a\ufffd31mb"


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert plain_text(b"caf\xe9 \xff") == "caf\ufffd \ufffd"
    assert plain_text(b"\xe2\x1b[1mx") == "\ufffdx"


def test_erasing_leaves_the_background_in_force() -> None:
    blue = Style(background=4)
    assert draw_line(b"abc\x1b[44;1m\x1b[2K", PLAIN)[0] == [(" " * COLUMNS, blue)]
    assert draw_line(b"abc\x1b[44;1m\x1b[K", PLAIN)[0] == [("abc", PLAIN), (" " * (COLUMNS - 3), blue)]
    assert draw_line(b"abc\x1b[44m\r\x1b[2X", PLAIN)[0] == [("  ", blue), ("c", PLAIN)]


@pytest.mark.parametrize("final", "@ABCDEFGHIJKLMPSTXZ`abdefghijlmnpqrstu")
@pytest.mark.parametrize("number", ["999999999", "9" * 5000])
def test_a_huge_parameter_makes_no_huge_line(final: str, number: str) -> None:
    assert len(plain_text(f"x\x1b[{number}{final}y\x1b[{number}{final}z".encode())) <= 1000


@given(st.binary(max_size=200) | escapes, styles)
@example(b"\x1b[" + b"9" * 5000 + b"G", PLAIN)
def test_any_bytes_can_be_drawn(data: bytes, style: Style) -> None:
    spans, _ = draw_line(data, style)
    assert sum(len(text) for text, _ in spans) <= len(data) + 500
    assert all(one[1] != other[1] for one, other in itertools.pairwise(spans))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "".join(text for text, _ in spans).replace("\n", ""))


@given(escapes.map(lambda data: data.replace(b"\n", b"")), styles)
@example(b"\x1b]0;x\x1b[1m", PLAIN)
def test_the_style_after_bytes_is_the_style_after_drawing_them(data: bytes, style: Style) -> None:
    assert style_after(data, style) == draw_line(data, style)[1]


@given(styles)
def test_a_style_survives_being_written_down(style: Style) -> None:
    assert parse_style(style.code()) == style
    assert len(style.code()) <= 64


ERROR = Style(is_error=True)


def test_stderr_is_told_by_its_marks() -> None:
    spans, style = draw_line(b"a" + ERROR_ON + b"b\x1b[31mc\x1b[0md" + ERROR_OFF + b"e", PLAIN)
    assert spans == [("a", PLAIN), ("b", ERROR), ("c", Style(foreground=1, is_error=True)), ("d", ERROR), ("e", PLAIN)]
    assert style == PLAIN


@pytest.mark.parametrize("parameters", ["7711;1", "1;7711", "07711", "7711;", ";7711", "77110", "771", "7711:1"])
def test_only_the_very_marks_tell_stderr(parameters: str) -> None:
    assert not draw_line(f"\x1b[{parameters}mx".encode(), PLAIN)[1].is_error


def test_marks_leave_no_text() -> None:
    assert plain_text(b"x" + ERROR_ON + b"y" + ERROR_OFF + b"z" + ERROR_ON[:4]) == "xyz"


marks = st.sampled_from([ERROR_ON, ERROR_OFF, ERROR_ON[:5], b"\x1b[771", b"\x1b", b"[7710m", b"11m", b"\x1b[0m"])
marked = st.lists(st.binary(max_size=3) | marks).map(b"".join)


@given(marked, st.lists(st.integers(0, 200), max_size=8))
@example(b"\x1b[77" + ERROR_ON + b"11m", [4])
@example(b"\x1b[77" + ERROR_ON + b"10m", [])
def test_without_marks_the_bytes_are_those_that_were_written(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(place, len(data)) for place in cuts), len(data)]
    pieces = list(without_marks(data[start:end] for start, end in itertools.pairwise(places)))
    assert b"".join(pieces) == re.sub(rb"\x1b\[771[01]m", b"", data)
    assert all(pieces)


def test_taking_marks_out_of_plain_text_costs_next_to_nothing() -> None:
    pieces = [b"\x1b[32mOK\x1b[0m a line of text\n" * 10_000] * 200
    begin = time.process_time()
    size = sum(map(len, without_marks(pieces)))
    assert size == sum(map(len, pieces)) > 50_000_000
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("data", "is_only"),
    [(b"", True), (ERROR_ON, True), (ERROR_OFF + ERROR_ON, True), (ERROR_OFF + b"\n", False), (b"\x1b[0m", False)],
)
def test_nothing_but_marks_is_nothing_written(data: bytes, is_only: bool) -> None:
    assert is_only_marks(data) == is_only


@examples(60)
@given(lines, st.data())
def test_a_line_cut_where_it_is_whole_has_the_text_and_style_of_the_line(line: str, data: st.DataObject) -> None:
    written = b"x" + re.sub("[\r\b\t]|\x1b\\[[0-9]*[CDGPX@K]", "", line).encode()
    cut = whole_length(written[: data.draw(st.integers(1, len(written)))])
    left, style = draw_line(written[:cut], PLAIN)
    right, end = draw_line(written[cut:], style)
    whole, whole_end = draw_line(written, PLAIN)
    assert "".join(text for text, _ in [*left, *right]) == "".join(text for text, _ in whole)
    assert end == whole_end


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (b"", 0),
        (b"abc", 3),
        (b"abc\x1b[3", 3),
        (b"abc\x1b", 3),
        (b"abc\x1b]8;;http://x/\x1b", 3),
        (b"abc\x1b[31m", 8),
        ("né".encode(), 3),
        ("né".encode()[:2], 1),
        ("n✓".encode()[:3], 1),
        (b"\xc3", 1),
        (b"\x1b]0;title\nnext", 14),
    ],
)
def test_the_whole_length_leaves_out_what_is_cut_off(data: bytes, length: int) -> None:
    assert whole_length(data) == length


def test_of_a_beginning_alone_nothing_is_uncut() -> None:
    assert [uncut_length(data) for data in (b"", b"\x1b[3", b"\xc3", b"x\x1b", b"xy")] == [0, 0, 0, 1, 2]


@pytest.mark.parametrize(
    "unit", [b"\x1b[31ma\x1b[0mb", b"\x1b[1K", b"ab\x1b[P\r", b"\x1b[", b"\x1b]", b"\t", b"x\x1b[@", b"\x1b[9999999G."]
)
def test_a_long_line_of_escapes_is_drawn_in_reasonable_time(unit: bytes) -> None:
    data = b"x" * 30_000 + unit * (100_000 // len(unit))
    begin = time.process_time()
    draw_line(data, PLAIN)
    style_after(data, PLAIN)
    whole_length(data)
    assert time.process_time() - begin < 5


def test_a_line_wider_than_any_terminal_is_drawn_whole() -> None:
    line = "".join(f"{number} " for number in range(2000))
    assert plain_text(f"\x1b[1m{line}".encode()) == line
    end = len(line) // COLUMNS * COLUMNS
    assert plain_text(f"{line}\rx".encode()) == line[:end] + "x" + line[end + 1 :]


def test_a_pile_of_marks_is_cut_down() -> None:
    piled = "Z\u0301\u0302" + "\u0303" * 50
    assert plain_text(f"{piled}!".encode()) == "Z\u0301\u0302" + "\u0303" * 6 + "!"
    assert draw_lines(f"é\n{piled}".encode(), PLAIN)[0][1] == [("Z\u0301\u0302" + "\u0303" * 6, PLAIN)]
    assert plain_text("e\u0301 ก็ שָׁ".encode()) == "e\u0301 ก็ שָׁ"


def test_wide_characters_take_two_columns() -> None:
    assert plain_text("日本\rab".encode()) == "ab本"
    assert plain_text("日本\r\x1b[Cx".encode()) == " x本"
    assert plain_text(f"{'x' * 119}日\ry".encode()) == "x" * 119 + "y "


def test_a_link_is_a_part_of_the_style_until_its_line_ends() -> None:
    spans, style = draw_line(b"a\x1b]8;;https://example.com\x1b\\b\x1b[0mc", RED)
    link = Style(link="https://example.com")
    assert spans == [("a", RED), ("b", RED._replace(link=link.link)), ("c", link)]
    assert style == PLAIN


def test_many_lines_are_drawn_as_each_is() -> None:
    data = b"one\n\n\x1b[31mtwo\nthree\x1b[0m\r\nfour\rF\n\tfive"
    lines, style = draw_lines(data, PLAIN)
    assert lines == [[("one", PLAIN)], [], [("two", RED)], [("three", RED)], [("Four", PLAIN)], [("\tfive", PLAIN)]]
    assert style == PLAIN
    assert draw_lines(b"", RED) == ([], RED)
    assert draw_lines(b"\n", RED) == ([[]], RED)
