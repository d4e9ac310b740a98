"""What a run's page shows of its output, and its buttons."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from launcher.runs import start_run
from tests.e2e.pages import (
    RUN_MS,
    Gate,
    download,
    ended_run,
    expect_line,
    expect_same_load,
    expect_state,
    fact,
    mark_load,
    output,
    rows,
    run_url,
    state,
)

MOST_ROWS = 3_000
"""What the page keeps at most."""


def colour(element: Locator) -> str:
    return str(element.evaluate("element => getComputedStyle(element).color"))


def test_styled_lines_have_colours_of_their_own_in_light_and_in_dark(owner_page: Page, owner: User) -> None:
    owner_page.goto(run_url(ended_run(owner, "e2e_styles")))
    plain = rows(owner_page).filter(has_text="A plain line.").locator("code")
    styled = rows(owner_page).filter(has_text="in the style").locator("[class*=ansi-fg]")
    expect(styled).to_have_count(4)

    owner_page.emulate_media(color_scheme="light")
    light = {colour(styled.nth(index)) for index in range(3)}
    assert len(light) == 3
    assert colour(plain) not in light
    owner_page.emulate_media(color_scheme="dark")
    dark = {colour(styled.nth(index)) for index in range(3)}
    assert len(dark) == 3
    assert colour(plain) not in dark
    assert dark.isdisjoint(light)


def test_a_progress_bar_is_one_line_in_its_last_state(owner_page: Page, owner: User) -> None:
    owner_page.goto(run_url(start_run("recalculate_stats", ["--rebuild"], user=owner)))
    expect_state(owner_page, "succeeded")

    expect(rows(owner_page)).to_have_count(3)
    expect(rows(owner_page).nth(1)).to_have_text(re.compile(r"^█+ 100 %  \d{4}-\d\d-\d\d$"))


def test_stop_ends_a_run_and_says_who_did_it(owner_page: Page, owner: User, gate: Gate) -> None:
    owner_page.goto(run_url(gate.start_run(owner)))
    expect_line(owner_page, "The gate is shut.")
    with owner_page.expect_navigation():
        owner_page.get_by_role("button", name="Stop", exact=True).click()
    mark_load(owner_page)

    expect_state(owner_page, "stopped")
    expect(state(owner_page)).to_have_text("Stopped")
    expect(fact(owner_page, "Stopped by")).to_have_text("owner")
    expect(fact(owner_page, "Stop")).to_contain_text("SIGINT")
    expect(owner_page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    expect_same_load(owner_page)


def test_the_end_of_a_run_is_announced_where_nothing_is_replaced(owner_page: Page, owner: User, gate: Gate) -> None:
    owner_page.goto(run_url(gate.start_run(owner)))
    expect_line(owner_page, "The gate is shut.")
    expect_state(owner_page, "running")
    region = owner_page.locator("#launcher-announcement")
    region.evaluate("region => (window.region = region)")
    gate.open()

    expect(region).to_have_text("Succeeded", timeout=RUN_MS)
    assert region.evaluate("region => region === window.region")
    assert region.get_attribute("role") == "status"
    for name in ("#launcher-run-head", "#launcher-tail"):
        assert owner_page.locator(name).locator("[role=status], [role=alert]").count() == 0


@pytest.mark.parametrize(
    ("focused", "focused_then"),
    [("edit", "edit"), ("stop", "run-head"), ("output", "output")],
)
def test_the_focus_stays_where_it_is_or_near_it_when_a_run_ends(
    owner_page: Page, owner: User, gate: Gate, focused: str, focused_then: str
) -> None:
    owner_page.goto(run_url(gate.start_run(owner)))
    expect_line(owner_page, "The gate is shut.")
    expect_state(owner_page, "running")
    owner_page.locator(f"#launcher-{focused}").focus()
    gate.open()

    expect_state(owner_page, "succeeded")
    expect(owner_page.locator(f"#launcher-{focused_then}")).to_be_focused()


@pytest.mark.parametrize("status", [403, 404])
def test_a_page_that_may_not_go_on_says_so(owner_page: Page, owner: User, gate: Gate, status: int) -> None:
    owner_page.goto(run_url(gate.start_run(owner)))
    expect_line(owner_page, "The gate is shut.")
    owner_page.route("**/lines/**", lambda route: route.fulfill(status=status))
    expect(owner_page.get_by_text("This run can’t be shown any more: reload the page.")).to_be_visible()


def test_the_duration_ticks_while_a_run_goes_on(owner_page: Page, owner: User, gate: Gate) -> None:
    owner_page.goto(run_url(gate.start_run(owner)))
    expect_line(owner_page, "The gate is shut.")
    shown = fact(owner_page, "Duration")
    expect(shown).not_to_have_text("–")
    expect(shown).not_to_have_text(shown.inner_text())


def test_an_empty_output_is_called_so(owner_page: Page, owner: User) -> None:
    owner_page.goto(run_url(ended_run(owner, "createcachetable")))
    expect(owner_page.get_by_text("It wrote nothing.")).to_be_visible()


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "argv", [["--lines", "40"], ["--unbroken", "20"], ["--noise", "2"]], ids=["lines", "unbroken", "noise"]
)
def test_a_flood_leaves_the_page_usable(owner_page: Page, owner: User, argv: list[str]) -> None:
    owner_page.goto(run_url(start_run("e2e_flood", argv, user=owner)))
    expect_state(owner_page, "succeeded", timeout=4 * RUN_MS)
    expect_line(owner_page, "The flood is over.")
    expect_usable(owner_page)

    owner_page.reload()
    expect_line(owner_page, "The flood is over.")
    expect_usable(owner_page)
    size = int(argv[1]) * 1024 * 1024
    assert download(owner_page, "As text").stat().st_size > 0.95 * size


def expect_usable(page: Page) -> None:
    """Assert that the browser has little to lay out."""
    assert rows(page).count() <= MOST_ROWS
    assert output(page).evaluate("output => output.textContent.length") < 20 * 1024 * 1024
