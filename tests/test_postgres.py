"""Runs on PostgreSQL: `tests/scenarios/` in a session of its own, on a new database of a real server."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.scenarios.test_outage import OUTAGE_SECONDS
from tests.servers import Postgres

ROOT = Path(__file__).parent.parent


@pytest.mark.timeout(OUTAGE_SECONDS + 400)
def test_runs_are_recorded_right_on_postgresql_though_it_restarts_and_goes_away(postgres: Postgres) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings_postgres",
        "LAUNCHER_TEST_POSTGRES": postgres.conninfo(f"launcher_{uuid4().hex}"),
    }
    environment.pop("PYTEST_ADDOPTS", None)  # this session's
    # The database needs no removing: it goes with the server's folder.
    argv = ["-v", "--reuse-db", "-p", "no:cacheprovider", "-p", "no:playwright", "tests/scenarios"]
    session = subprocess.run(
        [sys.executable, "-m", "pytest", *argv],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if session.returncode != 0:
        pytest.fail(session.stdout, pytrace=False)
