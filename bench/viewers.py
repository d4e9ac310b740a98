"""How many can look at one run at once: how long lines are on their way, and whether each viewer gets each line once.

A command prints lines that carry their time. The viewers are connections of another process, which speak HTTP like the
page does: 500 streams on one uvicorn process, and 200 that poll a gunicorn with 16 threads. A line's lag is the time
from its printing to its arrival. For comparison there is one viewer of the same server, and `tail -F` on the spool.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench._browser import wait_for_answer
from bench._demo import demo_project
from bench._project import Project, conditions, end_runs, milliseconds
from bench._viewers import WARM_SECONDS
from tools.serve_demo import HOST, first_free_port

FIRST_PORT = 8700
WAIT_SECONDS = 60.0
FILES_NEEDED = 4096
COMMAND = "tell_time"
SOURCE = '''\
"""Prints lines that begin with the time, so many a second, until a file appears."""

import os
import time

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Print lines with their time."

    def add_arguments(self, parser):
        parser.add_argument("end")
        parser.add_argument("--rate", type=int, default=20)

    def handle(self, *, end, rate, **options):
        number = 0
        due = time.monotonic()
        while not os.path.exists(end):
            number += 1
            due += 1 / rate
            time.sleep(max(0, due - time.monotonic()))
            print(f"{time.time():.4f} line {number}, as long as a line of a log usually is", flush=True)
'''
SETTINGS = """\
from project.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "clock"]
DATABASES["default"]["CONN_MAX_AGE"] = 60
"""
UVICORN = ("uvicorn", "project.asgi:application", "--lifespan", "off", "--no-access-log", "--log-level", "warning")
GUNICORN = ("gunicorn", "project.wsgi:application", "--threads", "16", "--log-level", "warning", "--no-control-socket")


@dataclass(frozen=True, kw_only=True)
class Case:
    """Who views what, and how long a line may take."""

    title: str
    server: Sequence[str]
    way: str
    viewers: int
    rate: int
    target_seconds: float | None = None
    seconds: float = 20.0


CASES = (
    Case(title="stream, uvicorn", server=UVICORN, way="stream", viewers=1, rate=20, seconds=8),
    Case(title="stream, uvicorn", server=UVICORN, way="stream", viewers=500, rate=20, target_seconds=0.5),
    Case(title="stream, uvicorn", server=UVICORN, way="stream", viewers=500, rate=200, target_seconds=0.5),
    Case(title="polling, gunicorn", server=GUNICORN, way="poll", viewers=1, rate=20, seconds=8),
    Case(title="polling, gunicorn", server=GUNICORN, way="poll", viewers=200, rate=20, target_seconds=2),
    Case(title="polling, gunicorn", server=GUNICORN, way="poll", viewers=200, rate=200, target_seconds=2),
)


def main() -> None:
    """Measure in a fresh project and print."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES_NEEDED:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES_NEEDED, hard), hard))
    files = {
        "clock/__init__.py": "",
        "clock/management/__init__.py": "",
        "clock/management/commands/__init__.py": "",
        f"clock/management/commands/{COMMAND}.py": SOURCE,
        "clock_settings.py": SETTINGS,
    }
    with demo_project(settings="clock_settings", files=files) as project:
        project.measure("bench.viewers", "measure", *sys.argv[1:])


def measure(chosen: Sequence[str]) -> None:
    """Set Django up in this process, measure, and print."""
    import django

    django.setup()
    print(f"One run's viewers; {conditions()}", flush=True)
    try:
        for case in CASES:
            if not chosen or f"{case.way}-{case.viewers}-{case.rate}" in chosen:
                _print(case, _measure(case))
    finally:
        end_runs()


def _project() -> Project:
    from bench._project import REPOSITORY

    return Project(title="the demo", python=sys.executable, folder=REPOSITORY, environment=dict(os.environ))


@contextmanager
def _running(rate: int) -> Iterator[tuple[Any, Callable[[], None]]]:
    """Start a run that prints; return it and what ends it, which leaving does as well."""
    from django.contrib.auth.models import User

    from launcher.output.store import open_output
    from launcher.runs import start_run

    end = Path(os.environ["TMPDIR"]) / f"end-{time.monotonic_ns()}"
    run = start_run(COMMAND, [str(end), "--rate", str(rate)], user=User.objects.get(username="owner"))
    deadline = time.monotonic() + WAIT_SECONDS
    while not open_output(run).size:
        assert time.monotonic() < deadline, "no output came"
        time.sleep(0.05)
    try:
        yield run, end.touch
    finally:
        end.touch()
        while not run.is_finished:
            assert time.monotonic() < deadline + WAIT_SECONDS, "the run does not end"
            time.sleep(0.05)
            run.refresh_from_db()


