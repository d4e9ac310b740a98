"""How long the pages take to make, against the admin's own index and one of its lists: catalogue, a form, the history.

All are asked for in one process by Django's test client, in turns, so neither network nor browser is in the figures.
The history holds RUNS finished runs; the first look at the catalogue, which finds out what can't be imported, is not
counted.
"""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from bench._demo import demo_shop
from bench._project import conditions, milliseconds

if TYPE_CHECKING:
    from django.test import Client

ROUNDS = 30
RUNS = 1000
WAIT_SECONDS = 60.0


def main() -> None:
    """Measure in turns and print medians and their ratios to the admin's index."""
    with demo_shop():
        _measure()


def _measure() -> None:
    from django.contrib.auth.models import User
    from django.core.management import get_commands
    from django.test import Client
    from django.urls import reverse

    from launcher.output.store import spool_root

    client = Client()
    client.force_login(User.objects.get(username="owner"))
    _store_runs()
    pages = {
        "admin index": reverse("admin:index"),
        "a stock list (products)": reverse("admin:shop_product_changelist"),
        "catalogue": reverse("admin:launcher_command_changelist"),
        "form of import_csv_data": reverse("admin:launcher_command_run", args=["import_csv_data"]),
        "history": reverse("admin:launcher_run_changelist"),
    }
    _wait_for_the_import_check(client, pages["catalogue"])
    found: dict[str, list[float]] = {title: [] for title in pages}
    for number in range(ROUNDS + 1):
        for title, url in pages.items():
            started = time.perf_counter()
            answer = client.get(url)
            seconds = time.perf_counter() - started
            assert answer.status_code == 200, (url, answer.status_code)
            if number:  # the first round fills caches
                found[title].append(seconds)
    if not list(spool_root().glob("imports-*.json")):
        print("NOTE: the import check leaves no answer, so every look at the catalogue starts it anew")
    index = statistics.median(found["admin index"])
    print(f"{len(get_commands())} commands, {RUNS} runs, medians of {ROUNDS}; {conditions()}")
    for title, values in found.items():
        median = statistics.median(values)
        print(f"  {title:<25}{milliseconds(median)}   {median / index:5.2f} x the index")


def _store_runs() -> None:
    from django.core.management import get_commands
    from django.utils import timezone

    from launcher.models import Run, Status

    names = sorted(get_commands())
    now = timezone.now()
    Run.objects.bulk_create(
        Run(
            command=names[number % len(names)],
            command_line=names[number % len(names)],
            status=Status.FAILED if number % 7 == 0 else Status.SUCCEEDED,
            exit_code=int(number % 7 == 0),
            user_name="owner",
            queued_at=now - timedelta(minutes=RUNS - number),
            started_at=now - timedelta(minutes=RUNS - number),
            finished_at=now - timedelta(minutes=RUNS - number, seconds=-4),
        )
        for number in range(RUNS)
    )


def _wait_for_the_import_check(client: Client, url: str) -> None:
    started = time.perf_counter()
    while b'hx-trigger="load delay:1s"' in client.get(url).content:
        assert time.perf_counter() - started < WAIT_SECONDS, "the import check did not end"
        time.sleep(0.2)


if __name__ == "__main__":
    main()
