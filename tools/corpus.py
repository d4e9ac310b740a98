"""Runs the law of the form over the corpus (`tests/corpus`) with every supported Python, each in an environment of
its own under .venvs/.

    python -m tools.corpus                         all Pythons
    python -m tools.corpus py3.12 -- -k wagtail    one of them, with arguments for pytest

LAUNCHER_LAW_EXAMPLES says how many command lines to invent for each command. The same ones are invented each time;
`-- --hypothesis-seed=1` is for others. A Python that is missing counts as failed.
"""

import argparse
import sys
from functools import partial

from tools.environments import run_all, run_pytest
from tools.interpreters import COMBOS

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
    chosen = [version for version in PYTHONS if options.python in (None, f"py{version}")]
    return run_all("python", [(f"py{version}", partial(run_corpus, version, pytest_args)) for version in chosen])


def run_corpus(version: str, pytest_args: list[str]) -> str:
    """Return "passed", or in a few words what was wrong."""
    return run_pytest(
        f"py{version}",
        version,
        folder=f"corpus-py{version}",
        stamped=STAMPED,
        installed=[word for name in REQUIREMENTS for word in ("-r", name)],
        argv=(*PYTEST, "-o", WARNINGS, *pytest_args),
    )


if __name__ == "__main__":
    sys.exit(main())
