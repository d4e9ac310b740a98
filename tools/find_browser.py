"""Prints the path of a Chromium that Playwright can drive; installs Debian's where that is possible.

Exit code 1, with one line on stderr, when there is none.
"""

import argparse
import shutil
import sys
from pathlib import Path

from tools.debian import install_package

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-install", action="store_true", help="only look")
    options = parser.parse_args()
    path = find_browser()
    if path is None and not options.no_install:
        install_package("chromium")
        path = find_browser()
    if path is None:
        print(MISSING, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
