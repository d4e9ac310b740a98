"""The README's promise, kept from outside: install the wheel, add the apps, migrate: commands run from the admin."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.packaging.web_client import Page, WebClient
from tools.interpreters import COMBOS, Combo, find_python

START_SECONDS = 60
RUN_SECONDS = 60
OWN = "{}.{}".format(*sys.version_info)
TRIED = [combo for combo in COMBOS if combo.python == OWN or os.environ.get("LAUNCHER_REQUIRE_ALL") == "1"]
"""CI tries every supported Python; elsewhere it is the one of the tests, since each takes some ten seconds."""


def clean_environment() -> dict[str, str]:
    """This process's environment without what points to this repository or its test settings."""
    ours = ("DJANGO_", "LAUNCHER_", "PYTHONPATH", "PYTEST_", "COVERAGE_", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "DJANGO_SUPERUSER_PASSWORD": "owner",
    }


def call(*argv: str, cwd: Path) -> None:
    process = subprocess.run(argv, cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False)
    assert process.returncode == 0, f"{argv}\n{process.stdout}{process.stderr}"


def new_site(folder: Path, combo: Combo, interpreter: str, wheel: Path) -> str:
    """Make an environment and a fresh project with launcher in `folder`; return the environment's interpreter."""
    call(interpreter, "-m", "venv", "--without-pip", "venv", cwd=folder)  # the one that is here can fill it as well
    python = str(folder / "venv" / "bin" / "python")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile")
    call(*pip, combo.django_requirement, str(wheel), cwd=folder)
    call(python, "-m", "django", "startproject", "fresh", ".", cwd=folder)
    with (folder / "fresh" / "settings.py").open("a") as settings:
        settings.write('\nINSTALLED_APPS += ["django_htmx", "launcher"]\n')
    call(python, "manage.py", "migrate", cwd=folder)
    call(
        python, "manage.py", "createsuperuser", "--noinput", "--username=owner", "--email=owner@example.com", cwd=folder
    )
    return python


@contextmanager
def serving(folder: Path, python: str) -> Iterator[WebClient]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [python, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(argv, cwd=folder, env=clean_environment(), stdout=log, stderr=log)
    client = WebClient(f"http://127.0.0.1:{port}")
    try:
        wait_until_up(client, server)
        yield client
    finally:
        server.terminate()
        server.wait(timeout=30)
        end_processes_of(folder)


def wait_until_up(client: WebClient, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.get("/admin/login/")
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)
        else:
            return


def end_processes_of(folder: Path) -> None:
    """End the warm process that outlives the server: its interpreter is in `folder`, which only this test uses."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), signal.SIGTERM)
        except OSError:  # it ended by itself
            continue


def final_page(client: WebClient, url: str) -> tuple[Page, str]:
    """Poll a run's page until the run has ended; return the page and the run's status."""
    deadline = time.monotonic() + RUN_SECONDS
    while True:
        page = client.get(url)
        match = re.search(r'data-launcher-status="(\w+)"', page.text)
        assert match, f"no status on {url}"
        if match[1] not in ("queued", "running"):
            return page, match[1]
        assert time.monotonic() < deadline, f"still {match[1]} after {RUN_SECONDS} s"
        time.sleep(0.2)


@pytest.mark.parametrize("combo", TRIED, ids=lambda combo: combo.name)
def test_a_fresh_project_runs_a_command_from_the_admin(combo: Combo, wheel: Path, tmp_path: Path) -> None:
    interpreter = find_python(combo.python)
    if interpreter is None:
        pytest.skip(f"no Python {combo.python} found that runs and can make environments")
    python = new_site(tmp_path, combo, interpreter, wheel)
    with serving(tmp_path, python) as client:
        client.submit(client.get("/admin/login/?next=/admin/"), username="owner", password="owner")

        commands = client.get("/admin/launcher/command/")
        assert commands.status == 200
        assert "migrate" in commands.text

        started = client.submit(client.get("/admin/launcher/command/check/run/"))
        match = re.search(r"/admin/launcher/run/([^/]+)/change/", started.url)
        assert match, f"no redirect to the run's page, but {started.url}"

        page, status = final_page(client, started.url)
        output = client.get(f"/admin/launcher/run/{match[1]}/output.txt").text
        assert status == "succeeded", output
        assert "System check identified no issues" in page.text + output
