"""Has a file to write, which argparse truncates by parsing."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Writes a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=argparse.FileType("w"))

    def handle(self, *args: Any, **options: Any) -> None:
        with options["out"] as file:
            file.write("written")
