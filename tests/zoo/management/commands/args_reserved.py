"""Has arguments called like what a form has itself."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

NAMES = ("errors", "fields", "non_field_errors", "is_long", "has_extra", "shows_errors", "data", "files", "sections")


class Command(BaseCommand):
    help = "Has arguments called like parts of a form."

    def add_arguments(self, parser: CommandParser) -> None:
        for name in (*NAMES, "launcher_extra", "launcher_uploads", "launcher_confirm", "csrfmiddlewaretoken"):
            parser.add_argument(f"--{name}")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("fine")
