"""Says how far it is, in each of the ways there are, and waits at a step for as long as a test likes."""

import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

import launcher

LOOK_SECONDS = 0.02
BAR_WIDTH = 30


class Command(BaseCommand):
    help = "Says how far it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("way", choices=["api", "apart", "thread", "bar", "terminal", "nonsense"])
        parser.add_argument("--total", type=int, default=1000)
        parser.add_argument("--unknown", action="store_true", help="Don't say how many there are.")
        parser.add_argument("--until", type=int, help="Stop there.")
        parser.add_argument("--note", default="")
        parser.add_argument("--lines", action="store_true", help="Write a line for each step.")
        parser.add_argument("--gate", type=Path, help="Wait for this file at the step --at.")
        parser.add_argument("--at", type=int, default=0)
        parser.add_argument("--milliseconds", type=float, default=0, help="For each step.")
        parser.add_argument("--fail", action="store_true", help="Raise an exception in the end.")

    def handle(
        self, *args: Any, way: str, total: int, until: int | None, lines: bool, fail: bool, **options: Any
    ) -> None:
        self.stdout.write("It begins.")
        for step in range(1, (total if until is None else until) + 1):
            self.tell(way, step, total, options)
            if lines:
                self.stdout.write(f"step {step}")
            if options["gate"] and step == options["at"]:
                wait_for(options["gate"])
            time.sleep(options["milliseconds"] / 1000)
        if way == "bar":
            self.stdout.write("")
        if fail:
            raise ZeroDivisionError("broken at the end")

    def tell(self, way: str, step: int, total: int, options: dict[str, Any]) -> None:
        whole = None if options["unknown"] else total
        if way == "api":
            launcher.progress(step, whole, options["note"])
        elif way == "thread":
            thread = threading.Thread(target=launcher.progress, args=(step, whole))
            thread.start()
            thread.join()
        elif way == "apart":
            code = f"import launcher; launcher.progress({step}, {whole}, 'apart')"
            # What it prints is caught, as a command would that reads it.
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        elif way == "terminal":
            self.stdout.write(f"\x1b]9;4;1;{100 * step // total}\x07", ending="")
        elif way == "bar":
            filled = BAR_WIDTH * step // total
            bar = "█" * filled + "░" * (BAR_WIDTH - filled)
            self.stdout.write(f"\r{bar} {100 * step // total:3} %", ending="")
        else:
            for done in ("many", None, float("nan"), float("inf"), [1], 10**400):
                launcher.progress(done, total)  # type: ignore[arg-type]


def wait_for(gate: Path) -> None:
    while not gate.exists():
        time.sleep(LOOK_SECONDS)
