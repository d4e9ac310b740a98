"""Runs the law of the form over the corpus (`tests/corpus`) with every supported Python, each in an environment of
its own under .venvs/.

    python -m tools.corpus                         all Pythons
    python -m tools.corpus py3.12 -- -k wagtail    one of them, with arguments for pytest

LAUNCHER_LAW_EXAMPLES says how many command lines to invent for each command. The same ones are invented each time;
`-- --hypothesis-seed=1` is for others. A Python that is missing counts as failed.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tools.interpreters import COMBOS, find_python

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ("requirements/test.txt", "tests/corpus/requirements.txt")
STAMPED = ("requirements/runtime.txt", *REQUIREMENTS)
PYTHONS = sorted({combo.python for combo in COMBOS}, key=lambda version: tuple(map(int, version.split("."))))
# The apps' migrations are theirs to test; without them the tables are made in seconds.
PYTEST = ("--ds=tests.corpus.settings", "--no-migrations", "--hypothesis-seed=0", "tests/corpus")
# The apps may warn as they like, from the moment they are loaded; a warning out of Launcher stays an error.
WARNINGS = "filterwarnings=ignore\nerror:::launcher(\\..*)?$"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", nargs="?", choices=[f"py{version}" for version in PYTHONS], help="only this one")
    # argparse would give the first word after "--" to `python`.
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    pytest_args = sys.argv[end + 1 :]
    options = parser.parse_args(sys.argv[1:end])
    rows: list[tuple[str, str, float]] = []
    for version in PYTHONS:
        if options.python in (None, f"py{version}"):
            started = time.monotonic()
            outcome = run_corpus(version, pytest_args)
            rows.append((f"py{version}", outcome, time.monotonic() - started))
    print(f"\n{'python':<16} {'outcome':<36} seconds")
    for name, outcome, seconds in rows:
        print(f"{name:<16} {outcome:<36} {seconds:7.0f}")
    return 0 if all(outcome == "passed" for _, outcome, _ in rows) else 1


def run_corpus(version: str, pytest_args: list[str]) -> str:
    """Return "passed", or in a few words what was wrong."""
    print(f"\n=== py{version}", flush=True)
    interpreter = find_python(version)
    if interpreter is None:
        print(f"no Python {version} found that runs and can make environments", file=sys.stderr)
        return f"Python {version} is missing"
    python = make_environment(version, interpreter)
    if python is None:
        return "environment could not be made"
    argv = [python, "-m", "pytest", *PYTEST, "-o", WARNINGS, *pytest_args]
    exit_code = subprocess.run(argv, cwd=ROOT, check=False).returncode
    return "passed" if exit_code == 0 else f"failed (pytest exit code {exit_code})"


def make_environment(version: str, interpreter: str) -> str | None:
    """Return the environment's interpreter, or None if pip failed. An environment that is up to date is left alone."""
    folder = ROOT / ".venvs" / f"corpus-py{version}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = "".join((ROOT / name).read_text() for name in STAMPED)
    stamp = folder / "installed.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return str(python)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps = (
        [interpreter, "-m", "venv", "--clear", str(folder)],
        [*pip, *(word for name in REQUIREMENTS for word in ("-r", name))],
    )
    if any(subprocess.run(argv, cwd=ROOT, check=False).returncode for argv in steps):
        return None
    stamp.write_text(wanted)
    return str(python)


if __name__ == "__main__":
    sys.exit(main())
