"""The corpus's own session: it is collected under its own settings only, and ends with what was counted.

Must not change a session of the other tests, which load this file too while they pass the folder by.
"""

import os

import pytest

from tests.corpus.tally import Tally

IS_CORPUS = os.environ.get("DJANGO_SETTINGS_MODULE") == "tests.corpus.settings"
TALLY = pytest.StashKey[Tally]()

collect_ignore_glob = [] if IS_CORPUS else ["*"]


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count."""
    if IS_CORPUS:
        config.stash[TALLY] = Tally()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was counted, the causes with it."""
    if IS_CORPUS and (lines := config.stash[TALLY].lines()):
        terminalreporter.section("corpus")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def tally(pytestconfig: pytest.Config) -> Tally:
    """What the session counts."""
    return pytestconfig.stash[TALLY]
