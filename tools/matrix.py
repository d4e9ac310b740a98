"""Runs the tests with every supported pair of Python and Django, each in an environment of its own under .venvs/.

    python -m tools.matrix                          all pairs
    python -m tools.matrix py3.12-dj6.0 -- -k argv  one pair, with arguments for pytest

A pair whose interpreter is missing counts as failed.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tools.interpreters import COMBOS, Combo, find_python

ROOT = Path(__file__).resolve().parent.parent
TEST_REQUIREMENTS = "requirements/test.txt"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("combo", nargs="?", choices=[combo.name for combo in COMBOS], help="only this pair")
    # argparse would give the first word after "--" to `combo`.
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    pytest_args = sys.argv[end + 1 :]
    options = parser.parse_args(sys.argv[1:end])
    rows: list[tuple[str, str, float]] = []
    for combo in COMBOS:
        if options.combo in (None, combo.name):
            started = time.monotonic()
            outcome = run_combo(combo, pytest_args)
            rows.append((combo.name, outcome, time.monotonic() - started))
    print(f"\n{'combo':<16} {'outcome':<36} seconds")
    for name, outcome, seconds in rows:
        print(f"{name:<16} {outcome:<36} {seconds:7.0f}")
    return 0 if all(outcome == "passed" for _, outcome, _ in rows) else 1


def run_combo(combo: Combo, pytest_args: list[str]) -> str:
    """Return "passed", or in a few words what was wrong."""
    print(f"\n=== {combo.name}", flush=True)
    interpreter = find_python(combo.python)
    if interpreter is None:
        print(f"no Python {combo.python} found that runs and can make environments", file=sys.stderr)
        return f"Python {combo.python} is missing"
    python = make_environment(combo, interpreter)
    if python is None:
        return "environment could not be made"
    argv = [python, "-m", "pytest", "--ignore=tests/packaging", *pytest_args]
    exit_code = subprocess.run(argv, cwd=ROOT, check=False).returncode
    return "passed" if exit_code == 0 else f"failed (pytest exit code {exit_code})"


def make_environment(combo: Combo, interpreter: str) -> str | None:
    """Return the environment's interpreter, or None if pip failed. An environment that is up to date is left alone."""
    folder = ROOT / ".venvs" / combo.name
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = "".join((ROOT / "requirements" / name).read_text() for name in ("runtime.txt", "test.txt"))
    stamp = folder / "installed.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return str(python)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps = (
        [interpreter, "-m", "venv", "--clear", str(folder)],
        [*pip, combo.django_requirement, "-r", TEST_REQUIREMENTS],
    )
    if any(subprocess.run(argv, cwd=ROOT, check=False).returncode for argv in steps):
        return None
    stamp.write_text(wanted)
    return str(python)


if __name__ == "__main__":
    sys.exit(main())
