"""Where a run's output lives: first a spool file beside its supervisor, then chunks in the database.

The spool comes first because a command inside a transaction may hold the database's only write lock; whoever reads on
the same host reads the spool, so what a page shows never waits for that lock. Bytes are kept as they were written; of
more than LAUNCHER["OUTPUT_LIMIT_BYTES"] the beginning and the end are kept, at the offsets that they were written at.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import time
import weakref
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from django.db import connections, reset_queries, router, transaction
from django.db.models import F, Max, Sum
from django.db.models.functions import Now
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from launcher.conf import options
from launcher.models import Chunk, Run
from launcher.output.holes import punch
from launcher.output.index import Index, IndexWriter
from launcher.output.marks import START, Gap, Mark, Times, pack_times, times_between, unpack_times
from launcher.output.terminal import uncut_length, whole_length

logger = logging.getLogger(__name__)

CHUNK_BYTES = 256 * 1024
MARK_BYTES = 64 * 1024
BATCH_CHUNKS = 16
"""Chunks that are stored in one transaction, where so many wait."""
STEP_BYTES = 1024 * 1024
"""What is left out grows by at least so much at once, since each time costs a few writes."""
PRUNE_SECONDS = 24 * 3600


class SpoolError(OSError):
    """The spool folder can't be used; the message says why and what to do."""


class Output(Protocol):
    """A run's output, wherever it is read from."""

    @property
    def size(self) -> int:
        """Bytes there are by now."""
        ...

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset; at most about CHUNK_BYTES before it, if all went well."""
        ...

    @property
    def gap(self) -> Gap | None:
        """What is left out by now, if the output is longer than its limit; it may still grow at its end."""
        ...

    def read(self, start: int, size: int) -> bytes:
        """Return at most `size` bytes from `start`; fewer at the end and before the gap, none behind and in them."""
        ...

    def times(self, start: int, end: int) -> Times:
        """Return when the bytes from `start` to `end` came: pairs in order, the first at or before `start` if known."""
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
    """Appends a run's output to its spool; only the supervisor has one.

    Of an output beyond its limit the middle is left out while it grows, and where the disk can make holes in files
    its space is given back. Elsewhere the spool keeps its bytes until it is removed, but nobody reads or stores them.
    """

    def __init__(self, spool: Spool) -> None:
        self._index = IndexWriter(spool.index_path)  # first, so that whoever finds an output finds its index
        self._output = open(spool.output_path, "ab+", buffering=0)  # noqa: SIM115  open as long as the run
        self._mark, self._tenths = self._index.last()
        written = os.fstat(self._output.fileno()).st_size
        self._unmarked = bytearray(self._read(self._mark.offset, written))
        self._limit = options().output_limit_bytes
        self._step = max(STEP_BYTES, self._limit // 64)
        self._widen_at = self._limit + self._step if self._limit else float("inf")
        self._has_told = False
        self.lost_bytes = 0

    @property
    def size(self) -> int:
        """Bytes written by now."""
        return self._mark.offset + len(self._unmarked)

    def append(self, data: bytes) -> None:
        """Write bytes; what a full disk doesn't take is counted in `lost_bytes`, since the command must go on."""
        self._note_time()
        written = 0
        try:
            while written < len(data):
                written += self._output.write(data[written:]) or 0
        except OSError:
            self.lost_bytes += len(data) - written
        self._unmarked += data[:written]
        while len(self._unmarked) >= MARK_BYTES:
            self._mark_after(whole_length(bytes(self._unmarked[:MARK_BYTES])))
        if self.size > self._widen_at:
            self._widen_gap()

    def close(self) -> None:
        """Leave out the last of what is beyond the limit, and close the files."""
        if self._limit and self.size > self._limit:
            self._widen_gap()
        self._output.close()
        self._index.close()

    def _note_time(self) -> None:
        """Add a mark before bytes that come at another time than the last ones, to a tenth of a second."""
        tenths = round(time.time() * 10)
        if tenths > self._tenths:  # a clock that is set back must not bring disorder
            self._tenths = tenths
            self._mark_after(uncut_length(bytes(self._unmarked)))

    def _mark_after(self, length: int) -> None:
        self._mark = self._mark.after(bytes(self._unmarked[:length]))
        del self._unmarked[:length]
        self._index.add(self._mark, self._tenths)

    def _read(self, start: int, end: int) -> bytes:
        return os.pread(self._output.fileno(), max(0, end - start), start)

    def _line_before(self, offset: int, origin: int = 0) -> Mark:
        """Return the last beginning of a line between two offsets; where that is far away, a place to draw from."""
        mark = self._index.mark_before(max(origin, offset - MARK_BYTES))
        data = self._read(mark.offset, min(offset, mark.offset + 4 * MARK_BYTES))
        return mark.after(data[: data.rfind(b"\n") + 1 or whole_length(data)])

    def _widen_gap(self) -> None:
        """Leave out all between the first and the last half of the limit.

        It is noted before its bytes go: a reader who then looks at the note never takes a hole for output.
        """
        self._widen_at = self.size + self._step
        head = self._limit // 2
        gap = self._index.gap()
        start = gap.start if gap else self._line_before(head)
        origin = (gap.end if gap else start).offset
        end = self._line_before(self.size - (self._limit - head), origin)
        if end.offset <= origin or not self._index.set_gap(Gap(start=start, end=end)):
            return
        # The whole of it each time: only blocks that lie in it as a whole are given back.
        if not punch(self._output.fileno(), start.offset, end.offset) and not self._has_told:
            self._has_told = True
            logger.warning("The disk of the spool can't make holes in files: it keeps what is left out of the output.")


