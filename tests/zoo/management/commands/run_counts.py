"""Writes numbered lines all the time, so that every one that goes missing is seen."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Writes numbered lines until a file appears, and at last their number."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("gate", type=Path)
        parser.add_argument("--lines", type=int, help="Write at most so many.")
        parser.add_argument("--milliseconds", type=int, default=5, help="Wait so long between two lines.")

    def handle(self, *args: Any, gate: Path, lines: int | None, milliseconds: int, **options: Any) -> None:
        number = 0
        while not gate.exists() and number != lines:
            number += 1
            self.stdout.write(f"line {number}")
            self.stdout.flush()
            time.sleep(milliseconds / 1000)
        self.stdout.write(f"{number} lines")
