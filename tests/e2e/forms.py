"""What the tests of forms do: find an argument's control, send the form, and ask what the command would be given."""

import json
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from launcher.engines import Engine
from launcher.models import Run, Status
from tests.e2e.pages import RUN_URL, click_run, form_url
from tests.law import namespace_of

SEND = """() => {
    const form = document.getElementById("launcher-form");
    return fetch(form.action, {method: "POST", body: new FormData(form), redirect: "manual"}).then(() => null);
}"""
"""Sends the form as its button does, but stays: most of a test's time went into pages of runs that nobody looked at."""

# What was filled in: no blanks, which are untouched, and nothing that belongs to the page, not to an argument.
FILLED_IN = """() => [...new FormData(document.getElementById("launcher-form"))]
    .filter(([name, value]) => value !== "" && !(value instanceof File) && !/^(csrf|launcher_uploads)/.test(name))"""


class PaperEngine(Engine):
    """Writes down what a run was given, whole, and says that it has ended: no process is needed to compare argvs."""

    name = "paper"

    def __init__(self) -> None:
        self.submitted: list[list[str]] = []

    def submit(self, run: Run, argv: Sequence[str], secrets: Sequence[str]) -> None:
        self.submitted.append(list(argv))
        now = timezone.now()
        Run.objects.filter(pk=run.pk).update(
            status=Status.SUCCEEDED, started_at=now, finished_at=now, exit_code=0, host="paper"
        )

    def stop(self, run: Run) -> None:
        """Nothing goes on."""

    def is_gone(self, run: Run) -> bool:
        return True

    def last_words(self, run: Run) -> str:
        return ""


def open_form(page: Page, command: str) -> None:
    page.goto(form_url(command))


def field(page: Page, name: str) -> Locator:
    """The part of the form that belongs to an argument."""
    return page.locator(f'[data-launcher-field="{name}"]')


def box(page: Page, name: str) -> Locator:
    """An argument's inputs for text, one for each row."""
    return field(page, name).locator(
        "[data-launcher-row] input:not([type=checkbox]), [data-launcher-row] textarea, "
        ".launcher-text input:not([type=checkbox]), .launcher-text textarea, .launcher-tuple input:not([type=checkbox])"
    )


def add_row(page: Page, name: str) -> Locator:
    """Add a row to an argument's list, and return its first input, which has the focus."""
    field(page, name).locator("[data-launcher-add]").click()
    focused = field(page, name).locator("[data-launcher-row]").last.locator(":focus")
    expect(focused).to_be_visible()
    return focused


def type_rows(page: Page, name: str, *texts: str) -> None:
    """Type values into an argument's list, a row for each."""
    box(page, name).first.fill(texts[0])
    for text in texts[1:]:
        add_row(page, name).fill(text)


def paste(target: Locator, text: str) -> None:
    """Paste a text by keyboard; the context needs the permission to use the clipboard."""
    target.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    target.focus()
    target.press("Control+v")


def choose(page: Page, name: str, word: str) -> None:
    """Choose a sub-command, and wait for its fields."""
    field(page, name).get_by_role("combobox").first.select_option(word)
    expect(page.locator(f"#launcher-sub-{name}")).not_to_have_attribute("aria-busy", "true")


def filled_in(page: Page) -> list[list[str]]:
    """Return the names and values that the form would send now, less what is blank."""
    pairs: list[list[str]] = page.evaluate(FILLED_IN)
    return pairs


def run_form(page: Page) -> Run:
    """Send the form, and return the run that it started."""
    with page.expect_navigation(url=RUN_URL, wait_until="commit"):
        click_run(page)
    return Run.objects.latest("pk")


def edit(page: Page) -> None:
    """Go from a run's page back to the form."""
    page.get_by_role("button", name="Edit and run again").click()
    expect(page.locator("#launcher-form")).to_be_visible()


def meaning(run: Run) -> dict[str, Any]:
    """Return what the command's own parser makes of a run's argv."""
    namespace = namespace_of(run.command, run.argv)
    assert namespace is not None, run.argv
    return namespace


def expect_law(page: Page, **meant: Any) -> Run:
    """Send the form: the command gets what was meant; edited, it shows the same and says the very same again."""
    typed = filled_in(page)
    run = expect_meant(page, **meant)
    page.goto(f"{form_url(run.command)}?run={run.pk}")  # where the button on the run's page leads
    shown = filled_in(page)
    assert shown == typed, f"{shown} is shown, {typed} was typed"
    page.evaluate(SEND)
    again = Run.objects.latest("pk")
    assert again.pk != run.pk
    assert again.argv == run.argv, f"{again.argv} is said again, {run.argv} was said"
    return run


def expect_meant(page: Page, **meant: Any) -> Run:
    """Send the form: the command gets what was meant."""
    run = run_form(page)
    namespace = meaning(run)
    got = {name: namespace[name] for name in meant}
    assert got == meant, f"{got} is got, {meant} was meant"
    return run


def told(output: str) -> dict[str, Any]:
    """Return what a `kind_*` command says that it was given."""
    said: dict[str, Any] = json.loads(output)
    return said
