"""What a supervisor is told about its run. It comes by a pipe, so that secrets are in no process list or table."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import BinaryIO


@dataclass(frozen=True, kw_only=True)
class Job:
    """A run to carry out: its key, the command with its whole argv, and where it finds its code."""

    run_pk: int
    command: str
    argv: tuple[str, ...]
    secrets: tuple[str, ...]
    """Texts to mask wherever a record about the run is written."""
    sys_path: tuple[str, ...]
    python_path: str | None
    """The PYTHONPATH that the command shall see; the supervisor's own is used to find this package."""

    def to_bytes(self) -> bytes:
        """Return it for the pipe; lone surrogates from undecodable words survive."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def read(cls, stream: BinaryIO) -> Job:
        """Read it to the stream's end; raises ValueError for anything else."""
        data = json.loads(stream.read())
        for name in ("argv", "secrets", "sys_path"):
            data[name] = tuple(data[name])
        return cls(**data)

    def enter(self) -> None:
        """Give this process the import path and the environment that the command shall have."""
        sys.path[:] = list(self.sys_path)
        if self.python_path is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = self.python_path


def make_job(run_pk: int, command: str, argv: Sequence[str], secrets: Sequence[str]) -> Job:
    """Return the job for a run that is started from this process."""
    return Job(
        run_pk=run_pk,
        command=command,
        argv=tuple(argv),
        secrets=tuple(secrets),
        # An empty entry means the working directory, which a command may change.
        sys_path=tuple(entry or os.getcwd() for entry in sys.path),
        python_path=os.environ.get("PYTHONPATH"),
    )
