"""Has actions that ask while they are parsed, once a test has set LAUNCHER_TEST_TRAPS for a process of its own."""

import argparse
import getpass
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Asks(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if values is None and os.environ.get("LAUNCHER_TEST_TRAPS"):
            values = getpass.getpass() if self.dest == "quietly" else input("Which? ")
        setattr(namespace, self.dest, values)


class Command(BaseCommand):
    help = "Asks for what was not said."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--openly", nargs="?", action=Asks)
        parser.add_argument("--quietly", nargs="?", action=Asks)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("fine")
