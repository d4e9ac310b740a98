"""Returns text from `handle`, which BaseCommand prints."""

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Returns what it has to say."

    def handle(self, *args: Any, **options: Any) -> str:
        return "said once"
