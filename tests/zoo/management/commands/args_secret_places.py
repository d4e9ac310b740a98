"""Hides secrets where few look: in a place of its own, in lists, pairs, sequences and one of two sub-commands."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Takes secrets in odd places."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--password-old", action="append")
        parser.add_argument("--password-new")
        parser.add_argument("--login-secret", nargs=2, action="append", metavar=("USER", "SECRET"))
        parser.add_argument("--add-token", dest="tokens", action="append")
        parser.add_argument("--no-token", dest="tokens", action="append_const", const="")
        parser.add_argument("password", nargs="?")
        children = parser.add_subparsers(dest="what")
        text = children.add_parser("text")
        text.add_argument("--key")
        text.add_argument("--force", action="store_true")
        number = children.add_parser("number")
        number.add_argument("--key", type=int)
        number.add_argument("--force")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("fine")
