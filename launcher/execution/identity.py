"""Telling a process from a later one that got its id: by its start time and the machine's boot."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def process_start(pid: int) -> str:
    """Return what identifies a living process besides its id, or an empty string if it is gone or a zombie.

    On Linux: the boot's id and the start time in clock ticks (proc(5), field 22 of stat); elsewhere what ps prints.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return "" if _boot_id() else _start_by_ps(pid)
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else f"{_boot_id()}/{fields[19]}"


def is_alive(pid: int, started: str) -> bool:
    """Tell whether the very process that was recorded is still there."""
    return bool(started) and process_start(pid) == started


def own_start() -> str:
    """Return the same for this process."""
    return process_start(os.getpid())


def _start_by_ps(pid: int) -> str:
    command = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    state, _, started = found.partition(" ")
    return "" if state.startswith("Z") else started.strip()
