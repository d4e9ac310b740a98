"""Everything can be reached without a mouse."""

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.e2e.pages import CATALOGUE, ended_run, expect_state, form_url, output, run_url, search_box

MOST_TABS = 150


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus; fails if it never does."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never reaches {selector}")


def test_search_and_run_are_reached_by_tab(owner_page: Page) -> None:
    owner_page.goto(CATALOGUE)
    tab_to(owner_page, "#launcher-query")
    owner_page.keyboard.type("import_csv")
    expect(owner_page.locator(".launcher-name")).to_have_count(1)
    expect(search_box(owner_page)).to_be_focused()
    tab_to(owner_page, "a[role=button][href*=import_csv_data]")
    owner_page.keyboard.press("Enter")

    expect(owner_page.locator("#launcher-form")).to_be_visible()


def test_a_form_is_filled_in_and_sent_by_keyboard(owner_page: Page) -> None:
    owner_page.goto(form_url("recalculate_stats"))
    tab_to(owner_page, "#id_rebuild")
    owner_page.keyboard.press("Space")
    tab_to(owner_page, "#launcher-form input[type=submit]")
    owner_page.keyboard.press("Enter")

    expect_state(owner_page, "succeeded")


def test_the_output_can_have_the_focus_and_be_scrolled(owner_page: Page, owner: User) -> None:
    owner_page.goto(run_url(ended_run(owner, "e2e_flood", "--lines", "1")))
    tab_to(owner_page, "#launcher-output")
    expect(output(owner_page)).to_be_focused()
    before = output(owner_page).evaluate("output => output.scrollTop")
    owner_page.keyboard.press("PageUp")

    owner_page.wait_for_function("before => document.activeElement.scrollTop < before", arg=before)
