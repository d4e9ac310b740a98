"""Writes numbered lines for a while, and notes in files of its own what it has certainly written; see `tests.chaos`."""

import os
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tests.chaos import writer

WAYS = ("line", "halves", "burst", "huge", "os")


class Command(BaseCommand):
    help = "Writes numbered lines for a while."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="Where it notes what it has written.")
        parser.add_argument("--seconds", type=float, default=0.5)
        parser.add_argument("--seed", default="0")
        parser.add_argument("--way", action="append", choices=WAYS)
        parser.add_argument("--helper", action="append", default=[], choices=["s", "d", "f"])
        parser.add_argument("--helper-seconds", type=float, default=1.0)
        parser.add_argument("--helper-after", type=float, default=0.5, help="Which share of the time passes before.")
        parser.add_argument("--lock", action="store_true", help="Write in a transaction, and keep it open.")
        parser.add_argument("--deaf", action="store_true", help="Ignore SIGINT and SIGTERM.")
        parser.add_argument("--draws", action="store_true", help="Move the cursor, to where it is, now and then.")
        parser.add_argument("--fails", action="store_true")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        main = writer.Writer(folder, "m", options["seed"], draws=options["draws"])
        if options["deaf"]:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
        ways = tuple(options["way"] or ("line",))
        first = options["seconds"] * options["helper_after"]
        main.write_for(first, ways)
        for role in options["helper"]:
            main.note("direct")
            start_helper(role, folder, options["helper_seconds"], options["seed"])
        with ExitStack() as stack:
            if options["lock"]:
                stack.enter_context(transaction.atomic())
                Group.objects.create(name=f"made in a transaction of {folder.name}")
            main.write_for(options["seconds"] - first, ways)
        main.note("end")
        if options["fails"]:
            raise CommandError("It can't be done.")


def start_helper(role: str, folder: Path, seconds: float, seed: str) -> None:
    """Start a subprocess (s), a daemon that is another program (d), or one that is a mere fork (f)."""
    if role == "f":
        fork_daemon(folder, seconds, seed)
        return
    words = [sys.executable, "-S", writer.__file__, role, str(folder), str(seconds), seed]
    subprocess.Popen(words, start_new_session=role == "d").returncode = 0


def fork_daemon(folder: Path, seconds: float, seed: str) -> None:
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    os.setsid()
    if os.fork() == 0:
        time.sleep(0.001)
        writer.write_as_helper(folder, "f", seconds, seed)
    os._exit(0)