class SpooledOutput:
    """Reads a run's output from its spool, also while it grows. Raises FileNotFoundError if it is gone.

    It stays readable when the spool is removed meanwhile.
    """

    def __init__(self, spool: Spool) -> None:
        self._descriptor = os.open(spool.output_path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)
        self._index = Index(spool.index_path)

    @property
    def size(self) -> int:
        """Bytes there are by now, with those left out."""
        return os.fstat(self._descriptor).st_size

    @property
    def gap(self) -> Gap | None:
        """What is left out by now."""
        return self._index.gap()

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset."""
        return self._index.mark_before(offset)

    def read(self, start: int, size: int) -> bytes:
        """Return at most `size` bytes from `start`, none of the gap."""
        data = os.pread(self._descriptor, size, start)
        gap = self.gap  # looked at last: what was a hole when it was read is in it by now
        if gap is None or start >= gap.end.offset:
            return data
        return data[: max(0, gap.start.offset - start)]

    def times(self, start: int, end: int) -> Times:
        """Return when bytes came."""
        return self._index.times(start, end)


class StoredOutput:
    """Reads a run's output from the database."""

    def __init__(self, run: Run) -> None:
        self._chunks = Chunk.objects.filter(run_id=run.pk).order_by("offset")

    @property
    def size(self) -> int:
        """Bytes stored by now, with those left out."""
        last = self._chunks.values_list("offset", "size").last()
        return sum(last) if last else 0

    @cached_property
    def gap(self) -> Gap | None:
        """What is left out: a chunk doesn't begin where the one before it ends. Looked for once."""
        sums = self._chunks.aggregate(stored=Sum("size"), end=Max(F("offset") + F("size")))
        if sums["stored"] == sums["end"]:
            return None
        places = self._chunks.values_list("offset", "size", "first_line", "line_count", "style")
        for before, behind in pairwise(chain([(0, 0, 0, 0, "")], places)):
            end = before[0] + before[1]
            if end != behind[0]:
                start = Mark(offset=end, line=before[2] + before[3])
                return Gap(start=start, end=Mark(offset=behind[0], line=behind[2], style=behind[4]))
        return None

    def mark_before(self, offset: int) -> Mark:
        """Return the last mark at or before an offset."""
        last = self._chunks.filter(offset__lte=offset).values_list("offset", "first_line", "style").last()
        return Mark(offset=last[0], line=last[1], style=last[2]) if last else START

    def read(self, start: int, size: int) -> bytes:
        """Return at most `size` bytes from `start`, none of the gap."""
        first = position = self.mark_before(start).offset
        chunks = self._chunks.filter(offset__gte=first, offset__lt=start + size).values_list("offset", "data")
        pieces = []
        for offset, data in chunks.iterator(chunk_size=16):
            if offset != position:
                break
            pieces.append(zlib.decompress(data))
            position += len(pieces[-1])
        return b"".join(pieces)[start - first : start - first + size]

    def times(self, start: int, end: int) -> Times:
        """Return when bytes came."""
        first = self.mark_before(start).offset
        chunks = self._chunks.filter(offset__gte=first, offset__lt=end).values_list("offset", "times")
        return times_between(
            chain.from_iterable(unpack_times(bytes(packed), offset) for offset, packed in chunks), start, end
        )


def left_out(size: int, lines: int | None, head: int) -> str:
    """Return the sentence that stands where an output has its gap; `head` is how many bytes are kept before it."""
    what = filesizeformat(size)
    if lines is not None:
        count = ngettext("%s line", "%s lines", lines) % number_format(lines, force_grouping=True)
        what = f"{count} ({what})"
    text = _("%(what)s left out here: OUTPUT_LIMIT_BYTES keeps the first %(head)s and about as much of the end.")
    return text % {"what": what, "head": filesizeformat(head)}


