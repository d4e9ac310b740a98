"""The shipped colours are those that the tool makes, and can be read on the admin's backgrounds."""

import re

import pytest

from tools.make_ansi_css import DARK, LIGHT, TARGET, contrast, css, palette, text_on

READABLE = 4.5  # WCAG 2.1, AA


def test_the_shipped_file_is_the_made_one() -> None:
    assert TARGET.read_text() == css()


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("colour", LIGHT.split())
def test_a_basic_colour_is_readable_on_light_grounds_and_as_one(colour: str) -> None:
    """The admin's --darkened-bg, on which output stands, and --body-bg, the text on a coloured ground."""
    assert min(contrast(colour, ground) for ground in ("#f8f8f8", "#ffffff")) >= READABLE


@pytest.mark.parametrize("colour", DARK.split())
def test_a_basic_colour_is_readable_on_dark_grounds_and_as_one(colour: str) -> None:
    assert min(contrast(colour, ground) for ground in ("#212121", "#121212")) >= READABLE


def test_text_on_a_ground_of_the_palette_is_readable() -> None:
    full = {"#000": "#000000", "#fff": "#ffffff"}
    assert min(contrast(colour, full[text_on(colour)]) for _, colour in palette()) >= READABLE


def test_each_colour_has_its_two_classes_and_the_text_colour_wins() -> None:
    sheet = css()
    rules = re.findall(r"^\.ansi-(bg|fg)-(\d+) \{", sheet, re.MULTILINE)
    assert rules == [(kind, str(index)) for kind in ("bg", "fg") for index in range(256)]
    assert sheet.index(".ansi-reverse {") < sheet.index(".ansi-fg-0 {")


def test_reversed_plain_text_is_readable_in_both_themes() -> None:
    assert ".ansi-reverse { background: var(--body-fg, #333); color: var(--body-bg, #fff); }" in css()
    assert contrast("#333333", "#ffffff") >= READABLE
    assert contrast("#eeeeee", "#121212") >= READABLE


def test_the_file_stays_small() -> None:
    assert len(css()) < 24 * 1024
