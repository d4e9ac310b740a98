"""Browser tests: a real Chromium, Django's live server, the database file that the runs' own processes share."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from launcher.engines import engine
from launcher.models import UNFINISHED, Run
from launcher.runs import reconcile
from tests.e2e.pages import Gate, Words
from tools.find_browser import MISSING, find_browser

# How long to wait for what a page should do at once, on a machine that may have other things to do.
PATIENCE_MS = 10_000
# Chromium must talk to the live server only.
QUIET_ARGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session", autouse=True)
def patience() -> None:
    """Let every `expect` wait so long; actions have their own limit, below."""
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(autouse=True)
def patient_context(context: BrowserContext) -> Iterator[None]:
    """Let every action of the test's page wait so long, not half a minute; a request held at its end harms nobody."""
    context.set_default_timeout(PATIENCE_MS)
    yield
    for each in context.browser.contexts if context.browser else ():
        for page in each.pages:
            page.unroute_all(behavior="ignoreErrors")


@pytest.fixture(scope="session", autouse=True)
def async_unsafe() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, so Django would refuse the ORM, though nothing is asynchronous."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = os.environ.get("LAUNCHER_CHROMIUM") or find_browser()
    if path is None:
        if os.environ.get("LAUNCHER_REQUIRE_ALL") == "1":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    # Chromium's sandbox refuses to run as root, which is who runs tests in a container.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": path, "args": [*QUIET_ARGS, *sandbox]}


@pytest.fixture(scope="session")
def base_url(live_server: LiveServer) -> str:
    """Every page of every context starts here: tests write `page.goto("/admin/…")`."""
    return str(live_server.url)


def log_in(context: BrowserContext, user: User, url: str) -> None:
    """Give the context the cookie of a session, without the login page."""
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])


@pytest.fixture
def logged_in_page(page: Page, live_server: LiveServer) -> Callable[[User], Page]:
    """Return a function that logs a user in, without the login page, and returns the test's page."""

    def page_of(user: User) -> Page:
        log_in(page.context, user, live_server.url)
        return page

    return page_of


@pytest.fixture(scope="module")
def one_page(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[Page]:
    """A page for all tests of a module, which need to fetch scripts and styles only once."""
    context = browser.new_context(**browser_context_args)
    context.set_default_timeout(PATIENCE_MS)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


@pytest.fixture
def shared_page(one_page: Page) -> Iterator[Page]:
    """The module's page; it may paste and copy."""
    yield one_page
    one_page.unroute_all()
    one_page.set_viewport_size({"width": 1280, "height": 720})
    # So that nothing asks the server any more when the tables are emptied. A form that was sent just now comes between.
    for _ in range(3):
        with suppress(Error):
            one_page.goto("about:blank")
            break


@pytest.fixture
def paper_runs(settings: Settings, ended_runs: None) -> None:
    """Let runs be written down instead of carried out, by `tests.e2e.forms.PaperEngine`."""
    settings.LAUNCHER = {**settings.LAUNCHER, "ENGINE": "tests.e2e.forms.PaperEngine"}


@pytest.fixture
def owner_page(logged_in_page: Callable[[User], Page], owner: User) -> Page:
    """The superuser's page."""
    return logged_in_page(owner)


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser complains about: errors of scripts, failed requests, breaches of the policy."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.location["url"].endswith("/favicon.ico"):
            found.append(f"{message.location['url']}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def plain_page(new_context: Callable[..., BrowserContext], live_server: LiveServer, owner: User) -> Page:
    """The superuser's page in a browser without JavaScript."""
    context = new_context(java_script_enabled=False)
    log_in(context, owner, live_server.url)
    return context.new_page()


@pytest.fixture
def gate(tmp_path: Path, ended_runs: None) -> Iterator[Gate]:
    """What `e2e_gate` waits for. It opens at the end of the test, so that no run waits for ever."""
    gate = Gate(tmp_path / "gate")
    yield gate
    gate.open()


@pytest.fixture
def words(tmp_path: Path, ended_runs: None) -> Iterator[Words]:
    """What `e2e_says` writes. It ends at the end of the test."""
    words = Words(tmp_path / "words")
    yield words
    words.end()


@pytest.fixture(autouse=True)
def ended_runs(live_server: LiveServer) -> Iterator[None]:
    """Let every run end before the tables are emptied, or its supervisor would be surprised."""
    yield
    started_at = time.monotonic()
    while unfinished := list(Run.objects.filter(status__in=UNFINISHED)):
        reconcile(unfinished)
        if time.monotonic() - started_at > 0.5:
            for run in unfinished:
                engine().stop(run)
        assert time.monotonic() - started_at < 30, f"still going on: {unfinished}"
        time.sleep(0.05)
