"""Prints the path of a Chromium that Playwright can drive; installs Debian's where that is possible.

Exit code 1, with one line on stderr, when there is none.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

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


def install_browser() -> None:
    """Install Debian's chromium if this is root on a machine with apt-get, else do nothing. Output goes to stderr."""
    if not shutil.which("apt-get") or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for argv in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"],
    ):
        if subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment, check=False).returncode:
            return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-install", action="store_true", help="only look")
    options = parser.parse_args()
    path = find_browser()
    if path is None and not options.no_install:
        install_browser()
        path = find_browser()
    if path is None:
        print(MISSING, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
