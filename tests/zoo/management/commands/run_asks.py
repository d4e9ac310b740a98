"""Asks as on a terminal: openly or secretly, once or twice, itself or through another program."""

import getpass
import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

ASK = "print(len(input('Are you sure? ')), 'characters, read apart.')"


class Command(BaseCommand):
    help = "Asks a question."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--secretly", action="store_true")
        parser.add_argument("--twice", action="store_true", help="Ask another question after the first.")
        parser.add_argument("--apart", action="store_true", help="Let another program ask.")

    def handle(self, *args: Any, secretly: bool, twice: bool, apart: bool, **options: Any) -> None:
        if apart:
            subprocess.run([sys.executable, "-c", ASK], check=True)
            return
        ask = getpass.getpass if secretly else input
        for question in ["Are you sure? ", "Really? "] if twice else ["Are you sure? "]:
            answer = ask(question)
            self.stdout.write(f"{len(answer)} characters.")
