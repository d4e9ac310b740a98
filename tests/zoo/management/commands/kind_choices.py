"""Lets choose: one of few or many words, several of few or many, and one of options that exclude each other."""

import datetime

from django.core.management.base import CommandParser

from tests.zoo.kinds import TellingCommand


class Command(TellingCommand):
    help = "Lets choose."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--size", type=int, choices=[1, 2, 3], default=2)
        parser.add_argument("--country", choices=[f"c{number:03}" for number in range(250)])
        parser.add_argument("--days", nargs="+", choices=["mon", "tue", "wed"])
        parser.add_argument("--labels", nargs="*", choices=[f"label {number}" for number in range(30)])
        parser.add_argument("--ending", choices=["", "s", "es"])
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true")
        which.add_argument("--since", type=datetime.date.fromisoformat)
        which.add_argument("--ids", nargs="+", type=int)
