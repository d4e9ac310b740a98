"""How a long log is read: a running one of a million lines, 80 MB, in a real Chromium.

A command prints a million lines, and then a thousand a second, each with its time. Once the million is there, its page
is opened: until a line behind the millionth is painted, that is its opening. Then the page follows for as long as asked
(`--seconds`, five minutes by default): each new line's lag is the time from its printing to the frame in which it is
painted; meanwhile the lines in the document are counted, and after a collection of garbage the memory of scripts and
the number of nodes are looked at. A jump goes from Enter in the field for a line to that line's being painted, a search
from Enter in its field to the found line's: a word that is on the last line only, once the run has ended.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page

from bench._browser import chromium, serving
from bench._demo import demo_project
from bench._project import Project
from bench.click import PATIENCE_MS

LINES = 1_000_000
COMMAND = "print_and_go_on"
NEEDLE = "quinquagesima"
ROUNDS = 5
MOST_ROWS = 3000
SOURCE = '''\
"""Prints many lines of 80 bytes, then a thousand a second with the time of each, and a word behind them."""

import time
from pathlib import Path

from django.core.management.base import BaseCommand

TEXT = "the quick brown fox jumps over the lazy dog, again and again"


class Command(BaseCommand):
    help = "Print lines."

    def add_arguments(self, parser):
        parser.add_argument("--lines", type=int, default=1_000_000)
        parser.add_argument("--until", required=True)

    def handle(self, *, lines, until, **options):
        for number in range(lines):
            print(f"{number:>9} {TEXT:.<69}")
        until = Path(until)
        started = time.time()
        number = 0
        while not until.exists():
            while number < (time.time() - started) * 1000:
                print(f"at {time.time():.3f} {TEXT:.<56}")
                number += 1
            time.sleep(0.01)
        print("the word is NEEDLE")
'''.replace("NEEDLE", NEEDLE)
SETTINGS = """\
from project.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "lines"]
"""
FILES = {
    "lines/__init__.py": "",
    "lines/management/__init__.py": "",
    "lines/management/commands/__init__.py": "",
    f"lines/management/commands/{COMMAND}.py": SOURCE,
    "lines_settings.py": SETTINGS,
}

WATCH = """\
(() => {
  window.benchLags = new Float64Array(1 << 20); // as large from the beginning as it may get: memory is measured too
  window.benchCount = 0;
  window.benchMostRows = 0;
  const seen = new Set();
  const start = (output) => new MutationObserver((records) => {
    const stamps = [];
    for (const record of records) for (const node of record.addedNodes) {
      if (node.nodeType !== 1) continue;
      for (const row of node.matches(".launcher-row") ? [node] : node.querySelectorAll(".launcher-row")) {
        const match = /^at (\\d+\\.\\d+) /.exec(row.querySelector("code")?.textContent ?? "");
        if (!match || seen.has(row.dataset.number)) continue;
        seen.add(row.dataset.number);
        stamps.push(1000 * Number(match[1]));
      }
    }
    if (seen.size > 20000) seen.clear();
    window.benchMostRows = Math.max(window.benchMostRows, output.getElementsByClassName("launcher-row").length);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      for (const stamp of stamps) window.benchLags[window.benchCount++] = Date.now() - stamp;
    }));
  }).observe(output, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", () => {
    const output = document.getElementById("launcher-output");
    if (output) start(output);
  });
  // The first callback comes before the line is painted, the second one once it has been.
  const painted = (done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
  window.benchPainted = (isThere) => new Promise((resolve) => {
    const look = () => isThere() ? painted(resolve) : requestAnimationFrame(look);
    look();
  });
  const inView = (row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  window.benchIsAt = (number) => {
    const row = document.getElementById(`L${number}`);
    return row !== null && inView(row);
  };
  window.benchIsBehind = (number) => {
    const rows = document.querySelectorAll("#launcher-output .launcher-row[data-number]");
    return rows.length > 0 && Number(rows[rows.length - 1].dataset.number) > number && inView(rows[rows.length - 1]);
  };
})();
"""
"""Runs in every page before its own scripts. What is painted with the page itself is no line that was followed."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen of the tab's memory at a moment of following."""

    seconds: float
    heap_mb: float
    nodes: int


