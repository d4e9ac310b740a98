"""How often a run writes to the database: for output at most once a second or 256 KB, and hardly when it is quiet."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launcher.execution.shipper import Shipper
from launcher.models import Run, Status
from launcher.output.store import Spool, SpoolWriter
from tests.pages import stored_run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def all_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no query be forgotten between two chunks."""
    monkeypatch.setattr("launcher.output.shipping.reset_queries", lambda: None)


@pytest.fixture
def run() -> Run:
    return stored_run(status=Status.RUNNING)


@pytest.fixture
def writer(run: Run) -> Iterator[SpoolWriter]:
    Spool(run.uid).make()
    writer = SpoolWriter(Spool(run.uid))
    yield writer
    writer.close()
    Spool(run.uid).remove()


def writes(shipper: Shipper) -> list[str]:
    """Return what one look of the shipper writes."""
    with CaptureQueriesContext(connection) as queries:
        shipper._look_and_ship()
    return [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


def test_a_look_stores_all_that_came_in_one_transaction(run: Run, writer: SpoolWriter) -> None:
    for number in range(50):
        writer.append(b"line %d\n" % number)
    found = writes(Shipper(run.pk, Spool(run.uid), []))
    assert [sql.split()[0] for sql in found] == ["INSERT", "UPDATE"]


def test_a_look_at_a_run_that_wrote_nothing_writes_nothing(run: Run, writer: SpoolWriter) -> None:
    shipper = Shipper(run.pk, Spool(run.uid), [])
    writer.append(b"line\n")
    writes(shipper)
    assert writes(shipper) == []


def test_megabytes_go_several_chunks_at_a_time(run: Run, writer: SpoolWriter) -> None:
    writer.append(b"a line of a log, as long as they are\n" * 100_000)
    found = writes(Shipper(run.pk, Spool(run.uid), []))
    assert [sql.split()[0] for sql in found] == ["INSERT", "UPDATE"]
    assert run.chunks.count() == 15


def test_a_silent_run_is_heard_of_every_few_seconds(run: Run, writer: SpoolWriter) -> None:
    shipper = Shipper(run.pk, Spool(run.uid), [])
    shipper._beaten_at -= 10
    assert len(writes(shipper)) == 2
    assert writes(shipper) == []


def test_a_run_that_was_taken_for_lost_goes_on_when_it_is_heard_of(run: Run, writer: SpoolWriter) -> None:
    Run.objects.filter(pk=run.pk).update(status=Status.LOST, reason="Its process is gone.")
    shipper = Shipper(run.pk, Spool(run.uid), [])
    shipper._beaten_at -= 10
    shipper._look_and_ship()
    run.refresh_from_db()
    assert (run.status, run.reason) == (Status.RUNNING, "")
