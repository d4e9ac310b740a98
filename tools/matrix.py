"""Runs the tests with every supported pair of Python and Django, each in an environment of its own under .venvs/.

    python -m tools.matrix                          all pairs
    python -m tools.matrix py3.12-dj6.0 -- -k argv  one pair, with arguments for pytest

A pair whose interpreter is missing counts as failed.
"""

import argparse
import sys
from functools import partial

from tools.environments import run_all, run_pytest
from tools.interpreters import COMBOS, Combo

TEST_REQUIREMENTS = "requirements/test.txt"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("combo", nargs="?", choices=[combo.name for combo in COMBOS], help="only this pair")
    # argparse would give the first word after "--" to `combo`.
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    pytest_args = sys.argv[end + 1 :]
    options = parser.parse_args(sys.argv[1:end])
    chosen = [combo for combo in COMBOS if options.combo in (None, combo.name)]
    return run_all("combo", [(combo.name, partial(run_combo, combo, pytest_args)) for combo in chosen])


def run_combo(combo: Combo, pytest_args: list[str]) -> str:
    """Return "passed", or in a few words what was wrong."""
    return run_pytest(
        combo.name,
        combo.python,
        stamped=("requirements/runtime.txt", TEST_REQUIREMENTS),
        installed=(combo.django_requirement, "-r", TEST_REQUIREMENTS),
        argv=("--ignore=tests/packaging", *pytest_args),
    )


if __name__ == "__main__":
    sys.exit(main())
