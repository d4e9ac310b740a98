"""A run that waits for an answer gets it from its page, from one page only, and what is typed is lost by no poll."""

import re
from collections.abc import Callable

from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from launcher.models import Run, Status
from launcher.runs import start_run
from tests.e2e.conftest import log_in
from tests.e2e.pages import (
    HISTORY,
    RUN_MS,
    download,
    expect_line,
    expect_same_load,
    expect_state,
    mark_load,
    output,
    run_url,
    state,
)
from tests.pages import database_bytes
from tests.waiting import output_of, wait_until_finished

SECRET = "xyzzy-plugh-17"


def field(page: Page, question: str = "Are you sure?") -> Locator:
    return page.get_by_label(question)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send").click()


def said(page: Page) -> Locator:
    """What is said at the field of an answer that was not taken."""
    return page.locator("#launcher-answer-said")


def open_asking(page: Page, user: User, *argv: str) -> Run:
    """Start a run that asks, and open its page before it does."""
    run = start_run("run_asks", argv, user=user)
    page.goto(run_url(run))
    expect(field(page)).to_be_visible(timeout=RUN_MS)
    return run


def expect_polls(page: Page, count: int) -> None:
    """Wait until the page has asked for lines so many times more."""
    for _ in range(count):
        page.wait_for_event("requestfinished", lambda request: "/lines/" in request.url)


def test_questions_are_answered_by_keyboard_and_the_run_goes_on(
    owner_page: Page, owner: User, complaints: list[str]
) -> None:
    page = owner_page
    run = start_run("run_asks", ["--twice"], user=owner)
    page.goto(run_url(run))
    mark_load(page)
    expect(field(page)).to_be_visible(timeout=RUN_MS)
    expect(field(page)).not_to_be_focused()
    expect(state(page)).to_have_text("Running waits for an answer")
    expect(page.locator("#launcher-announcement")).to_have_text("Waits for an answer: Are you sure?")

    field(page).click()
    page.keyboard.type("cert")
    expect_polls(page, 2)
    page.keyboard.type("ainly\n")
    expect(field(page)).to_have_count(0)
    expect_line(page, "9 characters.")
    expect(field(page, "Really?")).to_be_focused()
    page.keyboard.type("yes\n")
    expect_line(page, "3 characters.")
    expect_state(page, "succeeded")
    expect(state(page)).to_have_text("Succeeded")
    expect(output(page)).to_be_focused()
    expect_same_load(page)
    assert complaints == []


def test_a_password_is_masked_and_is_nowhere_afterwards(owner_page: Page, owner: User) -> None:
    run = open_asking(owner_page, owner, "--secretly")
    expect(field(owner_page)).to_have_attribute("type", "password")
    field(owner_page).fill(SECRET)
    send(owner_page)
    expect_line(owner_page, "14 characters.")
    expect_state(owner_page, "succeeded")
    assert SECRET not in owner_page.content()
    assert SECRET.encode() not in download(owner_page, "With colours (ANSI)").read_bytes()
    wait_until_finished(run)
    assert SECRET.encode() not in database_bytes()


def test_of_two_pages_one_answers_and_the_other_is_told(
    owner_page: Page, operator: User, owner: User, new_context: Callable[..., BrowserContext], live_server: LiveServer
) -> None:
    run = open_asking(owner_page, owner, "--twice")
    context = new_context()
    log_in(context, owner, live_server.url)
    other = context.new_page()
    other.goto(run_url(run))
    third = context.new_page()
    third.goto(run_url(run))
    expect(field(other)).to_be_visible()
    # This one sees nothing new any more.
    other.route("**/lines/**", lambda route: route.abort())
    field(other).fill("too late")
    field(third).fill("half typ")
    field(owner_page).fill("yes")
    send(owner_page)

    expect(field(third, "Really?")).to_be_visible()
    expect(field(third, "Really?")).to_be_empty()
    expect(field(third, "Really?")).not_to_be_focused()
    expect(said(third)).to_contain_text("What you typed was not sent: somebody else has answered")
    send(other)
    expect(said(other)).to_contain_text("Your answer was not sent: somebody else answered first")
    expect(field(other)).to_have_count(0)
    assert "too late" not in output_of(run)
    owner_page.get_by_role("button", name="End of input").click()
    expect_state(owner_page, "failed")


def test_an_answer_that_is_taken_before_its_own_request_has_ended_is_not_called_unsent(
    owner_page: Page, owner: User
) -> None:
    open_asking(owner_page, owner, "--apart")
    field(owner_page).fill("yes")

    def late(route: Route) -> None:
        response = route.fetch()
        expect_line(owner_page, "3 characters, read apart.")
        expect(field(owner_page)).to_have_count(0)
        route.fulfill(response=response)

    owner_page.route("**/answer/", late)
    with owner_page.expect_response("**/answer/", timeout=RUN_MS):
        send(owner_page)
    expect_state(owner_page, "succeeded")
    expect(said(owner_page)).to_be_empty()


def test_what_could_not_be_sent_stays_and_can_be_sent_again(owner_page: Page, owner: User) -> None:
    open_asking(owner_page, owner, "--apart")
    field(owner_page).fill("yes")
    # As an answer to a poll that was asked before the page had the question.
    owner_page.route(
        "**/lines/**", lambda route: route.continue_(url=re.sub("asked=[^&]*", "asked=", route.request.url))
    )
    expect_polls(owner_page, 2)
    owner_page.unroute("**/lines/**")
    owner_page.route("**/answer/", lambda route: route.abort())
    send(owner_page)
    expect(said(owner_page)).to_contain_text("It could not be sent")
    expect(field(owner_page)).to_have_value("yes")
    owner_page.unroute("**/answer/")
    send(owner_page)

    expect_line(owner_page, "3 characters, read apart.")
    expect_state(owner_page, "succeeded")
    expect(said(owner_page)).to_be_empty()


def test_the_run_goes_on_waiting_when_its_page_is_closed_and_answers_need_no_javascript(
    owner_page: Page, owner: User, plain_page: Page
) -> None:
    run = open_asking(owner_page, owner)
    field(owner_page).fill("never sent")
    owner_page.goto(HISTORY)
    row = owner_page.locator("#result_list tbody tr")
    expect(row.locator("[data-launcher-status]")).to_have_text(re.compile("Running waits for an answer"))
    run.refresh_from_db()
    assert run.status == Status.RUNNING

    plain_page.goto(run_url(run))
    field(plain_page).fill("yes")
    send(plain_page)
    expect(plain_page.locator("#launcher-run-head")).to_be_visible()
    assert wait_until_finished(run).status == Status.SUCCEEDED
    assert "never" not in output_of(run)
    expect(row.locator("[data-launcher-status]")).to_have_text("Succeeded")
