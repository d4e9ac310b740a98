"""Does several things in one process: other commands within itself, or thousands of coroutines."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

TASKS = 3000
STEPS = 3


class Command(BaseCommand):
    help = "Does several things in one process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["commands", "coroutines"])
        parser.add_argument("--fail", action="store_true", help="Let the last command's error through.")

    def handle(self, *args: Any, what: str, fail: bool, **options: Any) -> None:
        print("at first")
        if what == "commands":
            call_commands(fail)
        else:
            asyncio.run(run_tasks())
        print("at last")


def call_commands(fail: bool) -> None:
    """Call one that ends well, one that exits and one that fails; pass the last one's error on only if told to."""
    call_command("run_ends", "well")
    try:
        call_command("run_ends", "sys-exit")
    except SystemExit as leaving:
        print(f"it left with {leaving.code}")
    try:
        call_command("run_ends", "command-error")
    except CommandError as error:
        print(f"it failed with {error}")
        if fail:
            raise


async def run_tasks() -> None:
    """Run all tasks at once."""
    await asyncio.gather(*(say_each_step(number) for number in range(TASKS)))


async def say_each_step(number: int) -> None:
    """Write a line for each step, and let the others go first after it."""
    for step in range(STEPS):
        print(f"task {number} step {step}")
        await asyncio.sleep(0)