def main() -> None:
    """Measure and print, each figure with its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="how long the page follows")
    follow_seconds = parser.parse_args().seconds
    with demo_project("lines_settings", FILES) as project, serving(project) as url, chromium() as browser:
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900}, bypass_csp=True)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(WATCH)
        page = context.new_page()
        print(f"a running log of {LINES:,} lines, 80 MB, in Chromium {browser.version} without a window", flush=True)
        _measure(project, page, follow_seconds)


def _measure(project: Project, page: Page, follow_seconds: float) -> None:
    page.goto(f"{project.admin_path}login/")
    page.fill("#id_username", "owner")
    page.fill("#id_password", "owner")
    page.click("[type=submit]")
    until = project.environment["TMPDIR"] + "/until"
    page.goto(f"{project.admin_path}launcher/command/{COMMAND}/run/")
    page.get_by_label("until", exact=False).first.fill(until)
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator("#launcher-run-head [data-launcher-status=running]").wait_for()
    address = page.url
    page.wait_for_function(f"benchIsBehind({LINES})", timeout=10 * PATIENCE_MS)
    _print("opens at its end", [_open(page, address) for _ in range(ROUNDS)], "at most 1 s", 1.0)
    _follow(page, follow_seconds)
    _print("jumps to a line of its middle, while it runs", _jumps(page), "at most 0.5 s", 0.5)
    with open(until, "w", encoding="utf-8"):
        pass
    page.goto(address)
    page.locator("#launcher-run-head [data-launcher-status=succeeded]").wait_for()
    _print("finds a word on its last line, once it has ended", _searches(page, address), "at most 1 s", 1.0)


def _print(text: str, seconds: list[float], limit: str, target: float) -> None:
    median = statistics.median(seconds)
    verdict = "" if median <= target else "  MISSED"
    spread = f"{min(seconds):.3f} to {max(seconds):.3f}"
    print(f"  {text:<52}{median:8.3f} s  ({spread}; target: {limit}){verdict}", flush=True)


def _open(page: Page, address: str) -> float:
    """Return seconds from the beginning of the navigation to the painting of a line behind the millionth."""
    page.goto("about:blank")
    page.goto(address, wait_until="commit")
    return float(page.evaluate(f"benchPainted(() => benchIsBehind({LINES}))")) / 1000


def _follow(page: Page, follow_seconds: float) -> None:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    page.evaluate("() => { benchCount = 0; benchMostRows = 0; }")
    looks = []
    started = time.monotonic()
    while (passed := time.monotonic() - started) < follow_seconds:
        looks.append(_look(session, page, passed))
        page.wait_for_timeout(min(1000 * follow_seconds / 10, 30_000))
    looks.append(_look(session, page, time.monotonic() - started))
    lags = sorted(float(lag) / 1000 for lag in page.evaluate("[...benchLags.subarray(0, benchCount)]"))
    came = len(lags) / (time.monotonic() - started)
    p99 = lags[int(0.99 * len(lags))]
    print(f"  follows {came:,.0f} lines a second for {follow_seconds:.0f} s; a line's lag, median and 99th percentile:")
    print(f"    {statistics.median(lags):.3f} s, {p99:.3f} s (target: at most 0.5 s){'' if p99 <= 0.5 else '  MISSED'}")
    rows = int(page.evaluate("benchMostRows"))
    print(f"  most lines in the document: {rows:,} (target: {MOST_ROWS:,}){'' if rows <= MOST_ROWS else '  MISSED'}")
    for look in looks:
        memory = f"{look.heap_mb:6.1f} MB of scripts' memory, {look.nodes:,} nodes"
        print(f"    after {look.seconds:4.0f} s: {memory}", flush=True)


def _look(session: CDPSession, page: Page, seconds: float) -> Look:
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    found = {
        str(metric["name"]): float(metric["value"]) for metric in session.send("Performance.getMetrics")["metrics"]
    }
    return Look(seconds=seconds, heap_mb=found["JSHeapUsedSize"] / 1e6, nodes=int(found["Nodes"]))


def _jumps(page: Page) -> list[float]:
    found = []
    for number in range(ROUNDS):
        line = LINES // 2 + 10_000 * number
        found.append(_enter(page, "#launcher-go-line", str(line), line))
    return found


def _searches(page: Page, address: str) -> list[float]:
    found = []
    for _ in range(ROUNDS):
        page.goto(address)
        last = int(page.locator(".launcher-row[data-number]", has_text=NEEDLE).get_attribute("data-number") or 0)
        page.evaluate("launcherViewer.goToStart()")
        page.wait_for_function("benchIsAt(1)")
        found.append(_enter(page, "#launcher-search-field", NEEDLE, last))
    return found


def _enter(page: Page, selector: str, text: str, line: int) -> float:
    """Type into a field; return seconds from Enter to the painting of a line."""
    page.fill(selector, text)
    page.focus(selector)
    started = float(page.evaluate("performance.now()"))
    page.keyboard.press("Enter")
    return (float(page.evaluate(f"benchPainted(() => benchIsAt({line}))")) - started) / 1000


if __name__ == "__main__":
    main()
