"""Output told apart, without what only a terminal understands: the same however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launcher.management.streams import Bare, Divider, Echo
from launcher.output.terminal import ERROR_OFF, ERROR_ON

pieces = st.lists(
    st.sampled_from([ERROR_ON, ERROR_OFF, b"\x1b[32m", b"\x1b[77", b"\x1b", b"[", b"text\n", b"\xff\x00", b"1m"])
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def divided(parts: list[bytes]) -> dict[bool, bytes]:
    divider = Divider()
    found = {False: b"", True: b""}
    for part in parts:
        for is_error, text in divider.divide(part):
            found[is_error] += text
    for is_error, text in divider.divide(b"", is_end=True):
        found[is_error] += text
    return found


def bare(*parts: bytes) -> bytes:
    stripper = Bare()
    return b"".join(map(stripper.strip, parts)) + stripper.strip(b"", is_end=True)


def without_echo(answer: bytes, *parts: bytes) -> bytes:
    echo = Echo()
    echo.expect(answer)
    return b"".join(map(echo.strip, parts)) + echo.strip(b"", is_end=True)


def test_stderr_is_what_stands_between_the_marks() -> None:
    data = b"one\n" + ERROR_ON + b"two\n" + ERROR_OFF + b"three\n"
    assert divided([data]) == {False: b"one\nthree\n", True: b"two\n"}


@given(pieces, st.lists(st.integers(0, 200), max_size=6))
def test_marks_are_found_wherever_the_output_is_cut(data: list[bytes], places: list[int]) -> None:
    whole = b"".join(data)
    assert divided(cut(whole, places)) == divided([whole])
    assert b"".join(divided([whole]).values()).count(ERROR_ON) == 0


def test_nothing_waits_for_more_unless_a_mark_may_have_begun() -> None:
    assert list(Divider().divide(b"Name: ")) == [(False, b"Name: ")]
    assert list(Divider().divide(b"\x1b[32mgreen")) == [(False, b"\x1b[32mgreen")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x1b[32;1mgreen\x1b[0m\n", b"green\n"),
        (b"\x1b[2K\x1b[1A\r 50%", b"\r 50%"),
        (b"\x1b]8;;http://example.com\x1b\\link\x1b]8;;\x07", b"link"),
        (b"\x1b]never closed\nnext", b"\x1b]never closed\nnext"),
        (bytes(range(256)), bytes(range(256))),
        (b"cut off \x1b[3", b"cut off \x1b[3"),
    ],
)
def test_escape_sequences_are_taken_out_and_nothing_else(data: bytes, expected: bytes) -> None:
    assert bare(data) == expected


@given(pieces, st.lists(st.integers(0, 200), max_size=6))
def test_escape_sequences_are_found_wherever_the_output_is_cut(data: list[bytes], places: list[int]) -> None:
    whole = b"".join(data)
    assert bare(*cut(whole, places)) == bare(whole)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([b"yes\nthanks"], b"thanks"),
        ([b"y", b"es", b"\n", b"thanks"], b"thanks"),
        ([b"yes\x1b[?2004l\r\n"], b""),
        ([b"thanks\nyes\nbye"], b"thanks\nbye"),
        ([b"tha", b"nks\n", b"ye", b"s\r", b"\nbye"], b"thanks\nbye"),
        ([b"you said yes\nbye"], b"you said yes\nbye"),
        ([b"you said ", b"yes\nbye"], b"you said yes\nbye"),
        ([b"x" * 5000 + b"\n", b"yes\n"], b"x" * 5000 + b"\nyes\n"),
        ([b"ye"], b"ye"),
        ([b"yes\nyes\n"], b"yes\n"),
    ],
)
def test_the_echo_of_an_answer_is_taken_out_once(parts: list[bytes], expected: bytes) -> None:
    assert without_echo(b"yes", *parts) == expected


def test_the_echo_of_an_empty_answer_is_a_newline() -> None:
    assert without_echo(b"", b"\nthanks\n") == b"thanks\n"
