"""Writes a line of each of Django's usual styles, and a plain one."""

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Write plain and styled lines."

    def handle(self, **options: Any) -> None:
        self.stdout.write("A plain line.")
        for name in ("SUCCESS", "WARNING", "ERROR", "NOTICE"):
            self.stdout.write(getattr(self.style, name)(f"A line in the style {name}."))
