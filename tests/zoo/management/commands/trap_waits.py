"""Has an action that never comes back, once a test has set LAUNCHER_TEST_TRAPS for a process of its own."""

import argparse
import os
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Waits(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        while os.environ.get("LAUNCHER_TEST_TRAPS"):
            time.sleep(60)


class Command(BaseCommand):
    help = "Waits while it is parsed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lock", action=Waits)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("fine")
