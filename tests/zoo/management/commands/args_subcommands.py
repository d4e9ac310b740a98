"""Has sub-commands, one of which takes a secret."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Has sub-commands."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--env", choices=["test", "live"])
        children = parser.add_subparsers(dest="action", required=True)
        login = children.add_parser("login", aliases=["in"])
        login.add_argument("name")
        login.add_argument("--password")
        children.add_parser("logout").add_argument("--times", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(str(options["action"]))
