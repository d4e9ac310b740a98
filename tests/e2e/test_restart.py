"""A web server that is killed and started again in the middle of a run: neither the run nor its page may mind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.e2e.conftest import log_in
from tests.e2e.pages import (
    HISTORY,
    Gate,
    click_run,
    expect_line,
    expect_same_load,
    expect_state,
    form_url,
    mark_load,
    rows,
)
from tests.web_servers import WebServer


@pytest.fixture
def server(tmp_path: Path, transactional_db: None) -> Iterator[WebServer]:
    server = WebServer("gunicorn", tmp_path / "server.log")
    server.start()
    yield server
    server.kill()


def test_a_run_and_its_page_outlive_the_server(page: Page, server: WebServer, owner: User, gate: Gate) -> None:
    log_in(page.context, owner, server.url)
    page.goto(server.url + form_url("e2e_gate"))
    page.get_by_label("Gate").fill(str(gate.path))
    click_run(page)
    expect_line(page, "The gate is shut.")
    expect_state(page, "running")
    mark_load(page)

    server.kill()
    expect(page.get_by_text("The server does not answer")).to_be_visible(timeout=15_000)
    server.start()
    expect(page.get_by_text("The server does not answer")).to_be_hidden(timeout=15_000)
    expect_state(page, "running")
    gate.open()

    expect_line(page, "The gate is open.")
    expect_state(page, "succeeded")
    expect(rows(page)).to_have_count(2)
    expect_same_load(page)
    page.goto(server.url + HISTORY)
    expect(page.locator("#result_list tbody tr")).to_contain_text("Succeeded")
