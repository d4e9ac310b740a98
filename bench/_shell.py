"""The shell's side of a comparison: a command on a terminal of its own, to its first byte."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

LIMIT_SECONDS = 60.0


def seconds_to_first_byte(
    python: str, *argv: str, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> float:
    """Return the seconds from starting `python manage.py …` to the first byte that it writes to its terminal.

    The folder and the environment are this process's where not given. Waits for the command's end, so that the next
    measurement does not share the machine with it.
    """
    terminal, terminal_end = pty.openpty()
    started = time.perf_counter()
    process = subprocess.Popen(
        [python, "manage.py", *argv],
        stdin=subprocess.DEVNULL,
        stdout=terminal_end,
        stderr=terminal_end,
        cwd=folder,
        env=None if environment is None else dict(environment),
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
