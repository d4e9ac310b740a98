"""Has neither argparse nor a library: it takes its words as they come."""

from typing import Any

from django.core.management.base import BaseCommand


class NoParser:
    def print_help(self) -> None:
        print("usage: foreign_own WORD...")


class Command(BaseCommand):
    help = "Takes its words as they come."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return NoParser()

    def run_from_argv(self, argv: list[str]) -> None:
        if "--help" in argv:
            self.print_help(argv[0], argv[1])
            return
        print(f"words: {argv[2:]}")
        raise SystemExit(3 if "fail" in argv else 0)
