"""Takes secrets and proves that they arrived, without telling them."""

import hashlib
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Prints the length and the hash of a password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", nargs="?", default="nobody")
        parser.add_argument("-p", "--password", default="")
        parser.add_argument("--token", type=int, default=0)
        parser.add_argument("--gate", help="Wait until this file exists.")
        parser.add_argument("--fail", action="store_true", help="Fail with the password in the message.")

    def handle(self, *args: Any, password: str, token: int, gate: str | None, fail: bool, **options: Any) -> None:
        self.stdout.write("waiting" if gate else "not waiting")
        while gate and not Path(gate).exists():
            time.sleep(0.02)
        digest = hashlib.sha256(password.encode()).hexdigest()
        self.stdout.write(f"length {len(password)}, hash {digest}, token {token}")
        if fail:
            raise ValueError(f"wrong password: {password}")
