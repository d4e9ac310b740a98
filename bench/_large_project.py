"""The demo shop with 500 commands more, one of 60 arguments, and a model of 60 fields. Owns what is generated."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench._project import REPOSITORY, Project, environment_in, temporary_folder

APPS = tuple(f"area_{number}" for number in range(10))
COMMANDS = {f"task_{number:03}": APPS[number % len(APPS)] for number in range(500)}
"""The generated commands, each with its app."""
WIDE_APP = "wide"
WIDE_COMMAND = "wide_import"
SECTIONS = ("Selection", "Processing", "Output")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An argument, and the model field that is most like it: both ask the same of the reader."""

    name: str
    count: int
    argument: str
    """What `add_argument` is given before the help; `{name}` and `{option}` stand for the names."""
    field: str
    """The model field, but for its help text and the bracket behind it."""


PAIRS = (
    Pair(name="target", count=1, argument="'{name}'", field="CharField(max_length=200"),
    Pair(name="title", count=1, argument="'{option}', required=True", field="CharField(max_length=200"),
    Pair(name="text", count=2, argument="'{option}', default=''", field="CharField(max_length=200, blank=True"),
    Pair(name="number", count=3, argument="'{option}', type=int, default=100", field="IntegerField(default=100"),
    Pair(name="factor", count=2, argument="'{option}', type=float, default=0.5", field="FloatField(default=0.5"),
    Pair(name="day", count=2, argument="'{option}', type=date.fromisoformat", field="DateField(null=True, blank=True"),
    Pair(
        name="moment",
        count=1,
        argument="'{option}', type=datetime.fromisoformat",
        field="DateTimeField(null=True, blank=True",
    ),
    Pair(name="flag", count=3, argument="'{option}', action='store_true'", field="BooleanField(default=False"),
    Pair(
        name="format",
        count=1,
        argument="'{option}', choices=['csv', 'json', 'xml', 'yaml'], default='csv'",
        field="CharField(max_length=9, default='csv', choices=[(w, w) for w in ['csv', 'json', 'xml', 'yaml']]",
    ),
    Pair(
        name="country",
        count=1,
        argument="'{option}', choices=[f'country-{{n}}' for n in range(20)]",
        field="CharField(max_length=20, blank=True, choices=[(f'country-{n}', f'country-{n}') for n in range(20)]",
    ),
    Pair(name="tag", count=1, argument="'{option}', action='append', default=[]", field="TextField(blank=True"),
    Pair(name="key", count=1, argument="'{option}', nargs='+', type=int", field="TextField(blank=True"),
    Pair(name="file", count=1, argument="'{option}', type=Path", field="FileField(blank=True"),
)
"""What each section has; `count` of each."""


def names_of(section: int) -> list[tuple[str, Pair]]:
    """Return a section's names, which are those of its arguments and of its model fields."""
    prefix = SECTIONS[section].lower()
    return [(f"{prefix}_{pair.name}_{number}", pair) for pair in PAIRS for number in range(pair.count)]


NAMES = tuple(name for section in range(len(SECTIONS)) for name, _pair in names_of(section))
"""Every argument of the wide command, and every field of the wide model."""

COMMAND_SOURCE = '''\
"""Brings the records of {app} up to date."""

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Bring the records of part {number} of {app} up to date, and say which of them have changed. "
        "What is newer than the source is left alone."
    )

    def add_arguments(self, parser):
        parser.add_argument("keys", nargs="*", type=int, help="Only these records.")
        parser.add_argument("--since", help="Only what has changed since that day.")
        parser.add_argument("--batch-size", type=int, default=500, help="How many at once.")
        parser.add_argument("--dry-run", action="store_true", help="Change nothing.")

    def handle(self, *args, **options):
        if options["batch_size"] < 1:
            raise CommandError("A batch has at least one record.")
        self.stdout.write(self.style.SUCCESS("0 records have changed."))
'''


@contextmanager
def large_project() -> Iterator[None]:
    """Set Django up for a fresh project of many commands, for child processes too, and leave no file of it behind."""
    with temporary_folder() as folder:
        code = folder / "code"
        _generate(code)
        project = Project(
            title="a large project",
            python=sys.executable,
            folder=REPOSITORY,
            environment=environment_in(folder, code, settings="large_settings"),
        )
        project.manage("migrate", "--run-syncdb")
        project.manage("setup_demo")
        project.enter(code)
        from django.db import connections

        try:
            yield
        finally:
            connections.close_all()


def _generate(code: Path) -> None:
    for app in (*APPS, WIDE_APP):
        commands = code / app / "management" / "commands"
        commands.mkdir(parents=True)
        for package in (commands, commands.parent, code / app):
            (package / "__init__.py").touch()
    for number, (name, app) in enumerate(COMMANDS.items()):
        path = code / app / "management" / "commands" / f"{name}.py"
        path.write_text(COMMAND_SOURCE.format(app=app, number=number))
    wide = code / WIDE_APP
    (wide / "management" / "commands" / f"{WIDE_COMMAND}.py").write_text(_wide_command())
    (wide / "models.py").write_text(_wide_model())
    (wide / "admin.py").write_text(_wide_admin())
    (code / "large_settings.py").write_text(
        f"from project.settings import *\n\nINSTALLED_APPS = [*INSTALLED_APPS, *{[*APPS, WIDE_APP]!r}]\n"
    )


def _help(name: str) -> str:
    return f"What the {name.replace('_', ' ')} is, in a sentence as people write them. Left out, it is not looked at."


def _wide_command() -> str:
    lines = [
        "from datetime import date, datetime",
        "from pathlib import Path",
        "",
        "from django.core.management.base import BaseCommand",
        "",
        "",
        "class Command(BaseCommand):",
        '    help = "Import records, with much to say about how."',
        "",
        "    def add_arguments(self, parser):",
    ]
    for section, title in enumerate(SECTIONS):
        lines.append(f"        group = parser.add_argument_group({title!r})")
        for name, pair in names_of(section):
            given = pair.argument.format(name=name, option=f"--{name.replace('_', '-')}")
            lines.append(f"        group.add_argument({given}, help={_help(name)!r})")
    lines += ["", "    def handle(self, *args, **options):", "        pass", ""]
    return "\n".join(lines)


def _wide_model() -> str:
    lines = ["from django.db import models", "", "", "class Record(models.Model):"]
    for section in range(len(SECTIONS)):
        for name, pair in names_of(section):
            lines.append(f"    {name} = models.{pair.field}, help_text={_help(name)!r})")
    return "\n".join([*lines, ""])


def _wide_admin() -> str:
    fieldsets = [
        (title, {"fields": [name for name, _pair in names_of(section)]}) for section, title in enumerate(SECTIONS)
    ]
    return "\n".join(
        [
            "from django.contrib import admin",
            "",
            "from wide.models import Record",
            "",
            "",
            "@admin.register(Record)",
            "class RecordAdmin(admin.ModelAdmin):",
            f"    fieldsets = {fieldsets!r}",
            "",
        ]
    )