class Tail(threading.Thread):
    """`tail -F` on a run's spool, which is what a shell has to offer: how long lines are on their way to it."""

    def __init__(self, run: Any) -> None:
        from launcher.output.store import Spool

        super().__init__()
        argv = ["tail", "-n", "0", "-F", str(Spool(run.uid).output_path)]
        self._process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.lags: list[float] = []

    def run(self) -> None:
        """Note each line's lag."""
        assert self._process.stdout
        for line in self._process.stdout:
            now = time.time()
            with suppress(IndexError, ValueError):  # the last line tells no time
                self.lags.append(now - float(line.split()[0]))

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        self.join()


@contextmanager
def _tailing(run: Any) -> Iterator[Tail]:
    tail = Tail(run)
    tail.start()
    try:
        yield tail
    finally:
        tail.end()


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


@contextmanager
def _serving(server: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Serve the project, and return port and process id."""
    port = first_free_port(FIRST_PORT)
    assert port, "no free port"
    place = ("--bind", f"{HOST}:{port}") if "gunicorn" in server else ("--host", HOST, "--port", str(port))
    process = subprocess.Popen([sys.executable, "-m", *server, *place], cwd=_project().folder, stdin=subprocess.DEVNULL)
    try:
        wait_for_answer(process, f"http://{HOST}:{port}/admin/login/")
        yield port, process.pid
    finally:
        process.kill() if "project.asgi:application" in server else process.terminate()
        process.wait()


def _cookies(count: int) -> list[str]:
    """Return so many sessions' cookies, without so many looks at a password."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    owner = User.objects.get(username="owner")
    cookies = []
    for _ in range(count):
        client = Client()
        client.force_login(owner)
        cookies.append(f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")
    return cookies


def _measure(case: Case) -> dict[str, Any]:
    cookies = _cookies(case.viewers)
    with _serving(case.server) as (port, server), _running(case.rate) as (run, end):
        asked = {
            "way": case.way,
            "host": HOST,
            "port": port,
            "path": f"/admin/launcher/run/{run.pk}/",
            "cookies": cookies,
        }
        argv = [sys.executable, "-m", "bench._viewers"]
        load = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert load.stdin
        assert load.stdout
        load.stdin.write(json.dumps(asked))
        load.stdin.close()
        load.stdin = None
        assert load.stdout.readline() == "all there\n", "the viewers' process has failed"
        time.sleep(WARM_SECONDS)
        before = _cpu_seconds(server)
        started = time.monotonic()
        with _tailing(run) as tail:
            time.sleep(case.seconds)
        busy = (_cpu_seconds(server) - before) / (time.monotonic() - started)
        memory = _memory_mb(server)
        end()
        told, _ = load.communicate(timeout=WAIT_SECONDS)
        assert load.returncode == 0, "the viewers' process has failed"
    return {**json.loads(told), "cores": busy, "memory": memory, "tail": tail.lags}


def _cpu_seconds(process: int) -> float:
    """Return what a process and its children have used (proc(5), stat); Linux only, else 0."""
    found = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if process in (int(path.parent.name), int(words[1])):
            found += (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return found


def _memory_mb(process: int) -> float:
    found = 0.0
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
        except OSError:
            continue
        if process in (int(path.parent.name), int(fields["PPid"])) and "VmRSS" in fields:
            found += int(fields["VmRSS"].split()[0]) / 1024
    return found


def _print(case: Case, told: dict[str, Any]) -> None:
    target = f"(target: at most {case.target_seconds} s)" if case.target_seconds else ""
    print(f"  {case.title}, {case.viewers} viewers, {case.rate} lines/s")
    tail = _percentile(told["tail"], 0.99)
    print(
        f"    lag: median {milliseconds(told['p50'])}, p99 {milliseconds(told['p99'])} {target}, "
        f"longest {milliseconds(told['longest'])}"
    )
    print(
        f"    tail -F meanwhile: median {milliseconds(_percentile(told['tail'], 0.5))}, p99 {milliseconds(tail)}; "
        f"viewers' p99 / tail's p99: {told['p99'] / tail:.1f}"
    )
    cores = f"server: {told['cores']:.2f} cores, {told['memory']:.0f} MB; viewers: {told['load_cores']:.2f} cores"
    print(
        f"    {told['lines']} lines each: {told['missed']} missed, {told['doubled']} doubled, "
        f"{told['unended']} viewers without the end; all there after {told['coming_seconds']:.1f} s; "
        f"{told['answers'] / told['seconds']:.0f} answers/s; {cores}",
        flush=True,
    )


if __name__ == "__main__":
    measure(sys.argv[2:]) if sys.argv[1:2] == ["measure"] else main()
