"""Searching a run's output: as people do it, by keys, while it goes on, and without JavaScript."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from launcher.models import Run
from launcher.output import pattern
from tests.e2e.pages import RUN_MS, Gate, run_url
from tests.pages import stored_run, with_output

NEEDLES = {5: b"a needle", 9000: b"a \x1b[31mnee\x1b[0mdle, and a NEEDLE", 19_990: b"x" * 300 + b" needle"}
CATASTROPHE = b"a" * 60 + b"b"


def run_with_lines() -> Run:
    """Store a run that wrote 20,000 lines."""
    lines = {**NEEDLES, 12_000: CATASTROPHE}
    return with_output(stored_run(), b"".join(lines.get(n, b"line %d" % n) + b"\n" for n in range(1, 20_001)))


def field(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Search the output")


def said(page: Page) -> Locator:
    return page.locator("#launcher-search-count")


def row(page: Page, line: int) -> Locator:
    return page.locator(f"#L{line}")


def wait_for_marks(page: Page, count: int, name: str = "launcher-match") -> None:
    """Wait until so many places are marked as matches."""
    page.wait_for_function("([name, count]) => CSS.highlights.get(name).size === count", arg=[name, count])


def test_matches_are_counted_gone_to_and_marked(owner_page: Page, complaints: list[str]) -> None:
    run = run_with_lines()
    owner_page.goto(run_url(run))
    field(owner_page).fill("Needle")
    expect(said(owner_page)).to_have_text("3 lines match")
    expect(owner_page).to_have_url(re.compile(r"\?q=Needle$"))

    for key, text, line in (
        ("Enter", "3 of 3, line 19,990", 19_990),
        ("Enter", "1 of 3, line 5: from the beginning again", 5),
        ("Enter", "2 of 3, line 9,000", 9000),
        ("Shift+Enter", "1 of 3, line 5", 5),
        ("Shift+Enter", "3 of 3, line 19,990: from the end again", 19_990),
    ):
        field(owner_page).press(key)
        expect(said(owner_page)).to_have_text(text)
        expect(row(owner_page, line)).to_be_in_viewport()
        expect(row(owner_page, line)).to_have_class(re.compile("launcher-match-current"))
    wait_for_marks(owner_page, 1, "launcher-match-current")
    owner_page.get_by_role("log").focus()
    owner_page.keyboard.press("N")
    expect(row(owner_page, 9000)).to_be_in_viewport()
    wait_for_marks(owner_page, 2, "launcher-match-current")  # one of them through two colours

    owner_page.reload()
    expect(said(owner_page)).to_have_text("3 lines match")
    field(owner_page).press("Escape")
    expect(said(owner_page)).to_be_empty()
    expect(owner_page).not_to_have_url(re.compile("q="))
    wait_for_marks(owner_page, 0)

    # Enter at once, as those do who know what they look for.
    field(owner_page).fill("needle")
    field(owner_page).press("Enter")
    expect(said(owner_page)).to_contain_text("of 3, line ")
    assert complaints == []


def test_patterns_are_searched_for_and_refused_where_they_are_none_or_take_for_ever(
    owner_page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pattern, "ANSWER_SECONDS", 0.5)
    owner_page.goto(run_url(run_with_lines()))
    error = owner_page.get_by_role("alert").filter(has_text=re.compile("."))
    owner_page.get_by_role("checkbox", name="Regular expression").click()
    field(owner_page).fill(r"line 199[89]\d$")
    expect(said(owner_page)).to_have_text("19 lines match")
    wait_for_marks(owner_page, 19)
    field(owner_page).fill("(a+)+$")
    expect(error).to_contain_text("takes too long")
    expect(error).to_contain_text("(a+)+")
    field(owner_page).fill("line (1")
    expect(error).to_contain_text("missing ), unterminated subpattern, at character 6")
    assert field(owner_page).get_attribute("aria-invalid") == "true"
    owner_page.get_by_role("checkbox", name="Regular expression").click()
    expect(said(owner_page)).to_have_text("No line matches")
    expect(error).to_have_count(0)


def test_lines_that_come_meanwhile_are_searched_too(owner_page: Page, owner: User, gate: Gate) -> None:
    owner_page.goto(f"{run_url(gate.start_run(owner))}?q=gate")
    expect(said(owner_page)).to_have_text("1 line matches", timeout=RUN_MS)
    gate.open()
    expect(said(owner_page)).to_have_text("2 lines match", timeout=RUN_MS)
    wait_for_marks(owner_page, 2)


def test_without_javascript_the_lines_are_a_list_of_links(plain_page: Page) -> None:
    plain_page.goto(run_url(run_with_lines()))
    field(plain_page).fill("needle")
    plain_page.get_by_role("button", name="Search", exact=True).click()
    hits = plain_page.locator(".launcher-search-hits")
    expect(hits.locator("li")).to_have_count(3)
    expect(hits.locator("li").nth(1)).to_have_text(re.compile(r"^\s*9000\s+a needle, and a NEEDLE$"))
    hits.get_by_role("link", name="9000").click()
    expect(row(plain_page, 9000)).to_be_in_viewport()
    expect(field(plain_page)).to_have_value("needle")
