"""The process in which `call_command` runs. It reports to its supervisor alone, and ends as on the shell."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from launcher.execution.capture import Capture
from launcher.execution.channel import GO
from launcher.execution.job import Job
from launcher.execution.parents import die_with_parent
from launcher.execution.ring import Link, RingWriter
from launcher.masking import mask
from launcher.reporting import report_by

if TYPE_CHECKING:
    from django.core.management.base import BaseCommand

REASON_LIMIT = 2000
TRACEBACK_LIMIT = 200_000
"""Characters of a traceback that are kept: its end, where the error stands."""


class Report:
    """What is said to the supervisor, by the link."""

    def __init__(self, link: Link, secrets: Sequence[str]) -> None:
        self._link = link
        self._secrets = secrets
        self._pid = os.getpid()

    def send(self, *, reason: str, traceback: str = "") -> None:
        """Say why the command failed, with its secrets masked; a process that it forked has nothing to say."""
        if os.getpid() != self._pid:
            return
        shown = {
            "reason": mask(reason, self._secrets)[:REASON_LIMIT],
            "traceback": mask(traceback, self._secrets)[-TRACEBACK_LIMIT:],
        }
        self._link.send(json.dumps(shown).encode())


def enter(*, link: int, output: int, has_terminal: bool, ring_path: Path, capture: Capture, supervisor: int) -> Link:
    """Make this process the run's child: a group of its own, its output the terminal and the ring.

    It still has to wait for the go.
    """
    die_with_parent(supervisor)  # nobody would record it any more
    with suppress(OSError):  # the supervisor does it too, whoever comes first
        os.setpgid(0, 0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(output if has_terminal else nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGTTOU):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as CPython sets it
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    sys.stdin = sys.__stdin__ = open(0, encoding=sys.stdin.encoding, errors=sys.stdin.errors, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    found = Link(link)
    ring = RingWriter(ring_path, found)
    capture.enter_ring(ring)
    report_by(ring.write)
    return found


def wait_for_go(link: Link) -> None:
    """Wait until the run may start; end this process if it is not to start after all."""
    if os.read(link.descriptor, 1) != GO:
        os._exit(0)


def prepare(job: Job) -> Callable[[], object]:
    """Load the command and build its parser, once, as the shell does; return what runs it.

    That needs no go, and is done while the supervisor waits for the database. What it raises, running it raises.
    """
    sys.argv = ["manage.py", job.command, *job.argv]
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _show_uncaught
    try:
        return _prepared(job)
    except BaseException as error:  # noqa: BLE001  raised again where it is reported
        return partial(_raise, error)


def _raise(error: BaseException) -> NoReturn:
    raise error


def _prepared(job: Job) -> Callable[[], object]:
    from django.core.management import call_command

    from launcher import catalogue

    command = catalogue.load(job.command)
    parser: Any = command.create_parser("manage.py", job.command)
    if not isinstance(parser, argparse.ArgumentParser):  # another library's: only that knows how it is run
        return partial(command.run_from_argv, list(sys.argv))
    create_parser = command.create_parser

    def first_parser(*args: Any, **kwargs: Any) -> Any:
        command.create_parser = create_parser  # type: ignore[method-assign]  # it is spoiled for a second parse
        return parser

    command.create_parser = first_parser  # type: ignore[method-assign]
    if "skip_checks" not in {action.dest for action in parser._actions}:
        _leave_out_skip_checks(command)
    return partial(call_command, command, *job.argv, **_shell_defaults(parser, job))


def run_command(job: Job, link: Link, run: Callable[[], object]) -> int:
    """Run the command and return the exit code that `manage.py` would have ended with.

    An uncaught exception, and why a CommandError was raised, is reported before the process winds down.
    """
    from django.core.management.base import CommandError, SystemCheckError

    report = Report(link, job.secrets)
    gc.unfreeze()  # a command that asks for all objects finds those, too, that the warm process has set aside
    try:
        run()
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


def _shell_defaults(parser: argparse.ArgumentParser, job: Job) -> dict[str, bool]:
    """Return `skip_checks=False` where the shell would check: `call_command` alone skips the system checks."""
    options = parser._option_string_actions
    has_option = "--skip-checks" in options
    # It may be abbreviated, unless that is another option's name.
    words = [word for word in job.argv if word == "--skip-checks" or word not in options]
    is_given = any(len(word) > 3 and "--skip-checks".startswith(word) for word in words)
    return {"skip_checks": False} if has_option and not is_given else {}


def _leave_out_skip_checks(command: BaseCommand) -> None:
    """Give the command no `skip_checks`, which its parser has not: `call_command` adds it to any."""
    execute = command.execute

    def execute_as_on_the_shell(*args: Any, **options: Any) -> Any:
        options.pop("skip_checks", None)
        return execute(*args, **options)

    command.execute = execute_as_on_the_shell  # type: ignore[method-assign]


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
        reason += "\nIt asked a question and got no answer: look for an option such as --no-input."
    report.send(reason=reason, traceback=text)
    return 1


def _own_frames_removed(error: BaseException) -> TracebackType | None:
    """Leave out what called the command, which says nothing about it."""
    found = error.__traceback__
    while found is not None and found.tb_frame.f_code is not run_command.__code__:
        found = found.tb_next
    return found.tb_next if found is not None and found.tb_next is not None else error.__traceback__


def _show_uncaught(kind: type[BaseException], error: BaseException, found: TracebackType | None) -> None:
    error.__traceback__ = _own_frames_removed(error)  # the interpreter's own hook shows this, whatever it is given
    sys.__excepthook__(kind, error, error.__traceback__)


def main() -> int:
    """Run a job in a fresh interpreter, where forking a set-up one is not safe.

    argv: the link's descriptor, the output's, whether that is a terminal, the ring's path, the supervisor's process id.
    """
    capture = Capture()
    capture.install()
    try:
        job = Job.read(sys.stdin.buffer)
        job.enter()
        link, output, is_terminal, ring_path, supervisor = sys.argv[1:]
        import django

        django.setup()
        found = enter(
            link=int(link),
            output=int(output),
            has_terminal=is_terminal == "1",
            ring_path=Path(ring_path),
            capture=capture,
            supervisor=int(supervisor),
        )
    except BaseException:
        capture.give_up()
        raise
    run = prepare(job)
    wait_for_go(found)
    return run_command(job, found, run)


if __name__ == "__main__":
    sys.exit(main())
