"""`python -m launcher.execution <run>`: the cold way. Takes a job from standard input and carries it out.

The number on the command line is only for people who look at the process list.
"""

from __future__ import annotations

import sys

from launcher.execution.capture import Capture
from launcher.execution.carrier import carry_out
from launcher.execution.job import Job


def main() -> int:
    """Carry out one run; returns in the supervisor when all is recorded, and in the child with its exit code."""
    # Before anything that might keep the streams it finds.
    capture = Capture()
    capture.install()
    try:
        job = Job.read(sys.stdin.buffer)
        job.enter()
        return carry_out(job, capture, _set_up)
    except BaseException:
        capture.give_up()
        raise


def _set_up() -> None:
    import django

    django.setup()


if __name__ == "__main__":
    sys.exit(main())
