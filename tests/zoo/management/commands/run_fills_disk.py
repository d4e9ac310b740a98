"""Waits for a file, fills the disk of a folder where one is given, writes on all the same, and makes another file."""

import os
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

PIECE = b"The quick brown fox jumps over the lazy dog, again and again and again.\n"


class Command(BaseCommand):
    help = "Fills a disk, and writes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("gate", type=Path, help="Wait for this file.")
        parser.add_argument("proof", type=Path, help="Make this file in the end.")
        parser.add_argument("--folder", type=Path, help="Fill the disk of this folder before writing.")
        parser.add_argument("--pieces", type=int, default=1000, help=f"Write so many lines of {len(PIECE)} bytes.")

    def handle(self, *args: Any, gate: Path, proof: Path, folder: Path | None, pieces: int, **options: Any) -> None:
        print("at first", flush=True)
        while not gate.exists():
            time.sleep(0.02)
        if folder is not None:
            fill(folder / "filling")
        for _ in range(pieces):
            os.write(1, PIECE)
        proof.touch()


def fill(path: Path) -> None:
    """Write to a new file until the disk takes no more."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, b"\0" * 4096)
    except OSError:
        print("the disk is full", flush=True)
    finally:
        os.close(descriptor)
