"""A PostgreSQL server of a measurement's own, in a temporary folder and without a port. Owns its start and its end.

PostgreSQL refuses to be run by root, so root runs it as the user `postgres`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER = "launcher"
INSTALLED = "/usr/lib/postgresql"
"""Where Debian has the programs, in a folder for each version, which is not on PATH."""


def find_programs() -> Path | None:
    """Return the folder with `initdb` and `pg_ctl`, of the newest version there is, or None."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = [path.parent for path in Path(INSTALLED).glob("*/bin/initdb")]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


@contextmanager
def postgres_server(programs: Path) -> Iterator[dict[str, Any]]:
    """Start a server with its default settings, and return what Django's DATABASES says of it."""
    # Not below TMPDIR: a socket's path is short, and that user must reach it.
    with tempfile.TemporaryDirectory(prefix="launcher-pg-", dir="/tmp", ignore_cleanup_errors=True) as name:
        other: dict[str, Any] = {}
        if os.geteuid() == 0:
            shutil.chown(name, "postgres", "postgres")
            other = {"user": "postgres", "group": "postgres", "extra_groups": []}

        def call(program: str, *argv: str) -> None:
            subprocess.run([str(programs / program), *argv], check=True, stdout=subprocess.DEVNULL, cwd=name, **other)

        data = f"{name}/data"
        call("initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={name}"
        call("pg_ctl", "-D", data, "-w", "-s", "-l", f"{name}/log", "-o", options, "start")
        try:
            yield {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": USER, "HOST": name}
        finally:
            call("pg_ctl", "-D", data, "-w", "-s", "-m", "immediate", "stop")
