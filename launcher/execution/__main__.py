"""`python -m launcher.execution <run>`: takes a job from standard input, becomes its supervisor and forks its child.

The number on the command line is only for people who look at the process list.
"""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

from launcher.execution.job import Job

ROWS, COLUMNS = 40, 120


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
    if _is_fork_safe():
        child = os.fork()
        if child == 0:
            from launcher.execution.child import enter_session, run_command

            os.close(terminal)
            os.close(report)
            enter_session(terminal_end)
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
    from django.db import OperationalError, connections
    from django.utils import timezone

    from launcher.execution.identity import own_start
    from launcher.models import Run, Status, sources_of
    from launcher.output.store import host_name

    is_claimed = False
    while True:
        try:
            now = timezone.now()
            is_claimed = is_claimed or bool(
                Run.objects.filter(pk=job.run_pk, status__in=sources_of(Status.RUNNING)).update(
                    status=Status.RUNNING,
                    started_at=now,
                    heartbeat_at=now,
                    host=host_name(),
                    pid=os.getpid(),
                    pid_started=own_start(),
                )
            )
            return Run.objects.filter(pk=job.run_pk).first() if is_claimed else None
        except OperationalError as error:
            print(f"The run waits for the database: {error}", file=sys.stderr, flush=True)
            time.sleep(0.5)
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
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(job.sys_path)}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "launcher.execution.child", str(report_end)],
        stdin=subprocess.PIPE,
        stdout=terminal_end,
        stderr=terminal_end,
        pass_fds=[report_end],
        env=environment,
    )
    assert process.stdin is not None  # noqa: S101  asked for above
    process.stdin.write(job.to_bytes())
    process.stdin.close()
    process.returncode = 0  # the supervisor waits for it by its id
    return process.pid


if __name__ == "__main__":
    sys.exit(main())
