"""Searching: the same lines as by drawing each, however the output is cut into pieces, and in bounded time."""

import re
import time
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from launcher.output import pattern, search
from launcher.output.pattern import BadPatternError, BusyError, Pattern, TooSlowError
from launcher.output.search import Place, Query, fold, line_texts, look, matcher, next_hits, rows_matching
from launcher.output.terminal import is_only_marks, plain_text
from launcher.output.window import held
from tests.fuzzing import examples
from tests.output.memory import Memory, gap_in

WORDS = ["word", "Word", "WORD", "straße", "STRASSE", "\u212aelvin", "kelvin", "İx", "Σας", "ΣΑΣ", "a", "b", "é", "É"]
BITS = [
    *WORDS,
    " ",
    "\n",
    "\n",
    "\n\n",
    "\r\n",
    "\x1b[31m",
    "\x1b[0m",
    "\x1b[7711m",
    "\x1b[7710m",
    "\b",
    "\x07",
    "x" * 30,
]
outputs = st.lists(st.sampled_from(BITS), max_size=40).map(lambda bits: "".join(bits).encode())
texts = st.sampled_from([*WORDS, "wor", "or", "k", "i", "s", "ς", "d w", "\ufffd", "ab"])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"PIECE_BYTES": 16, "READ_BYTES": 24, "LONGEST_LINE_BYTES": 100_000, "OVERLAP_BYTES": 64}
    for name, value in limits.items():
        monkeypatch.setattr(search, name, value)


def drawn(data: bytes) -> list[str]:
    *lines, last = data.split(b"\n")
    return [plain_text(line) for line in lines] + ([] if is_only_marks(last) else [plain_text(last)])


def expected(data: bytes, query: Query) -> list[int]:
    word = query.text if query.is_case_sensitive else fold(query.text)
    lines = drawn(data) if query.is_case_sensitive else map(fold, drawn(data))
    return [number for number, line in enumerate(lines, 1) if word in line]


def found(output: Memory, query: Query, *, is_finished: bool = True, seconds: float = 9) -> list[int]:
    """Search until it is done, as a page does."""
    numbers: list[int] = []
    place, is_done = Place(), False
    with closing(matcher(query)) as found_by:
        while not is_done:
            one = look(output, found_by, place, output.size, is_finished=is_finished, seconds=seconds)
            assert one.count == len(one.lines)
            numbers += one.lines
            assert one.place.offset > place.offset or one.is_done
            place, is_done = Place.parse(str(one.place)), one.is_done
    return numbers


@given(outputs, texts, st.booleans(), st.booleans())
@example("a\u212aelvin\n".encode(), "k", False, True)
@example("é İx\n".encode(), "i", False, False)
@example(b"wo\x07rd\nwo\x1b[1mrd\n", "word", True, False)
@examples(100)
@pytest.mark.usefixtures("small")
def test_a_word_is_found_in_the_lines_that_show_it(data: bytes, text: str, is_exact: bool, is_patient: bool) -> None:
    query = Query(text=text, is_case_sensitive=is_exact)
    assert found(Memory(data, every=50), query, seconds=9 if is_patient else 0) == expected(data, query)


@pytest.mark.parametrize("text", ["w.rd$", r"^\s*$", "(?i:WORD)|é", "[^a]b", "word"])
def test_a_regular_expression_is_found_line_by_line(text: str, small: None) -> None:
    data = "a word\nWord é\n\n \n\x1b[31mwo\x1b[0mrd\nb\nab\r\ncb".encode()
    lines = [number for number, line in enumerate(drawn(data), 1) if re.search(text, line)]
    assert found(Memory(data), Query(text=text, is_regex=True, is_case_sensitive=True)) == lines


@given(st.integers(0, 40), st.integers(0, 40), st.booleans())
@examples(100)
@pytest.mark.usefixtures("small")
def test_what_is_left_out_is_not_searched_and_is_counted_over(start: int, size: int, is_patient: bool) -> None:
    lines = [b"word %d\n" % number for number in range(80)]
    data = b"".join(lines)
    first, end = len(b"".join(lines[:start])), len(b"".join(lines[: start + size]))
    output = Memory(data, every=30, gap=gap_in(data, first, end) if size else None)
    kept = [number for number in range(1, 81) if not start < number <= start + size]
    assert found(output, Query(text="word"), seconds=9 if is_patient else 0) == kept