def read_all(output: Output, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the whole output in pieces, as far as it is there, with a line in place of what is left out."""
    position = 0
    last = b"\n"
    while True:
        if piece := output.read(position, size):
            yield piece
            position += len(piece)
            last = piece[-1:]
            continue
        gap = output.gap
        if gap is None or not gap.holds(position):
            return
        # Where it has grown over what was being read, the lines before it weren't counted.
        lines = gap.end.line - gap.start.line if position == gap.start.offset else None
        notice = left_out(gap.end.offset - position, lines, gap.start.offset)
        yield ("" if last == b"\n" else "\n").encode() + f"… {notice} …\n".encode()
        position, last = gap.end.offset, b"\n"


def _last_chunk(run_pk: int) -> Chunk | None:
    return Chunk.objects.filter(run_id=run_pk).order_by("offset").defer("data", "times").last()


def _start_of(chunk: Chunk) -> Mark:
    return Mark(offset=chunk.offset, line=chunk.first_line, style=chunk.style)


def ship(run_pk: int, source: Output, *, is_final: bool = True) -> bool:
    """Store what the source has and the database has not, at most BATCH_CHUNKS of it; False if there was nothing.

    The last chunk is written again until it is full, so that a slow command doesn't leave a row a second. A run has
    one writer at a time, so what is stored is looked up before the transaction, which then is as short as can be.
    """
    last = _last_chunk(run_pk)
    start, stored = (_start_of(last), last.size) if last else (START, 0)
    if last is not None and len(_chunk(source, start, stored)) == stored:  # it is full, or there is nothing new
        start, stored, last = start.after(source.read(start.offset, stored)), 0, None
    chunks = list(islice(_chunks(source, start, stored, is_final=is_final), BATCH_CHUNKS))
    if not chunks:
        return False
    using = router.db_for_write(Chunk)
    with transaction.atomic(using=using):
        _commit_without_waiting(using)
        if last is not None:
            _, fields = chunks.pop(0)
            Chunk.objects.filter(pk=last.pk).update(**fields)
            reached = start.offset + fields["size"], start.line + fields["line_count"]
        if chunks:
            Chunk.objects.bulk_create(
                Chunk(run_id=run_pk, offset=mark.offset, first_line=mark.line, style=mark.style, **fields)
                for mark, fields in chunks
            )
            mark, fields = chunks[-1]
            reached = mark.offset + fields["size"], mark.line + fields["line_count"]
        Run.objects.filter(pk=run_pk).update(output_bytes=reached[0], output_lines=reached[1], heartbeat_at=Now())
    return True


def _commit_without_waiting(using: str) -> None:
    """Spare PostgreSQL the wait for its disk: the spool has it all, and the commit of the run's end waits for the rest.

    What was committed so is durable with the next commit that waits (PostgreSQL's "Asynchronous Commit").
    """
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO OFF")


def _chunks(source: Output, start: Mark, stored: int, *, is_final: bool) -> Iterator[tuple[Mark, dict[str, Any]]]:
    """Yield the columns of each chunk from a mark on, each with its start; of the first, so much is stored already."""
    while True:
        gap = source.gap
        if gap is not None and not is_final and start.offset + stored >= gap.start.offset:
            return
        data = _chunk(source, start, stored)
        if not data and not stored and gap is not None and start.offset == gap.start.offset:
            start = gap.end
            data = _chunk(source, start, stored)
        if len(data) <= stored:
            return
        fields = _fields(source, start, data)
        yield start, fields
        start, stored = start.after(data, fields["line_count"]), 0


def _chunk(source: Output, start: Mark, stored: int) -> bytes:
    """Return a chunk's content. A full one ends where no escape sequence is cut, if that isn't stored already."""
    data = source.read(start.offset, CHUNK_BYTES)
    return data if len(data) < CHUNK_BYTES else data[: max(whole_length(data), stored)]


def _fields(source: Output, start: Mark, data: bytes) -> dict[str, Any]:
    return {
        "size": len(data),
        "line_count": data.count(b"\n"),
        "data": zlib.compress(data, 1),
        "times": pack_times(source.times(start.offset, start.offset + len(data)), start.offset),
        "written_at": timezone.now(),
    }


def _drop_middle(run_pk: int, source: Output, gap: Gap) -> None:
    """Take out of the database what was stored before the output outgrew its limit, and is left out now.

    All from the gap's start on: what lies behind it is stored again, in chunks that begin where the gap ends.
    """
    chunks = Chunk.objects.filter(run_id=run_pk)
    if not chunks.filter(offset__lt=gap.end.offset, offset__gt=gap.start.offset - F("size")).exists():
        return
    cut = chunks.filter(offset__lt=gap.start.offset).order_by("offset").defer("data", "times").last()
    with transaction.atomic():
        chunks.filter(offset__gte=gap.start.offset).delete()
        if cut is not None and cut.offset + cut.size > gap.start.offset:
            data = source.read(cut.offset, gap.start.offset - cut.offset)
            chunks.filter(pk=cut.pk).update(**_fields(source, _start_of(cut), data))


def ship_all(run_pk: int, source: Output, *, is_final: bool = True) -> int:
    """Store everything that the source has, and return how many bytes of it are not stored for all that (0 if well).

    What is left out for the output's limit does not count. As long as more may come, say that it is not final: an
    output that is beyond its limit then has its beginning stored, and the end only once that is known.
    """
    gap = source.gap
    if gap is not None and is_final:
        _drop_middle(run_pk, source, gap)
    while ship(run_pk, source, is_final=is_final):
        reset_queries()  # with DEBUG, Django would keep the SQL of every chunk
    last = _last_chunk(run_pk)
    end = last.offset + last.size if last else 0
    left_out_bytes = gap.size if gap is not None and end <= gap.start.offset else 0
    return max(0, source.size - end - left_out_bytes)


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
