"""Can be imported, but its parser can't be built."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Fails to say what it takes."

    def add_arguments(self, parser: CommandParser) -> None:
        raise LookupError("no such table: shops")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("never")
