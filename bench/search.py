"""Searching a log of a million lines, 80 MB, as a page does: by requests to the run's address until all is searched.

A word on the last line, a word on every tenth line, a word that is nowhere, and two regular expressions; once with the
output in its spool, and once with it in the database. The other side is `grep -c` of the same file, which the
page cache holds as well. All are measured in turns. The numbers of lines are compared with grep's.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench._demo import demo_project
from bench._project import conditions

if TYPE_CHECKING:
    from launcher.models import Run

LINES = 1_000_000
LINE_BYTES = 80
ROUNDS = 5
TARGET_SECONDS = 1.0
PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for, on a page and by grep."""

    title: str
    text: str
    is_regex: bool = False
    is_coloured: bool = False
    has_target: bool = False
    grep: tuple[str, ...] = field(default=("-i", "-F"))


SEARCHES = (
    Search(title="a word on the last line", text="needle", has_target=True),
    Search(title="the same, in a log with colours", text="needle", is_coloured=True),
    Search(title="a word on every tenth line", text="warning"),
    Search(title="a word that is nowhere", text="haystack"),
    Search(title=r"a pattern: needle\b", text=r"needle\b", is_regex=True, grep=("-i", "-P")),
    Search(
        title="a pattern: (WARN|ERR)[A-Z]+ .*77 was", text="(WARN|ERR)[A-Z]+ .*70 was", is_regex=True, grep=("-i", "-E")
    ),
)


def main() -> None:
    """Measure in a fresh demo project."""
    with demo_project() as project:
        project.measure("bench.search", "measure")


def measure() -> None:
    """Set Django up in this process, measure in turns, compare, and print."""
    import django

    django.setup()
    print(f"{LINES} lines of {LINE_BYTES} bytes, medians of {ROUNDS} with their ranges; {conditions()}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        files, spooled, stored = {}, {}, {}
        for is_coloured in (False, True):
            files[is_coloured] = Path(name) / f"log-{is_coloured}"
            files[is_coloured].write_bytes(b"".join(_lines(is_coloured=is_coloured)))
            spooled[is_coloured] = _run_with(files[is_coloured], is_stored=False)
            stored[is_coloured] = _run_with(files[is_coloured], is_stored=True)
        for search in SEARCHES:
            _measure(search, files[search.is_coloured], spooled[search.is_coloured], stored[search.is_coloured])
        for run in spooled.values():
            _spool_of(run).remove()
    print("  asserted: as many lines as grep finds", flush=True)


def _lines(*, is_coloured: bool) -> Iterator[bytes]:
    for number in range(1, LINES + 1):
        word = "needle" if number == LINES else "product"
        kind = "WARNING" if number % 10 == 0 else "INFO"
        text = f"2026-11-28 10:{number // 60 % 60:02}:{number % 60:02} {kind:<7} the {word} {number:>9} was looked at"
        line = text.ljust(LINE_BYTES - 1, ".")
        if is_coloured:
            line = line.replace(kind, f"\x1b[33m{kind}\x1b[0m").replace(word, f"\x1b[1m{word[:3]}\x1b[0m{word[3:]}")
        yield f"{line}\n".encode()


def _run_with(file: Path, *, is_stored: bool) -> Run:
    from django.utils import timezone

    from launcher.models import Run, Status
    from launcher.output.store import SpooledOutput, SpoolWriter, host_name, ship_all

    now = timezone.now()
    run = Run.objects.create(
        command="check",
        command_line="check",
        status=Status.SUCCEEDED,
        host=host_name(),
        started_at=now,
        finished_at=now,
    )
    spool = _spool_of(run)
    spool.make()
    writer = SpoolWriter(spool)
    with file.open("rb") as source:
        while data := source.read(PIECE_BYTES):
            writer.append(data)
    writer.close()
    if is_stored:
        ship_all(run.pk, SpooledOutput(spool))
        spool.remove()
    return run


def _spool_of(run: Run) -> Any:
    from launcher.output.store import Spool

    return Spool(run.uid)


def _measure(search: Search, file: Path, spooled: Run, stored: Run) -> None:
    greps, seconds = list[float](), {"from the spool": list[float](), "from the database": list[float]()}
    for _ in range(ROUNDS):
        wanted, one = _grep(search, file)
        greps.append(one)
        for (title, found), run in zip(seconds.items(), (spooled, stored), strict=True):
            count, one = _search(search, run)
            # grep knows nothing of escapes: what they cut in two it doesn't find.
            assert count == wanted or search.is_coloured, f"{title}: {count} lines, grep says {wanted}"
            found.append(one)
    print(f"  {search.title}: {count} lines")
    grep = statistics.median(greps)
    print(f"    {'grep -c':<20}{grep:7.2f} s  ({min(greps):.2f} to {max(greps):.2f} s)")
    for title, found in seconds.items():
        middle = statistics.median(found)
        target = f"  (target: at most {TARGET_SECONDS:.0f} s)" if search.has_target else ""
        ranged = f"{middle:7.2f} s  ({min(found):.2f} to {max(found):.2f} s)"
        print(f"    {title:<20}{ranged}  {middle / grep:5.1f} x grep{target}", flush=True)


def _grep(search: Search, file: Path) -> tuple[int, float]:
    began = time.perf_counter()
    process = subprocess.run(
        ["grep", "-c", *search.grep, "-e", search.text, file],
        check=False,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    seconds = time.perf_counter() - began
    return int(process.stdout), seconds


def _search(search: Search, run: Run) -> tuple[int, float]:
    """Ask until all is searched, and return how many lines match."""
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import reverse

    client = Client(headers={"HX-Request": "true"})
    client.force_login(User.objects.get(username="owner"))
    asked = {"q": search.text, **({"regex": "1"} if search.is_regex else {})}
    count, place = 0, "0"
    began = time.perf_counter()
    while True:
        answer = client.get(reverse("admin:launcher_run_search", args=[run.pk]), {**asked, "from": place}).json()
        count += answer["count"]
        place = answer["next"]
        if answer["done"]:
            return count, time.perf_counter() - began


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure()
    else:
        main()
