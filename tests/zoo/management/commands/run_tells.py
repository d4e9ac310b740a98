"""Tells what it finds in its process, as JSON, where a test wants to know what a run was started with."""

import gc
import json
import os
import sys
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand

IMPORTED_IN = os.getpid()


class Command(BaseCommand):
    help = "Tells what it finds in its process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--variable", default="HOME")

    def handle(self, *args: Any, variable: str, **options: Any) -> None:
        found = {
            "pid": os.getpid(),
            "supervisor": os.getppid(),
            "session": os.getsid(0),
            "imported_in": IMPORTED_IN,
            "variable": os.environ.get(variable),
            "read": getattr(settings, "READ_BY_A_TEST", None),
            "threads": threading.active_count(),
            "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd")),
            "is_terminal": [os.isatty(number) for number in (0, 1, 2)],
            "was_terminal": getattr(settings, "HAD_A_TERMINAL", None),
            "encoding": [sys.stdout.encoding, sys.stderr.encoding, sys.stdin.encoding],
            "knows_models": any(one is User for one in gc.get_objects()),
            "run": os.environ.get("LAUNCHER_RUN"),
        }
        print(json.dumps(found))
