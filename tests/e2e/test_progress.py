"""How far a run is, on its page, in its tab's title and in the lists; and why it failed, as soon as it has."""

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from launcher.runs import start_run
from tests.e2e.conftest import log_in
from tests.e2e.pages import CATALOGUE, HISTORY, RUN_MS, Gate, expect_same_load, expect_state, mark_load, rows, run_url


def test_a_run_says_how_far_it_is_everywhere_and_then_why_it_failed(
    page: Page, owner: User, gate: Gate, live_server: LiveServer, complaints: list[str]
) -> None:
    log_in(page.context, owner, live_server.url)
    history, catalogue = page.context.new_page(), page.context.new_page()
    argv = ["api", "--until", "420", "--at", "420", "--gate", str(gate.path), "--note", "rows <b>", "--lines", "--fail"]
    run = start_run("run_progresses", argv, user=owner)
    history.goto(live_server.url + HISTORY)
    catalogue.goto(f"{live_server.url}{CATALOGUE}?q=run_progresses")
    page.goto(live_server.url + run_url(run))
    mark_load(page)
    bar = page.get_by_role("progressbar", name="rows <b>")
    expect(bar).to_have_attribute("value", "42.00", timeout=RUN_MS)
    expect(page.locator("#launcher-progress")).to_contain_text("420 of 1,000")
    expect(page).to_have_title(f"42 % · run_progresses #{run.pk} | Launcher demo shop")

    # Lists that nobody looks at rest; each is brought to the front before it is looked at.
    for listed in (history, catalogue):
        listed.bring_to_front()
        mark_load(listed)
        expect(listed.locator(f"#launcher-doing-{run.pk}")).to_contain_text("42 %", timeout=RUN_MS)
    expect(history.locator(".launcher-last-line")).to_have_text("step 420")

    page.bring_to_front()
    gate.open()
    expect_state(page, "failed")
    expect(page.get_by_role("heading", name="ZeroDivisionError: broken at the end")).to_be_visible()
    expect(page.locator(".launcher-frame-own").last).to_contain_text("tests/zoo/management/commands/run_progresses.py")
    expect(page.locator("#launcher-progress")).to_contain_text("Stopped at 420 of 1,000.")
    expect(page).to_have_title(f"✗ run_progresses #{run.pk} | Launcher demo shop")
    expect_same_load(page)
    for listed in (history, catalogue):
        listed.bring_to_front()
        expect(listed.locator(f"#launcher-state-{run.pk}")).to_have_text("Failed")
        expect(listed.locator(f"#launcher-doing-{run.pk}")).to_be_empty()
        expect_same_load(listed)

    page.bring_to_front()
    page.reload()
    expect(page).to_have_title(f"run_progresses #{run.pk} | Launcher demo shop")
    expect(page.locator("#launcher-output")).to_have_attribute("data-launcher-open-at", "422")
    expect(page.get_by_role("link", name="Line 422 of the output")).to_be_visible()
    expect(rows(page).filter(has_text="Traceback")).to_have_attribute("data-number", "422")
    assert complaints == []
