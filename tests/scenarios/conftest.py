"""Sessions of their own: `tests/test_postgres.py` starts one per module here, each with a fresh PostgreSQL database.

Must not change a session of the other tests, which load this file too while they pass the folder by.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection

from launcher.models import Run
from launcher.runs import start_run
from tests.servers import Postgres

if os.environ.get("DJANGO_SETTINGS_MODULE") != "tests.settings_postgres":
    collect_ignore_glob = ["*"]


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """The server that the session's database is on."""
    return Postgres(Path(connection.settings_dict["HOST"]))


@pytest.fixture
def start(owner: User) -> Callable[..., Run]:
    """Return a function that starts a run as the superuser."""
    return lambda command, *argv: start_run(command, [str(word) for word in argv], user=owner)
