"""Runs a shop command as the command line would, with its output caught."""

from dataclasses import dataclass
from io import StringIO

from django.core.management import call_command


@dataclass(frozen=True, kw_only=True)
class Output:
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        return self.stdout.splitlines()


class Terminal(StringIO):
    """Text that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def run(name: str, *argv: str, stdout: StringIO | None = None, stderr: StringIO | None = None) -> Output:
    """Run the command with this argv. What it raises comes through; what it wrote is then in the streams given."""
    stdout, stderr = stdout or StringIO(), stderr or StringIO()
    call_command(name, *argv, stdout=stdout, stderr=stderr)
    return Output(stdout=stdout.getvalue(), stderr=stderr.getvalue())
