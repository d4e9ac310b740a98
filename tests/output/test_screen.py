"""The screen shows what a terminal does (pyte is the witness), loses nothing, and is the same however it is fed."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from launcher.output.screen import HELD_ROWS, ROWS, Screen, ScreenLine, moves_vertically
from launcher.output.terminal import COLUMNS, ERROR_OFF, ERROR_ON, PLAIN, Span, Style, draw_line, plain_text
from tests.fuzzing import examples
from tests.output.test_terminal import edits, erasures, escapes, ignored, sgr, texts
from tests.output.witness import Cell, Witness, stripped

counts = st.sampled_from(["", 0, 1, 2, 3, 5, 39, 40, 41, 200])
places = st.builds("\x1b[{};{}H".format, st.integers(0, 42), st.integers(0, 125))
controls = st.sampled_from(["\n", "\n", "\n", "\r", "\b", "\t", "\x0b", "\x0c", "\x07"])
# Where pyte is wrong, or does what only it does, it is not asked:
# - A cursor behind the last column stays there when it moves up or down (xterm and VT510: it comes back), and is not
#   saved: so a return or a step back comes before these.
# - NEL does not return the carriage, so one comes before it; HPA has another final byte than in ECMA-48; SU and SD are
#   unknown; ED 3 erases the screen, though xterm means its saved lines; DECSTBM without parameters leaves the cursor.
# - With a scroll region the cursor never gets out of it again, whichever way it goes: so it is kept within.
# - Saved cursors are a stack, and clipped to the scroll region: each is restored once, and never beside a region.
vertical = st.builds("\r\x1b[{}{}".format, counts, st.sampled_from("ABEFde"))
rows = st.builds("\x1b[{}{}".format, counts, st.sampled_from("LM"))
erased = st.sampled_from(["\x1b[J", "\x1b[0J", "\x1b[1J", "\x1b[2J"])
single = st.sampled_from(["\x1bD", "\x1bM", "\r\x1bE", "\x1b[D\x1bH", "\x1b[g", "\x1b[3g", "\x1b[?7l", "\x1b[?7h"])
atoms = texts | controls | sgr | edits | erasures | places | vertical | rows | erased | single | ignored
saved = st.lists(atoms, max_size=5).map(lambda parts: f"\x1b[D\x1b7{''.join(parts)}\x1b8")
pages = st.lists(atoms | saved, max_size=30).map("".join)


@st.composite
def regions(draw: st.DrawFn) -> str:
    """Return what a program writes in a scroll region without leaving it."""
    top = draw(st.integers(1, ROWS - 1))
    bottom = draw(st.integers(top + 1, ROWS))
    inside = st.builds("\x1b[{};{}H".format, st.integers(top, bottom), st.integers(1, COLUMNS))
    lines = st.builds("\r\x1b[{}{}".format, counts, st.sampled_from("ABEF"))
    parts = st.lists(texts | controls | sgr | edits | erasures | inside | lines | rows | st.just("\x1bM"), max_size=15)
    return "".join([f"\x1b[{top};{bottom}r", draw(inside), *draw(parts)])


# A wide character that does not fit or is written over pyte cuts in two, and a mark behind one is for the half.
wide_texts = st.text(st.sampled_from("aé日本한😀🎉"), max_size=12)
marked_texts = st.sampled_from(["\re\u0301", "\ra\u0308\u0323b", "\ré\u0323"])
wide_runs = st.lists(wide_texts | sgr, max_size=3).map("".join)
wide_lines = (
    wide_runs
    | st.tuples(marked_texts, wide_runs).map("".join)
    | st.tuples(wide_runs, st.just("\r\x1b[2K"), wide_runs).map("".join)
)
wide_pages = st.lists(wide_lines, max_size=50).map("\n".join)


def cells(screen: Screen) -> list[list[Cell]]:
    return [stripped(zip(row.characters, row.styles, strict=True)) for row in screen._rows]


def fed(*pieces: bytes, style: Style = PLAIN) -> Screen:
    screen = Screen(style=style)
    for piece in pieces:
        screen.feed(piece)
    return screen


def text_lines(screen: Screen) -> list[str]:
    return ["".join(text for text, _ in line.spans) for line in screen.lines()]


def settled_text(screen: Screen) -> list[str]:
    return [plain_text(line.data.removesuffix(b"\n")) for line in screen.take_settled()]


def state(screen: Screen) -> tuple[object, ...]:
    """Return all that can be seen of a screen, now or later, but for times."""
    lines = [(line.spans, line.is_error) for line in screen.lines()]
    return lines, cells(screen), screen.y, screen.column, screen.style, screen.snapshot()


@examples(80)
@given(pages)
@example("a\tb" + "x" * 115 + "\x1b[Kyz\x1b[A!")
def test_the_screen_is_as_pyte_shows_it(text: str) -> None:
    screen, witness = fed(text.encode()), Witness(text)
    assert cells(screen) == witness.cells()
    assert (screen.y, screen.column) == witness.place()
    assert screen.style._replace(is_dim=False) == PLAIN or stripped([("x", screen.style)]) == [("x", witness.look())]


@examples(40)
@given(st.lists(regions(), min_size=1, max_size=3).map("".join))
def test_a_scroll_region_is_as_pyte_shows_it(text: str) -> None:
    screen, witness = fed(text.encode()), Witness(text)
    assert cells(screen) == witness.cells()
    assert (screen.y, screen.column) == witness.place()


@examples(40)
@given(wide_pages)
def test_wide_characters_and_marks_are_as_pyte_shows_them(text: str) -> None:
    screen, witness = fed(text.encode()), Witness(text)
    assert cells(screen) == witness.cells()
    assert (screen.y, screen.column) == witness.place()


anything = st.lists(
    pages.map(str.encode) | wide_pages.map(str.encode) | regions().map(str.encode) | escapes, max_size=4
).map(b"".join)


@examples(40)
@given(anything, st.lists(st.integers(0, 300), max_size=8))
def test_it_makes_no_difference_in_which_pieces_bytes_come(data: bytes, cuts: list[int]) -> None:
    ends = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    whole = fed(data)
    pieces = fed(*(data[start:end] for start, end in pairwise(ends)))
    single = fed(*(bytes([byte]) for byte in data))
    assert state(whole) == state(pieces) == state(single)
    assert whole.finish() == pieces.finish() == single.finish()


@examples(60)
@given(anything, anything)
@example(b"x" * 120, b"y")
@example(b"x" * 121 + b"\r\x1b[K", b"y")
@example(b"x" * 6000, b"y\n" * 40)
@example(b"x" * 120 + b"\x1b[1K\x1b7\r\x1b[2L", b"\x1b8yz\n\xc3")
@example(b"\x1b[44mx" + b"\n" * 50 + b"\x1b[2J\xe2\x80", b"\x94" + b"\n" * 50)
@example(b"a\x1b[?1049hb\x1b[7m\x1b]8;;https://x", b"/\x07link\x1b[?1049lc\x1b[;")
def test_a_snapshot_makes_a_screen_that_goes_on_as_the_first_would(data: bytes, more: bytes) -> None:
    first = fed(data)
    first.take_settled()
    second = fed(first.snapshot())
    assert second.take_settled() == []
    assert state(first) == state(second)
    first.feed(more)
    second.feed(more)
    assert state(first) == state(second)
    assert [line.data for line in first.finish()] == [line.data for line in second.finish()]


def expanded(spans: list[Span]) -> list[Cell]:
    found: list[Cell] = []
    for text, style in spans:
        for character in text:
            size = 8 - len(found) % COLUMNS % 8 if character == "\t" else 1
            found += [(" " if character == "\t" else character, style)] * size
    return stripped(found)


plain_pages = st.lists(texts | sgr | edits | erasures | ignored | st.sampled_from("\n\r\b\t"), max_size=30)


@examples(60)
@given(plain_pages.map("".join).map(str.encode))
@example(b"x" * 300 + b"\ry\n" + b"a\n" * 50)
def test_without_vertical_moves_each_line_is_the_one_that_is_drawn_by_itself(data: bytes) -> None:
    assert not moves_vertically(data)
    settled, style, wanted = fed(data).finish(), PLAIN, []
    for line in data.split(b"\n"):
        spans, style = draw_line(line, style)
        wanted.append(expanded(spans))
    while wanted and not wanted[-1]:
        wanted.pop()
    found = [expanded(draw_line(line.data.removesuffix(b"\n"), PLAIN)[0]) for line in settled]
    assert found[: len(wanted)] == wanted
    assert not any(found[len(wanted) :])


@examples(40)
@given(anything)
def test_settled_lines_are_drawn_alone_and_leave_no_style_behind(data: bytes) -> None:
    screen = fed(data)
    for line in [*screen.take_settled(), *screen.finish()]:
        assert line.data.count(b"\n") <= 1
        assert not moves_vertically(line.data)
        assert draw_line(line.data.removesuffix(b"\n"), PLAIN)[1] == PLAIN


def test_lines_that_leave_the_screen_are_settled_with_their_times() -> None:
    screen = Screen()
    for number in range(50):
        screen.feed(f"line {number}\n".encode(), at=float(number))
    settled = screen.take_settled()
    assert [(line.data, line.at) for line in settled] == [(f"line {n}\n".encode(), float(n)) for n in range(11)]
    assert [line.at for line in screen.lines()] == [float(n) for n in range(11, 50)]
    assert screen.take_settled() == []


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n\n\n  \n"])
def test_finishing_gives_back_what_was_written_to_the_last_byte(end: str) -> None:
    text = "".join(f"line {number}\n" for number in range(60)) + "last\x1b[0m" + end
    screen = fed(text.encode())
    lines = [*screen.take_settled(), *screen.finish()]
    assert b"".join(line.data for line in lines).decode() == text.replace("\x1b[0m", "")


def test_a_nested_bar_is_drawn_in_place() -> None:
    step = "\router {0}\n\rinner {0}\x1b[A"
    screen = fed("".join(step.format(number) for number in range(100)).encode() + b"\n\n")
    assert text_lines(screen) == ["outer 99", "inner 99"]
    assert [line.data for line in screen.finish()] == [b"outer 99\n", b"inner 99\n"]


def test_a_line_longer_than_a_row_is_one_line_and_settles_whole() -> None:
    long = "".join(f"{number}, " for number in range(200))
    screen = fed(long.encode(), b"\nnext\n")
    assert text_lines(screen) == [long, "next"]
    screen.feed(b"\n" * 36)
    assert settled_text(screen) == []
    assert text_lines(screen)[0] == long
    screen.feed(b"\n" * 2)
    assert settled_text(screen) == [long]


def test_a_line_without_end_settles_in_parts() -> None:
    screen = fed(b"x" * COLUMNS * (HELD_ROWS + ROWS + 1), b"y")
    (part,) = screen.take_settled()
    assert part.data == b"x" * COLUMNS * HELD_ROWS
    rest = b"".join(line.data for line in screen.finish())
    assert rest == b"x" * COLUMNS * (ROWS + 1) + b"y"


@pytest.mark.parametrize("clear", ["\x1b[2J", "\x1bc", "\x1b[?1049h", "\x1b[?47h", "\x1b[40S", "\x1b[999999999S"])
def test_what_was_shown_is_settled_before_the_screen_is_cleared(clear: str) -> None:
    screen = fed(b"one\n\x1b[31mtwo", clear.encode())
    assert [line.data for line in screen.take_settled()] == [b"one\n", b"\x1b[38;5;1mtwo\x1b[m\n"]
    assert screen.lines() == []


def test_what_scrolls_off_a_region_is_settled_also_below_a_pinned_line() -> None:
    screen = fed(b"pinned\x1b[2;4r\x1b[2H" + b"".join(b"%d\n" % number for number in range(6)))
    assert settled_text(screen) == ["0", "1", "2", "3"]
    assert text_lines(screen) == ["pinned", "4", "5"]


def test_the_last_picture_of_the_alternate_screen_stays_and_the_output_goes_on_below() -> None:
    screen = fed(b"before\n\x1b[31m\x1b[?1049h\x1b[0m\x1b[5;5Hpicture\x1b[?1049lafter")
    assert settled_text(screen) == ["before", "", "", "", "", "    picture"]
    assert screen.lines()[0].spans == (("after", Style(foreground=1)),)
    assert settled_text(fed(b"text\x1b[?1049l")) == []


# Where pyte can't be asked, as xterm's control sequences (invisible-island.net/xterm/ctlseqs) and ECMA-48 have it.
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\x1b[5Cb\x1b[3`c", ["a c   b"]),
        ("x" * 120 + "\x1b[2;120Hy\x1b[Az", ["x" * 119 + "z", " " * 119 + "y"]),
        ("x" * 120 + "\x1b7\r\n\nmore\x1b8y", ["x" * 120 + "y", "more"]),
        ("x" * 120 + "\x1b[K", ["x" * 120]),
        ("one\ntwo\x1b[1S", ["two"]),
        ("one\ntwo\x1b[T\x1b[Hnew", ["new", "one", "two"]),
        ("one\n\x1b[3J", ["one"]),
        ("one\ntwo\x1bEthree", ["one", "two", "three"]),
        ("\x1b[3;5r\x1b[Hup\x1b[9Bx\x1b[9Ay\x1b[40H\ndown", ["up", "", "   y", "", "  x", *[""] * 34, "down"]),
        ("\x1b[5;3r\x1b[;0r\x1b[9;99rx", ["x"]),
        ("\x1b[3;5r\x1b[4Hin\x1b[r" + "\n" * 3 + "x", ["", "", "", "xn"]),
        ("a\x1b[sb\ncd\x1b[ux", ["ax", "cd"]),
        ("one\x1b8x", ["xne"]),
        ("=\x1b[9b>\x1b[999999999b\x1b[br", ["=" * 10 + ">" * 110 + "r"]),
        ("\x1b[5bx\r\x1b[3by日\x1b[2b", ["y日"]),
        ("ab\x1b[2Icd\x1b[Z\x1b[Ze", ["ab      e       cd"]),
        ("x" * 119 + "日本", ["x" * 119 + "日本"]),
        ("日本\x1b[2Dx", ["日x"]),
        ("日本\x1b[3Dx", [" x本"]),
        ("日本\r\x1b[P", [" 本"]),
        ("日本\r\x1b[C\x1b[@", ["   本"]),
        ("日本\r\x1b[C\x1b[X", ["  本"]),
        ("日本\x1b[3D\x1b[K", [""]),
        ("\u0301a\u0301\u0302" + "\u0301" * 50, ["a\u0301\u0302" + "\u0301" * 6]),
        ("日\u0301本", ["日\u0301本"]),
        ("👩\u200d🚀!", ["👩\u200d🚀!"]),
        ("x" * 120 + "\u0301y", ["x" * 120 + "\u0301y"]),
        ("\x1b[?7l" + "x" * 119 + "abc日d", ["x" * 118 + " d"]),
        ("\x1b[?7;25l" + "x" * 119 + "abc", ["x" * 119 + "c"]),
        ("a\0b\x7fc\x9b1md", ["a\u2400b\u2421c\ufffd1md"]),
        ("\x1b]0;title\nnext", ["", "next"]),
        ("\x1b[31\nred\x1b[1", ["", "red"]),
        ("\x1b#8\x1b(0q\x1b%G", ["q"]),
    ],
)
def test_what_the_witness_does_not_know(written: str, shown: list[str]) -> None:
    screen = fed(written.encode())
    while shown[-1] == "" and len(shown) > 1:
        shown.pop()
    assert [line.rstrip(" ") for line in text_lines(screen)] in (shown, [] if shown == [""] else shown)


def test_links_lead_where_pages_may_link_to_and_end_with_their_line() -> None:
    screen = fed(b"\x1b]8;id=1;https://example.com/?a=1;2\x1b\\text\x1b[1m bold\nnext")
    link = Style(link="https://example.com/?a=1;2")
    assert screen.lines()[0].spans == (("text", link), (" bold", link._replace(is_bold=True)))
    assert screen.lines()[1].spans == (("next", Style(is_bold=True)),)


def test_the_streams_are_told_apart_on_the_screen_too() -> None:
    screen = fed(b"out" + ERROR_ON + b"err\x1b7\x1bc\n\nmore" + ERROR_OFF + b"\x1b8out")
    assert settled_text(screen) == ["outerr"]
    assert [line.is_error for line in screen.lines()] == [False, True, True]
    assert fed(ERROR_ON + b"x" + ERROR_OFF).finish()[0].data == ERROR_ON + b"x" + ERROR_OFF


def test_a_snapshot_tells_the_times_of_its_lines() -> None:
    first = Screen()
    for at in range(3):
        first.feed(b"line\n\n", at=at + 0.5)
    second = fed(first.snapshot())
    assert [line.at for line in second.lines()] == [line.at for line in first.lines()] == [0.5, 0.5, 1.5, 1.5, 2.5]
    assert isinstance(second.lines()[0], ScreenLine)


@pytest.mark.parametrize(
    ("data", "does"),
    [
        *[
            (f"a\x1b[{sequence}b".encode(), True)
            for sequence in [
                "A",
                "2B",
                "E",
                "F",
                "1;1H",
                "3;4f",
                "J",
                "2J",
                "L",
                "M",
                "S",
                "T",
                "d",
                "e",
                "r",
                "s",
                "u",
            ]
        ],
        *[(f"a\x1b{final}b".encode(), True) for final in "78DEMc"],
        *[(f"\x1b[?{mode}".encode(), True) for mode in ("1049h", "47l", "25;1047h")],
        (b"a\x0bb", True),
        (b"page\x0cpage", True),
        *[(f"a\x1b[{sequence}b".encode(), False) for sequence in ("m", "K", "2C", "?25l", "?2004h", ">c", "6n", "?u")],
        (b"plain\r\n\tlines \x1b]0;title\x07 \x1b(B\x1b=", False),
        (b"", False),
    ],
)
def test_vertical_moves_are_told_from_all_else(data: bytes, does: bool) -> None:
    assert moves_vertically(data) is does


bombs = {
    "a string without end": b"\x1b]0;" + b"x" * 200_000,
    "a link without end": b"\x1b]8;;https://" + b"x" * 200_000,
    "parameters without end": b"\x1b[" + b"1;" * 100_000,
    "escapes": b"\x1b" * 200_000,
    "intermediate bytes": b"\x1b" + b" " * 200_000,
    "strings begun": b"\x1b]" * 100_000,
    "colours": b"".join(b"\x1b[38;2;%d;%d;%dmx" % (n >> 16, n >> 8 & 255, n & 255) for n in range(15_000)),
    "links": b"".join(b"\x1b]8;;http://%d\x07x" % n for n in range(15_000)),
    "marks": b"e" + "\u0301".encode() * 100_000,
    "scrolling": b"x\x1b[999999999S\x1b[999999999T" * 2000,
    "rows": b"x\x1b[999999999L\x1b[999999999M" * 2000,
    "erasing in colour": b"\x1b[44m" + b"\x1b[2J" * 2000,
    "blank pages": b"\x1b[44m" + b"\x1b[40Hx\x1b[2J" * 500,
    "saving": b"\x1b7\x1b[s" * 10_000,
    "tabs": b"\x1b[999999999I\x1b[999999999Z" * 8000,
    "moves": b"\x1b[999999999;999999999H\x1b[9999999A" * 8000,
    "columns": b"x\x1b[999999999@\x1b[999999999C\x1b[999999999X\x1b[999999999P" * 4000,
    "zeros": bytes(50_000),
    "no UTF-8": b"\xff\xc3\x28" * 40_000,
}


@pytest.mark.parametrize("name", bombs)
def test_bombs_take_bounded_time_and_room(name: str) -> None:
    data = bombs[name]
    begin = time.process_time()
    screen = Screen()
    settled = 0
    for start in range(0, len(data), 4096):
        screen.feed(data[start : start + 4096])
        settled += sum(len(line.data) for line in screen.take_settled())
        assert len(screen._rest) < 10_000
    assert time.process_time() - begin < 5
    assert settled < 100 * len(data)
    assert len(screen.snapshot()) < 500_000
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", "".join(text_lines(screen)))
