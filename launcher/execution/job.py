"""What a supervisor is told about its run. It comes by a pipe, so that secrets are in no process list or table."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

import django
from django.conf import settings

import launcher
from launcher.execution.turn import NO_LIMITS, Limits, Turn
from launcher.reporting import RUN_VARIABLE

if TYPE_CHECKING:
    from launcher.output.spool import Spool


@dataclass(frozen=True, kw_only=True)
class Job:
    """A run to carry out: its keys, the command with its whole argv, and where it finds its code."""

    run_pk: int
    """0 where there is no run: to judge an argv, to import commands, to warm up."""
    uid: str = ""
    """The run's uid as hexadecimal digits, which names its spool."""
    command: str
    argv: tuple[str, ...]
    secrets: tuple[str, ...]
    """Texts to mask wherever a record about the run is written."""
    sys_path: tuple[str, ...]
    python_path: str | None
    """The PYTHONPATH that the command shall see; the supervisor's own is used to find this package."""
    spool_root: str = ""
    project: str = ""
    """Tells this project from others that use the same spool folder; part of a file's name."""
    limits: Limits = NO_LIMITS
    ticket: int | None = None
    """The descriptor of a ticket that was taken for the run, in a process that inherits it."""
    is_from_shell: bool = False
    """Whether a process asks that is new each time, so that its youth says nothing about the code."""
    why_cold: str = ""
    """Why the run is not forked from a warm process; empty where it is."""

    @property
    def turn(self) -> Turn:
        """Return the run's way to its turn."""
        turn = Turn(
            Path(self.spool_root) / f"turns-{self.project}",
            run_pk=self.run_pk,
            uid=self.uid,
            command=self.command,
            limits=self.limits,
        )
        if self.ticket is not None:
            turn.inherit_ticket(self.ticket)
        return turn

    def warm_path(self, key: str, suffix: str) -> Path:
        """Return the path of one of the files of the warm process with a key."""
        return Path(self.spool_root) / f"zygote-{key}{suffix}"

    def way_path(self, key: str) -> Path:
        """Return where it is noted how runs of this project start."""
        return Path(self.spool_root) / f"way-{self.project}-{key}.json"

    @property
    def folder(self) -> Path:
        """Return the folder of the run's spool."""
        return Path(self.spool_root) / f"run-{self.uid}"

    @property
    def is_gone(self) -> bool:
        """Whether the run's spool was removed, as whoever ends or deletes a run does."""
        try:
            os.stat(self.folder)
        except FileNotFoundError:
            return True
        except OSError:  # nobody can tell now
            return False
        return False

    @property
    def spool(self) -> Spool:
        """Return the run's spool; the settings have to be there."""
        from launcher.output.spool import Spool

        return Spool(UUID(self.uid))

    def to_bytes(self) -> bytes:
        """Return it for the pipe; lone surrogates from undecodable words survive."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> Job:
        """Return what `to_bytes` wrote; raises ValueError, TypeError or KeyError for anything else."""
        data = json.loads(text)
        for name in ("argv", "secrets", "sys_path"):
            data[name] = tuple(data[name])
        data["limits"] = Limits(**data["limits"])
        return cls(**data)

    @classmethod
    def read(cls, stream: BinaryIO) -> Job:
        """Read it to the stream's end; raises like `from_bytes`."""
        return cls.from_bytes(stream.read())

    def start(self, python: str, module: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a module of this package, which reads the job from its standard input; raises OSError.

        `options` are subprocess.Popen's. A process that ends before it has read has its own way to say why.
        """
        process = subprocess.Popen(
            [python, "-P", "-m", module, *arguments], stdin=subprocess.PIPE, env=self.environment(), **options
        )
        assert process.stdin is not None  # noqa: S101  asked for above
        with process.stdin as pipe, suppress(BrokenPipeError):
            pipe.write(self.to_bytes())
        return process

    def environment(self) -> dict[str, str]:
        """Return an environment in which this package and these settings are found."""
        # What that process itself needs, before the job tells it the rest.
        needed = [str(Path(module.__file__).parent.parent) for module in (launcher, django) if module.__file__]
        path = [*self.sys_path, *(entry for entry in needed if entry not in self.sys_path)]
        name = settings_module()
        chosen = {"DJANGO_SETTINGS_MODULE": name} if name else {}
        inherited = {name: text for name, text in os.environ.items() if name != RUN_VARIABLE or text == self.uid}
        return {**inherited, **chosen, "PYTHONPATH": os.pathsep.join(path)}

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


def project_key() -> str:
    """Return a few hexadecimal digits that tell this project from others on the machine: by its settings' module."""
    name = settings_module()
    module = sys.modules.get(name)
    place = getattr(module, "__file__", None) or os.getcwd()
    return hashlib.sha256(f"{name} {place}".encode()).hexdigest()[:12]


def wait_aside(process: subprocess.Popen[bytes]) -> None:
    """Wait for a child in a thread: one that nobody waits for stays a zombie for as long as this process lives."""
    threading.Thread(target=process.wait, name=f"launcher-wait-{process.pid}", daemon=True).start()


def make_job(run_pk: int, command: str, argv: Sequence[str], secrets: Sequence[str], **more: Any) -> Job:
    """Return the job for a run that is started from this process; `more` are fields of Job."""
    return Job(
        run_pk=run_pk,
        command=command,
        argv=tuple(argv),
        secrets=tuple(secrets),
        # An empty entry means the working directory, which a command may change.
        # Entries that are no text (a Path) are passed over by Python's import as well.
        sys_path=tuple(entry or os.getcwd() for entry in sys.path if isinstance(entry, str)),  # type: ignore[redundant-expr]
        python_path=os.environ.get("PYTHONPATH"),
        **more,
    )
