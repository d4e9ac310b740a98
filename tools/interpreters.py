"""Finds Python interpreters that really run, and the pairs of Python and Django that the project supports.

Must not install anything: a missing interpreter is the caller's to report.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PROBE = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"


@dataclass(frozen=True, kw_only=True)
class Combo:
    """One supported pair, for example Python 3.12 with Django 6.0."""

    python: str
    django: str

    @property
    def name(self) -> str:
        return f"py{self.python}-dj{self.django}"

    @property
    def django_requirement(self) -> str:
        """The newest patch release of this Django."""
        return f"Django~={self.django}.0"


COMBOS = (
    Combo(python="3.11", django="5.2"),
    Combo(python="3.12", django="6.0"),
    Combo(python="3.13", django="6.1"),
)


def find_python(version: str) -> str | None:
    """Return a command or path that runs Python `version` ("3.12") and can make environments, or None."""
    candidates = [f"python{version}", "python3", *_pyenv_pythons(version)]
    return next((candidate for candidate in candidates if _runs(candidate, version)), None)


def _pyenv_pythons(version: str) -> list[str]:
    """pyenv's own folders, newest first: its shims are on PATH for every version but run only the chosen ones."""
    if not shutil.which("pyenv"):
        return []
    root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False).stdout.strip()
    found = Path(root, "versions").glob(f"{version}.*/bin/python{version}")
    return [str(path) for path in sorted(found, key=_patch_release, reverse=True)]


def _patch_release(path: Path) -> int:
    patch = path.parts[-3].split(".")[2]
    return int(patch) if patch.isdigit() else -1  # "3.14.0rc1", "3.13.0t" and the like come last


def _runs(command: str, version: str) -> bool:
    try:
        probe = subprocess.run([command, "-c", PROBE], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0 and probe.stdout.strip() == version
