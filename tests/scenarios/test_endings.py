"""Each end of a run, and each way to write, recorded on PostgreSQL as it was."""

from collections.abc import Callable

import pytest
from django.db import connection

from launcher.models import Run, Status
from tests.waiting import stored_output, wait_until_finished
from tests.zoo.management.commands.run_misbehaves import NOISE

pytestmark = pytest.mark.django_db(transaction=True)

ENDS = {
    "well": (Status.SUCCEEDED, 0, ""),
    "command-error": (Status.FAILED, 1, "CommandError: It can't be done."),
    "returncode": (Status.FAILED, 7, "CommandError: It can't be done."),
    "exception": (Status.FAILED, 1, "ZeroDivisionError: nothing to divide by"),
    "sys-exit": (Status.FAILED, 3, "Ended with exit code 3."),
    "sys-exit-text": (Status.FAILED, 1, "Ended with exit code 1."),
    "os-exit": (Status.FAILED, 5, "Ended with exit code 5."),
    "signal": (Status.FAILED, -11, "Killed by signal SIGSEGV."),
    "real-time-signal": (Status.FAILED, -40, "Killed by signal 40."),
    "unstorable": (Status.FAILED, 1, "ValueError: a NUL (␀) and half a character (?)"),
}
"""Status, exit code and reason of each way to end. PostgreSQL's text takes neither NUL nor half a surrogate pair."""

WAYS = (
    b"\x1b[32;1mby self.stdout\x1b[0m\n"
    b"\x1b[31;1mby self.stderr\n\x1b[0m"
    b"by print\n"
    b"by print to stderr\n"
    b"by logging\n"
    b"by os.write\n"
    b"by a subprocess\n"
    b"without a newline"
)


def test_the_database_is_postgresql() -> None:
    assert connection.vendor == "postgresql"


def test_each_end_is_recorded_as_what_it_was(start: Callable[..., Run]) -> None:
    runs = {how: start("run_ends", how) for how in ENDS}
    for run in runs.values():
        wait_until_finished(run, 60)
    assert {how: (run.status, run.exit_code, run.reason) for how, run in runs.items()} == ENDS
    assert {how for how, run in runs.items() if not stored_output(run).startswith(b"before the end\n")} == set()
    assert "run_ends.py" in runs["exception"].traceback
    assert "␀" in runs["unstorable"].traceback


def test_output_is_kept_byte_for_byte(start: Callable[..., Run]) -> None:
    speaking, raw = start("run_speaks"), start("run_misbehaves", "bytes")
    for run in (speaking, raw):
        assert wait_until_finished(run, 60).status == Status.SUCCEEDED, run.reason
    assert stored_output(speaking) == WAYS
    assert stored_output(raw) == b"at first\n" + NOISE * 4 + b"\n"
