"""What many who poll one run share: nobody may miss a line for it, get one twice, or wait for ever."""

import re
from collections.abc import Callable, Sized
from functools import partial
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.safestring import SafeString
from pytest_django import DjangoAssertNumQueries

from launcher.models import Run
from launcher.output.store import open_output
from launcher.output.window import Cursor, following, held
from launcher.output.writer import SpoolWriter
from launcher.views import crowding, sharing
from launcher.views.crowding import Pace, Slots
from launcher.views.failure import failure_of
from launcher.views.sharing import follow_together
from tests.output.spools import new_run, new_spool, write
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db


class Ticks:
    """A clock that only goes on when told to."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    """Let everything be shared for a second by this clock."""
    clock = Ticks()
    monkeypatch.setattr(sharing, "FEW", 0)
    monkeypatch.setattr(sharing, "LONGEST_SECONDS", 1.0)
    monkeypatch.setattr(sharing, "SECONDS_PER_ASKER", 1000.0)
    monkeypatch.setattr(sharing, "time", clock)
    return clock


def written(writer: SpoolWriter, first: int, last: int) -> None:
    writer.append("".join(f"line {number}\n" for number in range(first, last + 1)).encode())


class Asker:
    """A page that asks again and again."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.cursor = Cursor()
        self.numbers: list[int] = []
        self.pending: list[int] = []

    def ask(self) -> None:
        part = follow_together(self._run, self.cursor)
        window = part.window
        assert window.start == self.cursor.mark.offset
        if part.rows_html is None:
            self.numbers += [row.line for row in window.rows]
        else:
            # Or a template would escape it once more.
            assert not part.rows_html or isinstance(part.rows_html, SafeString)
            self.numbers += map(int, re.findall(r'data-number="(\d+)"', part.rows_html))
        self.pending = [row.line for row in window.pending]
        self.cursor = window.cursor


def test_who_asks_at_nearly_the_same_time_gets_the_same(shared: Ticks) -> None:
    run = new_run()
    writer = SpoolWriter(new_spool(run))
    written(writer, 1, 60)
    one, other = Asker(run), Asker(run)
    one.ask()
    shared.now += 1.5  # the first turn only counts how many ask
    one.ask()
    written(writer, 61, 100)
    other.ask()
    writer.close()
    assert other.numbers == one.numbers == list(range(1, 21))
    assert other.pending == one.pending == list(range(21, 61))


def test_everybody_gets_every_line_once_whenever_they_ask(shared: Ticks) -> None:
    run = new_run()
    writer = SpoolWriter(new_spool(run))
    askers = [Asker(run) for _ in range(3)]
    for turn in range(60):
        written(writer, 10 * turn + 1, 10 * turn + 10)
        shared.now += 0.4
        for number, asker in enumerate(askers, 1):
            if turn % number == 0:
                asker.ask()
    writer.close()
    run.status = "succeeded"
    for asker in askers:
        asker.ask()
    assert [asker.numbers for asker in askers] == [list(range(1, 601))] * 3
    assert not any(asker.pending for asker in askers)


def test_at_its_end_all_who_followed_a_run_get_the_same_at_once(
    shared: Ticks, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run()
    writer = SpoolWriter(new_spool(run))
    written(writer, 1, 60)
    address = reverse("admin:launcher_run_lines", args=[run.pk])
    asked = {"cursor": "0-0-0-", "seen": "running-0-0"}
    for _ in range(3):
        owner_client.get(address, asked)
        shared.now += 1.5
    written(writer, 61, 100)
    writer.close()
    Run.objects.filter(pk=run.pk).update(status="failed", reason="It is the wrong day.")
    looks = []

    def counted(look: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **kwargs: Any) -> Any:
            looks.append(look)
            return look(*args, **kwargs)

        return counting

    monkeypatch.setattr(sharing, "held", counted(held))
    monkeypatch.setattr(sharing, "failure_of", counted(failure_of))
    answers = [owner_client.get(address, asked).content.decode() for _ in range(3)]
    assert looks == [held, failure_of]
    for answer in answers:
        assert "It is the wrong day." in answer
        assert [int(number) for number in re.findall(r'data-number="(\d+)"', answer)][:100] == list(range(1, 101))


def test_a_page_that_knows_more_than_what_is_shared_is_not_taken_back(shared: Ticks) -> None:
    run = new_run()
    writer = SpoolWriter(new_spool(run))
    written(writer, 1, 60)
    old, new = Asker(run), Asker(run)
    old.ask()
    shared.now += 1.5
    old.ask()
    written(writer, 61, 100)
    new.cursor = following(open_output(run), Cursor(), is_finished=False).cursor
    new.ask()
    writer.close()
    assert new.cursor.mark.line == 60
    assert new.pending == list(range(61, 101))


def test_what_is_shared_is_given_to_those_who_may_read_it_only(
    shared: Ticks, owner_client: Client, operator: User, operator_client: Client
) -> None:
    run = new_run()
    writer = SpoolWriter(new_spool(run))
    written(writer, 1, 60)
    writer.close()
    address = reverse("admin:launcher_run_lines", args=[run.pk])
    for _ in range(3):  # the first one only counts
        assert owner_client.get(address, {"cursor": "0-0-0-"}).status_code == 200
        shared.now += 1.5
    shared.now -= 1
    assert any(turn.run == run and shared.now < turn.until for turn in sharing._turns.values())
    assert operator_client.get(address, {"cursor": "0-0-0-"}).status_code == 404
    Run.objects.filter(pk=run.pk).update(command="import_csv_data")  # which operators are granted
    assert operator_client.get(address, {"cursor": "0-0-0-"}).status_code == 200
    Run.objects.filter(pk=run.pk).delete()
    assert owner_client.get(address, {"cursor": "0-0-0-"}).status_code == 404


def is_longer(queue: Sized, length: int) -> bool:
    return len(queue) > length


def test_places_are_given_in_order_and_not_waited_for_for_ever() -> None:
    slots = Slots(1)
    order: list[int] = []

    def work(number: int) -> None:
        with slots.taken(5):
            order.append(number)

    with slots.taken(5) as was_free:
        assert was_free
        threads = []
        for number in range(5):
            threads.append(Thread(target=work, args=(number,)))
            threads[-1].start()
            wait_for(partial(is_longer, slots._waiting, number))
        with slots.taken(0.01) as was_free:
            assert not was_free
        assert not order
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    assert (slots._free, len(slots._waiting)) == (1, 0)


def test_pages_ask_less_often_while_answers_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Ticks()
    monkeypatch.setattr(crowding, "time", clock)
    pace = Pace()

    def note(*, is_crowded: bool) -> int:
        for _ in range(100):
            clock.now += crowding.PACE_SECONDS
            pace.note(is_crowded=is_crowded)
        return pace.ms

    assert note(is_crowded=True) == crowding.LONGEST_PACE_MS
    assert note(is_crowded=False) == crowding.SHORTEST_PACE_MS


def test_a_poll_takes_three_queries(owner_client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    run = new_run()
    write(new_spool(run), b"line\n")
    url = f"/admin/launcher/run/{run.pk}/lines/?cursor=0-0-0-&seen=queued-0-0&asked="
    owner_client.get(url)
    with django_assert_num_queries(3):  # the session, the user, the run
        owner_client.get(url, headers={"HX-Request": "true"})
