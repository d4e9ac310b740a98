"""Takes the rest of the line as it is."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Takes the rest of the line as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("program", nargs="?")
        parser.add_argument("--quick", action="store_true")
        parser.add_argument("rest", nargs=argparse.REMAINDER)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(repr(options["rest"]))
