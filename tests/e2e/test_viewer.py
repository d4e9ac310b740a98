"""Reading a run's output: links to lines, following, folding, copying; pages stay small however long it is."""

import re
import time
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, Route, expect

from launcher.models import Run
from tests.e2e.conftest import log_in
from tests.e2e.pages import RUN_MS, Words, expect_line, expect_state, output, rows, run_url
from tests.pages import stored_run, with_output

MOST_ROWS = 3_000
LONG = 20_000
"""Lines of an output that no page shows all of."""
COPY = """output => {
    const data = new DataTransfer();
    output.dispatchEvent(new ClipboardEvent("copy", {clipboardData: data, bubbles: true, cancelable: true}));
    return data.getData("text/plain");
}"""
SELECT = """([first, last]) => {
    const code = line => document.querySelector(`#L${line} code`);
    document.getSelection().setBaseAndExtent(code(first), 0, code(last), code(last).childNodes.length);
}"""


def long_run() -> Run:
    return with_output(stored_run(), b"".join(b"line %d\n" % number for number in range(1, LONG + 1)))


def line(page: Page, number: int) -> Locator:
    return page.locator(f"#L{number}")


def numbers(page: Page) -> list[int]:
    """Return the numbers of all lines on the page; asserts that none is missing between, and that they are few."""
    found: list[int] = rows(page).evaluate_all("rows => rows.map(row => Number(row.dataset.number))")
    assert all(after == before + 1 for before, after in pairwise(found))
    assert len(found) <= MOST_ROWS
    return found


def viewer(page: Page, expression: str) -> Any:
    return page.evaluate(f"window.launcherViewer.{expression}")


def new_lines(page: Page) -> Locator:
    return page.locator("#launcher-new")


def expect_at_end(page: Page) -> None:
    page.wait_for_function(
        "() => { const o = launcherViewer.element; return o.scrollHeight - o.scrollTop - o.clientHeight < 8; }"
    )


def test_a_link_leads_to_its_line_on_the_page_or_not(shared_page: Page, logged_in_shared: None) -> None:
    page = shared_page
    run = long_run()
    page.goto(f"{run_url(run)}#L700-L702")
    expect(line(page, 700)).to_be_in_viewport()
    expect(page.locator(".launcher-row-marked")).to_have_count(3)
    assert viewer(page, "tail()") is None
    assert numbers(page)[-1] < LONG

    page.evaluate("location.hash = '#L19990'")
    expect(line(page, 19_990)).to_be_in_viewport()
    expect(page.locator(".launcher-row-marked")).to_have_count(1)
    line(page, 19_985).locator(".launcher-number").click()
    line(page, 19_988).locator(".launcher-number").click(modifiers=["Shift"])
    expect(page).to_have_url(re.compile(r"change/#L19985-L19988$"))
    expect(page.get_by_text("Lines 19985–19988")).to_be_visible()
    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("change/?line=19985#L19985-L19988")

    page.goto(link)
    expect(page.locator(".launcher-row-marked")).to_have_count(4)
    page.get_by_role("textbox", name="Line").fill("99999")
    page.keyboard.press("Enter")
    expect(page.get_by_text("There is no line 99999.")).to_be_visible()


def test_the_page_stays_small_and_whole_however_the_reader_goes(shared_page: Page, logged_in_shared: None) -> None:
    page = shared_page
    page.goto(run_url(long_run()))
    expect(line(page, LONG)).to_be_attached()
    expect_at_end(page)
    output(page).focus()
    page.keyboard.press("g")
    expect(line(page, 1)).to_be_in_viewport()
    page.keyboard.press("l")
    page.keyboard.type("10000\n")
    expect(line(page, 10_000)).to_be_in_viewport()
    output(page).hover()
    for turn in (-1, 1):
        start = here = viewer(page, "currentLine()")
        deadline = time.monotonic() + RUN_MS / 1000
        while (here - start) * turn < MOST_ROWS + 500:
            assert time.monotonic() < deadline, f"still at {here}, from {start}"
            page.mouse.wheel(0, turn * 8000)
            assert (viewer(page, "currentLine()") - here) * turn >= 0  # nothing jumps back
            here = viewer(page, "currentLine()")
            numbers(page)
        assert len(numbers(page)) > 2000
        assert output(page).locator("div ~ .launcher-earlier").count() == 0
    page.keyboard.press("Shift+G")
    expect(line(page, LONG)).to_be_attached()
    expect_at_end(page)
    numbers(page)


