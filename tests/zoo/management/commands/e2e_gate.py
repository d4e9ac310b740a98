"""Prints a line, waits until a file appears, prints another: a test decides how long the command takes."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

LOOK_SECONDS = 0.05


class Command(BaseCommand):
    help = "Say that the gate is shut, and go on once it opens."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--gate", required=True, metavar="NAME", help="The file that opens the gate.")

    def handle(self, *, gate: str, **options: Any) -> None:
        self.stdout.write("The gate is shut.")
        while not Path(gate).exists():
            time.sleep(LOOK_SECONDS)
        self.stdout.write("The gate is open.")
