"""Who sees what: the operator the granted commands alone, the outsider nothing."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from launcher.runs import start_run
from tests.e2e.pages import (
    CATALOGUE,
    HISTORY,
    RUN_URL,
    Gate,
    click_run,
    command_names,
    expect_same_load,
    expect_state,
    form_url,
    mark_load,
    run_url,
    search_box,
)

LogIn = Callable[[User], Page]


def test_the_operator_sees_and_runs_what_is_granted(logged_in_page: LogIn, operator: User) -> None:
    page = logged_in_page(operator)
    page.goto(CATALOGUE)
    names = command_names(page)
    assert "recalculate_stats" in names
    assert set(names) <= set(settings.LAUNCHER["COMMANDS"])
    page.get_by_role("button", name="Run recalculate_stats").click()
    click_run(page)

    expect(page).to_have_url(RUN_URL)
    expect_state(page, "succeeded")
    expect(page.get_by_role("link", name="Delete", exact=True)).to_have_count(0)


def test_the_operator_does_not_see_what_is_not_granted(
    logged_in_page: LogIn, operator: User, owner: User, gate: Gate
) -> None:
    run = gate.start_run(owner)
    page = logged_in_page(operator)
    for url, status in ((form_url("migrate"), 403), (run_url(run), 404)):
        response = page.goto(url)
        assert response is not None
        assert response.status == status
    page.goto(HISTORY)
    expect(page.locator("#content")).not_to_contain_text("e2e_gate")


def test_the_outsider_gets_nothing(logged_in_page: LogIn, outsider: User, owner: User) -> None:
    run = start_run("recalculate_stats", [], user=owner)
    page = logged_in_page(outsider)
    page.goto("/admin/")
    expect(page.get_by_role("link", name="Commands")).to_have_count(0)
    expect(page.get_by_role("link", name="Runs")).to_have_count(0)
    for url in (CATALOGUE, form_url("recalculate_stats"), HISTORY, run_url(run), f"{HISTORY}{run.pk}/output.txt"):
        response = page.goto(url)
        assert response is not None
        assert response.status in (403, 404)
        expect(page.locator("body")).not_to_contain_text("recalculate_stats")


@pytest.mark.parametrize("url", [CATALOGUE, form_url("migrate"), HISTORY])
def test_a_stranger_is_sent_to_the_login(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_a_form_whose_session_has_ended_keeps_what_is_typed(owner_page: Page) -> None:
    owner_page.goto(form_url("recalculate_stats"))
    owner_page.context.clear_cookies(name="sessionid")
    field = owner_page.locator("#id_from_date")
    mark_load(owner_page)
    with owner_page.expect_response("**/line/") as answer:
        field.fill("2026-01-31")
    assert answer.value.status == 204

    expect(field).to_have_value("2026-01-31")
    expect_same_load(owner_page)


def test_a_page_whose_session_has_ended_goes_to_the_login(owner_page: Page) -> None:
    owner_page.goto(CATALOGUE)
    owner_page.context.clear_cookies()
    search_box(owner_page).press_sequentially("import")

    expect(owner_page.get_by_role("button", name="Log in")).to_be_visible()
