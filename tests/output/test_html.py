"""Any bytes in, safe HTML out: the only markup is ours."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from launcher.output.html import spans_html
from launcher.output.terminal import PLAIN, Style, draw_line, plain_text


class Reader(HTMLParser):
    """Collects text and class lists, and refuses any tag but a span with classes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.classes: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        ((name, value),) = attrs
        assert (tag, name) == ("span", "class")
        self.classes += (value or "").split()
        self.depth += 1

    def handle_endtag(self, tag: str) -> None:
        assert tag == "span"
        self.depth -= 1

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.depth == 0
    return reader


markup = st.sampled_from(
    ["<script>", "</span>", "<!--", "&lt;", '"', "'", "<![CDATA[", "<?", "\x1b[31", "m", "\x1b[m", "\r"]
)


@given(st.binary(max_size=100) | st.lists(markup).map(lambda parts: "".join(parts).encode()))
@example(b"\x1b[31m<script>alert(1)</script>\x1b[0m")
@example(b'\x1b[1m"><img src=x onerror=alert(1)>')
def test_no_bytes_bring_markup_of_their_own(data: bytes) -> None:
    reader = read(spans_html(draw_line(data, PLAIN)[0]))
    assert reader.text == plain_text(data)
    assert all(
        re.fullmatch(r"ansi-(?:bold|dim|italic|underline|strike|reverse|[fb]g-\d+)", name) for name in reader.classes
    )


@pytest.mark.parametrize(
    ("style", "classes"),
    [
        (Style(foreground=1, is_bold=True), ["ansi-bold", "ansi-fg-1"]),
        (Style(background=200, is_struck=True), ["ansi-strike", "ansi-bg-200"]),
        (Style(is_dim=True, is_italic=True, is_underlined=True), ["ansi-dim", "ansi-italic", "ansi-underline"]),
    ],
)
def test_a_style_becomes_classes(style: Style, classes: list[str]) -> None:
    assert read(spans_html([("x", style)])).classes == classes


def test_what_came_by_stderr_looks_as_it_was_written() -> None:
    assert spans_html([("x", Style(is_error=True))]) == "x"
    assert read(spans_html([("x", Style(foreground=1, is_error=True))])).classes == ["ansi-fg-1"]


@pytest.mark.parametrize(
    ("style", "classes"),
    [
        (Style(is_reversed=True), ["ansi-reverse"]),
        (Style(is_reversed=True, foreground=1), ["ansi-bg-1"]),
        (Style(is_reversed=True, background=4), ["ansi-reverse", "ansi-fg-4"]),
        (Style(is_reversed=True, foreground=1, background=4), ["ansi-fg-4", "ansi-bg-1"]),
    ],
)
def test_reversed_text_and_ground_change_places(style: Style, classes: list[str]) -> None:
    assert read(spans_html([("x", style)])).classes == classes


def test_plain_text_has_no_markup_at_all() -> None:
    assert spans_html([("1 < 2 & 3", PLAIN)]) == "1 &lt; 2 &amp; 3"
    assert spans_html([]) == ""
