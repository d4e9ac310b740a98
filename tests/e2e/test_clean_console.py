"""The pages make no trouble for the browser, under the demo's strict content security policy."""

from collections.abc import Callable

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.e2e.pages import (
    CATALOGUE,
    HISTORY,
    SAMPLES,
    click_run,
    expect_line,
    expect_state,
    form_url,
    preview,
    search_box,
)


def test_no_page_makes_the_browser_complain(owner_page: Page, complaints: list[str]) -> None:
    page = owner_page
    response = page.goto(CATALOGUE)
    assert response is not None
    assert response.headers["content-security-policy"] == "default-src 'self'"
    search_box(page).press_sequentially("import_csv")
    expect(page.locator(".launcher-name")).to_have_count(1)

    page.goto(form_url("import_csv_data"))
    page.locator("input[type=file]").set_input_files(SAMPLES / "products_with_errors.csv")
    page.get_by_label("Dry run").check()
    expect(preview(page)).to_contain_text("--dry-run")
    click_run(page)
    expect_state(page, "failed")
    expect_line(page, "line 17, column price")
    page.goto(HISTORY)
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    assert complaints == []


def test_html_in_the_output_stays_text(
    page: Page, logged_in_page: Callable[[User], Page], owner: User, complaints: list[str]
) -> None:
    evil = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
    logged_in_page(owner)
    page.goto(form_url("import_csv_data"))
    page.get_by_label("Csv path").fill(evil)
    expect(preview(page)).to_contain_text("<script>")
    click_run(page)
    expect_state(page, "failed")
    expect_line(page, evil)
    assert complaints == []
