"""A real Chromium without a window, and a server for it to look at. Owns that both are there, and that both end."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from bench._project import Project
from tools.find_browser import MISSING, find_browser
from tools.serve_demo import HOST, first_free_port

WAIT_SECONDS = 60.0
FIRST_PORT = 8600


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; raises SystemExit where there is none."""
    path = os.environ.get("LAUNCHER_CHROMIUM") or find_browser()
    if path is None:
        raise SystemExit(MISSING)
    # Chromium's sandbox refuses to run as root, which is who measures in a container.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        yield browser
        browser.close()


@contextmanager
def serving(project: Project) -> Iterator[str]:
    """Serve a project at a free port, in a process of its own, and return where."""
    port = first_free_port(FIRST_PORT)
    assert port, "no free port"
    # --insecure: static files without DEBUG, whose logs of every query would be in the figures.
    server = subprocess.Popen(
        [project.python, "manage.py", "runserver", "--noreload", "--insecure", f"{HOST}:{port}"],
        cwd=project.folder,
        env=dict(project.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://{HOST}:{port}"
    try:
        wait_for_answer(server, f"{url}{project.admin_path}login/")
        yield url
    finally:
        server.terminate()
        server.wait()


def wait_for_answer(server: subprocess.Popen[bytes], url: str) -> None:
    """Wait until a server answers; fails if it ends before that, or takes too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not _answers(url):
        assert server.poll() is None, "the server has ended"
        assert time.monotonic() < deadline, "the server does not answer"
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=WAIT_SECONDS) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False
