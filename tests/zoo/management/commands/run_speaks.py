"""Writes by every way there is to a process's output."""

import logging
import os
import subprocess
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Writes by every way there is."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(self.style.SUCCESS("by self.stdout"))
        self.stderr.write("by self.stderr")
        print("by print")
        print("by print to stderr", file=sys.stderr)
        logging.getLogger("zoo").warning("by logging")
        os.write(1, b"by os.write\n")
        subprocess.run([sys.executable, "-c", "print('by a subprocess')"], check=True)
        print("without a newline", end="")
