"""Prints what it is given, as JSON; it has no system checks, so its parser knows no `--skip-checks`."""

import json
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Prints what it is given."
    requires_system_checks: list[str] | tuple[str, ...] | Literal["__all__"] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("args", nargs="*")
        parser.add_argument("--x")
        parser.add_argument("--no-input", dest="interactive", action="store_false")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps({"args": args, **options}, default=repr, sort_keys=True))
