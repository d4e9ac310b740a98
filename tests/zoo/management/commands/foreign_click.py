"""Is made with django-click: its parser is not argparse's."""

import click
import djclick


@djclick.command()  # type: ignore[untyped-decorator]
@click.argument("name")
@click.option("--times", default=1, show_default=True, help="How often.")
def command(name: str, times: int) -> None:
    """Greets, in click's way."""
    for _ in range(times):
        click.secho(f"Hello {name}", fg="green")
