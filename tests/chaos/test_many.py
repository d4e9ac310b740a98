"""Many runs at once: never more than the limit go on, in the order of their keys, and all of them end well.

With LAUNCHER_CHAOS_ROUNDS of 200 or more it is 100 runs, and then 200 without a limit; else a few.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import OperationalError

from launcher import runs
from launcher.engines import engine
from launcher.models import Run, Status
from launcher.output.store import open_output
from tests.chaos.rounds import ROUNDS, Starter, Target
from tests.chaos.seen import processes
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

IS_FULL = ROUNDS >= 200
LIMIT = 4
STARTERS = 3


class Sampler(threading.Thread):
    """Looks over and over again how many children of supervisors live, and how much memory all have together."""

    def __init__(self, *, with_memory: bool) -> None:
        super().__init__(daemon=True)
        self.most_children = 0
        self.most_processes = 0
        self.most_bytes = 0
        self.looks = 0
        self._with_memory = with_memory
        self._ended = threading.Event()
        self._is_ours: dict[tuple[int, int], bool] = {}

    def run(self) -> None:
        """Look until it is told to stop."""
        mark = f"LAUNCHER_TEST_DATABASE={settings.TEST_DATABASE}".encode()
        while not self._ended.wait(0.5 if self._with_memory else 0.01):
            found = [p for p in processes().values() if "launcher.execution" in p.words and not p.is_zombie]
            for process in found:
                key = process.pid, process.ticks
                if key not in self._is_ours:
                    with suppress(OSError):
                        self._is_ours[key] = mark in Path(f"/proc/{process.pid}/environ").read_bytes()
            ours = [process for process in found if self._is_ours.get((process.pid, process.ticks))]
            self.most_processes = max(self.most_processes, len(ours))
            self.most_children = max(self.most_children, sum(process.is_child for process in ours))
            if self._with_memory:
                self.most_bytes = max(self.most_bytes, sum(own_bytes(process.pid) for process in ours))
            self.looks += 1

    def stop(self) -> None:
        """Have it look no more."""
        self._ended.set()
        self.join()


def own_bytes(pid: int) -> int:
    """Return a process's memory, with its share of what it has in common with others."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


@contextmanager
def sampled(*, with_memory: bool = False) -> Iterator[Sampler]:
    """Have a sampler look meanwhile."""
    sampler = Sampler(with_memory=with_memory)
    sampler.start()
    try:
        yield sampler
    finally:
        sampler.stop()


def start_many(folder: Path, count: int, seconds: float) -> list[list[UUID]]:
    """Have three processes start so many runs together, all at once; return them by process, in order."""
    starters = [Starter() for _ in range(STARTERS)]
    shares = [[make_target(folder, seconds) for _ in range(count // STARTERS)] for _ in starters]
    shares[0] += [make_target(folder, seconds) for _ in range(count % STARTERS)]
    for starter in starters:
        starter.wait_until_ready()
    for starter, share in zip(starters, shares, strict=True):
        starter.start(share)
    for starter in starters:
        starter.wait()
        starter.kill()
    return [[target.uid for target in share] for share in shares]


def make_target(folder: Path, seconds: float) -> Target:
    uid = uuid4()
    own = folder / uid.hex
    own.mkdir()
    return Target(uid=uid, folder=own, argv=[str(own), f"--seconds={seconds}"], fails=False)


def all_ended(places: Callable[[], None] = lambda: None) -> list[Run]:
    """Return all runs once they have ended, by key."""

    def ended() -> list[Run]:
        places()
        found = list(Run.objects.order_by("pk"))
        with suppress(OperationalError):
            runs.reconcile(found)
        return found if all(run.is_finished for run in found) else []

    return wait_for(ended, 240)


def most_at_once(found: list[Run]) -> int:
    """Return how many runs' times from start to end overlap at most."""
    moments = [(run.started_at, 1) for run in found] + [(run.finished_at, -1) for run in found]
    most = now = 0
    for _, change in sorted(moments, key=lambda moment: (moment[0] or 0, moment[1])):
        now += change
        most = max(most, now)
    return most


def displacement(share: list[UUID], found: list[Run]) -> int:
    """Return how many runs at most, of those that one process queued later, started before one."""
    started = {run.uid: run.started_at for run in found}
    times = [started[uid] for uid in share]
    return max(sum(later < time for later in times[index:]) for index, time in enumerate(times))  # type: ignore[operator]


def test_many_at_once_keep_to_the_limit_and_to_their_order(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("LAUNCHER_TEST_MAX_CONCURRENT_RUNS", str(LIMIT))
    seen: dict[UUID, list[int]] = {}
    count = 100 if IS_FULL else 24
    began = time.monotonic()
    with sampled() as sampler:
        shares = start_many(tmp_path, count, seconds=0.15)
        watched = [Run.objects.get(uid=share[-1]) for share in shares]

        def note_places() -> None:
            for run in watched:
                run.refresh_from_db()
                if place := engine().place(run):
                    seen.setdefault(run.uid, []).append(place.before)

        found = all_ended(note_places)
    lateness = [displacement(share, found) for share in shares]
    with capsys.disabled():
        print(
            f"\n{count} runs, limit {LIMIT}: {time.monotonic() - began:.1f} s, at most {most_at_once(found)} by the "
            f"records and {sampler.most_children} by {sampler.looks} looks; overtaken by at most {max(lateness)}; "
            f"places {[len(set(places)) for places in seen.values()]}"
        )
    assert {run.status for run in found} == {Status.SUCCEEDED}, [run.reason for run in found if run.reason]
    assert len(found) == count
    assert most_at_once(found) <= LIMIT
    assert 0 < sampler.most_children <= LIMIT
    # Those that get a slot at the same time are started by themselves, in whatever order.
    assert max(lateness) < LIMIT
    for places in seen.values():
        assert places == sorted(places, reverse=True)


def test_many_at_once_without_a_limit_all_end_well(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    count, seconds = (200, 20.0) if IS_FULL else (12, 1.0)
    monkeypatch.setenv("LAUNCHER_TEST_MAX_CONCURRENT_RUNS", "null")
    began = time.monotonic()
    with sampled(with_memory=True) as sampler:
        start_many(tmp_path, count, seconds)
        started = time.monotonic()
        found = all_ended()
    ended = time.monotonic()
    with capsys.disabled():
        print(
            f"\n{count} runs, no limit: submitted in {started - began:.1f} s, ended after {ended - began:.1f} s; "
            f"at most {most_at_once(found)} at once, {sampler.most_processes} processes, "
            f"{sampler.most_bytes / 1024**2:.0f} MB"
        )
    assert {run.status for run in found} == {Status.SUCCEEDED}, [run.reason for run in found if run.reason]
    assert len(found) == count
    assert all(open_output(run).size for run in found)
