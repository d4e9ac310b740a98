"""Has a parser that ends the process on an error, as plain argparse does."""

import argparse
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser


class LeavingParser(CommandParser):
    def error(self, message: str) -> NoReturn:
        self._print_message(f"own words: {message}\n", sys.stderr)
        sys.exit(9)


class Command(BaseCommand):
    help = "Has a parser of its own."
    missing_args_message = "Name at least one thing."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs["formatter_class"] = argparse.RawTextHelpFormatter
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = LeavingParser
        parser.add_argument("things", nargs="*")
        parser.add_argument("--needed", type=int, required=True, help="One line.\nAnother.")
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("fine")
