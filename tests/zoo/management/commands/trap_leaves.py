"""Has an action that ends the process, once a test has set LAUNCHER_TEST_TRAPS for a process of its own."""

import argparse
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Leaves(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if os.environ.get("LAUNCHER_TEST_TRAPS"):
            os._exit(3)


class Command(BaseCommand):
    help = "Leaves while it is parsed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list-all", action=Leaves, nargs=0)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("fine")
