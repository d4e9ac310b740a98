"""Takes positionals that the shell can only fill from the left."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Takes positionals, the later ones only after the earlier ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("first", nargs="?")
        parser.add_argument("second", nargs="?", metavar="second[.part]")
        parser.add_argument("--greedy", nargs="*")
        parser.add_argument("-o", "--other", nargs="?", const="bare")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{options['first']} {options['second']}")
