"""Has types that fail in their own ways, and files that parsing would open."""

import argparse
import decimal
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser


def look_up(word: str) -> int:
    return {"one": 1}[word]


def leave(word: str) -> str:
    sys.exit(word)


def validate(word: str) -> str:
    raise ValidationError("“%(word)s” is no good.", params={"word": word})


class Command(BaseCommand):
    help = "Has types that raise what they like."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--look-up", type=look_up)
        parser.add_argument("--price", type=decimal.Decimal)
        parser.add_argument("--leave", type=leave)
        parser.add_argument("--validate", type=validate)
        parser.add_argument("--read", type=argparse.FileType())
        parser.add_argument("--write", type=argparse.FileType("w"))

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("fine")
