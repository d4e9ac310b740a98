"""Starts another command, and says which run that is."""

from typing import Any

from django.core.management.base import BaseCommand

import launcher


class Command(BaseCommand):
    help = "Starts another command."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(str(launcher.start("run_ends", "well").pk))
