"""Takes one value of each kind, and every kind of switch."""

import argparse
import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from tests.zoo.kinds import TellingCommand


class KeyValue(argparse.Action):
    """Collects NAME=VALUE pairs in a dict: each use adds one."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        name, equals, value = values.partition("=")
        if not equals:
            raise argparse.ArgumentError(self, f"{values!r} is no NAME=VALUE")
        setattr(namespace, self.dest, {**(getattr(namespace, self.dest) or {}), name: value})


class Command(TellingCommand):
    help = "Takes one value of each kind."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--text", help="Anything at all.")
        parser.add_argument("--letter", default="Dear all,\n\nregards")
        parser.add_argument("--number", type=int)
        parser.add_argument("--percent", type=int, choices=range(101))
        parser.add_argument("--ratio", type=float, default=0.5)
        parser.add_argument("--day", type=datetime.date.fromisoformat)
        parser.add_argument("--moment", type=datetime.datetime.fromisoformat)
        parser.add_argument("--clock", type=datetime.time.fromisoformat)
        parser.add_argument("--path", type=Path)
        parser.add_argument("--password")
        parser.add_argument("--maybe", nargs="?", const="bare")
        parser.add_argument("--cache", action=argparse.BooleanOptionalAction)
        parser.add_argument("--dry", action="store_true")
        parser.add_argument("--no-colour", dest="colour", action="store_false")
        parser.add_argument("--on", dest="switch", action="store_true", default=None)
        parser.add_argument("--off", dest="switch", action="store_false", default=None)
        parser.add_argument("--loud", action="count", default=0)
        parser.add_argument("--dot", action="append_const", const=".")
        parser.add_argument("--set", action=KeyValue, metavar="NAME=VALUE")
        parser.add_argument("--hidden", help=argparse.SUPPRESS)
