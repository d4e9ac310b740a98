"""What much output costs: a million lines, 80 MB, on the shell into a file, and as a run.

The shell's time is that of `python manage.py … > file`. A run's goes from `launcher.runs.start_run` to the last byte in
the spool, which is when a page on the same machine can read it, and to the final status with the last byte in the
database. Two commands, one that calls print() and one that calls self.stdout.write(), on SQLite and on PostgreSQL; all
are measured in turns. Afterwards, every byte that was stored is compared with the shell's file. Meanwhile, the memory
of the supervisor and of its child is looked at.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench._lines_project import LINE_BYTES, LINES, PRINTING, WRITING, lines_project
from bench._memory import Memory, MemoryWatch
from bench._postgres import find_programs, postgres_server
from bench._project import conditions, end_runs

if TYPE_CHECKING:
    from launcher.models import Run
    from launcher.output.store import Output

ROUNDS = 3
LIMIT_SECONDS = 120.0
POLL_SECONDS = 0.01
LOOK_SECONDS = 0.03
"""How often the run's row is asked for."""
TARGET = 1.5
MEMORY_TARGET_MB = 60
COMMANDS = {PRINTING: "print()", WRITING: "self.stdout.write()"}
MARKS = (b"\x1b[7711m", b"\x1b[7710m")
"""Launcher's own marks in the output, which no command wrote: what is between them went to standard error."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one run took."""

    spool_seconds: float
    stored_seconds: float
    memory: MemoryWatch


def main() -> None:
    """Measure on SQLite, and on PostgreSQL where that is installed."""
    with lines_project() as project:
        project.measure("bench.throughput", "measure")
    programs = find_programs()
    if programs is None:
        print("NOTE: no PostgreSQL server is installed here, so it is not measured")
        return
    with postgres_server(programs) as database, lines_project(database) as project:
        project.measure("bench.throughput", "measure")


def measure() -> None:
    """Set Django up in this process, measure in turns, compare every byte, and print."""
    import django

    django.setup()
    print(f"{LINES} lines of {LINE_BYTES} bytes, medians of {ROUNDS} with their ranges; {conditions()}", flush=True)
    shells: dict[str, list[float]] = {command: [] for command in COMMANDS}
    runs: dict[str, list[Measured]] = {command: [] for command in COMMANDS}
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "output"
            for command in COMMANDS:  # not counted: compiles, and starts what stays warm
                _shell_seconds(command, file, lines=1000)
                _run(command, file, lines=1000)
            for _ in range(ROUNDS):
                for command in COMMANDS:
                    shells[command].append(_shell_seconds(command, file, lines=LINES))
                    runs[command].append(_run(command, file, lines=LINES))
    finally:
        end_runs()
    for command, text in COMMANDS.items():
        _print(text, shells[command], runs[command])
    print("  asserted: every byte in the spool and in the database is the shell's", flush=True)


def _shell_seconds(command: str, file: Path, *, lines: int) -> float:
    with file.open("wb") as target:
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "manage.py", command, "--lines", str(lines)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=target,
        )
        seconds = time.perf_counter() - started
    assert file.stat().st_size == lines * LINE_BYTES
    return seconds


def _run(command: str, file: Path, *, lines: int) -> Measured:
    """Carry out a run, follow it to its end, and compare what is stored with the shell's file."""
    from django.contrib.auth.models import User

    from launcher.output.store import StoredOutput, open_output
    from launcher.runs import start_run

    owner = User.objects.get(username="owner")
    started = time.perf_counter()
    run = start_run(command, ["--lines", str(lines)], user=owner)
    deadline = started + LIMIT_SECONDS
    while not (spool := open_output(run)).size:
        assert time.perf_counter() < deadline, "no output came"
        time.sleep(0.001)
    # From here on `spool` stays readable, even when the files are removed at the run's end.
    run.refresh_from_db()
    assert run.pid, "the supervisor's process is not noted"
    memory = MemoryWatch(run.pid)
    memory.start()
    grown_at = _follow(run, spool, deadline)
    finished_at = time.perf_counter()
    memory.stop()
    assert run.status == "succeeded", run.reason
    stored = StoredOutput(run)  # not open_output: the spool may be there a moment longer
    wanted = file.read_bytes()
    assert _without_marks(spool) == wanted, "the spool has other bytes than the shell's file"
    assert _without_marks(stored) == wanted, "the database has other bytes than the shell's file"
    run.delete()
    return Measured(spool_seconds=grown_at - started, stored_seconds=finished_at - started, memory=memory)


def _follow(run: Run, spool: Output, deadline: float) -> float:
    """Return when the spool has grown for the last time, once the run's row says that it has ended."""
    size, grown_at, looked_at = 0, 0.0, time.perf_counter()
    while True:
        now = time.perf_counter()
        if (found := spool.size) > size:
            size, grown_at = found, now
        if now - looked_at >= LOOK_SECONDS:
            looked_at = now
            run.refresh_from_db(fields=["status", "reason"])
            if run.is_finished:
                return grown_at
        assert now < deadline, "the run did not end"
        time.sleep(POLL_SECONDS)


def _without_marks(output: Output) -> bytes:
    from launcher.output.store import read_all

    data = b"".join(read_all(output))
    for mark in MARKS:
        data = data.replace(mark, b"")
    return data


def _print(text: str, shells: Sequence[float], runs: Sequence[Measured]) -> None:
    shell = statistics.median(shells)
    spool = [run.spool_seconds for run in runs]
    stored = [run.stored_seconds for run in runs]
    print(f"  {text}")
    for title, seconds in (
        ("shell: into a file", shells),
        ("run: last byte in the spool", spool),
        ("run: all in the database, and ended", stored),
    ):
        print(f"    {title:<36}{statistics.median(seconds):7.2f} s  ({min(seconds):.2f} to {max(seconds):.2f} s)")
    for title, seconds in (("spool / shell", spool), ("database / shell", stored)):
        print(f"    {title:<36}{statistics.median(seconds) / shell:7.2f}    (target: at most {TARGET})")
    print(f"    fastest database / fastest shell    {min(stored) / min(shells):7.2f}")
    # From the worst of the runs.
    supervisor = max((run.memory.supervisor for run in runs), key=lambda watched: watched.growth().resident_bytes)
    print(
        f"    supervisor's memory at its peak      {_megabytes(supervisor.peak())}, above its start: "
        f"{_megabytes(supervisor.growth())} (target: below {MEMORY_TARGET_MB} MB)"
    )
    children = [run.memory.child.peak() for run in runs if run.memory.child.samples]
    if not children:
        print("    child's memory: no child of the supervisor was seen")
        return
    print(f"    child's memory at its peak           {_megabytes(max(children, key=lambda peak: peak.resident_bytes))}")


def _megabytes(memory: Memory) -> str:
    return f"{memory.resident_bytes / 1e6:.1f} MB ({memory.private_bytes / 1e6:.1f} private)"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure()
    else:
        main()
