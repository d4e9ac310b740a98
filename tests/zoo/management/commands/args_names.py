"""Has arguments whose names collide with each other, with Django's and with what a form field is called."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Has arguments with difficult names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("app-label")
        parser.add_argument("model[.field]", nargs="?")
        parser.add_argument("settings", nargs="?", help="Not Django's.")
        parser.add_argument("version", nargs="?")
        parser.add_argument("--dry-run", action="store_true")
        parser.add_argument("--dry_run", action="store_true")
        parser.add_argument("--a.b")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("fine")
