"""Has groups, one in another, and options that exclude each other."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext_lazy as _


class Command(BaseCommand):
    help = "Has groups."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--alone")
        title: Any = _("where the CSV comes from")
        source = parser.add_argument_group(title, "One of <these>.")
        exclusive = source.add_mutually_exclusive_group(required=True)
        exclusive.add_argument("--url")
        exclusive.add_argument("--latest", action="store_true")
        target = parser.add_argument_group("target")
        target.add_argument("--table", required=True, help="100% of <b>it</b> & more")
        parser.add_argument("positional")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("fine")
