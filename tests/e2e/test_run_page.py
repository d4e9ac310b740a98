"""What a run's page shows of its output, and its buttons."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from launcher.runs import start_run
from tests.e2e.pages import (
    RUN_MS,
    Gate,
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
from tests.waiting import wait_until_finished

MOST_ROWS = 3_200
"""What the page keeps, and one answer's rows that may come before it tidies up."""


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


def test_a_page_that_is_not_followed_does_not_grow_without_bound(owner_page: Page, owner: User, gate: Gate) -> None:
    run = gate.start_run(owner)
    owner_page.goto(run_url(run))
    expect_line(owner_page, "The gate is shut.")
    held = owner_page.get_by_text("New lines are held back; Follow shows them.")
    follow = owner_page.get_by_role("button", name="Follow")
    follow.click()
    output(owner_page).evaluate(
        """output => output.prepend(...Array.from({length: 10001}, (_, number) => {
            const row = document.createElement("div");
            row.className = "launcher-row";
            row.dataset.offset = String(number);
            return row;
        }))"""
    )
    expect(held).to_be_visible()
    gate.open()
    wait_until_finished(run)
    expect(rows(owner_page).filter(has_text="The gate is open.")).to_have_count(0)
    follow.click()

    expect_line(owner_page, "The gate is open.")
    expect(held).to_have_count(0)
    assert rows(owner_page).count() <= MOST_ROWS
    expect_state(owner_page, "succeeded")


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


def test_a_long_output_opens_at_its_end_and_leads_back_to_its_start(owner_page: Page, owner: User) -> None:
    owner_page.goto(run_url(ended_run(owner, "e2e_flood", "--lines", "1")))
    expect_line(owner_page, "The flood is over.")
    shown = rows(owner_page).count()
    assert shown <= MOST_ROWS
    numbers = "rows => rows.map(row => Number(row.dataset.number))"
    before = rows(owner_page).evaluate_all(numbers)
    owner_page.get_by_role("link", name="Show earlier lines").click()

    expect(rows(owner_page).nth(shown)).to_be_attached()
    after = rows(owner_page).evaluate_all(numbers)
    assert after[-len(before) :] == before
    assert after == list(range(after[0], after[-1] + 1))


def test_following_ends_where_the_reader_scrolls_up_and_goes_on_at_the_button(owner_page: Page, owner: User) -> None:
    owner_page.goto(run_url(ended_run(owner, "e2e_flood", "--lines", "1")))
    follow = owner_page.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    output(owner_page).hover()
    owner_page.mouse.wheel(0, -400)
    expect(follow).to_have_attribute("aria-pressed", "false")
    follow.click()

    expect(follow).to_have_attribute("aria-pressed", "true")
    expect(rows(owner_page).last).to_be_in_viewport()


def test_an_empty_output_is_called_so(owner_page: Page, owner: User) -> None:
    owner_page.goto(run_url(ended_run(owner, "createcachetable")))
    expect(owner_page.get_by_text("It wrote nothing.")).to_be_visible()


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "argv", [["--lines", "100"], ["--unbroken", "20"], ["--noise", "4"]], ids=["lines", "unbroken", "noise"]
)
def test_a_flood_leaves_the_page_usable(owner_page: Page, owner: User, argv: list[str]) -> None:
    owner_page.goto(run_url(start_run("e2e_flood", argv, user=owner)))
    expect_state(owner_page, "succeeded", timeout=4 * RUN_MS)
    expect_line(owner_page, "The flood is over.")
    expect_usable(owner_page)

    owner_page.reload()
    expect_line(owner_page, "The flood is over.")
    shown = rows(owner_page).count()
    expect_usable(owner_page)
    owner_page.get_by_role("link", name="Show earlier lines").click()
    expect(rows(owner_page).nth(shown)).to_be_attached()
    expect_usable(owner_page)
    with owner_page.expect_download() as download:
        owner_page.get_by_role("button", name="Download", exact=True).click()
    size = int(argv[1]) * 1024 * 1024
    assert download.value.path().stat().st_size > 0.95 * size


def expect_usable(page: Page) -> None:
    """Assert that the browser has little to lay out."""
    assert rows(page).count() <= MOST_ROWS
    assert output(page).evaluate("output => output.textContent.length") < 20 * 1024 * 1024
