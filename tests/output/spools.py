"""Spools and runs to write to, for the tests of the output."""

import itertools
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from launcher.models import Run
from launcher.output import held, look, output_file, reading, rows, shipping, walk, window, writer
from launcher.output.reading import Output, SpooledOutput
from launcher.output.shipping import ship
from launcher.output.spool import Spool, host_name
from launcher.output.terminal import PLAIN, style_after
from launcher.output.writer import SpoolWriter


def set_sizes(patch: pytest.MonkeyPatch, **sizes: int) -> None:
    """Set sizes in each module that uses them."""
    modules = (held, look, output_file, reading, rows, shipping, walk, window, writer)
    for name, size in sizes.items():
        having = [module for module in modules if hasattr(module, name)]
        assert having
        for module in having:
            patch.setattr(module, name, size)


def new_run() -> Run:
    """Store a run of this host."""
    return Run.objects.create(command="check", command_line="check", host=host_name())


def new_spool(run: Run | None = None) -> Spool:
    """Make a spool, the run's if one is given."""
    spool = Spool((run or Run()).uid)
    spool.make()
    return spool


def write(spool: Spool, *pieces: bytes) -> SpoolWriter:
    """Append pieces, and return the closed writer."""
    writer = SpoolWriter(spool)
    for piece in pieces:
        writer.append(piece)
    writer.close()
    return writer


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return the data in pieces, cut at some places."""
    places = sorted({place % (len(data) + 1) for place in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


def ship_all(run: Run, source: SpooledOutput) -> tuple[int, int]:
    """Ship everything, and return the bytes and lines that are then said to be stored."""
    while ship(run.pk, source):
        pass
    run.refresh_from_db()
    return run.output_bytes, run.output_lines


def assert_marks_are_right(output: Output, data: bytes) -> None:
    """Compare the mark before each offset with what the data says, and look that none is in the gap."""
    for offset in range(len(data) + 1):
        mark = output.mark_before(offset)
        assert mark.offset <= offset
        assert mark.line == data[: mark.offset].count(b"\n")
        assert mark.style == style_after(data[: mark.offset], PLAIN).code()
        if output.gap and offset >= output.gap.end.offset:
            assert mark.offset >= output.gap.end.offset


class Clock:
    """A time that only passes when told to."""

    def __init__(self, now: float = 1_764_000_000.0) -> None:
        self.now = now

    def time(self) -> float:
        """Return the seconds since the epoch."""
        return self.now


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
