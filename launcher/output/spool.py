"""A run's files on the machine where it runs, and the folder that holds all spools."""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
from pathlib import Path
from typing import Any
from uuid import UUID

from launcher.conf import options

logger = logging.getLogger(__name__)


REMOVALS = 3
"""A process that is just beginning may write into a folder while it is removed; it has not much to write."""


class SpoolError(OSError):
    """The spool folder can't be used; the message says why and what to do."""


def host_name() -> str:
    """Return the name under which runs of this machine are recorded."""
    return socket.gethostname()


def spool_root() -> Path:
    """Return the spool folder, made if need be; raises SpoolError unless it is this user's alone."""
    root = options().spool_dir
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = root.lstat()
    except OSError as error:
        raise SpoolError(f"The spool folder can't be made: {error}. Set LAUNCHER['SPOOL_DIR'].") from error
    if root.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise SpoolError(f"The spool folder {root} must belong to the server's user and be writable by nobody else.")
    return root


def write_whole(path: Path, value: Any) -> None:
    """Write a value as JSON: whoever reads the file finds all of it, or what was there before. Raises OSError."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(value))
    draft.replace(path)


def read_noted(path: Path) -> dict[str, Any] | None:
    """Return what `write_whole` wrote of a dictionary; None if nothing is there, or something else."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found


class Spool:
    """The files of one run: its output, what belongs to that, and how it ended."""

    def __init__(self, uid: UUID) -> None:
        self.uid = uid
        self.folder = options().spool_dir / f"run-{uid.hex}"
        self.output_path = self.folder / "output"
        self.index_path = self.folder / "index"
        self.screen_path = self.folder / "screen"
        self.outcome_path = self.folder / "outcome.json"
        self.log_path = self.folder / "supervisor.log"
        self.uploads_path = self.folder / "uploads"

    def make(self) -> None:
        """Make the folder, readable by nobody else; raises SpoolError."""
        spool_root()
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def write_outcome(self, outcome: dict[str, Any]) -> None:
        """Note how the run ended, whole or not at all, so that it is known even if the database can't be told."""
        try:
            write_whole(self.outcome_path, outcome)
        except OSError as error:  # a full disk; the database may well take it
            logger.warning("How the run ended can't be noted: %s", error)

    def read_outcome(self) -> dict[str, Any] | None:
        """Return how the run ended, or None if that was not noted."""
        return read_noted(self.outcome_path)

    def remove(self) -> None:
        """Remove everything, the run's uploaded files too, and what comes to be there at the same time."""
        for _ in range(REMOVALS):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not os.path.lexists(self.folder):
                return
