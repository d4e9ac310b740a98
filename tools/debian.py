"""Installs a package of Debian's where that needs no question: as root, with apt-get. Elsewhere it does nothing."""

import os
import shutil
import subprocess
import sys


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
