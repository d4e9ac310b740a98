"""Where a run's output lives: first a spool file beside its supervisor, then chunks in the database.

The spool comes first because a command inside a transaction may hold the database's only write lock; whoever reads on
the same host reads the spool, so what a page shows never waits for that lock. Bytes are kept as they were written.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from launcher.conf import options
from launcher.models import Chunk, Run
from launcher.output.terminal import parse_style, style_after

CHUNK_BYTES = 256 * 1024
MARK_BYTES = 64 * 1024


class SpoolError(OSError):
    """The spool folder can't be used; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A place in the output from which it can be drawn: so many bytes and newlines are before it, in this style."""

    offset: int = 0
    line: int = 0
    style: str = ""

    def after(self, data: bytes) -> Mark:
        """Return the mark behind some more bytes."""
        style = style_after(data, parse_style(self.style)).code() if b"\x1b" in data else self.style
        return Mark(offset=self.offset + len(data), line=self.line + data.count(b"\n"), style=style)


class Output(Protocol):
    """A run's output, wherever it is read from."""

    @property
    def size(self) -> int:
        """Bytes there are by now."""
        ...

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset."""
        ...

    def read(self, start: int, size: int) -> bytes:
        """Return at most `size` bytes from `start`; fewer at the end, none behind it."""
        ...


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


def open_output(run: Run) -> Output:
    """Return the run's output: from its spool where that is on this machine, else from the database."""
    spool = Spool(run.uid)
    if run.host in ("", host_name()) and spool.output_path.exists():
        try:
            return SpooledOutput(spool)
        except FileNotFoundError:  # shipped and removed this very moment
            pass
    return StoredOutput(run)


class Spool:
    """The files of one run on the machine where it runs: its output, an index of it, and how it ended."""

    def __init__(self, uid: UUID) -> None:
        self.folder = options().spool_dir / f"run-{uid.hex}"
        self.output_path = self.folder / "output"
        self.index_path = self.folder / "index"
        self.outcome_path = self.folder / "outcome.json"
        self.log_path = self.folder / "supervisor.log"
        self.uploads_path = self.folder / "uploads"

    def make(self) -> None:
        """Make the folder, readable by nobody else; raises SpoolError."""
        spool_root()
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def write_outcome(self, outcome: dict[str, Any]) -> None:
        """Note how the run ended, whole or not at all, so that it is known even if the database can't be told."""
        draft = self.outcome_path.with_suffix(".draft")
        draft.write_text(json.dumps(outcome))
        draft.replace(self.outcome_path)

    def read_outcome(self) -> dict[str, Any] | None:
        """Return how the run ended, or None if that was not noted."""
        try:
            outcome: dict[str, Any] = json.loads(self.outcome_path.read_text())
        except (OSError, ValueError):
            return None
        return outcome

    def remove(self) -> None:
        """Remove everything, the run's uploaded files too."""
        shutil.rmtree(self.folder, ignore_errors=True)


class SpoolWriter:
    """Appends a run's output to its spool; only the supervisor has one."""

    def __init__(self, spool: Spool) -> None:
        self._output = open(spool.output_path, "ab", buffering=0)  # noqa: SIM115  open as long as the run
        self._index = open(spool.index_path, "a", buffering=1, encoding="ascii")  # noqa: SIM115
        self._position = Mark()
        self._marked = 0
        self.lost_bytes = 0

    @property
    def size(self) -> int:
        """Bytes written by now."""
        return self._position.offset

    def append(self, data: bytes) -> None:
        """Write bytes; what a full disk doesn't take is counted in `lost_bytes`, since the command must go on."""
        written = 0
        try:
            while written < len(data):
                written += self._output.write(data[written:]) or 0
        except OSError:
            self.lost_bytes += len(data) - written
        self._position = self._position.after(data[:written])
        if self._position.offset - self._marked >= MARK_BYTES:
            self._marked = self._position.offset
            try:
                self._index.write(f"{self._position.offset} {self._position.line} {self._position.style}\n")
            except OSError:
                pass  # an index with a gap only makes windows start earlier

    def close(self) -> None:
        """Close the files."""
        self._output.close()
        self._index.close()


