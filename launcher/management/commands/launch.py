"""`manage.py launch`: a command from the shell or a crontab, with its place in the history."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from django.views.decorators.debug import sensitive_variables

from launcher import argv as argv_module
from launcher import catalogue, runs
from launcher.management.attendance import Attendance
from launcher.management.doors import Signals
from launcher.models import Run, Status, Via


class Command(BaseCommand):
    help = (
        "Runs another command as a run of Launcher: the same output and exit code, and a place in the history. "
        "Put “launch” before the command's name; whatever follows that name is the command's."
    )
    requires_system_checks = ()  # the command that is run has them made

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what comes before the command's name; all after it is one argument."""
        parser.add_argument("--user", metavar="NAME", help="Run in the name of this user, if he or she may.")
        parser.add_argument(
            "--detach", action="store_true", help="Print the run's number and line, and do not wait for its end."
        )
        # PARSER takes everything from the first word on, dashes and all; REMAINDER would lose a "--" after that.
        parser.add_argument(
            "words", nargs=argparse.PARSER, metavar="command", help="The command's name, and its own arguments."
        )

    @sensitive_variables()
    def handle(self, *args: Any, words: Sequence[str], user: str | None, detach: bool, **options: Any) -> None:
        """Start the run and, unless it is detached, end with its exit code."""
        command, argv = words[0], _without_djangos(words[1:])
        if command == "launch":
            raise CommandError("“launch” can't launch itself.")
        account = _account(user) if user is not None else None
        who = runs.system_user()
        with Signals() as signals:
            run = _start(command, argv, user=account, who=who)
            if not detach:
                is_colour_forced = "--force-color" in argv
                attendance = Attendance(run, signals, user=account, who=who, is_colour_forced=is_colour_forced)
                sys.exit(attendance.attend())
        if run.status == Status.LOST:
            raise CommandError(f"Run {run.pk}: {run.reason}")
        self.stdout.write(f"{run.pk} {run.command_line}")


def _without_djangos(words: Sequence[str]) -> list[str]:
    """Leave out `--settings` and `--pythonpath`, which Django itself has taken from the whole line and obeyed."""
    kept: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            return [*kept, word, *waiting]
        if word in argv_module.LEFT_OUT:
            next(waiting, None)
        elif word.partition("=")[0] not in argv_module.LEFT_OUT:
            kept.append(word)
    return kept


def _account(name: str) -> Any:
    model = get_user_model()
    try:
        return model._default_manager.get_by_natural_key(name)
    except ObjectDoesNotExist:
        raise CommandError(f"There is no user “{name}”.") from None


@sensitive_variables()
def _start(command: str, argv: Sequence[str], *, user: Any, who: str) -> Run:
    try:
        return runs.start_run(command, argv, user=user, via=Via.SHELL, who=who)
    except runs.NotAccepted as error:
        _let_parser_say(command, argv)
        raise CommandError(str(error)) from None
    except catalogue.CommandUnavailable as error:
        if error.details:
            sys.stderr.write(error.details)
        raise CommandError(error.message) from None
    except (PermissionDenied, runs.Busy) as error:
        raise CommandError(str(error)) from None
    except Error as error:
        raise CommandError(f"The run can't be stored, so nothing was started: {error}") from error


@sensitive_variables()
def _let_parser_say(command: str, argv: Sequence[str]) -> None:
    """Let the command's own parser refuse the words as on the shell: usage, message, exit code. Also for `--help`."""
    if argv_module.is_foreign_parser(command):
        return
    loaded = catalogue.load(command)
    loaded._called_from_command_line = True  # type: ignore[attr-defined]  # else its parser would raise CommandError
    loaded.create_parser(sys.argv[0], command).parse_args(list(argv))
