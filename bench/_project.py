"""A Django project of a measurement's own: how it is called, and the end of all that was started in its folder."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
END_SECONDS = 30.0
KILL_SECONDS = 5.0
LEFT_OUT = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONDEVMODE")
"""What containers and developers like to set, and few servers have: each makes the shell slower, and so flatters us."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A migrated project with the demo's data and logins, all of whose files lie in a temporary folder."""

    title: str
    python: str
    folder: Path
    """Where its manage.py is."""
    environment: Mapping[str, str]
    """The whole environment of its processes."""
    admin_path: str = "/admin/"

    def manage(self, *argv: str) -> None:
        """Run a command quietly; raises CalledProcessError."""
        subprocess.run(
            [self.python, "manage.py", *argv, "--verbosity", "0"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            env=dict(self.environment),
        )

    def fill(self) -> None:
        """Make the tables, the logins and the data."""
        self.manage("migrate")
        self.manage("setup_demo")

    def enter(self, *code: Path) -> None:
        """Set Django up for this project in this very process; raises what its settings raise.

        The environment has to say where everything is before settings are read, so Django is imported only here.
        """
        sys.path[:0] = map(str, code)
        os.environ.clear()
        os.environ.update(self.environment)
        tempfile.tempdir = None
        import django

        django.setup()

    def measure(self, module: str, *argv: str) -> None:
        """Run a module of `bench` as a process of this project; raises SystemExit if that fails."""
        process = subprocess.run(
            [self.python, "-m", module, *argv], check=False, cwd=self.folder, env=dict(self.environment)
        )
        if process.returncode:
            raise SystemExit(process.returncode)


MakeProject = Callable[[], AbstractContextManager[Project]]


def environment_in(folder: Path, *code: Path, settings: str) -> dict[str, str]:
    """Return this process's environment, changed so that a project finds its code, and keeps its files in a folder."""
    known = os.environ.get("PYTHONPATH")
    path = [*map(str, code), str(REPOSITORY), *([known] if known else [])]
    return {
        **{name: value for name, value in os.environ.items() if name not in LEFT_OUT},
        "DJANGO_SETTINGS_MODULE": settings,
        "LAUNCHER_DEMO_DATABASE": str(folder / "db.sqlite3"),
        "LAUNCHER_DEMO_DEBUG": "0",
        "PYTHONPATH": os.pathsep.join(path),
        "TMPDIR": str(folder),  # the spool's default place is below it
    }


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder, and leave neither it nor a process that was started with it as its TMPDIR."""
    with tempfile.TemporaryDirectory(prefix="launcher-bench-", ignore_cleanup_errors=True) as name:
        try:
            yield Path(name)
        finally:
            _end_processes(name)


def _end_processes(folder: str) -> None:
    """End what outlives the process that started it, such as a warm process that waits for the next run (Linux)."""
    deadline = time.monotonic() + KILL_SECONDS
    number = signal.SIGTERM
    while found := _processes_of(folder):
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, number)
        if number == signal.SIGKILL and time.monotonic() > deadline + KILL_SECONDS:
            print(f"NOTE: processes that do not end: {found}")
            return
        if time.monotonic() > deadline:
            number = signal.SIGKILL
        time.sleep(0.2)


def _processes_of(folder: str) -> list[int]:
    wanted = f"TMPDIR={folder}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (path / "environ").read_bytes().split(b"\0") and int(path.name) != os.getpid():
                found.append(int(path.name))
    return found


def end_runs() -> None:
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
    """Return what the figures depend on: Python, Django, database, system, cores, and how busy they were just now."""
    import django
    from django.db import connection

    return (
        f"Python {platform.python_version()}, Django {django.get_version()}, {connection.display_name}, "
        f"{platform.system()}, {os.cpu_count()} cores with a load of {os.getloadavg()[0]:.1f}"
    )


def milliseconds(seconds: float) -> str:
    """Return seconds as milliseconds, to be read below each other."""
    return f"{1000 * seconds:8.1f} ms"
