"""Says that it waits, waits for a file, and ends; may refuse to be stopped politely, or hold the database's lock."""

import signal
import sys
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import transaction


class Command(BaseCommand):
    help = "Waits for a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("gate", type=Path)
        parser.add_argument("--deaf", action="store_true", help="Ignore SIGINT and SIGTERM.")
        parser.add_argument("--lock", action="store_true", help="Write in a transaction, and keep it open.")
        parser.add_argument("--calm", action="store_true", help="Take SIGINT for a reason to end well.")
        parser.add_argument("--draws", action="store_true", help="Write two lines and change them before waiting.")
        parser.add_argument("--lines", type=int, default=0, help="Write so many lines before waiting.")

    def handle(self, *args: Any, gate: Path, deaf: bool, calm: bool, lock: bool, lines: int, **options: Any) -> None:
        if options["draws"]:
            self.stdout.write("one\ntwo\n\x1b[2Auno\ndos")
        if calm:
            signal.signal(signal.SIGINT, lambda number, frame: sys.exit(0))
        if deaf:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with ExitStack() as stack:
            if lock:
                stack.enter_context(transaction.atomic())
                Group.objects.create(name="made in a long transaction")
            for number in range(lines):
                self.stdout.write(f"line {number} of {lines}, as wide as a line of a log usually is")
            self.stdout.write("waiting")
            while not gate.exists():
                time.sleep(0.02)
        self.stdout.write("done")
