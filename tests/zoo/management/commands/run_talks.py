"""Asks openly and in secret, and says what it was told."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Asks for a name and a password."

    def handle(self, *args: Any, **options: Any) -> None:
        name = input("Name: ")
        self.stdout.write(f"Hello {name}.")
        password = getpass.getpass()
        self.stdout.write(f"Your password has {len(password)} characters.")
