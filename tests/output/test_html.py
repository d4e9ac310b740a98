"""A line's text in our markup, and in no other; what any bytes become is in test_fuzz."""

import pytest

from launcher.output.html import spans_html
from launcher.output.terminal import PLAIN, Style, draw_line
from tests.output.inert import read


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


@pytest.mark.parametrize(
    ("colour", "index"),
    [((255, 135, 0), 208), ((128, 128, 128), 244), ((0, 0, 0), 16), ((250, 250, 250), 231), ((1, 2, 90), 17)],
)
def test_a_true_colour_is_the_nearest_of_the_palette_and_says_which_it_is(
    colour: tuple[int, int, int], index: int
) -> None:
    reader = read(spans_html([("x", Style(foreground=colour, background=colour))]))
    assert reader.classes == [f"ansi-fg-{index}", f"ansi-bg-{index}"]
    exact = "#{:02x}{:02x}{:02x}".format(*colour)
    assert reader.colours == [("data-fg", exact), ("data-bg", exact)]


def test_a_link_is_one_element_whatever_the_looks_in_it() -> None:
    spans, _ = draw_line(b"see \x1b]8;;https://example.com/?a=1&b=2\x07the \x1b[1mdocs\x1b]8;;\x07.", PLAIN)
    assert spans_html(spans) == (
        'see <a href="https://example.com/?a=1&amp;b=2" rel="noopener noreferrer nofollow" target="_blank">the '
        '<span class="ansi-bold">docs</span></a><span class="ansi-bold">.</span>'
    )


def test_links_side_by_side_are_two_and_one_at_the_end_is_closed() -> None:
    reader = read(spans_html(draw_line(b"\x1b]8;;http://a\x07a\x1b]8;;mailto:b@c\x1b\\b", PLAIN)[0]))
    assert reader.links == ["http://a", "mailto:b@c"]


@pytest.mark.parametrize(
    "address",
    [
        *("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.com", "/admin/", "", "HTTP:x"),
        *("https://", "https://exa mple.com", "https://exämple.com", " https://x", "vbscript:x", "https:x"),
        "https://" + "x" * 2000,
    ],
)
def test_what_leads_elsewhere_is_no_link(address: str) -> None:
    spans, style = draw_line(f"\x1b]8;;{address}\x07text".encode(), PLAIN)
    assert spans_html(spans) == "text"
    assert style == PLAIN


def test_nothing_turns_the_text_around_or_breaks_the_line() -> None:
    turning = "\u202aa\u202bb\u202cc\u202dd\u202ee\u2066f\u2067g\u2068h\u2069i\u2028j\u2029k"
    assert spans_html([(turning, PLAIN)]) == "".join(f"\ufffd{letter}" for letter in "abcdefghijk")
    assert spans_html([("שלום \u200fعربي\u200d\u061c", PLAIN)]) == "שלום \u200fعربي\u200d\u061c"


def test_controls_are_shown() -> None:
    spans, _ = draw_line("\0\x9b\x7f<".encode(), PLAIN)
    assert spans_html(spans) == "\u2400\ufffd\u2421&lt;"
