"""Carrying a run's output from its spool to the database, and clearing up spools that nobody needs any more."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Protocol
from uuid import UUID

from django.db import connections, reset_queries, router, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from launcher.models import Chunk, Run
from launcher.output.held import TAIL_BYTES
from launcher.output.marks import START, Gap, Mark, pack_times
from launcher.output.reading import CHUNK_BYTES, Output, SpooledOutput
from launcher.output.spool import Spool, spool_root
from launcher.output.terminal import whole_length
from launcher.output.writer import settle

BATCH_CHUNKS = 16
"""Chunks that are stored in one transaction, where so many wait."""
PRUNE_SECONDS = 24 * 3600
_NO_LIMIT = 2**62


class Source(Output, Protocol):
    """An output that can be shipped: a spooled one."""

    def screen(self) -> bytes | None:
        """Return what `Run.screen` is to keep."""
        ...


def _last_chunk(run_pk: int) -> Chunk | None:
    return Chunk.objects.filter(run_id=run_pk).order_by("offset").defer("data", "times").last()


def _chunk_at(run_pk: int, offset: int) -> Chunk | None:
    """Return the chunk in which a place is, or the first one."""
    chunks = Chunk.objects.filter(run_id=run_pk).order_by("offset").defer("data", "times")
    return chunks.filter(offset__lte=offset).last() or chunks.first()


def _start_of(chunk: Chunk) -> Mark:
    return Mark(offset=chunk.offset, line=chunk.first_line, style=chunk.style)


class Shipment:
    """Stores the output of one run, and remembers what it has stored. A run has one at a time."""

    def __init__(self, run_pk: int, source: Source) -> None:
        self._run_pk = run_pk
        self._source = source
        self._generation = 0
        self._screen: bytes | None = None

    def ship(self, *, is_final: bool = True) -> bool:
        """Store what the source has and the database has not, at most BATCH_CHUNKS of it; False if there was nothing.

        The last chunk is written again until it is full, so that a slow command doesn't leave a row a second. Once the
        source's end was taken back, all that this may concern is written again, at once, so that no reader misses it.
        What is stored is looked up before the transaction, which then is as short as can be.
        """
        source = self._source
        generation, found, _ = source.standing()
        screen = source.screen() if generation else None
        limit = found.end.offset if found else _NO_LIMIT
        last = _last_chunk(self._run_pk)
        is_taken_back = generation != self._generation
        if is_taken_back and last is not None:
            last = _chunk_at(self._run_pk, last.offset + last.size - TAIL_BYTES)
        start, stored = (_start_of(last), 0 if is_taken_back else last.size) if last else (START, 0)
        if not is_taken_back and last is not None and len(_chunk(source, start, stored, limit)) == stored:
            start, stored, last = start.after(source.read(start.offset, stored)), 0, None  # it is full, or nothing new
        chunks = list(islice(_chunks(source, start, stored, limit, is_final=is_final), BATCH_CHUNKS))
        if source.standing().generation != generation:  # it was taken back while it was read
            return True
        if not (chunks or is_taken_back or screen != self._screen):
            return False
        using = router.db_for_write(Chunk)
        with transaction.atomic(using=using):
            _commit_without_waiting(using)
            changes: dict[str, Any] = {}
            if is_taken_back:
                Chunk.objects.filter(run_id=self._run_pk, offset__gte=start.offset).delete()
                changes = {"output_bytes": start.offset, "output_lines": start.line}
            if is_taken_back or screen != self._screen:
                changes["screen"] = screen
            changes |= _store(self._run_pk, chunks, None if is_taken_back else last)
            Run.objects.filter(pk=self._run_pk).update(heartbeat_at=Now(), **changes)
        self._generation, self._screen = generation, screen
        return True


def ship(run_pk: int, source: Source, *, is_final: bool = True) -> bool:
    """Store some of what the source has, as the first shipment of this process; see there."""
    return Shipment(run_pk, source).ship(is_final=is_final)


def _store(run_pk: int, chunks: list[tuple[Mark, dict[str, Any]]], last: Chunk | None) -> dict[str, Any]:
    """Store chunks, the first of them in place of the last one, and return what is said of them at the run."""
    if not chunks:
        return {}
    if last is not None:
        Chunk.objects.filter(pk=last.pk).update(**chunks[0][1])
    Chunk.objects.bulk_create(
        Chunk(run_id=run_pk, offset=mark.offset, first_line=mark.line, style=mark.style, **fields)
        for mark, fields in chunks[0 if last is None else 1 :]
    )
    mark, fields = chunks[-1]
    return {"output_bytes": mark.offset + fields["size"], "output_lines": mark.line + fields["line_count"]}


def _commit_without_waiting(using: str) -> None:
    """Spare PostgreSQL the wait for its disk: the spool has it all, and the commit of the run's end waits for the rest.

    What was committed so is durable with the next commit that waits (PostgreSQL's "Asynchronous Commit").
    """
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO OFF")


def _chunks(
    source: Output, start: Mark, stored: int, limit: int, *, is_final: bool
) -> Iterator[tuple[Mark, dict[str, Any]]]:
    """Yield the columns of each chunk from a mark on, each with its start; of the first, so much is stored already."""
    while True:
        gap = source.gap
        if gap is not None and not is_final and start.offset + stored >= gap.start.offset:
            return
        data = _chunk(source, start, stored, limit)
        if not data and not stored and gap is not None and start.offset == gap.start.offset:
            start = gap.end
            data = _chunk(source, start, stored, limit)
        if len(data) <= stored:
            return
        fields = _fields(source, start, data)
        yield start, fields
        start, stored = start.after(data, fields["line_count"]), 0


def _chunk(source: Output, start: Mark, stored: int, limit: int) -> bytes:
    """Return a chunk's content, none of it from `limit` on.

    A full one ends where no escape sequence is cut, if that isn't stored already.
    """
    data = source.read(start.offset, max(0, min(CHUNK_BYTES, limit - start.offset)))
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


def ship_all(run_pk: int, source: Source, *, is_final: bool = True, shipment: Shipment | None = None) -> int:
    """Store everything that the source has, and return how many bytes of it are not stored for all that (0 if well).

    What is left out for the output's limit does not count. As long as more may come, say that it is not final: an
    output that is beyond its limit then has its beginning stored, and the end only once that is known. Who ships again
    and again gives the `shipment`.
    """
    shipment = shipment or Shipment(run_pk, source)
    gap = source.gap
    if gap is not None and is_final:
        _drop_middle(run_pk, source, gap)
    while shipment.ship(is_final=is_final):
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
                settle(spool)
                with suppress(FileNotFoundError):
                    ship_all(run.pk, SpooledOutput(spool))
        if not is_needed:
            spool.remove()
