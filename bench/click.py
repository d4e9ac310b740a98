"""How long people wait: from the click on Run to the first line of output painted, in a real Chromium.

A page notes when the click happened, and the page that shows the run notes the second frame after the first line's
text is there, by which the line is on the screen. Everything between is in it: the request, the redirect, the page with
its style and scripts, the command, the page's own polling. The shell's side is the same command on a terminal, to its
first byte. The two are measured in turns, in two projects: the demo, and one with wagtail. `runserver`, which is what
`make run` serves the demo with, serves both, without its reloader.
"""

from __future__ import annotations

import statistics
import subprocess
import time

from playwright.sync_api import Browser, Page

from bench._browser import chromium, serving
from bench._demo import demo_project
from bench._heavy_project import heavy_project
from bench._project import MakeProject, Project, milliseconds
from bench._shell import seconds_to_first_byte

COMMAND = "clear_expired_sessions"
OPTION = "--dry-run"
ROUNDS = 7
PATIENCE_MS = 60_000
FIRST_LOOK_SECONDS = 2.0
"""How long the form is looked at the first time: what is set up for it in the background takes about so long."""
LOOK_SECONDS = 0.5
PROJECTS: tuple[tuple[MakeProject, float, str], ...] = ((demo_project, 1.0, "below"), (heavy_project, 0.2, "at most"))
"""The projects, each with its target for click to line / the shell's first byte."""

WATCH = """\
(() => {
  const CLICKED = "bench-clicked";
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#launcher-form .submit-row [type=submit]")) return;
    sessionStorage.setItem(CLICKED, String(performance.timeOrigin + event.timeStamp));
  }, true);
  const observer = new MutationObserver(() => {
    const clicked = sessionStorage.getItem(CLICKED);
    const rows = document.getElementsByClassName("launcher-row");
    if (clicked === null || !Array.from(rows).some((row) => row.textContent.trim())) return;
    sessionStorage.removeItem(CLICKED);
    // The first callback comes before the line is painted, the second one once it has been.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      console.log("bench-painted", performance.timeOrigin + performance.now() - Number(clicked));
    }));
  });
  observer.observe(document, { childList: true, subtree: true, characterData: true });
})();
"""
"""Runs in every page before its own scripts. The time of the click survives the way to the next page."""


def main() -> None:
    """Measure in each project and print medians, ranges and ratios."""
    with chromium() as browser:
        for make, target, limit in PROJECTS:
            with make() as project, serving(project) as url:
                _measure(project, browser, url, f"{limit} {target}")


def _measure(project: Project, browser: Browser, url: str, target: str) -> None:
    context = browser.new_context(base_url=url)
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(f"{project.admin_path}login/")
    page.fill("#id_username", "owner")
    page.fill("#id_password", "owner")
    page.click("[type=submit]")
    shell, clicks = [], []
    # Not counted is the first round, in which what is not compiled is compiled, and caches and processes get warm.
    for number in range(ROUNDS + 1):
        in_shell = seconds_to_first_byte(
            project.python, COMMAND, OPTION, folder=project.folder, environment=project.environment
        )
        clicked = _click_seconds(page, project, LOOK_SECONDS if number else FIRST_LOOK_SECONDS)
        if number:
            shell.append(in_shell)
            clicks.append(clicked)
    context.close()
    _print(project, browser, target, shell, clicks)


def _click_seconds(page: Page, project: Project, look_seconds: float) -> float:
    """Open the form, fill it in, click on Run, and return the seconds to the first line; waits for the run's end."""
    page.goto(f"{project.admin_path}launcher/command/{COMMAND}/run/")
    page.get_by_label("dry run").check()
    page.wait_for_timeout(1000 * look_seconds)
    with page.expect_console_message(lambda message: message.text.startswith("bench-painted")) as message:
        page.get_by_role("button", name="Run", exact=True).click(no_wait_after=True)
    seconds = float(message.value.text.split()[1]) / 1000
    page.locator("#launcher-run-head [data-launcher-status=succeeded]").wait_for()
    time.sleep(0.1)
    return seconds


def _print(project: Project, browser: Browser, target: str, shell: list[float], clicks: list[float]) -> None:
    told = subprocess.run(
        [project.python, "-c", "import django; django.setup(); from bench._project import *; print(conditions())"],
        check=True,
        capture_output=True,
        text=True,
        cwd=project.folder,
        env=dict(project.environment),
    ).stdout.strip()
    print(f"{COMMAND} {OPTION} in {project.title}, medians of {ROUNDS} with their ranges")
    print(f"  {told}, Chromium {browser.version} without a window, runserver --noreload")
    for text, seconds in (("shell: start to first byte", shell), ("click on Run to first line painted", clicks)):
        spread = f"{milliseconds(min(seconds))} to{milliseconds(max(seconds))}"
        print(f"  {text:<38}{milliseconds(statistics.median(seconds))}  ({spread})")
    ratio = statistics.median(clicks) / statistics.median(shell)
    print(f"  click to line / shell                 {ratio:8.3f}  (target: {target})")
    print(f"  fastest click / fastest shell         {min(clicks) / min(shell):8.3f}", flush=True)


if __name__ == "__main__":
    main()
