"""Has sub-commands in sub-commands, an alias, arguments with one dest in both, and lists before the sub-command."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Has sub-commands in sub-commands."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tags", nargs="*")
        parser.add_argument("--env", default="top")
        children = parser.add_subparsers(title="what to do", dest="what", required=True)
        add = children.add_parser("add", aliases=["a"], help="Adds something.")
        add.add_argument("number", type=int)
        add.add_argument("others", nargs="*")
        add.add_argument("--env", default="inner")
        add.add_argument("--loud", action="store_true")
        remove = children.add_parser("remove", help="Removes something.")
        kinds = remove.add_subparsers()
        by_name = kinds.add_parser("by-name")
        by_name.add_argument("names", nargs="+")
        group = by_name.add_mutually_exclusive_group(required=True)
        group.add_argument("--soft", action="store_true")
        group.add_argument("--hard", action="store_true")
        kinds.add_parser("all")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(repr(sorted(options.items(), key=str)))
