"""Takes the pictures of README and docs anew: a demo of its own, a real Chromium, each page light, dark and on a phone.

    python -m tools.screenshots            all pictures, into docs/screenshots
    python -m tools.screenshots --to DIR   elsewhere

What the pictures show is made here: a fresh database in a temporary folder, runs started through the pages by two
users. Nothing of the project's own database is touched, and every process started here is ended here.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tools.find_browser import MISSING, find_browser
from tools.serve_demo import HOST, first_free_port

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "screenshots"
SAMPLES = Path("project") / "sample_data"
WANTED_PORT = 8700
START_SECONDS = 60
RUN_MS = 120_000
WIDTH, HEIGHT = 1280, 800
FORM_HEIGHT = 1160
"""Enough for the button below the fields."""
PHONE_WIDTH, PHONE_HEIGHT = 390, 844
COMMANDS = "/admin/launcher/command/"
RUNS = "/admin/launcher/run/"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=TARGET, help="the folder for the pictures")
    target: Path = parser.parse_args().to
    path = os.environ.get("LAUNCHER_CHROMIUM") or find_browser()
    if path is None:
        print(MISSING, file=sys.stderr)
        return 1
    target.mkdir(parents=True, exist_ok=True)
    # As root, which is who works in a container, Chromium refuses its sandbox.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--disable-background-networking", *sandbox])
        try:
            take_all(browser, url, target)
        finally:
            browser.close()
    return 0


@contextmanager
def demo() -> Iterator[str]:
    """Serve a fresh demo until the end of the block; gives its address."""
    folder = Path(tempfile.mkdtemp(prefix="launcher-screenshots-"))
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "LAUNCHER_DEMO_DATABASE": str(folder / "db.sqlite3"),
        "TMPDIR": str(folder),  # the spool's place
        "PYTHONUNBUFFERED": "1",
    }
    try:
        for argv in (["migrate", "--verbosity", "0"], ["setup_demo"]):
            subprocess.run([sys.executable, "manage.py", *argv], cwd=ROOT, env=environment, check=True)
        port = first_free_port(WANTED_PORT)
        if port is None:
            raise SystemExit(f"No free port from {WANTED_PORT} on.")
        argv = [sys.executable, "manage.py", "runserver", "--noreload", f"{HOST}:{port}"]
        with (folder / "server.log").open("wb") as log:
            server = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(server, f"http://{HOST}:{port}/admin/login/", folder / "server.log")
            yield f"http://{HOST}:{port}"
        finally:
            server.terminate()
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_up(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until the server answers; raises RuntimeError with what it wrote if it never does."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310  our own server
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The demo does not start:\n{log.read_text()}") from error
            time.sleep(0.1)
        else:
            return


def take_all(browser: Browser, url: str, target: Path) -> None:
    """Make runs of every kind, and take each page at the moment when it has most to show."""
    owner, operator = log_in(browser, url, "owner"), log_in(browser, url, "operator")

    fill_shop(owner)
    import_file(operator, "products.csv", update_existing=True)
    wait_for(operator, "succeeded")
    open_form(operator, "send_daily_report")
    press_run(operator)
    wait_for(operator, "succeeded")
    open_form(owner, "clear_expired_sessions")
    owner.get_by_label("Dry run").check()
    press_run(owner)
    wait_for(owner, "succeeded")

    import_file(operator, "products_with_errors.csv")
    wait_for(operator, "failed")
    operator.reload()  # the pictures show the page as somebody finds it later
    take(operator, target, "failed")

    start_long_run(operator)
    wait_for(operator, "running")
    operator.get_by_role("button", name="Stop", exact=True).click()
    wait_for(operator, "stopped")

    owner.goto(f"{COMMANDS}import_csv_data/run/")
    owner.locator("input[type=file]").set_input_files(ROOT / SAMPLES / "products.csv")
    owner.get_by_label("Update existing").check()
    expect(owner.locator("#launcher-line")).to_contain_text("--update-existing")
    take(owner, target, "form", height=FORM_HEIGHT)

    start_long_run(owner)
    wait_for(owner, "running")
    expect(owner.locator(".launcher-row").filter(has_text=re.compile(r" [34]\d %"))).to_be_visible(timeout=RUN_MS)
    take(owner, target, "running")
    long_run = owner.url
    owner.goto(RUNS)
    take(owner, target, "history")
    owner.goto(COMMANDS)
    take(owner, target, "catalogue")
    owner.goto(long_run)
    owner.get_by_role("button", name="Stop", exact=True).click()
    wait_for(owner, "stopped")


def log_in(browser: Browser, url: str, login: str) -> Page:
    """Return a page of somebody's own, logged in."""
    page = browser.new_context(base_url=url, viewport={"width": WIDTH, "height": HEIGHT}).new_page()
    page.goto("/admin/login/?next=/admin/")
    page.get_by_label("Username").fill(login)
    page.get_by_label("Password").fill(login)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    return page


def open_form(page: Page, command: str) -> None:
    page.goto(f"{COMMANDS}{command}/run/")


def press_run(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page).to_have_url(re.compile(r"/run/\d+/change/$"))


def wait_for(page: Page, status: str) -> None:
    """Wait until the run's page shows a state."""
    shown = page.locator("#launcher-run-head [data-launcher-status]")
    expect(shown).to_have_attribute("data-launcher-status", status, timeout=RUN_MS)


def fill_shop(page: Page) -> None:
    """Give the statistics something to compute."""
    open_form(page, "populate_sample_data")
    page.get_by_label("Orders").fill("4000")
    press_run(page)
    wait_for(page, "succeeded")


def import_file(page: Page, name: str, *, update_existing: bool = False) -> None:
    open_form(page, "import_csv_data")
    page.locator("input[type=file]").set_input_files(ROOT / SAMPLES / name)
    page.get_by_label("Update existing").set_checked(update_existing)
    press_run(page)


def start_long_run(page: Page) -> None:
    """Start a run that takes long enough to be looked at."""
    open_form(page, "recalculate_stats")
    page.get_by_label("From").fill("2010-01-01")
    page.get_by_label("Rebuild").check()
    press_run(page)


def take(page: Page, target: Path, name: str, *, height: int = HEIGHT) -> None:
    """Take the page light, dark and on a phone; says on stderr if it scrolls sideways there."""
    page.evaluate("document.activeElement.blur()")
    page.set_viewport_size({"width": WIDTH, "height": height})
    shoot(page, target / f"{name}-light.png")
    page.emulate_media(color_scheme="dark")
    shoot(page, target / f"{name}-dark.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": PHONE_WIDTH, "height": PHONE_HEIGHT})
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > PHONE_WIDTH:
        print(f"{name}: {width} pixels wide, so a phone scrolls it sideways", file=sys.stderr)
    shoot(page, target / f"{name}-phone.png")
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


def shoot(page: Page, path: Path) -> None:
    page.screenshot(path=path, animations="disabled", scale="css")
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    print(f"{shown}  {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    sys.exit(main())
