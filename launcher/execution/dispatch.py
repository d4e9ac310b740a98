"""Handing a job over: to the project's warm process, or to one of its own where there can be no warm one."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from launcher.conf import options
from launcher.execution import local_socket
from launcher.execution.job import Job, wait_aside
from launcher.execution.owner import forget_owner, note_owner
from launcher.output.spool import write_whole
from launcher.reporting import RUN_VARIABLE

ACCEPT_SECONDS = 0.25
"""How long a click waits to hear that the run is on its way; a warm process that is just starting needs longer."""
LARGEST_LOG_BYTES = 1024 * 1024
COLD_SECONDS = 600
"""How long a project counts as one that can't be forked, before that is tried again."""
NOISE = {
    RUN_VARIABLE,
    "_",
    "SHLVL",
    "OLDPWD",
    "PWD",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "WATCHDOG_PID",
    "NOTIFY_SOCKET",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
}
"""Variables that differ from process to process and that no project reads."""


def key_of(job: Job) -> str:
    """Return what tells this process's warm process from others: it has the same code, settings and environment."""
    environment = {"TERM": "xterm-256color", **os.environ}  # as every run has it
    said = {
        "python": options().python,
        "path": job.sys_path,
        "project": job.project,
        "folder": _folder(),
        "environment": sorted((name, text) for name, text in environment.items() if name not in NOISE),
        "umask": _umask(),
    }
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def _umask() -> int:
    try:  # os.umask() would have to change it to tell it, for all threads
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(status.partition("Umask:")[2].split("\n")[0] or "0", 8)


@dataclass(frozen=True, kw_only=True)
class Way:
    """How runs of a project start: from a warm process, or each cold, and then why."""

    why_cold: str = ""
    noted_at: float = 0.0


def note_way(job: Job, key: str, why_cold: str) -> None:
    """Note whether this project can be forked: the warm process finds it out, everybody else wants to know."""
    with suppress(OSError):
        write_whole(job.way_path(key), asdict(Way(why_cold=why_cold, noted_at=time.time())))


def _read_way(path: Path) -> Way:
    try:
        return Way(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return Way()


def last_way(root: Path, project: str) -> Way:
    """Return how runs of a project start, as it was last found out in whatever environment."""
    ways = [_read_way(path) for path in root.glob(f"way-{project}-*.json")]
    return max(ways, key=lambda way: way.noted_at, default=Way())


def why_cold(job: Job, key: str) -> str:
    """Return why a run of this project is to be started cold, or an empty string."""
    if sys.platform != "linux":
        return "only Linux has what a warm process needs"
    if not options().warm_start:
        return "LAUNCHER['WARM_START'] is off"
    way = _read_way(job.way_path(key))
    is_old = not 0 <= time.time() - way.noted_at < COLD_SECONDS
    return "" if is_old else way.why_cold


def start(job: Job) -> None:
    """Have a process carry the job out. Raises OSError if none can be started.

    The ticket is drawn here, not by whoever gets the job: a process that is just starting is slow to look at its jobs,
    and until then the run would stand in no line and those behind it would not know of it.
    """
    key = key_of(job)
    turn = job.turn
    job = replace(job, ticket=turn.take_ticket())
    try:
        if reason := why_cold(job, key):
            start_cold(replace(job, why_cold=reason))
        elif not _ask_warm(job, key):
            _start_warm(job, key)
    finally:
        turn.forget()


def warm_up(job: Job) -> None:
    """Have a warm process be there soon, with the job's command imported; never waits and never fails."""
    key = key_of(job)
    if not why_cold(job, key):
        with suppress(OSError):
            if not _ask_warm(job, key):
                _start_warm(job, key)


def _ask_warm(job: Job, key: str) -> bool:
    """Hand the job to the warm process; False if there is none, or if it died of it."""
    try:
        with local_socket.connect(job.warm_path(key, ".sock"), timeout_seconds=ACCEPT_SECONDS) as connection:
            pid, user = local_socket.peer(connection)
            if user != os.getuid():
                return False
            if job.run_pk:
                note_owner(job.folder, pid, is_supervisor=False, log=str(job.warm_path(key, ".log")))
            local_socket.send(connection, job.to_bytes(), job.ticket)
            connection.shutdown(socket.SHUT_WR)
            return not job.run_pk or _is_accepted(connection)
    except OSError:
        return False


def _is_accepted(connection: socket.socket) -> bool:
    try:
        return bool(connection.recv(1))
    except TimeoutError:  # it is just starting, and will find the job waiting; should it die, the run has it as owner
        return True


def _start_warm(job: Job, key: str) -> None:
    """Start a warm process, with the job as the first thing it does. Raises OSError."""
    log = job.warm_path(key, ".log")
    if job.run_pk:
        forget_owner(job.folder)  # one that has just left may have been asked first
    with suppress(OSError):
        if log.stat().st_size > LARGEST_LOG_BYTES:
            log.unlink()
    process = _start(job, "launcher.execution.zygote", key, log=log)
    if job.run_pk:
        with suppress(OSError):  # the process may have noted more than that already
            note_owner(job.folder, process.pid, is_supervisor=False, is_first=True, log=str(log))


def start_cold(job: Job) -> None:
    """Start a supervisor of the job's own. Raises OSError."""
    process = _start(job, "launcher.execution", str(job.run_pk), log=job.spool.log_path)
    with suppress(OSError):
        note_owner(job.folder, process.pid, is_supervisor=True)


def _start(job: Job, module: str, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
    descriptors: Sequence[int] = () if job.ticket is None else (job.ticket,)
    with log.open("ab") as file:  # where its own trouble is told
        process = job.start(
            options().python,
            module,
            *arguments,
            stdout=file,
            stderr=file,
            start_new_session=True,
            pass_fds=descriptors,
        )
    wait_aside(process)
    return process
