"""Asks as on a terminal, where nobody can answer."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Asks a question."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--secretly", action="store_true")

    def handle(self, *args: Any, secretly: bool, **options: Any) -> None:
        (getpass.getpass if secretly else input)("Are you sure? ")
