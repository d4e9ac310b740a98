"""axe-core finds nothing to object to on any page, in light and dark, on a wide and on a narrow window."""

from importlib.resources import files
from typing import Any, Literal

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.e2e.pages import CATALOGUE, HISTORY, Gate, ended_run, expect_state, form_url, run_url

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()


LOOKS: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 1280), ("dark", 360))


def violations(page: Page) -> list[str]:
    """Return what axe objects to on the page as it is now: rule, element, and what is wrong with it."""
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{page.url}: {violation['id']}: {node['html'][:200]} ({node['failureSummary']})"
        for violation in found
        for node in violation["nodes"]
    ]


def test_no_page_breaks_a_rule_of_axe(owner_page: Page, owner: User, gate: Gate) -> None:
    failed = ended_run(owner, "import_csv_data", "nowhere.csv")
    running = gate.start_run(owner)
    form = form_url("import_csv_data")
    found = []
    for scheme, width in LOOKS:
        owner_page.emulate_media(color_scheme=scheme)
        owner_page.set_viewport_size({"width": width, "height": 800})
        for address in (CATALOGUE, form, form_url("args_kinds"), run_url(failed), HISTORY, run_url(running)):
            owner_page.goto(address)
            if address == run_url(running):
                expect_state(owner_page, "running")
                expect(owner_page.locator("#launcher-output .launcher-row").first).to_be_visible()
            found += violations(owner_page)
    assert not found, "\n".join(found)
