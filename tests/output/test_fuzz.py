"""Any bytes: the terminal neither fails nor grows without bound, and no markup but ours comes out."""

from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzzing import examples
from tests.output.laws import check_lines, check_screen

pieces = st.sampled_from(
    [
        *(b"\x1b", b"\x1b[", b"\x1b]", b"\x1b]8;;", b"\x1bP", b"\x1b[?", b"\x07", b"\x1b\\", b";", b":", b"m", b"h"),
        *(b"https://x/?a=1&b=<>\"'", b"javascript:alert(1)", b"<script>", b"</span>", b"<!--", b"&lt;", b"]]>", b"H"),
        *(b"\n", b"\r", b"\b", b"\t", b"\0", b"\x7f", b"\x9b", b"\xc2\x9b", b"\xc3", b"\xe2\x80\xae", b"\xe2\x80\xa8"),
        *("日".encode(), "e\u0301".encode(), "\u0301".encode() * 20, b"x" * 119, b"x" * 120, b"ab" * 400, b"\n" * 45),
        *(b"\x1b[2J", b"\x1b[K", b"\x1b[44m", b"\x1b[38;2;1;2;3m", b"\x1b[7711m", b"\x1b[7710m", b"\x1b[m", b"\x1b[A"),
        *(b"\x1bM", b"\x1b7", b"\x1b8", b"\x1bc", b"\x1b[5;10r", b"\x1b[99H", b"\x1b[9S", b"\x1b[2T", b"\x1b[L"),
        *(b"\x1b[?7l", b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[P", b"\x1b[@", b"\x1b[1K", b"\x1b[X", b"\x1b[3g"),
        *(b"\x1b[?7711h", b"\x1b[?7712h", b"\x1b]7711;1.5\x07", b"\x1b]7711;inf\x07", b"\x1bH", b"\x1b[M"),
    ]
)
written = st.binary(max_size=60) | st.lists(pieces | st.binary(max_size=4), max_size=25).map(b"".join)


@examples(120)
@given(written)
@example(b"\x1b[31m<script>alert(1)</script>\x1b[0m")
@example(b'\x1b[1m"><img src=x onerror=alert(1)>')
@example(b"\x1b]8;;https://x/\"onclick='alert(1)'<b>\x07\x1b[1mx\x1b[38;2;9;9;9my\n")
@example(b"\x1b[1ma\x1b[1mb\n\x1b[1mc\x1b[m\n\n\x1b[md\r\n")
def test_lines_of_any_bytes_are_inert(data: bytes) -> None:
    check_lines(data)


@examples(80)
@given(written, st.integers(0, 100))
def test_a_screen_takes_any_bytes_in_any_pieces(data: bytes, cut: int) -> None:
    check_screen(data, cut)
