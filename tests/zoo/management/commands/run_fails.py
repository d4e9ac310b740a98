"""Fails in each of the ways whose traceback or last words a page takes apart."""

import json
import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction


class Command(BaseCommand):
    help = "Fails."

    def add_arguments(self, parser: ArgumentParser) -> None:
        ways = ["chain", "orm", "recursion", "group", "exit", "command-error", "signal", "silent"]
        parser.add_argument("way", choices=ways)
        parser.add_argument("--lines", type=int, default=3, help="Lines before it.")

    def handle(self, *args: Any, way: str, lines: int, **options: Any) -> None:
        for number in range(1, lines + 1):
            self.stdout.write(self.style.SUCCESS(f"row {number}") + " imported")
        match way:
            case "chain":
                read_settings("{not json")
            case "orm":
                with transaction.atomic():
                    make_group(None)
            case "recursion":
                ping(0)
            case "group":
                raise ExceptionGroup("two at once", [ValueError("one <b>"), KeyError("two")])
            case "exit":
                self.stderr.write("disk is full")
                self.stderr.write("nothing was kept")
                sys.exit(3)
            case "command-error":
                self.stderr.write("line 7: price is no number")
                raise CommandError("Nothing was imported: 1 error.")
            case "signal":
                os.kill(os.getpid(), signal.SIGKILL)
            case "silent":
                sys.exit(4)


def read_settings(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise LookupError("The settings <file> can't be read.") from error


def make_group(name: str | None) -> None:
    Group.objects.create(name=name)  # type: ignore[misc]


def ping(depth: int) -> None:
    pong(depth + 1)


def pong(depth: int) -> None:
    ping(depth + 1)
