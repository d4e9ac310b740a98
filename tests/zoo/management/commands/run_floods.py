"""Writes what is hard to keep: bytes that are no text, a line without end, lines faster than anybody reads."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

LONG_LINE_BYTES = 10_000_000
MANY_LINES = 1_000_000
BLOCK_LINES = 1000


class Command(BaseCommand):
    help = "Writes what is hard to keep."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["nul", "bad-utf-8", "long-line", "many-lines"])

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        print("at first")
        match what:
            case "nul":
                print("before\0after")
            case "bad-utf-8":
                # By the text stream's buffer and by the descriptor: in this order, as the first is flushed.
                sys.stdout.buffer.write(b"half a character: \xe2\x82, ")
                sys.stdout.buffer.flush()
                os.write(1, b"no character: \xff\xfe, a surrogate: \xed\xa0\x80\n")
            case "long-line":
                print("x" * LONG_LINE_BYTES)
            case "many-lines":
                for first in range(0, MANY_LINES, BLOCK_LINES):
                    sys.stdout.write("".join(f"line {number}\n" for number in range(first, first + BLOCK_LINES)))
        print("at last")
