"""`python -m launcher.execution <run>`: takes a job from standard input, becomes its supervisor and forks its child.

The number on the command line is only for people who look at the process list.
"""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import threading
import time
from pathlib import Path

from launcher.execution.job import Job

ROWS, COLUMNS = 40, 120
CLAIM_SECONDS = 3600
"""How long a run waits for a database that can't be written, before it is given up."""


def main() -> int:
    """Carry out one run; returns in the supervisor when all is recorded, and in the child with its exit code."""
    # A stop that comes before there is a child waits until there is somebody to take it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    job = Job.read(sys.stdin.buffer)
    job.enter()
    import django

    django.setup()
    run = _claim(job)
    if run is None:
        return 0
    os.environ.setdefault("TERM", "xterm-256color")
    terminal, terminal_end = _open_terminal()
    report, report_end = os.pipe()
    supervisor = os.getpid()
    if _is_fork_safe():
        child = os.fork()
        if child == 0:
            from launcher.execution.child import enter_session, run_command

            os.close(terminal)
            os.close(report)
            enter_session(terminal_end, supervisor)
            return run_command(job, report_end)
    else:
        child = _spawn_child(job, terminal_end, report_end)
    os.close(terminal_end)
    os.close(report_end)
    from launcher.execution.supervisor import Supervisor

    Supervisor(run, job, child=child, terminal=terminal, report=report).watch()
    return 0


def _claim(job: Job):  # type: ignore[no-untyped-def]
    """Move the run from QUEUED to RUNNING and return it, or None if somebody stopped or took it meanwhile.

    Waits while the database is locked, and leaves no connection open, since one must not be shared over a fork.
    """
    from django.db import Error, connections, router
    from django.utils import timezone

    from launcher.execution.identity import own_start
    from launcher.models import Run, Status, sources_of
    from launcher.output.store import host_name

    # A replica that lags behind would not know the run yet.
    run = Run.objects.using(router.db_for_write(Run)).filter(pk=job.run_pk)
    is_claimed = False
    delay, deadline = 0.2, time.monotonic() + CLAIM_SECONDS
    while True:
        try:
            now = timezone.now()
            is_claimed = is_claimed or bool(
                run.filter(status__in=sources_of(Status.RUNNING)).update(
                    status=Status.RUNNING,
                    started_at=now,
                    heartbeat_at=now,
                    host=host_name(),
                    pid=os.getpid(),
                    pid_started=own_start(),
                )
            )
            return run.first() if is_claimed else None
        except Error as error:
            if time.monotonic() > deadline:
                raise
            if delay == 0.2:
                print(f"The run waits for the database: {error}", file=sys.stderr, flush=True)
            time.sleep(delay)
            delay = min(delay * 1.5, 5.0)
        finally:
            connections.close_all()


def _open_terminal() -> tuple[int, int]:
    """Return the two ends of a pseudo-terminal that passes bytes as they are written."""
    terminal, terminal_end = pty.openpty()
    modes = termios.tcgetattr(terminal_end)
    modes[1] &= ~termios.OPOST
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal_end, termios.TCSANOW, modes)
    fcntl.ioctl(terminal_end, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    return terminal, terminal_end


def _is_fork_safe() -> bool:
    """Tell whether no app has started a thread: a lock that one holds would stay locked in the child for ever."""
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:
        return sys.platform != "darwin" and threading.active_count() == 1


def _spawn_child(job: Job, terminal_end: int, report_end: int) -> int:
    """Start the child in a fresh interpreter, which does not depend on this one's threads; return its process id."""
    process = job.start(
        sys.executable,
        "launcher.execution.child",
        str(report_end),
        str(os.getpid()),
        stdout=terminal_end,
        stderr=terminal_end,
        pass_fds=[report_end],
    )
    process.returncode = 0  # the supervisor waits for it by its id
    return process.pid


if __name__ == "__main__":
    sys.exit(main())
