"""PostgreSQL goes away in the middle of runs and comes back: nothing is lost, and nothing is called lost."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import Error, OperationalError, connection

from launcher import runs
from launcher.execution.identity import is_alive
from launcher.models import Run, Status
from launcher.output.store import Spool
from tests.servers import Postgres
from tests.waiting import output_of, stored_output, wait_for, wait_until_finished

OUTAGE_SECONDS = float(os.environ.get("LAUNCHER_OUTAGE_SECONDS", "8"))
RETURN_SECONDS = 60
"""How long a supervisor may take to find that the database is back."""
LIMIT_SECONDS = OUTAGE_SECONDS + 4 * RETURN_SECONDS
MOST_LINES = int(LIMIT_SECONDS * 200)
"""More than a run writes in that time, so that one that is left behind comes to an end."""

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(LIMIT_SECONDS)]


@pytest.fixture
def count(start: Callable[..., Run], postgres: Postgres, tmp_path: Path) -> Iterator[Callable[[str], Run]]:
    """A function that starts a run which writes lines until the file of that name is there.

    However the test ends, the server is up after it, and no run goes on: without its database one would for ever.
    """

    def started(gate: str) -> Run:
        run = start("run_counts", tmp_path / gate, f"--lines={MOST_LINES}")
        wait_for(lambda: "line 1\n" in output_of(reloaded(run)))
        counting[tmp_path / gate] = run
        return run

    counting: dict[Path, Run] = {}
    yield started
    try:
        if not postgres.is_running:
            postgres.start()
        connection.close()
        for gate, run in counting.items():
            gate.touch()
            wait_until_finished(run, RETURN_SECONDS)
    finally:
        for run in counting.values():
            if run.pid and is_alive(run.pid, run.pid_started):
                os.kill(run.pid, signal.SIGKILL)


def reloaded(run: Run) -> Run:
    run.refresh_from_db()
    return run


def look_at(started: Iterable[Run]) -> None:
    """Look at runs as a page does; whether the database answers or not, no run is gone."""
    for run in started:
        with suppress(OperationalError):
            runs.reconcile([run])
        assert run.status != Status.LOST, (run, run.reason)


def wait_until_stored(run: Run, size: int) -> None:
    """Wait until the database has so many bytes of the output, while the run is looked at."""

    def is_stored() -> bool:
        look_at([reloaded(run)])
        return run.output_bytes >= size

    wait_for(is_stored, RETURN_SECONDS)


def spooled(run: Run) -> int:
    """Return how many bytes the run has written by now, as its spool knows without the database."""
    return Spool(run.uid).output_path.stat().st_size


def said_in_spool(run: Run) -> Any:
    """Return the end that the supervisor has noted in the spool, or None."""
    outcome = Spool(run.uid).read_outcome()
    return outcome and outcome["status"]


def counted(output: bytes) -> int:
    """Return how many lines there are in a row from the first on; what follows may be anything else."""
    number = 0
    for line in output.split(b"\n"):
        if line != b"line %d" % (number + 1):
            break
        number += 1
    return number


def whole(output: bytes) -> bytes:
    """Return what `run_counts` writes if it ends by itself after as many lines as there are here in a row."""
    lines = counted(output)
    return b"".join(b"line %d\n" % number for number in range(1, lines + 1)) + b"%d lines\n" % lines


def kill_and_start(server: Postgres) -> None:
    server.kill()
    server.start()


def test_a_run_outlives_every_restart(count: Callable[[str], Run], postgres: Postgres, tmp_path: Path) -> None:
    run = count("end")
    for restart in (Postgres.restart, kill_and_start):
        restart(postgres)
        connection.close()  # as a web server does once a request has failed
        wait_until_stored(run, spooled(run) + 1)
    (tmp_path / "end").touch()
    assert wait_until_finished(run, RETURN_SECONDS).status == Status.SUCCEEDED, run.reason
    output = stored_output(run)
    assert output == whole(output)


def test_an_outage_loses_no_run_and_no_byte(
    count: Callable[[str], Run], start: Callable[..., Run], postgres: Postgres, owner: User, tmp_path: Path
) -> None:
    outlasting, ending, stopped = [count(gate) for gate in ("later", "during", "never")]
    starting = start("run_ends", "well")  # its supervisor comes up when the database is gone, or nearly
    postgres.stop()
    back_at = time.monotonic() + OUTAGE_SECONDS
    connection.close()
    everything = [outlasting, ending, stopped, starting]
    look_at(everything)

    (tmp_path / "during").touch()
    with suppress(Error):  # that it was stopped is noted nowhere, but it is
        runs.stop_run(stopped, user=owner)
    wait_for(lambda: (said_in_spool(ending), said_in_spool(stopped)) == ("succeeded", "stopped"))
    written = spooled(outlasting)
    while time.monotonic() < back_at:
        look_at(everything)
        time.sleep(0.05)
    assert spooled(outlasting) > written

    postgres.start()
    connection.close()
    wait_until_stored(outlasting, spooled(outlasting))
    (tmp_path / "later").touch()
    for run in everything:
        wait_until_finished(run, RETURN_SECONDS)
    assert [(run.status, run.reason) for run in everything] == [
        (Status.SUCCEEDED, ""),
        (Status.SUCCEEDED, ""),
        (Status.STOPPED, "Stopped by SIGINT."),
        (Status.SUCCEEDED, ""),
    ]
    for run in (outlasting, ending):
        output = stored_output(run)
        assert output == whole(output)
    assert counted(stored_output(stopped)) > 0
    assert stored_output(starting) == b"before the end\n"
