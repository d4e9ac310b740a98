"""The way of somebody who comes with a CSV file: from the login to a run in the history, and round again."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.e2e.pages import (
    CATALOGUE,
    HISTORY,
    RUN_URL,
    SAMPLES,
    Gate,
    click_run,
    command_names,
    expect_line,
    expect_same_load,
    expect_state,
    fact,
    form_url,
    mark_load,
    more_arguments,
    preview,
    rows,
    search_box,
    state,
)


def test_the_way_leads_from_the_login_to_a_run_in_the_history(page: Page, owner: User) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill("owner")
    page.get_by_label("Password").fill("owner")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Users").click()
    page.locator("#nav-sidebar").get_by_role("link", name="Commands").click()

    search_box(page).fill("import_csv")
    page.get_by_role("button", name="Run import_csv_data").click()
    page.locator("input[type=file]").set_input_files(SAMPLES / "products.csv")
    page.get_by_label("Update existing").check()
    expect(preview(page)).to_have_text(re.compile(r"^python manage\.py import_csv_data .*products\.csv"))
    expect(preview(page)).to_contain_text("--update-existing")
    click_run(page)

    expect(page).to_have_url(RUN_URL)
    expect_state(page, "succeeded")
    expect_line(page, "3000 of 3000 rows.")
    expect_line(page, re.compile(r"Imported: \d+ created, 0 updated"))
    expect(fact(page, "Exit code")).to_have_text("0")

    page.locator("#nav-sidebar").get_by_role("link", name="Runs").click()
    entry = page.locator("#result_list tbody tr").filter(has_text="import_csv_data")
    expect(entry).to_have_count(1)
    expect(entry).to_contain_text(re.compile(r"Succeeded.*import_csv_data.*--update-existing.*owner.*0", re.DOTALL))


def test_the_search_narrows_the_list_as_one_types_and_has_an_address(owner_page: Page) -> None:
    owner_page.goto(CATALOGUE)
    total = len(command_names(owner_page))
    mark_load(owner_page)
    search_box(owner_page).press_sequentially("import")

    expect(owner_page.get_by_text(f"of {total} commands")).to_be_visible()
    expect(owner_page.get_by_role("link", name="migrate", exact=True)).to_have_count(0)
    found = command_names(owner_page)
    assert "import_csv_data" in found
    assert len(found) < total
    expect(owner_page).to_have_url(re.compile(r"\?q=import$"))
    expect_same_load(owner_page)

    owner_page.goto(owner_page.url)
    assert command_names(owner_page) == found
    expect(search_box(owner_page)).to_have_value("import")


def test_going_back_from_a_form_shows_what_was_found(owner_page: Page) -> None:
    owner_page.goto(CATALOGUE)
    search_box(owner_page).press_sequentially("import_csv")
    expect(owner_page.locator(".launcher-name")).to_have_count(1)
    owner_page.get_by_role("button", name="Run import_csv_data").click()
    expect(owner_page).to_have_url(re.compile(re.escape(form_url("import_csv_data"))))
    owner_page.go_back()

    expect(owner_page.locator(".launcher-name")).to_have_count(1)
    expect(search_box(owner_page)).to_have_value("import_csv")
    expect(owner_page.get_by_role("heading", name="Commands")).to_be_visible()


def test_output_comes_before_the_command_ends(owner_page: Page, gate: Gate) -> None:
    owner_page.goto(form_url("e2e_gate"))
    owner_page.get_by_label("Gate").fill(str(gate.path))
    click_run(owner_page)

    expect_line(owner_page, "The gate is shut.")
    mark_load(owner_page)
    expect_state(owner_page, "running")
    expect(rows(owner_page)).to_have_count(1)

    gate.open()
    expect_line(owner_page, "The gate is open.")
    expect_state(owner_page, "succeeded")
    expect(rows(owner_page)).to_have_count(2)
    expect_same_load(owner_page)


def test_edit_and_run_again_keeps_what_was_typed_but_not_the_file(owner_page: Page) -> None:
    owner_page.goto(form_url("import_csv_data"))
    owner_page.locator("input[type=file]").set_input_files(SAMPLES / "products.csv")
    owner_page.get_by_label("Category").fill("Odds & ends")
    click_run(owner_page)
    expect_state(owner_page, "succeeded")

    owner_page.get_by_role("button", name="Edit and run again").click()
    expect(owner_page.get_by_text("choose it again")).to_be_visible()
    expect(owner_page.get_by_label("Category")).to_have_value("Odds & ends")
    owner_page.locator("input[type=file]").set_input_files(SAMPLES / "products.csv")
    owner_page.get_by_label("Dry run").check()
    click_run(owner_page)

    expect_state(owner_page, "succeeded")
    expect_line(owner_page, re.compile("Dry run, nothing was kept: .* 3000 skipped"))


def test_run_again_starts_the_same_once_more(owner_page: Page) -> None:
    owner_page.goto(form_url("recalculate_stats"))
    owner_page.get_by_label("Rebuild").check()
    click_run(owner_page)
    expect_state(owner_page, "succeeded")
    first = owner_page.url
    owner_page.get_by_role("button", name="Run again", exact=True).click()

    expect(owner_page).to_have_url(RUN_URL)
    expect_state(owner_page, "succeeded")
    assert owner_page.url != first
    expect(fact(owner_page, "Command line")).to_contain_text("recalculate_stats --rebuild")


def test_a_bad_file_fails_with_the_line_and_column_of_the_mistake(owner_page: Page) -> None:
    owner_page.goto(form_url("import_csv_data"))
    owner_page.locator("input[type=file]").set_input_files(SAMPLES / "products_with_errors.csv")
    click_run(owner_page)

    expect_state(owner_page, "failed")
    expect_line(owner_page, "line 17, column price")
    expect(owner_page.locator(".launcher-failure")).to_contain_text("Nothing was imported")
    expect(fact(owner_page, "Exit code")).to_have_text("1")


def test_a_refused_value_is_told_at_its_field_and_nothing_typed_is_lost(owner_page: Page) -> None:
    owner_page.goto(form_url("import_csv_data"))
    owner_page.locator("input[type=file]").set_input_files(SAMPLES / "products.csv")
    owner_page.get_by_label("Category").fill("Odds & ends")
    more_arguments(owner_page, "--delimiter", "#")
    click_run(owner_page)

    expect(owner_page.locator(".errornote")).to_contain_text("Nothing was started")
    expect(owner_page.locator(".form-row.field-delimiter")).to_contain_text("invalid choice: '#'")
    expect(owner_page.get_by_label("Category")).to_have_value("Odds & ends")
    expect(owner_page.get_by_text("products.csv is kept")).to_be_visible()

    more_arguments(owner_page)
    expect(preview(owner_page)).not_to_contain_text("#")
    expect(preview(owner_page)).to_contain_text("products.csv")
    click_run(owner_page)
    expect_state(owner_page, "succeeded")
    expect(state(owner_page)).to_have_text("Succeeded")


@pytest.mark.parametrize("name", ["gate", "method", "closest", "matches", "querySelectorAll"])
def test_two_clicks_are_one_run_whatever_an_argument_is_called(owner_page: Page, name: str) -> None:
    owner_page.goto(form_url("e2e_gate"))
    owner_page.get_by_label("Gate").evaluate("(field, name) => (field.name = name)", name)
    owner_page.route("**/run/", lambda route: route.fulfill(status=204))
    click_run(owner_page)

    expect(owner_page.get_by_role("button", name="Run", exact=True)).to_be_disabled()


def test_the_history_keeps_up_with_runs_that_end(owner_page: Page, owner: User, gate: Gate) -> None:
    run = gate.start_run(owner)
    owner_page.goto(HISTORY)
    mark_load(owner_page)
    shown = owner_page.locator(f"#launcher-state-{run.pk}")
    expect(shown).to_have_attribute("data-launcher-status", "running", timeout=30_000)

    gate.open()
    expect(shown).to_have_attribute("data-launcher-status", "succeeded", timeout=30_000)
    expect(owner_page.locator(f"#launcher-code-{run.pk}")).to_have_text("0")
    expect_same_load(owner_page)


def test_a_history_that_may_not_go_on_says_so(owner_page: Page) -> None:
    owner_page.goto(HISTORY)
    owner_page.route("**/states/**", lambda route: route.fulfill(status=403))
    expect(owner_page.get_by_text("This list can’t be kept up to date any more")).to_be_visible(timeout=15_000)


def test_the_history_says_that_there_are_newer_runs(owner_page: Page, owner: User, gate: Gate) -> None:
    owner_page.goto(HISTORY)
    run = gate.start_run(owner)
    owner_page.get_by_role("link", name="1 new run").click(timeout=15_000)

    expect(owner_page.locator(f"#launcher-state-{run.pk}")).to_be_visible()


def test_after_going_back_the_line_says_what_the_form_holds(owner_page: Page) -> None:
    owner_page.goto(form_url("clear_expired_sessions"))
    owner_page.get_by_label("Dry run").check()
    expect(preview(owner_page)).to_contain_text("--dry-run")
    click_run(owner_page)
    expect_state(owner_page, "succeeded")
    owner_page.go_back()

    is_ticked = owner_page.get_by_label("Dry run").is_checked()
    expect(preview(owner_page)).to_have_text(
        re.compile(r"--dry-run\s*$" if is_ticked else r"clear_expired_sessions\s*$")
    )
    assert is_ticked
