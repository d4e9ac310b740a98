"""Takes what `args_kinds` does not: the rarer actions, types, defaults and groups of argparse."""

import argparse
import datetime
import decimal
import enum
import json
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Shade(enum.Enum):
    LIGHT = "light"
    DARK = "dark"


class KeyValue(argparse.Action):
    """Collects NAME=VALUE pairs in a dict: each use adds one."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        name, equals, value = values.partition("=")
        if not equals:
            raise argparse.ArgumentError(self, f"{values!r} is no NAME=VALUE")
        setattr(namespace, self.dest, {**(getattr(namespace, self.dest) or {}), name: value})


class Command(BaseCommand):
    help = "Takes the rarer kinds of arguments."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("places", nargs="+", help="At least one.")
        parser.add_argument("--at", type=datetime.datetime.fromisoformat)
        parser.add_argument("--clock", type=datetime.time.fromisoformat)
        parser.add_argument("--price", type=decimal.Decimal, default=decimal.Decimal("9.90"))
        parser.add_argument("--data", type=json.loads, default={"a": 1})
        parser.add_argument("--letter", default="Dear all,\n\nregards", help="A text of several lines.")
        parser.add_argument("--ident", type=uuid.UUID)
        parser.add_argument("--shade", type=Shade)
        parser.add_argument("--really", type=bool, default=True)
        parser.add_argument("--percent", type=int, choices=range(101))
        parser.add_argument("--few", type=int, choices=range(1, 4))
        parser.add_argument(
            "--span", type=lambda text: datetime.timedelta(days=int(text)), default=datetime.timedelta(3)
        )
        parser.add_argument("--country", choices=[f"c{number:03}" for number in range(250)])
        parser.add_argument("--labels", nargs="*", choices=[f"label {number}" for number in range(30)])
        parser.add_argument("--size", choices={"S": 1, "M": 2}, default="S")
        parser.add_argument("--letters", choices="abc")
        parser.add_argument("--already", action="append", default=["first"])
        parser.add_argument("--extra", action="extend", nargs="*", default=["one"])
        parser.add_argument("--point", action="extend", nargs=2, type=float)
        parser.add_argument("--group", action="append", nargs="+")
        parser.add_argument("--again", action="append", nargs="?", const="bare")
        parser.add_argument("--one", nargs=1)
        parser.add_argument("--dot", action="append_const", const=".")
        parser.add_argument("--str", dest="types", action="append_const", const="str")
        parser.add_argument("--int", dest="types", action="append_const", const="int")
        parser.add_argument("--type", dest="types", action="append")
        parser.add_argument("-q", dest="loudness", action="store_const", const=0, default=1)
        parser.add_argument("-l", dest="loudness", action="count")
        parser.add_argument("--on", dest="switch", action="store_true")
        parser.add_argument("--off", dest="switch", action="store_false")
        parser.add_argument("--json", dest="form", action="store_const", const="json", default="text")
        parser.add_argument("--yaml", dest="form", action="store_const", const="yaml")
        parser.add_argument("--form", dest="form", help="Any other form.")
        parser.add_argument("--set", action=KeyValue, metavar="NAME=VALUE")
        parser.add_argument("--silent-default", default=argparse.SUPPRESS)
        parser.add_argument("--hidden", help=argparse.SUPPRESS)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--all", action="store_true")
        which.add_argument("--since", type=datetime.date.fromisoformat)
        which.add_argument("--ids", nargs="+", type=int)
        which.add_argument("--maybe", nargs="?", const="yes")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("\n".join(f"{name}={value!r}" for name, value in sorted(options.items())))
