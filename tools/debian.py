"""Installs a package of Debian's where that needs no question: as root, with apt-get. Elsewhere it does nothing."""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable


def install_package(name: str) -> None:
    """Install the package if this is root on a machine with apt-get, else do nothing. Output goes to stderr."""
    if not shutil.which("apt-get") or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for argv in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", name],
    ):
        if subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment, check=False).returncode:
            return


def print_found(find: Callable[[], str | None], *, package: str, missing: str, description: str | None) -> int:
    """Print what is found, after installing the package if need be; else say what is missing and return 1."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--no-install", action="store_true", help="only look")
    options = parser.parse_args()
    path = find()
    if path is None and not options.no_install:
        install_package(package)
        path = find()
    if path is None:
        print(missing, file=sys.stderr)
        return 1
    print(path)
    return 0
