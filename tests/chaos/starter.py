"""A web server in small: starts runs, and may be killed while it does. `python -m tests.chaos.starter`.

Says "ready", then takes one line of JSON: `runs`, a list of `uid`, `command` and `argv`; and `dies`, which is
`before` or `after` a submission, or empty. It says "started" when all are submitted, and stays until its input ends.
"""

import json
import os
import signal
import sys
from typing import Any
from uuid import UUID

import django


def main() -> None:
    """Do what the line says."""
    django.setup()
    from launcher import runs
    from launcher.argv import describe
    from launcher.engines.local import LocalEngine

    describe("run_writes")  # a web server has long done this
    print("ready", flush=True)
    said = json.loads(sys.stdin.readline())
    submit = LocalEngine.submit

    def submit_and_die(*args: Any) -> None:
        if said["dies"] == "after":
            submit(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    if said["dies"]:
        LocalEngine.submit = submit_and_die  # type: ignore[assignment, method-assign]
    for run in said["runs"]:
        runs.start_run(run["command"], run["argv"], user=None, uid=UUID(run["uid"]), who="starter")
    print("started", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