def test_a_run_is_followed_until_the_reader_scrolls_up_or_selects(owner_page: Page, owner: User, words: Words) -> None:
    page = owner_page
    words.say_lines("line", 100)
    page.goto(run_url(words.start_run(owner)))
    follow = page.get_by_role("button", name="Follow")
    expect_line(page, "line 100")
    words.say("Loading 1 %")
    expect_line(page, "Loading 1 %")
    page.evaluate("window.kept = [document.getElementById('L99'), document.getElementById('L101')]")
    words.say("\rLoading 2 %")
    expect_line(page, "Loading 2 %")
    expect_at_end(page)
    page.evaluate(SELECT, [98, 100])
    expect(follow).to_have_attribute("aria-pressed", "false")
    words.say("\n")
    words.say_lines("more", 240)

    expect(new_lines(page)).to_have_text("↓ 240 new lines", timeout=RUN_MS)
    assert page.evaluate("document.getSelection().toString().trim().split(/\\s*\\n\\s*/)") == [
        "line 98",
        "line 99",
        "line 100",
    ]
    assert page.evaluate("kept.every((row, index) => row === document.getElementById(`L${[99, 101][index]}`))")
    page.evaluate("document.getSelection().removeAllRanges()")
    new_lines(page).click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    expect_at_end(page)
    expect(new_lines(page)).to_be_hidden()
    words.say_lines("last", 50)
    said = page.locator("#launcher-said")
    expect(said).to_contain_text("last 50")
    assert len(said.inner_text()) < 100
    output(page).hover()
    page.mouse.wheel(0, -300)
    expect(follow).to_have_attribute("aria-pressed", "false")
    assert numbers(page) == list(range(1, 392))


def test_who_reads_further_up_is_left_alone_by_a_flood(owner_page: Page, owner: User, words: Words) -> None:
    page = owner_page
    words.say_lines("line", 1000)
    page.goto(run_url(words.start_run(owner)))
    expect_line(page, "line 1000")
    viewer(page, "goTo(950)")
    expect(line(page, 950)).to_be_in_viewport()
    here = viewer(page, "currentLine()")
    for count in (11_000, 21_000, 31_000):
        words.say_lines("flood", 10_000)
        page.wait_for_function("count => launcherViewer.lastLine() == count", arg=count, timeout=RUN_MS)
        assert viewer(page, "currentLine()") == here
        numbers(page)
    assert viewer(page, "tail()") is None
    expect(new_lines(page)).to_have_text("↓ 30,000 new lines")
    words.end()
    expect_state(page, "succeeded")
    new_lines(page).click()
    expect(line(page, 31_000)).to_be_attached()
    expect_at_end(page)
    numbers(page)


