"""A run's page that gets its lines by a stream, from a server that may go away under it."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, Request, Route, expect

from launcher.models import Run
from launcher.runs import start_run
from tests.e2e.conftest import log_in
from tests.e2e.pages import Gate, expect_line, expect_same_load, expect_state, mark_load, rows, run_url
from tests.web_servers import WebServer

HTMX = re.compile(r'<script[^>]* src="[^"]*htmx[^"]*\.js"[^>]*></script>')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[WebServer]:
    log = tmp_path_factory.mktemp("server") / "log"
    server = WebServer("uvicorn", log, LAUNCHER_TEST_CHECK_SECONDS="0.5")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def counting(page: Page, server: WebServer, owner: User, gate: Gate) -> Run:
    """A run that writes numbered lines, on the test's page."""
    run = start_run("run_counts", [str(gate.path), "--milliseconds", "20"], user=owner)
    log_in(page.context, owner, server.url)
    return run


def watch_requests(page: Page) -> list[str]:
    """Return the addresses that the page asks for, from now on."""
    found: list[str] = []

    def note(request: Request) -> None:
        found.append(request.url)

    page.on("request", note)
    return found


def expect_streaming(page: Page) -> None:
    """Wait until lines come by the stream, so that none are asked for."""
    expect(page.locator("#launcher-output[data-launcher-streaming]")).to_be_attached()


def last_line(page: Page) -> int:
    expect_line(page, "line 1")
    return int(page.evaluate("window.launcherViewer.lastLine()"))


def expect_more_lines(page: Page, number: int = 20) -> None:
    before = last_line(page)
    page.wait_for_function("least => window.launcherViewer.lastLine() > least", arg=before + number)


def test_a_page_gets_every_line_once_though_its_server_is_killed(
    page: Page, server: WebServer, counting: Run, gate: Gate
) -> None:
    page.goto(server.url + run_url(counting))
    expect_streaming(page)
    mark_load(page)
    requests = watch_requests(page)
    expect_more_lines(page)
    assert not [url for url in requests if "cursor=" in url]

    server.kill()
    expect(page.get_by_text("The server does not answer")).to_be_visible(timeout=15_000)
    server.start()
    expect_streaming(page)
    expect(page.get_by_text("The server does not answer")).to_be_hidden()
    expect_more_lines(page)
    gate.open()

    expect_state(page, "succeeded")
    expect_line(page, re.compile(r"^\d+ lines$"))
    texts = rows(page).locator("code").all_inner_texts()
    count = len(texts) - 1
    assert texts == [*(f"line {number}" for number in range(1, count + 1)), f"{count} lines"]
    expect_same_load(page)


def test_an_expired_session_leads_to_the_login_page_and_back(page: Page, server: WebServer, counting: Run) -> None:
    page.goto(server.url + run_url(counting))
    expect_streaming(page)
    Session.objects.all().delete()
    page.get_by_label("Username").fill("owner")
    page.get_by_label("Password").fill("owner")
    page.get_by_role("button", name="Log in").click()
    expect_streaming(page)
    expect_more_lines(page)


def test_a_page_with_a_second_htmx_streams_as_well(page: Page, server: WebServer, counting: Run, gate: Gate) -> None:
    def double(route: Route) -> None:
        answer = route.fetch()
        found = HTMX.search(answer.text())
        assert found
        route.fulfill(
            response=answer, body=answer.text().replace(found[0], found[0] + found[0].replace(".js", ".js?2"))
        )

    page.route("**/change/", double)
    page.goto(server.url + run_url(counting))
    expect_streaming(page)
    expect_more_lines(page)
    gate.open()
    expect_state(page, "succeeded")
    texts = rows(page).locator("code").all_inner_texts()
    assert texts[:-1] == [f"line {number}" for number in range(1, len(texts))]


def test_a_hidden_page_holds_no_connection(page: Page, server: WebServer, counting: Run) -> None:
    page.goto(server.url + run_url(counting))
    expect_streaming(page)
    hide = """isHidden => {
        Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    expect(page.locator("[data-launcher-streaming]")).to_have_count(0)
    page.evaluate(hide, False)
    expect_streaming(page)
    expect_more_lines(page)


def test_a_page_polls_where_a_proxy_keeps_the_stream_back(page: Page, server: WebServer, counting: Run) -> None:
    # An answer of which nothing arrives, as from a proxy that waits for its end.
    page.route("**/stream/*", lambda route: None)
    requests = watch_requests(page)
    page.goto(server.url + run_url(counting))
    expect_more_lines(page)
    page.wait_for_event("requestfailed", lambda request: "/stream/" in request.url)
    expect_more_lines(page)
    assert any("/stream/" in url for url in requests)
