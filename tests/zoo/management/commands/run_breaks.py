"""Breaks its own process: what it writes to, what it stands on, or the process itself. The record must survive it."""

import ctypes
import faulthandler
import importlib.util
import io
import locale
import os
import resource
import shutil
import signal
import sys
import time
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

MEGABYTE = 1024 * 1024
ROOM_BYTES = 256 * MEGABYTE
"""How much more address space the command that eats it all may have."""
PAGE_BYTES = 4096
STACK_BYTES = 8 * MEGABYTE
"""How much stack there is where nobody has set a limit: without one it would not overflow."""


class Command(BaseCommand):
    help = "Breaks its own process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        ways = ["close-output", "surroundings", "segfault", "recursion", "stack", "memory", "own-files"]
        parser.add_argument("what", choices=ways)
        parser.add_argument("--folder", type=Path, help="close-output: for its signs. own-files: to remove as well.")
        parser.add_argument("--fail", action="store_true", help="Raise an exception in the end.")

    def handle(self, *args: Any, what: str, folder: Path | None, fail: bool, **options: Any) -> None:
        print("at first")
        match what:
            case "close-output":
                assert folder is not None
                close_output(folder)
            case "surroundings":
                change_surroundings()
            case "segfault":
                leave_no_core()
                ctypes.string_at(0)
            case "recursion":
                recurse()
            case "stack":
                leave_no_core()
                overflow_stack()
            case "memory":
                eat_address_space()
            case "own-files":
                assert folder is not None
                remove_own_files(folder)
                print("all removed")
        if fail:
            raise ZeroDivisionError("broken in the end")


def close_output(folder: Path) -> None:
    """Close output and errors, make the file `closed`, wait for the file `gate`, and make the file `done`."""
    os.close(1)
    os.close(2)
    (folder / "closed").touch()
    while not (folder / "gate").exists():
        time.sleep(0.02)
    (folder / "done").touch()


def change_surroundings() -> None:
    """Change all of a process that its code can change and that other code takes for granted."""
    os.chdir("/")
    os.umask(0o777)
    for number in signal.valid_signals():
        with suppress(OSError):  # SIGKILL and SIGSTOP
            signal.signal(number, signal.SIG_IGN)
    locale.setlocale(locale.LC_ALL, "C")
    os.environ.clear()
    sys.argv.clear()
    sys.path.clear()
    sys.stdout = io.StringIO()
    sys.stderr = io.StringIO()
    print("to nobody")


def recurse() -> None:
    """Call itself until Python says that it is enough."""
    recurse()


def leave_no_core() -> None:
    """Have the kernel write no core file, which would lie in whoever's folder."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def overflow_stack() -> None:
    """Recurse in C, where nobody counts, until the kernel says that it is enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_STACK, (STACK_BYTES, hard))
    faulthandler._stack_overflow()  # type: ignore[attr-defined]  # CPython has it for its own tests


def eat_address_space() -> None:
    """Allocate until there is nothing left, and hold on to it while the exception travels."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + ROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    hoard = []
    size = 64 * MEGABYTE
    while True:
        try:
            hoard.append(bytearray(size))
        except MemoryError:
            if size <= PAGE_BYTES:
                raise
            size //= 2


def remove_own_files(folder: Path) -> None:
    """Remove a module's own file, the folder in which one stands, and the given one.

    The module is a copy of this one, in a folder made for it: this one belongs to whoever reads it.
    """
    home = folder.parent / f"{folder.name}-home"
    home.mkdir()
    spec = importlib.util.spec_from_file_location("run_from_a_copy", shutil.copy(__file__, home))
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    copy.remove_itself(folder)


def remove_itself(folder: Path) -> None:
    """Remove this module's file, the folder that it is in after going there, and the given one."""
    own = Path(__file__).resolve()
    assert own.parent.name.endswith("-home"), "Only a copy may be removed."
    os.chdir(own.parent)
    own.unlink()
    shutil.rmtree(own.parent)
    shutil.rmtree(folder)
