"""Judging an argv in a process of its own, where an action of the command's author may ask, wait or leave."""

from __future__ import annotations

import builtins
import getpass
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from launcher.argv import Verdict
from launcher.conf import options
from launcher.execution.job import Job, make_job

JUDGE_SECONDS = 15.0


class _Asks(BaseException):
    """Raised in place of a question; not an Exception, so that nobody takes it for a failure."""


@sensitive_variables()
def judge_apart(command: str, argv: Sequence[str]) -> Verdict:
    """Return what the command's parser says of the argv, in bounded time and with nothing to read from."""
    job = make_job(0, command, argv, ())
    try:
        process = job.start(
            options().python,
            "launcher.execution.judging",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return Verdict(errors={"": [_("The arguments could not be checked: %s") % error]})
    process.stdin = None  # given and closed; communicate() must not look at it again
    try:
        answer, _errors = process.communicate(timeout=JUDGE_SECONDS)
    except subprocess.TimeoutExpired:
        text = _("The command's parser gave no answer within %d seconds.") % JUDGE_SECONDS
        return Verdict(errors={"": [text]})
    finally:
        if process.poll() is None:  # once it is reaped, its number may be another's
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout:
            process.stdout.close()
    try:
        return Verdict(**json.loads(answer))
    except (ValueError, TypeError):
        code = process.returncode
        return Verdict(errors={"": [_("The command's parser ended the process that asked it, with code %d.") % code]})


def main() -> int:
    """Read a job from standard input, judge its argv, and write the verdict as JSON to standard output."""
    job = Job.read(sys.stdin.buffer)
    answer = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)

    def ask(*args: Any, **kwargs: Any) -> NoReturn:
        raise _Asks

    builtins.input = ask
    getpass.getpass = ask
    job.enter()
    import django

    django.setup()
    from launcher import argv

    try:
        verdict = argv.judge(job.command, job.argv)
    except _Asks:
        verdict = Verdict(asks=True)
    with open(answer, "w") as pipe:
        json.dump(asdict(verdict), pipe)
    return 0


if __name__ == "__main__":
    sys.exit(main())