def test_a_long_line_counts_once_wherever_it_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "LONGEST_LINE_BYTES", 1000)
    monkeypatch.setattr(search, "OVERLAP_BYTES", 50)
    long = b"." * 990 + b"needle" + b"." * 3000 + b"needle" + b"." * 2000  # one over the end of a part
    data = b"before\n" + long + b"\nafter the needle\n"
    for seconds in (9.0, 0.0):
        assert found(Memory(data), Query(text="needle"), seconds=seconds) == [2, 3]
    assert found(Memory(data), Query(text="^needle", is_regex=True)) == []


def test_ten_megabytes_in_one_line_are_searched_in_little_memory_and_time() -> None:
    output = Memory(b"x" * 10_000_000 + b" the needle\nlast\n")
    began = time.process_time()
    assert found(output, Query(text="NEEDLE")) == [1]
    assert time.process_time() - began < 2  # some 30 ms
    assert output.read_bytes < 12_000_000


def test_of_a_run_that_goes_on_only_whole_lines_are_settled() -> None:
    output = Memory(b"a word\nand another wo")
    assert found(output, Query(text="wo"), is_finished=False) == [1]
    output.data += b"rd\n"
    with closing(matcher(Query(text="word"))) as found_by:
        one = look(output, found_by, Place(offset=7), output.size, is_finished=False)
    assert one.lines == (2,)


def test_lines_around_one_are_listed_with_their_place_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_LISTED", 4)
    output = Memory(b"word\nno\n" * 100)
    with closing(matcher(Query(text="word"))) as found_by:
        first = look(output, found_by, Place(), output.size, is_finished=True)
        near = look(output, found_by, Place(), output.size, is_finished=True, near=101)
    assert (first.lines, first.first, first.count, first.through) == ((1, 3, 5, 7), 0, 100, 200)
    assert (near.lines, near.first, near.count) == ((99, 101, 103, 105), 49, 100)


@given(st.integers(1, 9), st.booleans())
def test_a_list_goes_on_where_it_ended(most: int, is_patient: bool) -> None:
    output = Memory(b"\x1b[1ma word\x1b[0m\nno\nword, too\n" * 10)
    numbers: list[int] = []
    place, is_done = Place(), False
    with closing(matcher(Query(text="word"))) as found_by:
        while not is_done:
            seconds = 9 if is_patient else 0
            one = next_hits(output, found_by, place, output.size, is_finished=True, most=most, seconds=seconds)
            assert len(one.hits) <= most
            numbers += [hit.number for hit in one.hits]
            place, is_done = one.place, one.is_done
    assert numbers == [number for number in range(1, 31) if number % 3 != 2]


def test_what_is_held_back_is_searched_as_it_is_drawn() -> None:
    output = Memory(b"a word\nno\n\x1b[1mwo\x1b[0mrd")
    with closing(matcher(Query(text="word"))) as found_by:
        assert rows_matching(held(output, is_finished=False).pending, found_by) == [1, 3]
        assert rows_matching(held(output, is_finished=True).pending, found_by) == []


def test_the_text_of_some_lines_is_what_they_show() -> None:
    output = Memory(b"".join(b"\x1b[1mline\x1b[0m %d\n" % number for number in range(1, 9000)), every=1000)
    assert line_texts(output, 4000, 4002, is_finished=True) == {n: b"line %d" % n for n in (4000, 4001, 4002)}
    assert list(line_texts(output, 8998, 9500, is_finished=False)) == [8998, 8999]
    assert line_texts(output, 9500, 9600, is_finished=True) == {}


@pytest.mark.parametrize("text", ["", "x", "-1", "12", "12 ", "1" * 16, "1cc", "\u0663"])
def test_a_place_is_read_or_refused(text: str) -> None:
    if text == "12":
        assert str(Place.parse(text)) == text
    else:
        with pytest.raises(ValueError, match="place"):
            Place.parse(text)


# Regular expressions and their process


def test_a_pattern_that_is_none_says_where() -> None:
    with pytest.raises(BadPatternError) as refused:
        Pattern("ab(c", is_case_sensitive=True)
    assert (refused.value.place, "unterminated" in refused.value.message) == (2, True)


@pytest.mark.parametrize("text", ["a{1,99999999999999999999}", "(" * 5000 + "a" + ")" * 5000])
def test_a_pattern_that_python_gives_up_on_is_none(text: str) -> None:
    with pytest.raises(BadPatternError):
        Pattern(text, is_case_sensitive=True)


