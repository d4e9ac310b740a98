"""The servers that tests start: they come up after whatever was done to them, and never stay behind."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

import psycopg
import pytest

from tests.servers import Postgres
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent
HOLDER = "from tests.servers import Postgres; s = Postgres().__enter__(); print(s.folder, flush=True); input()"


def answers(server: Postgres) -> bool:
    with psycopg.connect(server.conninfo("postgres")) as connection:
        return connection.execute("SELECT 'yes'").fetchone() == ("yes",)


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_postgres_is_gone_while_it_is_stopped(postgres: Postgres, how: Literal["fast", "immediate"]) -> None:
    postgres.stop(how)
    try:
        assert not postgres.is_running
        with pytest.raises(psycopg.OperationalError):
            answers(postgres)
    finally:
        postgres.start()
    assert answers(postgres)


def test_postgres_comes_up_after_it_was_killed(postgres: Postgres) -> None:
    postgres.kill()
    try:
        assert not postgres.is_running
    finally:
        postgres.start()
    assert answers(postgres)


def test_a_server_that_fails_says_why(postgres: Postgres) -> None:
    with pytest.raises(RuntimeError, match="another server might be running"):
        postgres.start()


def test_postgres_does_not_outlive_a_process_that_is_killed(postgres: Postgres) -> None:
    # Asks for the fixture only to be skipped where there is no server.
    argv = [sys.executable, "-c", HOLDER]
    holder = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    server = Postgres(Path(holder.stdout.readline().strip()))
    assert answers(server)
    holder.kill()
    holder.communicate()
    wait_for(lambda: not server.is_running and not server.folder.exists())
