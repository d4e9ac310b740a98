"""A demo shop of a measurement's own, in a temporary folder: database, spool and all. Owns its making and its end."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
MANAGE = (sys.executable, str(REPOSITORY / "manage.py"))
END_SECONDS = 30.0


@contextmanager
def demo_shop() -> Iterator[None]:
    """Set Django up for a fresh demo project, and leave no file and no process of it behind.

    The environment has to say where everything is before settings are read, so Django is imported only here.
    """
    with tempfile.TemporaryDirectory(prefix="launcher-bench-", ignore_cleanup_errors=True) as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "LAUNCHER_DEMO_DATABASE": str(Path(folder) / "db.sqlite3"),
            "LAUNCHER_DEMO_DEBUG": "0",
            "TMPDIR": folder,  # the spool's default place is below it
        }
        tempfile.tempdir = None
        for command in (["migrate", "--verbosity", "0"], ["setup_demo", "--verbosity", "0"]):
            subprocess.run([*MANAGE, *command], check=True, stdout=subprocess.DEVNULL, cwd=REPOSITORY)
        import django

        django.setup()
        try:
            yield
        finally:
            _end_runs()


def _end_runs() -> None:
    """Stop the runs that a failed measurement left, through the service that ends them by process id."""
    from django.contrib.auth.models import User
    from django.db import connections

    from launcher import runs
    from launcher.models import UNFINISHED, Run

    owner = User.objects.get(username="owner")
    for run in Run.objects.filter(status__in=UNFINISHED):
        runs.stop_run(run, user=owner)
    deadline = time.monotonic() + END_SECONDS
    while Run.objects.filter(status__in=UNFINISHED).exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    connections.close_all()


def conditions() -> str:
    """Return what the figures depend on: Python, Django, system, and the number of cores."""
    import django

    return (
        f"Python {platform.python_version()}, Django {django.get_version()}, {platform.system()}, "
        f"{os.cpu_count()} cores, SQLite"
    )


def milliseconds(seconds: float) -> str:
    """Return seconds as milliseconds, to be read below each other."""
    return f"{1000 * seconds:8.1f} ms"
