"""What a supervisor is told about its run. It comes by a pipe, so that secrets are in no process list or table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import django
from django.conf import settings

import launcher


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

    def start(self, python: str, module: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a module of this package, which reads the job from its standard input; raises OSError.

        `options` are subprocess.Popen's. A process that ends before it has read has its own way to say why.
        """
        process = subprocess.Popen(
            [python, "-P", "-m", module, *arguments], stdin=subprocess.PIPE, env=self._environment(), **options
        )
        assert process.stdin is not None  # noqa: S101  asked for above
        with process.stdin as pipe, suppress(BrokenPipeError):
            pipe.write(self.to_bytes())
        return process

    def _environment(self) -> dict[str, str]:
        """Return an environment in which this package and these settings are found."""
        # What that process itself needs, before the job tells it the rest.
        needed = [str(Path(module.__file__).parent.parent) for module in (launcher, django) if module.__file__]
        path = [*self.sys_path, *(entry for entry in needed if entry not in self.sys_path)]
        name = settings_module()
        chosen = {"DJANGO_SETTINGS_MODULE": name} if name else {}
        return {**os.environ, **chosen, "PYTHONPATH": os.pathsep.join(path)}

    def enter(self) -> None:
        """Give this process the import path and the environment that the command shall have."""
        sys.path[:] = list(self.sys_path)
        if self.python_path is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = self.python_path


def settings_module() -> str:
    """Return the name of this process's settings, or an empty string where they are no module.

    The environment comes second: another project in the same process may have set its own.
    """
    return getattr(settings, "SETTINGS_MODULE", None) or os.environ.get("DJANGO_SETTINGS_MODULE", "")


def make_job(run_pk: int, command: str, argv: Sequence[str], secrets: Sequence[str]) -> Job:
    """Return the job for a run that is started from this process."""
    return Job(
        run_pk=run_pk,
        command=command,
        argv=tuple(argv),
        secrets=tuple(secrets),
        # An empty entry means the working directory, which a command may change.
        # Entries that are no text (a Path) are passed over by Python's import as well.
        sys_path=tuple(entry or os.getcwd() for entry in sys.path if isinstance(entry, str)),  # type: ignore[redundant-expr]
        python_path=os.environ.get("PYTHONPATH"),
    )
