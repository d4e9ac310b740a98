"""No page is wider than a phone, and nothing of the history's table is cut off beside its filters."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.e2e.pages import CATALOGUE, HISTORY, ended_run, form_url, rows, run_url


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_scrolls_sideways(owner_page: Page, owner: User, width: int) -> None:
    owner_page.set_viewport_size({"width": width, "height": 800})
    run = ended_run(owner, "recalculate_stats", "--from=2020-01-01", "--to=2020-01-02", "--rebuild")
    for url in (CATALOGUE, form_url("import_csv_data"), run_url(run), HISTORY):
        owner_page.goto(url)
        assert owner_page.evaluate("document.documentElement.scrollWidth") <= width, url
    table = owner_page.locator("#result_list")
    assert table.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")


def test_without_wrapping_long_lines_scroll_within_the_output(owner_page: Page, owner: User) -> None:
    owner_page.goto(run_url(ended_run(owner, "e2e_flood", "--unbroken", "1")))
    owner_page.get_by_role("button", name="Wrap lines").click()
    expect(owner_page.get_by_role("button", name="Wrap lines")).to_have_attribute("aria-pressed", "false")
    line = rows(owner_page).filter(has_text="xxx").first
    assert line.evaluate("row => row.scrollWidth > row.parentElement.clientWidth")
    assert owner_page.evaluate("document.documentElement.scrollWidth") <= 1280
