"""How long a command takes to its first byte of output: on the shell, and as a run through the local engine.

The shell's time goes from starting `python manage.py …` on a terminal to the first byte that it writes there. A run's
time goes to the first byte that a page can read, from `launcher.runs.start_run`, and from the form's POST, which
validates as well; the page's own polling comes on top of it. The form is opened before each start, as people do. All
are measured in turns, so that a busy moment of the machine hits all of them, in two projects: the demo, and one with
wagtail.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench._demo import demo_project
from bench._heavy_project import heavy_project
from bench._project import MakeProject, conditions, end_runs, milliseconds
from bench._shell import seconds_to_first_byte

if TYPE_CHECKING:
    from django.test import Client

    from launcher.models import Run

COMMAND = "clear_expired_sessions"
FIELDS = {"dry_run": "on"}
ARGV = ["--dry-run"]
ROUNDS = 7
LIMIT_SECONDS = 60.0
FIRST_LOOK_SECONDS = 2.0
"""How long the form is looked at the first time: what is set up for it in the background takes about so long."""
LOOK_SECONDS = 0.3
PROJECTS: tuple[tuple[MakeProject, float], ...] = ((demo_project, 0.15), (heavy_project, 0.05))
"""The projects, each with its target for start to first byte / the shell's first byte."""


def main() -> None:
    """Make the projects and measure in each, with its own Python."""
    for make, target in PROJECTS:
        with make() as project:
            project.measure("bench.start", project.title, str(target))


def measure(title: str, target: float) -> None:
    """Set Django up in this process, measure in turns, and print medians, ranges and ratios."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    owner = User.objects.get(username="owner")
    client = Client()
    client.force_login(owner)
    found: dict[str, list[float]] = {name: [] for name in ("shell", "start", "post", "answer")}
    try:
        # Not counted: what is not compiled is compiled, what is to be warm gets warm.
        for number in range(ROUNDS + 1):
            round_ = {"shell": seconds_to_first_byte(sys.executable, COMMAND, *ARGV)}
            round_["start"] = _start_seconds(client, owner, FIRST_LOOK_SECONDS if number == 0 else LOOK_SECONDS)
            round_["answer"], round_["post"] = _post_seconds(client)
            if number:
                for name, seconds in round_.items():
                    found[name].append(seconds)
    finally:
        end_runs()
    _print(title, target, found)


def _print(title: str, target: float, found: dict[str, list[float]]) -> None:
    print(f"{COMMAND} {' '.join(ARGV)} in {title}, medians of {ROUNDS} with their ranges; {conditions()}")
    shell = statistics.median(found["shell"])
    for name, text in (
        ("shell", "shell: start to first byte"),
        ("start", "run: start_run to first byte"),
        ("post", "run: form posted to first byte"),
        ("answer", "run: form posted to the page's answer"),
    ):
        seconds = found[name]
        spread = f"{milliseconds(min(seconds))} to{milliseconds(max(seconds))}"
        print(f"  {text:<38}{milliseconds(statistics.median(seconds))}  ({spread})")
    start, post = (statistics.median(found[name]) / shell for name in ("start", "post"))
    print(f"  start_run to first byte / shell       {start:8.3f}  (target: at most {target})")
    print(f"  form posted to first byte / shell     {post:8.3f}")
    print(f"  fastest start_run / fastest shell     {min(found['start']) / min(found['shell']):8.3f}", flush=True)


def _open_form(client: Client, look_seconds: float) -> str:
    from django.urls import reverse

    url = reverse("admin:launcher_command_run", args=[COMMAND])
    assert client.get(url).status_code == 200
    time.sleep(look_seconds)
    return url


def _start_seconds(client: Client, owner: Any, look_seconds: float) -> float:
    """Return the seconds from starting a run to its first readable byte."""
    from launcher.runs import start_run

    _open_form(client, look_seconds)
    started = time.perf_counter()
    run = start_run(COMMAND, ARGV, user=owner)
    return _first_byte_at(run) - started


def _post_seconds(client: Client) -> tuple[float, float]:
    """Return the seconds from posting the form to the answer, and to the run's first readable byte."""
    from launcher.models import Run

    url = _open_form(client, LOOK_SECONDS)
    started = time.perf_counter()
    answer = client.post(url, FIELDS)
    answered = time.perf_counter() - started
    assert answer.status_code == 302, answer.content.decode()
    run = Run.objects.get(pk=urlsplit(answer["Location"]).path.split("/")[-3])
    return answered, _first_byte_at(run) - started


def _first_byte_at(run: Run) -> float:
    """Return when the run's first byte could be read, once the run has ended."""
    from launcher.output.store import open_output

    deadline = time.perf_counter() + LIMIT_SECONDS
    while not open_output(run).size:
        assert time.perf_counter() < deadline, "no output came"
        time.sleep(0.001)
    first_byte_at = time.perf_counter()
    # The next measurement must not share the machine with this run's end.
    while not run.is_finished:
        assert time.perf_counter() < deadline, "the run did not end"
        time.sleep(0.02)
        run.refresh_from_db()
    assert run.status == "succeeded", run.reason
    time.sleep(0.1)
    return first_byte_at


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1], float(sys.argv[2]))
    else:
        main()
