"""Where a run's output lives: first a spool file beside its supervisor, then chunks in the database.

The spool comes first because a command inside a transaction may hold the database's only write lock; whoever reads on
the same host reads the spool, so what a page shows never waits for that lock. Bytes are kept as they were written.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import socket
import time
import weakref
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from django.db import reset_queries, transaction
from django.utils import timezone

from launcher.conf import options
from launcher.models import Chunk, Run
from launcher.output.terminal import parse_style, style_after, whole_length

logger = logging.getLogger(__name__)

CHUNK_BYTES = 256 * 1024
MARK_BYTES = 64 * 1024
PRUNE_SECONDS = 24 * 3600

_ENTRY = re.compile(rb"^(\d+) (\d+) ([0-9;]*) \n", re.MULTILINE)


class SpoolError(OSError):
    """The spool folder can't be used; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A place in the output from which it can be drawn: so many bytes and newlines are before it, in this style."""

    offset: int = 0
    line: int = 0
    style: str = ""

    def after(self, data: bytes) -> Mark:
        """Return the mark behind some more bytes; its style is right only if they end with no escape cut in two."""
        style = style_after(data, parse_style(self.style)).code() if b"\x1b" in data else self.style
        return Mark(offset=self.offset + len(data), line=self.line + data.count(b"\n"), style=style)


START = Mark()


class Output(Protocol):
    """A run's output, wherever it is read from."""

    @property
    def size(self) -> int:
        """Bytes there are by now."""
        ...

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset; at most about CHUNK_BYTES before it, if all went well."""
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
        self.uid = uid
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
        try:
            draft.write_text(json.dumps(outcome))
            draft.replace(self.outcome_path)
        except OSError as error:  # a full disk; the database may well take it
            logger.warning("How the run ended can't be noted: %s", error)

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
        self._index = open(spool.index_path, "ab", buffering=0)  # noqa: SIM115
        self._mark = START
        self._unmarked = bytearray()
        self.lost_bytes = 0

    @property
    def size(self) -> int:
        """Bytes written by now."""
        return self._mark.offset + len(self._unmarked)

    def append(self, data: bytes) -> None:
        """Write bytes; what a full disk doesn't take is counted in `lost_bytes`, since the command must go on."""
        written = 0
        try:
            while written < len(data):
                written += self._output.write(data[written:]) or 0
        except OSError:
            self.lost_bytes += len(data) - written
        self._unmarked += data[:written]
        while len(self._unmarked) >= MARK_BYTES:
            piece = bytes(self._unmarked[:MARK_BYTES])
            piece = piece[: whole_length(piece)]
            self._mark = self._mark.after(piece)
            del self._unmarked[: len(piece)]
            # Framed, since a full disk may take a part. Where a mark is missing, readers start at an earlier one.
            entry = f"\n{self._mark.offset} {self._mark.line} {self._mark.style} \n"
            with suppress(OSError):
                self._index.write(entry.encode())

    def close(self) -> None:
        """Close the files."""
        self._output.close()
        self._index.close()


class SpooledOutput:
    """Reads a run's output from its spool, also while it grows. Raises FileNotFoundError if it is gone.

    It stays readable when the spool is removed meanwhile.
    """

    def __init__(self, spool: Spool) -> None:
        self._descriptor = os.open(spool.output_path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)
        self._index_path = spool.index_path

    @property
    def size(self) -> int:
        """Bytes there are by now."""
        return os.fstat(self._descriptor).st_size

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset."""
        found = START
        try:
            index = self._index_path.read_bytes()
        except OSError:
            return found
        for entry in _ENTRY.finditer(index):
            if int(entry[1]) > offset:
                break
            found = Mark(offset=int(entry[1]), line=int(entry[2]), style=entry[3].decode())
        return found

    def read(self, start: int, size: int) -> bytes:
        """Return at most `size` bytes from `start`."""
        return os.pread(self._descriptor, size, start)


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
        return Mark(offset=last[0], line=last[1], style=last[2]) if last else START

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


def _last_chunk(run_pk: int) -> Chunk | None:
    return Chunk.objects.filter(run_id=run_pk).order_by("offset").defer("data").last()


def _start_of(chunk: Chunk) -> Mark:
    return Mark(offset=chunk.offset, line=chunk.first_line, style=chunk.style)


def ship(run_pk: int, source: Output) -> bool:
    """Store what the source has and the database has not, at most CHUNK_BYTES of it; False if there was nothing.

    The last chunk is written again until it is full, so that a slow command doesn't leave a row a second. A run has
    one writer at a time, so what is stored is looked up before the transaction, which then is as short as can be.
    """
    last = _last_chunk(run_pk)
    start, stored = (_start_of(last), last.size) if last else (START, 0)
    data = _chunk(source, start, stored)
    if last is not None and len(data) == stored:  # it is full, or there is nothing new
        start, stored, last = start.after(data), 0, None
        data = _chunk(source, start, stored)
    if len(data) <= stored:
        return False
    reached = start.after(data)
    fields = {
        "size": len(data),
        "line_count": reached.line - start.line,
        "data": zlib.compress(data, 1),
        "written_at": timezone.now(),
    }
    with transaction.atomic():
        if last is not None:
            Chunk.objects.filter(pk=last.pk).update(**fields)
        else:
            Chunk.objects.create(run_id=run_pk, offset=start.offset, first_line=start.line, style=start.style, **fields)
        Run.objects.filter(pk=run_pk).update(
            output_bytes=reached.offset, output_lines=reached.line, heartbeat_at=timezone.now()
        )
    return True


def _chunk(source: Output, start: Mark, stored: int) -> bytes:
    """Return a chunk's content. A full one ends where no escape sequence is cut, if that isn't stored already."""
    data = source.read(start.offset, CHUNK_BYTES)
    return data if len(data) < CHUNK_BYTES else data[: max(whole_length(data), stored)]


def ship_all(run_pk: int, source: Output) -> int:
    """Store everything that the source has, and return how many bytes of it are not stored for all that (0 if well)."""
    while ship(run_pk, source):
        reset_queries()  # with DEBUG, Django would keep the SQL of every chunk
    last = _last_chunk(run_pk)
    return max(0, source.size - (last.offset + last.size if last else 0))


def prune_spools() -> None:
    """Remove spools that nobody else will, a day old: of ended runs, whose output is kept, and of runs never started.

    A spool of a started run that this database doesn't know is left alone: another project may share the folder.
    """
    for folder in spool_root().glob("run-*"):
        try:
            is_old = time.time() - folder.stat().st_mtime > PRUNE_SECONDS
            spool = Spool(UUID(folder.name.removeprefix("run-")))
        except (OSError, ValueError):
            continue
        if not is_old:
            continue
        run = Run.objects.filter(uid=spool.uid).only("status").first()
        if run is None:
            is_needed = spool.log_path.exists() or spool.output_path.exists()
        else:
            is_needed = not run.is_finished
            if not is_needed:
                with suppress(FileNotFoundError):
                    ship_all(run.pk, SpooledOutput(spool))
        if not is_needed:
            spool.remove()
