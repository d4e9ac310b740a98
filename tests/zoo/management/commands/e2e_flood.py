"""Writes more than any page can show: many lines, one line without end, and bytes that are no text."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

MEGABYTE = 1024 * 1024
LINE = "The quick brown fox jumps over the lazy dog, again and again and again\n"
NOISE = bytes(range(256))


class Command(BaseCommand):
    help = "Write a flood of output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lines", type=int, default=0, metavar="MB", help="Megabytes of short lines.")
        parser.add_argument("--unbroken", type=int, default=0, metavar="MB", help="Megabytes of a line without end.")
        parser.add_argument("--noise", type=int, default=0, metavar="MB", help="Megabytes of every byte there is.")

    def handle(self, *, lines: int, unbroken: int, noise: int, **options: Any) -> None:
        self.stdout.flush()
        _write(LINE.encode() * (MEGABYTE // len(LINE)), lines)
        _write(b"x" * MEGABYTE, unbroken)
        _write(NOISE * (MEGABYTE // len(NOISE)), noise)
        self.stdout.write("\nThe flood is over.")


def _write(piece: bytes, times: int) -> None:
    descriptor = sys.stdout.fileno()
    for _ in range(times):
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
