"""A web server that is killed and started again in the middle of a run: neither the run nor its page may mind."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
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

ROOT = Path(__file__).parents[2]


class Server:
    """`manage.py runserver` at one port, with the tests' database."""

    def __init__(self, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{probe.getsockname()[1]}"
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{self._address}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        argv = [sys.executable, "manage.py", "runserver", "--noreload", "--insecure", "--settings=tests.settings"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*argv, self._address], cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/admin/login/", timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    def kill(self) -> None:
        """End it at once, without a chance to clean up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def server(tmp_path: Path, transactional_db: None) -> Iterator[Server]:
    server = Server(tmp_path / "server.log")
    server.start()
    yield server
    server.kill()


def test_a_run_and_its_page_outlive_the_server(page: Page, server: Server, owner: User, gate: Gate) -> None:
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
