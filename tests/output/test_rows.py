"""Rows of many lines at once are those of each line by itself."""

from hypothesis import example, given
from hypothesis import strategies as st

from launcher.output.marks import Mark
from launcher.output.rows import ROW_CHARACTERS, Cursor, Row, line_rows, lines_rows, with_times
from launcher.output.style import ERROR_OFF, ERROR_ON, parse_style

PIECES = st.sampled_from(
    [
        *(b"a", b"word ", b"\n", b"\n\n", b"\r\n", b"\r", b"\t", b"\x00", b"\xff", "é界".encode()),
        *(b"\x1b[31m", b"\x1b[0m", ERROR_ON, ERROR_OFF, b"\x1b[A", b"\x1b]8;;https://example.com\x07"),
        b"x" * (ROW_CHARACTERS - 1),
    ]
)
TEXTS = st.lists(PIECES, max_size=30).map(lambda pieces: b"".join(pieces) + b"\n")
STYLES = st.sampled_from(["", "31", "7711", "1;38;2;1;2;3;7711"])


@given(data=TEXTS, style=STYLES, is_within_line=st.booleans(), steps=st.lists(st.integers(1, 9), max_size=4))
@example(data=ERROR_ON + b"\n\n" + ERROR_OFF + b"\n\n", style="", is_within_line=False, steps=[])
def test_rows_of_many_lines_are_those_of_each(data: bytes, style: str, is_within_line: bool, steps: list[int]) -> None:
    place = Cursor(mark=Mark(offset=70, line=7, style=style), is_within_line=is_within_line)
    times = [(70 + sum(steps[:count]), 1000.0 + count) for count in range(1, len(steps) + 1)]
    rows: list[Row] = []
    cursor, look = place, parse_style(style)
    for line in data.split(b"\n")[:-1]:
        found, look = line_rows(line + b"\n", cursor, look)
        rows += found
        cursor = cursor.after(line + b"\n", look)
    assert lines_rows(data, place, times) == (with_times(rows, times), cursor)
