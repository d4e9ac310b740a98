"""Takes 60 arguments, as old import scripts do: nobody should have to read all of them to change one."""

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

TOPICS = ("Selection", "Mapping", "Writing", "Report")


class Command(BaseCommand):
    help = "Imports contacts from a partner's export. Every step of it can be tuned."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, help="The export, as the partner sent it.")
        parser.add_argument("--partner", required=True, choices=["acme", "globex", "initech"], help="Who sent it.")
        parser.add_argument("--dry-run", action="store_true", help="Do everything, then undo it.")
        parser.add_argument("--encoding", default="utf-8", help="How the export is encoded.")
        for topic in TOPICS:
            group = parser.add_argument_group(topic, f"What concerns the {topic.lower()}.")
            word = topic.lower()
            for number in range(1, 4):
                group.add_argument(f"--{word}-column-{number}", metavar="NAME", help=f"The column for value {number}.")
                group.add_argument(f"--{word}-limit-{number}", type=int, default=100 * number, help="At most so many.")
                group.add_argument(f"--{word}-skip-{number}", action="store_true", help=f"Leave value {number} out.")
            group.add_argument(f"--{word}-since", type=date.fromisoformat, help="Only what is newer.")
            group.add_argument(f"--{word}-tags", nargs="*", help="Tags to look for.")
            group.add_argument(f"--{word}-mode", choices=["strict", "lenient"], default="strict", help="How exact.")
            group.add_argument(f"--{word}-ratio", type=float, default=0.5, help="Between 0 and 1.")
            group.add_argument(f"--{word}-pair", action="append", nargs=2, metavar=("FROM", "TO"), help="Renames.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{len(options)} options")
