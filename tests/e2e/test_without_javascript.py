"""Everything works as plain pages and posts, too."""

import re
import time

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from launcher.models import Run
from tests.e2e.pages import (
    CATALOGUE,
    RUN_MS,
    RUN_URL,
    SAMPLES,
    Gate,
    click_run,
    command_names,
    expect_line,
    fact,
    form_url,
    preview,
    run_url,
    search_box,
    state,
)


def reload_until(page: Page, status: str) -> None:
    """Reload as a reader would until the page shows the state."""
    deadline = time.monotonic() + RUN_MS / 1000
    while state(page).get_attribute("data-launcher-status") != status and time.monotonic() < deadline:
        page.reload()
    expect(state(page)).to_have_attribute("data-launcher-status", status)


def test_the_search_is_a_form(plain_page: Page) -> None:
    plain_page.goto(CATALOGUE)
    search_box(plain_page).fill("import_csv")
    plain_page.get_by_role("button", name="Search").click()

    expect(plain_page).to_have_url(re.compile(r"\?q=import_csv$"))
    assert command_names(plain_page) == ["import_csv_data"]


def test_a_run_is_started_and_its_end_seen_by_reloading(plain_page: Page) -> None:
    plain_page.goto(form_url("import_csv_data"))
    expect(preview(plain_page)).to_contain_text("manage.py import_csv_data")
    plain_page.locator("input[type=file]").set_input_files(SAMPLES / "products.csv")
    click_run(plain_page)
    expect(plain_page).to_have_url(RUN_URL)
    plain_page.wait_for_load_state()

    run = Run.objects.get()
    expect(plain_page.get_by_role("heading", name=f"import_csv_data #{run.pk}")).to_be_visible()
    reload_until(plain_page, "succeeded")
    expect_line(plain_page, "Imported: ")
    expect(plain_page.get_by_role("button", name="Follow")).to_be_hidden()


def test_the_stop_button_is_a_form(plain_page: Page, owner: User, gate: Gate) -> None:
    run = gate.start_run(owner)
    plain_page.goto(run_url(run))
    reload_until(plain_page, "running")
    plain_page.get_by_role("button", name="Stop", exact=True).click()
    reload_until(plain_page, "stopped")

    expect(fact(plain_page, "Stopped by")).to_have_text("owner")
