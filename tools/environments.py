"""Environments under .venvs/ for tests with other Pythons, and for measurements with other packages: made when needed,
left alone while up to date.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tools.interpreters import find_python

ROOT = Path(__file__).resolve().parent.parent


def run_pytest(
    name: str, python: str, *, stamped: Sequence[str], installed: Sequence[str], argv: Sequence[str], folder: str = ""
) -> str:
    """Run pytest in the environment of that name; return "passed", or in a few words what was wrong.

    `python` is a version ("3.12"); `stamped` are the files whose change makes the environment anew, `installed` are
    pip's words, `argv` are pytest's.
    """
    print(f"\n=== {name}", flush=True)
    interpreter = find_python(python)
    if interpreter is None:
        print(f"no Python {python} found that runs and can make environments", file=sys.stderr)
        return f"Python {python} is missing"
    found = make_environment(folder or name, interpreter, stamped, installed)
    if found is None:
        return "environment could not be made"
    exit_code = subprocess.run([found, "-m", "pytest", *argv], cwd=ROOT, check=False).returncode
    return "passed" if exit_code == 0 else f"failed (pytest exit code {exit_code})"


def make_environment(name: str, interpreter: str, stamped: Sequence[str], installed: Sequence[str]) -> str | None:
    """Return the interpreter of the environment of that name, or None if pip failed; the words are run_pytest's."""
    folder = ROOT / ".venvs" / name
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = "".join((ROOT / file).read_text() for file in stamped)
    stamp = folder / "installed.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return str(python)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps = ([interpreter, "-m", "venv", "--clear", str(folder)], [*pip, *installed])
    if any(subprocess.run(argv, cwd=ROOT, check=False).returncode for argv in steps):
        return None
    stamp.write_text(wanted)
    return str(python)


def run_all(title: str, runs: Iterable[tuple[str, Callable[[], str]]]) -> int:
    """Run each in turn, print a table of outcomes, and return the exit code for all of them."""
    rows: list[tuple[str, str, float]] = []
    for name, run in runs:
        started = time.monotonic()
        rows.append((name, run(), time.monotonic() - started))
    print(f"\n{title:<16} {'outcome':<36} seconds")
    for name, outcome, seconds in rows:
        print(f"{name:<16} {outcome:<36} {seconds:7.0f}")
    return 0 if all(outcome == "passed" for _, outcome, _ in rows) else 1
