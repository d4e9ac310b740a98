"""Takes several values in each of the ways there are."""

from pathlib import Path

from django.core.management.base import CommandParser

from tests.zoo.kinds import TellingCommand


class Command(TellingCommand):
    help = "Takes several values."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("words", nargs="*")
        parser.add_argument("--files", nargs="+", type=Path)
        parser.add_argument("--tag", action="append")
        parser.add_argument("--ids", nargs="+", type=int)
        parser.add_argument("--more", action="extend", nargs="+", default=["one"])
        parser.add_argument("--point", nargs=2, type=float, metavar=("X", "Y"))
        parser.add_argument("--pair", action="append", nargs=2, metavar=("KEY", "VALUE"))
        parser.add_argument("--group", action="append", nargs="+")
        parser.add_argument("--str", dest="types", action="append_const", const="str")
        parser.add_argument("--int", dest="types", action="append_const", const="int")
        parser.add_argument("--type", dest="types", action="append")
