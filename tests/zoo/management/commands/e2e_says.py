"""Writes whatever a test appends to a file, as it comes: the test decides what is written, and when."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

LOOK_SECONDS = 0.02
TO_STDERR = "\x01"
END = "\x04"


class Command(BaseCommand):
    help = "Repeat what is appended to a file: a line that begins with ^A to stderr, and nothing more after ^D."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--words", required=True, metavar="NAME", help="The file.")

    def handle(self, *, words: str, **options: Any) -> None:
        with Path(words).open(newline="") as file:
            while True:
                text = file.read()
                for line in text.splitlines(keepends=True):
                    if line.startswith(END):
                        return
                    stream = self.stderr if line.startswith(TO_STDERR) else self.stdout
                    stream.write(line.removeprefix(TO_STDERR), ending="")
                if not text:
                    self.stdout.flush()
                    self.stderr.flush()
                    time.sleep(LOOK_SECONDS)
