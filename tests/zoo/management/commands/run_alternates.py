"""Writes lines by turns to output and errors, numbered, so that any change of their order shows."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Writes lines by turns to output and errors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pairs", type=int, help="How many lines each of the two gets.")

    def handle(self, *args: Any, pairs: int, **options: Any) -> None:
        for number in range(pairs):
            print(f"out {number}")
            print(f"err {number}", file=sys.stderr)
