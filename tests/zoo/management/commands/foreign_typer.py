"""Is made with django-typer: its parser is not argparse's."""

from typing import Annotated

from django_typer.management import TyperCommand
from typer import Option


class Command(TyperCommand):
    help = "Greets, in typer's way."

    def handle(self, name: str, times: int = 1, token: Annotated[str, Option(help="A secret.")] = "") -> None:
        for _ in range(times):
            self.stdout.write(f"Hello {name}, your token has {len(token)} letters.")
