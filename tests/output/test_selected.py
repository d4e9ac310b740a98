"""Chosen lines for a file: those that match, whole, in their own colours, of stderr alone if so wished."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from launcher.output import pattern, search, selected
from launcher.output.pattern import TooSlowError
from launcher.output.search import Query
from launcher.output.selected import Choice
from launcher.output.terminal import PLAIN, draw_line, plain_text
from tests.fuzzing import examples
from tests.output.memory import Memory, gap_in

ON, OFF = b"\x1b[7711m", b"\x1b[7710m"
BITS = [b"a word", b"no", b"\n", b"\n", b"\x1b[31m", b"\x1b[1m", b"\x1b[0m", ON, OFF, b"x" * 30, "é".encode()]
outputs = st.lists(st.sampled_from(BITS), max_size=30).map(lambda bits: b"".join((*bits, b"z")))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PIECE_BYTES": 40, "READ_BYTES": 90}.items():
        monkeypatch.setattr(search, name, value)
    monkeypatch.setattr(selected, "BATCH_BYTES", 50)


def chosen(output: Memory, *, is_finished: bool = True, has_colours: bool = False, **query: str | bool) -> bytes:
    choice = Choice(query=Query(**{"text": "", **query}), has_colours=has_colours)  # type: ignore[arg-type]
    return b"".join(selected.selected(output, choice, is_finished=is_finished))


@given(outputs, st.booleans(), st.booleans())
@examples(100)
@pytest.mark.usefixtures("small")
def test_the_lines_are_those_that_match_as_they_look(data: bytes, only_errors: bool, is_finished: bool) -> None:
    style, wanted = PLAIN, []
    for line in data.split(b"\n"):
        spans, style = draw_line(line, style)
        is_error = any(look.is_error for _, look in spans)
        if "word" in plain_text(line) and (is_error or not only_errors):
            wanted.append([(text, {**_look(look)}) for text, look in spans])
    output = Memory(data, every=50)
    text = chosen(output, text="word", only_errors=only_errors, is_finished=is_finished).decode()
    assert text == "".join("".join(part for part, _ in spans) + "\n" for spans in wanted)
    coloured = chosen(output, text="word", only_errors=only_errors, is_finished=is_finished, has_colours=True)
    assert ON not in coloured
    drawn = [draw_line(line, PLAIN)[0] for line in coloured.split(b"\n")[:-1]]
    assert [_merged([(text, _look(look)) for text, look in spans]) for spans in drawn] == [_merged(s) for s in wanted]


def _look(style: object) -> dict[str, object]:
    return {name: getattr(style, name) for name in ("foreground", "is_bold")}


def _merged(spans: list[tuple[str, dict[str, object]]]) -> list[tuple[str, dict[str, object]]]:
    merged: list[tuple[str, dict[str, object]]] = []
    for text, look in spans:
        if merged and merged[-1][1] == look:
            text = merged.pop()[0] + text
        merged.append((text, look))
    return merged


@given(outputs)
@examples(100)
@pytest.mark.usefixtures("small")
def test_without_a_word_all_lines_of_stderr_are_chosen(data: bytes) -> None:
    assume(b"\x1b[31m\n" not in data)
    style, wanted = PLAIN, ""
    for line in data.split(b"\n"):
        spans, style = draw_line(line, style)
        if any(look.is_error for _, look in spans) or (not spans and style.is_error):
            wanted += "".join(text for text, _ in spans) + "\n"
    assert chosen(Memory(data, every=50), only_errors=True).decode() == wanted


def test_patterns_choose_too_and_what_is_left_out_is_passed_over(small: None) -> None:
    data = b"".join(b"line %d\n" % number for number in range(100))
    output = Memory(data, every=30, gap=gap_in(data, data.index(b"line 20"), data.index(b"line 60\n")))
    assert re.findall(rb"\d+", chosen(output, text="[0-9]7$", is_regex=True)) == [b"17", b"67", b"77", b"87", b"97"]


def test_a_long_line_is_given_whole_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "LONGEST_LINE_BYTES", 100_000)
    long = b"." * 100 + b"word" + b"." * 500_000 + b"word" + b"." * 1000
    output = Memory(b"no\n" + long + b"\nthe word\n")
    assert chosen(output, text="word") == long + b"\nthe word\n"
    assert chosen(output, text="word", has_colours=True) == long + b"\nthe word\n"


def test_no_process_is_held_while_a_reader_takes_what_was_found(small: None) -> None:
    free = pattern._places._value
    choice = Choice(query=Query(text="w.rd", is_regex=True))
    pieces = selected.selected(Memory(b"a word\n" * 100), choice, is_finished=True)
    next(pieces)
    assert pattern._places._value == free
    assert b"".join(pieces).count(b"\n") < 100


def test_a_pattern_that_takes_for_ever_ends_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("launcher.output.pattern.ANSWER_SECONDS", 0.2)
    with pytest.raises(TooSlowError):
        chosen(Memory(b"a" * 60 + b"b\n"), text="(a+)+$", is_regex=True)
