"""Ends in each way in which a command can end."""

import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Ends in the way that it is told."

    def add_arguments(self, parser: ArgumentParser) -> None:
        ways = ["well", "command-error", "returncode", "exception", "sys-exit", "sys-exit-text", "os-exit", "signal"]
        ways += ["real-time-signal", "secret", "unstorable"]
        parser.add_argument("how", choices=ways)
        parser.add_argument("--password")

    def handle(self, *args: Any, how: str, password: str, **options: Any) -> None:
        print("before the end")
        match how:
            case "command-error":
                raise CommandError("It can't be done.")
            case "returncode":
                raise CommandError("It can't be done.", returncode=7)
            case "exception":
                raise ZeroDivisionError("nothing to divide by")
            case "sys-exit":
                sys.exit(3)
            case "sys-exit-text":
                sys.exit("a last word")
            case "os-exit":
                os._exit(5)
            case "signal":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "real-time-signal":
                os.kill(os.getpid(), 40)
            case "secret":
                raise KeyError(password)
            case "unstorable":
                raise ValueError("a NUL (\0) and half a character (\ud83d)")