def test_a_pattern_that_takes_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern, "ANSWER_SECONDS", 0.2)
    began = time.monotonic()
    with Pattern("(a+)+$", is_case_sensitive=True) as slow, pytest.raises(TooSlowError):
        slow.lines(b"a" * 40 + b"b")
    assert time.monotonic() - began < 8
    assert slow._process.returncode is not None


def test_what_was_found_before_a_pattern_took_too_long_is_told(monkeypatch: pytest.MonkeyPatch, small: None) -> None:
    monkeypatch.setattr(pattern, "ANSWER_SECONDS", 0.3)
    output = Memory(b"aaa\n" * 8 + b"a" * 40 + b"b\n")
    with closing(matcher(Query(text="(a+)+$", is_regex=True))) as found_by:
        one = look(output, found_by, Place(), output.size, is_finished=True, seconds=9)
        assert (one.count, one.is_done, one.place.offset) == (8, False, 32)
    with closing(matcher(Query(text="(a+)+$", is_regex=True))) as found_by, pytest.raises(TooSlowError):
        look(output, found_by, one.place, output.size, is_finished=True)


def test_only_some_patterns_are_searched_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern, "WAIT_SECONDS", 0.01)
    patterns = [Pattern(".", is_case_sensitive=True) for _ in range(pattern.MOST_AT_ONCE)]
    with pytest.raises(BusyError):
        Pattern(".", is_case_sensitive=True)
    for one in patterns:
        one.close()
        one.close()
    with Pattern(".", is_case_sensitive=True) as again:
        assert again.lines(b"a\n\nb") == [0, 2]


def test_a_process_that_is_gone_is_noticed() -> None:
    with Pattern(".", is_case_sensitive=True) as gone:
        gone._process.kill()
        gone._process.wait()
        with pytest.raises(TooSlowError):
            gone.lines(b"a" * 1_000_000)


def test_matches_are_told_in_the_units_of_browsers() -> None:
    with Pattern("na|\U0001f600|x*", is_case_sensitive=False) as spans:
        assert spans.spans("nothing\n\U0001f600 NA\n".encode()) == [(1, 0, 2), (1, 3, 5)]


def test_a_literal_pattern_needs_no_process() -> None:
    assert isinstance(matcher(Query(text="just words, 100 %", is_regex=True)), search.Word)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        (r"needle\b", "needle"),
        (r"id=\d+ was", " was"),
        (r"colou?r of it", "r of it"),
        (r"ab+c*de", "ab"),
        (r"x{2,3}abc", "abc"),
        (r"(GET|POST) /admin", " /admin"),
        (r"(?:GET|POST) /a", " /a"),
        ("GET|POST", ""),
        (r"GET\|[|]POST", "GET|"),
        (r"(abc)?de", "de"),
        (r"[abc\]]defg", "defg"),
        (r"[]abc]de", "de"),
        (r"100\.5 %", "100.5 %"),
        (r"ab\x41BC", ""),
        (r"(?i)abc", ""),
        (r"a*", ""),
        ("", ""),
    ],
)
def test_what_a_pattern_needs_is_seen_where_it_is_plain(text: str, needed: str) -> None:
    assert pattern.needed_text(text) == needed


PATTERN_BITS = [
    "a",
    "b",
    "ab",
    "a?",
    "b*",
    "a+",
    "[ab]",
    "[^a]",
    "(a)",
    "(b)?",
    "(ab)*",
    "a{0,1}",
    "b{1}",
    "|",
    "(a|b)",
]
PATTERN_BITS += ["(a|b)", ".", r"\.", r"\w", "{", "]", "(?:b", ")", "(?=a)", "(?!b)", r"\|"]


@given(st.lists(st.sampled_from(PATTERN_BITS), max_size=6).map("".join), st.text("ab.{]| ", max_size=12))
def test_whatever_a_pattern_matches_has_what_it_needs(text: str, line: str) -> None:
    try:
        match = re.search(text, line)
    except re.error:
        return
    assert match is None or pattern.needed_text(text) in line


def test_a_pattern_in_any_case_finds_the_letters_that_only_it_takes_for_the_same() -> None:
    assert found(Memory("\u017fee\nsee\nSEE\n".encode()), Query(text="see$", is_regex=True)) == [1, 2, 3]
