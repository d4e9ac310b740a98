"""The demo shop with two commands more, which print many lines, on SQLite or on PostgreSQL. Owns what is generated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench._demo import demo_project
from bench._project import Project

LINES = 1_000_000
LINE_BYTES = 80
PRINTING = "print_lines"
WRITING = "write_lines"

# Words that repeat only after more than a compressor looks back for, as in a log of many different things.
SOURCE = '''\
"""Prints many lines of 80 bytes each."""

import random

from django.core.management.base import BaseCommand

LETTERS = "abcdefghijklmnopqrstuvwxyz      "
CHANCE = random.Random(7)
TAILS = ["".join(CHANCE.choices(LETTERS, k=69)).rstrip().ljust(69, ".") for _ in range(997)]


class Command(BaseCommand):
    help = "Print lines."

    def add_arguments(self, parser):
        parser.add_argument("--lines", type=int, default={lines})

    def handle(self, *, lines, **options):
        write = {write}
        for number in range(lines):
            write(f"{{number:>9}} {{TAILS[number % 997]}}")
'''
SETTINGS = """\
from project.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "lines"]
DATABASES["default"] = {database} or DATABASES["default"]
"""


@contextmanager
def lines_project(database: Mapping[str, Any] | None = None) -> Iterator[Project]:
    """Make a fresh project; `database` is what DATABASES says of it, SQLite's file in the folder where not given."""
    files = {
        "lines/__init__.py": "",
        "lines/management/__init__.py": "",
        "lines/management/commands/__init__.py": "",
        f"lines/management/commands/{PRINTING}.py": SOURCE.format(lines=LINES, write="print"),
        f"lines/management/commands/{WRITING}.py": SOURCE.format(lines=LINES, write="self.stdout.write"),
        "lines_settings.py": SETTINGS.format(database=dict(database) if database else None),
    }
    with demo_project(settings="lines_settings", files=files) as project:
        yield project
