"""What several browser tests do: open pages, start runs, and look at what a run's page shows."""

import re
import shlex
import time
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from launcher.models import Run
from launcher.runs import start_run

CATALOGUE = "/admin/launcher/command/"
HISTORY = "/admin/launcher/run/"
SAMPLES = Path(__file__).parents[2] / "project" / "sample_data"
RUN_URL = re.compile(r"/admin/launcher/run/\d+/change/")
# A run's process starts the whole project, on a machine that may have other things to do.
RUN_MS = 30_000


@dataclass(frozen=True)
class Gate:
    """The file for which `e2e_gate` waits."""

    path: Path

    @property
    def argv(self) -> list[str]:
        return ["--gate", str(self.path)]

    def open(self) -> None:
        self.path.touch()

    def start_run(self, user: User) -> Run:
        """Start a run that waits here."""
        return start_run("e2e_gate", self.argv, user=user)


@dataclass(frozen=True)
class Words:
    """The file from which `e2e_says` reads what it writes."""

    path: Path

    def start_run(self, user: User, text: str = "") -> Run:
        """Start a run that writes this, and then what is said."""
        self.say(text)
        return start_run("e2e_says", ["--words", str(self.path)], user=user)

    def say(self, text: str) -> None:
        """Have the run write this; lines that begin with ^A go to stderr."""
        with self.path.open("a", newline="") as file:
            file.write(text)

    def say_lines(self, word: str, count: int) -> None:
        """Have the run write so many lines, numbered from 1."""
        self.say("".join(f"{word} {number}\n" for number in range(1, count + 1)))

    def end(self) -> None:
        """Have the run end."""
        self.say("\x04\n")


def ended_run(user: User, command: str, *argv: str) -> Run:
    """Start a run and return it once it has ended."""
    run = start_run(command, argv, user=user)
    deadline = time.monotonic() + RUN_MS / 1000
    while not run.is_finished:
        assert time.monotonic() < deadline, f"still {run.status}"
        time.sleep(0.05)
        run.refresh_from_db()
    return run


def form_url(command: str) -> str:
    return f"{CATALOGUE}{command}/run/"


def run_url(run: Run) -> str:
    return f"{HISTORY}{run.pk}/change/"


def command_names(page: Page) -> list[str]:
    """Return the names in the catalogue as it is now."""
    return page.locator(".launcher-name").all_inner_texts()


def search_box(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Search commands")


def preview(page: Page) -> Locator:
    """The form's "the same on the command line"."""
    return page.locator("#launcher-line")


def more_arguments(page: Page, *words: str) -> None:
    """Type words for which the form has no field."""
    field = page.get_by_label("More arguments")
    if not field.is_visible():
        page.locator("summary", has_text="More arguments").click()
    field.fill(shlex.join(words))


def click_run(page: Page) -> None:
    """Send the form."""
    page.get_by_role("button", name="Run", exact=True).click()


def state(page: Page) -> Locator:
    return page.locator("#launcher-run-head [data-launcher-status]")


def expect_state(page: Page, status: str, *, timeout: float = RUN_MS) -> None:
    """Wait until the run's page shows the state."""
    expect(state(page)).to_have_attribute("data-launcher-status", status, timeout=timeout)


def output(page: Page) -> Locator:
    return page.get_by_role("log", name="Output")


def rows(page: Page) -> Locator:
    return output(page).locator(".launcher-row")


def expect_line(page: Page, text: str | re.Pattern[str]) -> None:
    """Wait for a line of output."""
    expect(rows(page).filter(has_text=text).first).to_be_visible(timeout=RUN_MS)


def download(page: Page, name: str) -> Path:
    """Download the output in one of its forms, and return the file."""
    page.locator("summary", has_text="Download").click()
    with page.expect_download() as started:
        page.get_by_role("link", name=name, exact=True).click()
    return Path(started.value.path())


def fact(page: Page, name: str) -> Locator:
    """The value beside a name in the head of a run's page."""
    return page.locator(".launcher-facts > div").filter(has=page.get_by_text(name, exact=True)).locator("dd")


def mark_load(page: Page) -> None:
    """Leave a mark that is gone as soon as the page is loaded anew."""
    page.evaluate("window.isSameLoad = true")


def expect_same_load(page: Page) -> None:
    """Assert that the page has not been loaded anew since `mark_load`."""
    assert page.evaluate("window.isSameLoad === true"), "the page was loaded anew"
