"""Which processes the tests have started, whoever was their parent, so that none is left behind unseen."""

import os
from contextlib import suppress
from pathlib import Path

from django.conf import settings

MARK = f"LAUNCHER_TEST_DATABASE={settings.TEST_DATABASE}".encode()
"""What every process started by this session's tests has in its environment; see tests/settings.py."""


def started_processes() -> set[int]:
    """Return the ids of all processes that are there because of this session's tests: zombies and this one aside.

    They are known by the environment that their program was started with (proc(5), environ), which neither a fork, a
    new session nor a change of os.environ takes away, and by the session of one so known: a program may get another.
    """
    found: dict[int, int] = {}
    others: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile, or another user's
            pid = int(folder.name)
            is_ours = MARK in (folder / "environ").read_bytes().split(b"\0")
            (found if is_ours else others)[pid] = os.getsid(pid) if (folder / "cmdline").read_bytes() else 0
    sessions = {*found.values()} - {0, os.getsid(0)}
    return {*found, *(pid for pid, session in others.items() if session in sessions)} - {os.getpid()}
