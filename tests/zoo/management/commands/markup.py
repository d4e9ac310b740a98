"""Has HTML wherever an author can write something."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

SCRIPT = "<script>alert(1)</script>"


class Command(BaseCommand):
    help = f"Help with {SCRIPT} and & in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.epilog = f"Epilog with {SCRIPT}."
        group = parser.add_argument_group(f"Group {SCRIPT}", f"Group's description with {SCRIPT}.")
        where = f"Where <file> is, {SCRIPT}, by default %(default)s."
        group.add_argument("--file", metavar="<file>", help=where, default=f"'{SCRIPT}\"")
        group.add_argument("--choice", choices=[f'"{SCRIPT}', "plain"], help="<b>One</b> of these.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"printed {SCRIPT} & \x1b[1m{SCRIPT}\x1b[0m\n")
        self.stdout.write(f"\x1b]8;;javascript:alert(1)\x1b\\{SCRIPT}\x1b]8;;\x1b\\")
        raise ValueError(f"raised {SCRIPT}")
