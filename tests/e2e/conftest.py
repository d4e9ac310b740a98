"""Browser tests: a real Chromium, Django's live server, the database file that the runs' own processes share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tools.find_browser import MISSING, find_browser

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


@pytest.fixture
def logged_in_page(page: Page, live_server: LiveServer) -> Callable[[User], Page]:
    """Return a function that logs a user in, without the login page, and returns the test's page."""

    def log_in(user: User) -> Page:
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        return page

    return log_in
