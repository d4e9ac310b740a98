"""Text of big pieces: the same as each line's, whatever the bytes."""

import time

from hypothesis import example, given
from hypothesis import strategies as st

from launcher.output.terminal import plain_text
from launcher.output.text import shown

BITS = [
    *(b"a", b"word", b" ", b"\t", b"\n", b"\n", b"\r\n", b"\r", b"\b", b"\x07", b"\0", b"\x7f", b"\x1b", b"\x9b"),
    *("é✓😀".encode(), b"\xc2", b"\xc2\x85", b"\xe2\x9c", b"\xff", b"[", b"0;31m", b"m", b"K"),
    *(b"\x1b[31m", b"\x1b[0m", b"\x1b[m", b"\x1b[7711m", b"\x1b[7710m", b"\x1b[38:2::1:2:3m", b"\x1b[K", b"\x1b[0K"),
    *(
        b"\x1b[1K",
        b"\x1b[3D",
        b"\x1b[5C",
        b"\x1b[2J",
        b"\x1b]8;;https://a.example/\x1b\\",
        b"\x1b]8;;\x07",
        b"\x1b]0;t\x07",
    ),
    *(b"\x1b]8;", b"\x1b\\", b"\x1b[" + b"1;" * 60 + b"m"),
]
some_bytes = st.lists(st.sampled_from(BITS), max_size=30).map(b"".join)


@given(some_bytes | st.binary(max_size=40))
@example(b"\x1b[\x1b[0m31m")
@example(b"a\r\x1b[0m\n")
@example(b"\x1b]8;\x1b[0m\x07")
@example(b"a\r\r\n\r\n\r")
def test_a_piece_shows_what_its_lines_show(data: bytes) -> None:
    lines = shown(data).decode("utf-8", "replace").split("\n")
    assert lines == [plain_text(line) for line in data.split(b"\n")]


def test_a_clean_piece_is_not_even_copied() -> None:
    data = "a line\nand é another\tone\n".encode()
    assert shown(data) is data


def test_colours_are_left_out_of_megabytes_in_no_time() -> None:
    data = b"\x1b[32mINFO\x1b[0m a line of a usual length, with a \x1b[1mword\x1b[0m in bold type\n" * 20_000
    began = time.process_time()
    text = shown(data)
    assert time.process_time() - began < 1  # some 20 ms
    assert text == b"INFO a line of a usual length, with a word in bold type\n" * 20_000
