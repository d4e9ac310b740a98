"""How long a command takes to its first byte of output: on the shell, and as a run through the local engine.

The shell's time goes from starting `python manage.py …` on a terminal to the first byte that it writes there. A run's
time goes from posting the form to the first byte that a page can read; the page's own polling comes on top of it. The
two are measured in turns, so that a busy moment of the machine hits both.
"""

from __future__ import annotations

import os
import pty
import statistics
import subprocess
import time
from urllib.parse import urlsplit

from bench._demo import MANAGE, REPOSITORY, conditions, demo_shop, milliseconds

COMMAND = "clear_expired_sessions"
FIELDS = {"dry_run": "on"}
ARGV = ["--dry-run"]
ROUNDS = 11
LIMIT_SECONDS = 60.0


def shell_seconds() -> float:
    """Return the seconds from starting the command on a terminal of its own to its first byte there."""
    terminal, terminal_end = pty.openpty()
    started = time.perf_counter()
    process = subprocess.Popen(
        [*MANAGE, COMMAND, *ARGV],
        stdin=subprocess.DEVNULL,
        stdout=terminal_end,
        stderr=terminal_end,
        cwd=REPOSITORY,
    )
    os.close(terminal_end)
    try:
        first = os.read(terminal, 1)
        seconds = time.perf_counter() - started
        assert first, "the command wrote nothing"
        assert process.wait(LIMIT_SECONDS) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(terminal)
    return seconds


def run_seconds() -> tuple[float, float]:
    """Return the seconds from posting the form to the answer, and to the run's first readable byte."""
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import reverse

    from launcher.models import Run
    from launcher.output.store import open_output

    client = Client()
    client.force_login(User.objects.get(username="owner"))
    url = reverse("admin:launcher_command_run", args=[COMMAND])
    assert client.get(url).status_code == 200
    started = time.perf_counter()
    answer = client.post(url, FIELDS)
    answered = time.perf_counter() - started
    assert answer.status_code == 302, answer.content.decode()
    run = Run.objects.get(pk=urlsplit(answer["Location"]).path.split("/")[-3])
    while not open_output(run).size:
        assert time.perf_counter() - started < LIMIT_SECONDS, "no output came"
        time.sleep(0.001)
    seconds = time.perf_counter() - started
    # The next measurement must not share the machine with this run's end.
    while not run.is_finished:
        assert time.perf_counter() - started < LIMIT_SECONDS, "the run did not end"
        time.sleep(0.02)
        run.refresh_from_db()
    assert run.status == "succeeded", run.reason
    time.sleep(0.1)
    return answered, seconds


def main() -> None:
    """Measure in turns and print medians and their ratio."""
    with demo_shop():
        shell_seconds(), run_seconds()  # compile what is not compiled yet
        shell, answers, runs = [], [], []
        for _ in range(ROUNDS):
            shell.append(shell_seconds())
            answered, first = run_seconds()
            answers.append(answered)
            runs.append(first)
        print(f"{COMMAND} {' '.join(ARGV)}, medians of {ROUNDS}; {conditions()}")
        print(f"  shell: start to first byte            {milliseconds(statistics.median(shell))}")
        print(f"  run: form posted to first byte        {milliseconds(statistics.median(runs))}")
        print(f"  run: form posted to the page's answer {milliseconds(statistics.median(answers))}")
        print(f"  run / shell                           {statistics.median(runs) / statistics.median(shell):8.2f}")
        print(f"  range of the shell                    {milliseconds(min(shell))} to{milliseconds(max(shell))}")
        print(f"  range of the runs                     {milliseconds(min(runs))} to{milliseconds(max(runs))}")
        print(f"  fastest run / fastest shell           {min(runs) / min(shell):8.2f}")


if __name__ == "__main__":
    main()
