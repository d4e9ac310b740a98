"""Takes an argument of every kind that argparse knows, and says what it got."""

import argparse
import datetime
import enum
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Command(BaseCommand):
    help = "Takes an argument of every kind."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="A text that is needed.")
        parser.add_argument("more", nargs="*", help="Any number of texts.")
        parser.add_argument("--text", default="a text", help="Plain (default: %(default)s).")
        parser.add_argument("-n", type=int, help="A single letter.")
        parser.add_argument("--ratio", type=float, default=0.5)
        parser.add_argument("--day", type=datetime.date.fromisoformat)
        parser.add_argument("--path", type=Path)
        parser.add_argument("--on", action="store_true")
        parser.add_argument("--off", action="store_false")
        parser.add_argument("--seven", action="store_const", const=7)
        parser.add_argument("--cache", action=argparse.BooleanOptionalAction, default=True)
        parser.add_argument("--tag", action="append")
        parser.add_argument("--pair", action="append", nargs=2, metavar=("KEY", "VALUE"))
        parser.add_argument("--extended", action="extend", nargs="+")
        parser.add_argument("--loud", "-l", action="count", default=0)
        parser.add_argument("--maybe", nargs="?", const="bare")
        parser.add_argument("--any", nargs="*")
        parser.add_argument("--some", nargs="+")
        parser.add_argument("--two", nargs=2)
        parser.add_argument("--colour", type=Colour, choices=list(Colour), default=Colour.RED)
        parser.add_argument("--size", type=int, choices=[1, 2, 3])
        parser.add_argument("--days", nargs="+", choices=["mon", "tue", "wed"])

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("\n".join(f"{name}={value!r}" for name, value in sorted(options.items())))