def test_groups_fold_and_what_is_copied_is_what_was_written(owner_page: Page, owner: User, words: Words) -> None:
    page = owner_page
    text = "one\n::group::Part\n  two\n::group::Inner\n\x01three\n::endgroup::\n::endgroup::\nfour\n"
    run = words.start_run(owner, text)
    words.end()
    page.goto(run_url(run))
    expect_state(page, "succeeded")
    expect(line(page, 8)).to_have_text("four")
    page.get_by_label("Times").select_option("start")
    expect(line(page, 1)).to_have_attribute("data-time", re.compile(r"^\+\d+\.\d$"))
    page.evaluate(SELECT, [1, 8])
    assert output(page).evaluate(COPY) == text.replace("\x01", "").rstrip("\n")

    page.evaluate("document.getSelection().removeAllRanges()")
    page.get_by_role("button", name="Group: Part").click()
    expect(line(page, 5)).to_be_hidden()
    expect(line(page, 8)).to_be_visible()
    page.reload()
    expect(line(page, 5)).to_be_hidden()
    expect(page.get_by_label("Times")).to_have_value("start")
    page.get_by_role("textbox", name="Line").fill("5")
    page.keyboard.press("Enter")
    expect(line(page, 5)).to_be_in_viewport()

    page.keyboard.press("e")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_have_text("three")
    expect(page).to_have_url(re.compile(r"\?only=errors#L5$"))
    page.get_by_role("textbox", name="Line").fill("8")  # which is no error: it is shown all the same
    page.keyboard.press("Enter")
    expect(line(page, 8)).to_be_in_viewport()
    expect(rows(page)).to_have_count(8)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def twice(route: Route) -> None:
    """Answer with the page as a theme would have it that loads htmx as well."""
    response = route.fetch()
    script = re.search(r'<script[^>]*src="[^"]*htmx[^"]*"[^>]*></script>', response.text())
    assert script is not None
    route.fulfill(response=response, body=response.text().replace("</head>", f"{script[0]}</head>"))


def test_no_line_is_missed_or_doubled_whatever_becomes_of_the_connection(
    owner_page: Page, owner: User, words: Words
) -> None:
    page = owner_page
    asked: list[str] = []
    page.route("**/change/", twice)
    page.on("request", lambda request: asked.append(request.url) if "/lines/" in request.url else None)
    run = words.start_run(owner, "one\n")
    page.goto(run_url(run))
    expect_line(page, "one")
    page.route("**/lines/**", lambda route: route.abort())
    expect(page.get_by_text("The server does not answer; trying again…")).to_be_visible()
    words.say_lines("meanwhile", 50)
    page.unroute("**/lines/**")
    expect_line(page, "meanwhile 50")
    expect(page.get_by_text("The server does not answer; trying again…")).to_have_count(0)
    assert numbers(page) == list(range(1, 52))

    def hide(is_hidden: bool) -> None:
        page.evaluate(
            "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); "
            "document.dispatchEvent(new Event('visibilitychange')); }",
            is_hidden,
        )

    hide(True)
    viewer(page, "poll()")  # the last that was under way
    asked.clear()
    words.say_lines("unseen", 5)
    page.evaluate("() => new Promise(resolve => setTimeout(resolve, 2500))")  # longer than any pause between two looks
    assert asked == []
    hide(False)
    expect_line(page, "unseen 5")
    assert numbers(page) == list(range(1, 57))
    words.end()
    expect_state(page, "succeeded")
    page.wait_for_function("!launcherViewer.tail().isLive")
    assert numbers(page) == list(range(1, 57))


def test_without_javascript_the_output_has_pages(plain_page: Page) -> None:
    page = plain_page
    run = long_run()
    page.goto(run_url(run))
    expect(line(page, LONG)).to_be_attached()
    page.get_by_role("link", name="Show earlier lines").click()
    expect(line(page, LONG - 500)).to_be_attached()
    expect(line(page, LONG)).to_have_count(0)
    page.get_by_role("link", name="Show later lines").click()
    expect(line(page, LONG)).to_be_attached()
    page.get_by_role("button", name="To the first line").click()
    expect(line(page, 1)).to_be_attached()
    expect(page.get_by_role("link", name="Show earlier lines")).to_have_count(0)
    page.get_by_role("textbox", name="Line").fill("777")
    page.keyboard.press("Enter")
    expect(line(page, 777)).to_be_attached()
    assert len(numbers(page)) == 500
    page.get_by_role("button", name="To the last line").click()
    expect(line(page, LONG)).to_be_attached()
    expect(page.get_by_role("button", name="Follow")).to_be_hidden()


@pytest.fixture
def logged_in_shared(shared_page: Page, owner: User, base_url: str) -> None:
    """Log the superuser in on the module's page."""
    log_in(shared_page.context, owner, base_url)