class SpooledOutput:
    """Reads a run's output from its spool, also while it grows. Raises FileNotFoundError if it is gone."""

    def __init__(self, spool: Spool) -> None:
        self._file = open(spool.output_path, "rb", buffering=0)  # noqa: SIM115  closed with the object
        self._index_path = spool.index_path

    @property
    def size(self) -> int:
        """Bytes there are by now."""
        return os.fstat(self._file.fileno()).st_size

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset."""
        found = Mark()
        try:
            lines = self._index_path.read_text("ascii").splitlines()
        except OSError:
            return found
        for entry in lines:
            at, line, style = (entry.split(" ", 2) + ["", ""])[:3]
            if not (at.isdigit() and line.isdigit()) or int(at) > offset:
                break
            found = Mark(offset=int(at), line=int(line), style=style)
        return found

    def read(self, start: int, size: int) -> bytes:
        """Return at most `size` bytes from `start`."""
        return os.pread(self._file.fileno(), size, start)


class StoredOutput:
    """Reads a run's output from the database."""

    def __init__(self, run: Run) -> None:
        self._chunks = Chunk.objects.filter(run_id=run.pk).order_by("offset")

    @property
    def size(self) -> int:
        """Bytes stored by now."""
        last = self._chunks.values_list("offset", "size").last()
        return sum(last) if last else 0

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset."""
        last = self._chunks.filter(offset__lte=offset).values_list("offset", "first_line", "style").last()
        return Mark(offset=last[0], line=last[1], style=last[2]) if last else Mark()

    def read(self, start: int, size: int) -> bytes:
        """Return at most `size` bytes from `start`."""
        first = self.mark_before(start).offset
        chunks = self._chunks.filter(offset__gte=first, offset__lt=start + size).values_list("data", flat=True)
        data = b"".join(zlib.decompress(chunk) for chunk in chunks.iterator(chunk_size=16))
        return data[start - first : start - first + size]


def read_all(output: Output, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the whole output in pieces, as far as it is there."""
    position = 0
    while piece := output.read(position, size):
        yield piece
        position += len(piece)


def stored_position(run_pk: int) -> Mark:
    """Return the place up to which a run's output is in the database."""
    last = Chunk.objects.filter(run_id=run_pk).order_by("offset").last()
    if last is None:
        return Mark()
    return Mark(offset=last.offset, line=last.first_line, style=last.style).after(zlib.decompress(last.data))


def ship(run_pk: int, source: Output, position: Mark) -> Mark:
    """Store what the source has behind `position`, at most CHUNK_BYTES of it, and return the new position.

    The last chunk is written again until it is full, so that a slow command doesn't leave a row a second.
    """
    with transaction.atomic():
        last = Chunk.objects.filter(run_id=run_pk).order_by("offset").only("pk", "offset", "size").last()
        grows = last is not None and last.offset + last.size == position.offset and last.size < CHUNK_BYTES
        start = last.offset if last is not None and grows else position.offset
        data = source.read(start, CHUNK_BYTES)
        fresh = data[position.offset - start :]
        if not fresh:
            return position
        fields = {
            "size": len(data),
            "line_count": data.count(b"\n"),
            "data": zlib.compress(data, 1),
            "written_at": timezone.now(),
        }
        if last is not None and grows:
            Chunk.objects.filter(pk=last.pk).update(**fields)
        else:
            Chunk.objects.create(run_id=run_pk, offset=start, first_line=position.line, style=position.style, **fields)
        reached = position.after(fresh)
        Run.objects.filter(pk=run_pk).update(
            output_bytes=reached.offset, output_lines=reached.line, heartbeat_at=timezone.now()
        )
    return reached
