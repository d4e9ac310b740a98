"""Prints the path of a Chromium that Playwright can drive; installs Debian's where that is possible.

One without windows comes first, as Playwright's own is: tests cost a third less with it. To watch them, name another
one in LAUNCHER_CHROMIUM.

Exit code 1, with one line on stderr, when there is none.
"""

import shutil
import sys
from pathlib import Path

from tools.debian import print_found

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium found: run `playwright install chromium` or install your system's chromium or google-chrome"


def find_browser() -> str | None:
    """Return the path of a Chromium on this machine, Playwright's own first, or None."""
    return _playwrights_own() or next(filter(None, map(shutil.which, PROGRAMS)), None)


def _playwrights_own() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def main() -> int:
    return print_found(find_browser, package="chromium-headless-shell", missing=MISSING, description=__doc__)


if __name__ == "__main__":
    sys.exit(main())
