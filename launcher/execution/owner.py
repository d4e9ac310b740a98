"""Which process has a run, noted in the run's spool folder: the evidence that it is not gone. Knows no Django."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from launcher.execution.identity import is_alive, process_start


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The process that has a run: the one that is to fork its supervisor, or the supervisor itself."""

    pid: int
    started: str
    is_supervisor: bool
    log: str = ""
    """Where it tells its trouble, if that is not the run's own log."""

    @property
    def is_alive(self) -> bool:
        """Whether the very process is still there."""
        return is_alive(self.pid, self.started)


def note_owner(folder: Path, pid: int, *, is_supervisor: bool, is_first: bool = False, log: str = "") -> None:
    """Note which process has the run from now on, whole or not at all; as a first note only if there is none yet.

    `folder` is the run's spool. Raises OSError.
    """
    owner = Owner(pid=pid, started=process_start(pid), is_supervisor=is_supervisor, log=log)
    draft = folder / f"owner.{os.getpid()}.{threading.get_ident()}"
    draft.write_text(json.dumps(asdict(owner)))
    if is_first:
        try:
            os.link(draft, folder / "owner")
        finally:
            draft.unlink()
    else:
        draft.replace(folder / "owner")


def forget_owner(folder: Path) -> None:
    """Note that no process has the run any more."""
    (folder / "owner").unlink(missing_ok=True)


def read_owner(folder: Path) -> Owner | None:
    """Return the process that has the run, as far as that was noted."""
    try:
        return Owner(**json.loads((folder / "owner").read_text()))
    except (OSError, ValueError, TypeError):
        return None
