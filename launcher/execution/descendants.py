"""The processes that a run has started, also those that left its group or its session. Complete on Linux only."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from launcher.reporting import RUN_VARIABLE


def descendants(pid: int) -> list[int]:
    """Return the ids of all living processes below one; where the system doesn't tell, there are none."""
    children = _children_by_parent()
    found: list[int] = []
    waiting = list(children.get(pid, ()))
    while waiting:
        child = waiting.pop()
        if not _is_another_run(child):
            found.append(child)
            waiting += children.get(child, ())
    return found


def quick_descendants(pid: int) -> list[int]:
    """Return the same from the lists that the kernel keeps of each thread's children, without a look at all processes.

    One that is forked or ends this very moment may be missing (proc(5), children): not for those who have to find all.
    """
    if not os.path.exists(f"/proc/{pid}/task/{pid}/children"):  # a kernel without them
        return descendants(pid)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for path in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with suppress(OSError):
                children = [child for child in map(int, path.read_bytes().split()) if not _is_another_run(child)]
                found += children
                waiting += children
    return found


def _is_another_run(pid: int) -> bool:
    """Tell whether a process is one of Launcher's own with a session of its own: a command may start further runs."""
    with suppress(OSError):
        return os.getsid(pid) == pid and b"-m\0launcher.execution" in _read(pid, "cmdline")
    return False


def _children_by_parent() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for pid, fields in _stats():
        if fields[0] not in "ZX":
            children.setdefault(int(fields[1]), []).append(pid)
    return children


def _stats() -> Iterator[tuple[int, list[str]]]:
    """Yield each process's id with the fields of its stat from the state on (proc(5))."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                yield int(name), file.read().rpartition(b")")[2].decode().split()


def left_behind(uid: str, session: int, born_after_ticks: int) -> list[int]:
    """Return the processes of a run whose supervisor is dead: forks in its session, and those with its variable.

    Forks of its child elsewhere have the ring mapped; what /proc says of their environment is the warm process's.

    `born_after_ticks` is the supervisor's start time. An older process, or one of another program in a session that
    got the number later, can't be the run's.
    """
    mark, ring = f"{RUN_VARIABLE}={uid}".encode(), f"/run-{uid}/ring".encode()
    found = []
    for pid, fields in _stats():
        if fields[0] in "ZX" or int(fields[19]) < born_after_ticks:
            continue
        is_fork = b"launcher.execution" in _read(pid, "cmdline")
        is_ours = is_fork and (int(fields[3]) == session or ring in _read(pid, "maps"))
        if is_ours or mark in _read(pid, "environ").split(b"\0"):
            found.append(pid)
    return found


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def signal_all(pids: Iterable[int], number: int) -> None:
    """Send a signal to each process; a stopped one is woken to take it."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                os.kill(pid, signal.SIGCONT)
