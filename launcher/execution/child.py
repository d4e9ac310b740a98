"""The process in which `call_command` runs. It reports by a pipe, never to the record, and ends as on the shell."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from launcher.execution.job import Job
from launcher.masking import mask

if TYPE_CHECKING:
    from django.core.management.base import BaseCommand

REASON_LIMIT = 2000
TRACEBACK_LIMIT = 200_000
"""Characters of a traceback that are kept: its end, where the error stands."""


class Report:
    """The pipe to the supervisor. The command may close it, and open something of its own under its number."""

    def __init__(self, descriptor: int, secrets: Sequence[str]) -> None:
        self._descriptor = descriptor
        self._secrets = secrets
        self._identity = self._look()

    def _look(self) -> tuple[int, int]:
        found = os.fstat(self._descriptor)
        return found.st_dev, found.st_ino

    def send(self, *, reason: str, traceback: str = "") -> None:
        """Say why the command failed, with its secrets masked; nothing is sent where the pipe is gone."""
        shown = {
            "reason": mask(reason, self._secrets)[:REASON_LIMIT],
            "traceback": mask(traceback, self._secrets)[-TRACEBACK_LIMIT:],
        }
        data = json.dumps(shown).encode()
        with suppress(OSError):
            while data and self._look() == self._identity:
                data = data[os.write(self._descriptor, data) :]


def die_with_supervisor(supervisor: int) -> None:
    """Have the kernel kill this process when its supervisor is gone, since nobody would record it any more (Linux)."""
    if sys.platform == "linux":
        # PR_SET_PDEATHSIG, prctl(2); it survives neither a fork nor a change of user.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != supervisor:  # it was gone before that could take effect
        os._exit(1)


def enter_session(terminal: int | None, supervisor: int) -> None:
    """Make this process the leader of a session of its own with the terminal as its output, and nothing to read.

    There is no controlling terminal, so whatever would prompt fails at once instead of waiting for nobody.
    """
    die_with_supervisor(supervisor)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    if terminal is not None:
        os.dup2(terminal, 1)
        os.dup2(terminal, 2)
        os.close(terminal)
    os.close(nothing)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as CPython sets it
    signal.pthread_sigmask(signal.SIG_SETMASK, set())


def run_command(job: Job, report_descriptor: int) -> int:
    """Run the command and return the exit code that `manage.py` would have ended with.

    An uncaught exception, and why a CommandError was raised, is reported on the pipe before the process winds down.
    """
    from django.core.management import call_command
    from django.core.management.base import CommandError, SystemCheckError

    from launcher import catalogue
    from launcher.argv import is_foreign_parser

    report = Report(report_descriptor, job.secrets)
    sys.argv = ["manage.py", job.command, *job.argv]
    with suppress(AttributeError):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        if is_foreign_parser(job.command):
            catalogue.load(job.command).run_from_argv(list(sys.argv))
        else:
            call_command(_without_extra_key(job.command), *job.argv, **_shell_defaults(job))
    except SystemExit as leaving:
        return _exit_code(leaving)
    except CommandError as error:
        # What BaseCommand.run_from_argv does; --traceback makes it an exception like any other.
        if "--traceback" in job.argv:
            return _report_exception(report, error)
        if isinstance(error, SystemCheckError):
            print(str(error), file=sys.stderr)
            reason = str(error).strip().partition("\n")[0].rstrip(":")  # the rest is in the output
        else:
            reason = f"{type(error).__name__}: {error}"
            print(_in_error_style(job, reason), file=sys.stderr)
        report.send(reason=reason)
        return error.returncode
    except KeyboardInterrupt:
        raise  # the interpreter prints it and ends by the signal, as on the shell
    except BaseException as error:  # noqa: BLE001  reported, and the process ends
        return _report_exception(report, error)
    return 0


def _shell_defaults(job: Job) -> dict[str, bool]:
    """Return `skip_checks=False` where the shell would check: `call_command` alone skips the system checks."""
    from launcher.argv import make_parser

    options = make_parser(job.command)._option_string_actions
    has_option = "--skip-checks" in options
    # It may be abbreviated, unless that is another option's name.
    words = [word for word in job.argv if word == "--skip-checks" or word not in options]
    is_given = any(len(word) > 3 and "--skip-checks".startswith(word) for word in words)
    return {"skip_checks": False} if has_option and not is_given else {}


def _without_extra_key(name: str) -> BaseCommand:
    """Return the command, which gets no `skip_checks` where its parser has none: `call_command` adds it to any."""
    from launcher import catalogue
    from launcher.argv import make_parser

    command = catalogue.load(name)
    if any(action.dest == "skip_checks" for action in make_parser(name)._actions):
        return command
    execute = command.execute

    def execute_as_on_the_shell(*args: Any, **options: Any) -> Any:
        options.pop("skip_checks", None)
        return execute(*args, **options)

    command.execute = execute_as_on_the_shell  # type: ignore[method-assign]
    return command


def _in_error_style(job: Job, text: str) -> str:
    from django.core.management.color import color_style, no_style

    plain = "--no-color" in job.argv or not sys.stderr.isatty()
    return (no_style() if plain else color_style()).ERROR(text)


def _exit_code(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr)
    return 1


def _report_exception(report: Report, error: BaseException) -> int:
    text = "".join(traceback.format_exception(error.with_traceback(_own_frames_removed(error))))
    print(text, end="", file=sys.stderr)
    reason = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, EOFError):
        reason += "\nIt asked a question, and nobody can answer here: look for an option such as --no-input."
    report.send(reason=reason, traceback=text)
    return 1


def _own_frames_removed(error: BaseException):  # type: ignore[no-untyped-def]
    """Leave out this module's frame, which says nothing about the command."""
    return error.__traceback__.tb_next if error.__traceback__ and error.__traceback__.tb_next else error.__traceback__


def main() -> int:
    """Run a job in a fresh interpreter, where forking a set-up one is not safe.

    argv[1] is the report's descriptor, argv[2] the supervisor's process id.
    """
    job = Job.read(sys.stdin.buffer)
    job.enter()
    report = int(sys.argv[1])
    enter_session(None, int(sys.argv[2]))
    import django

    django.setup()
    return run_command(job, report)


if __name__ == "__main__":
    sys.exit(main())
