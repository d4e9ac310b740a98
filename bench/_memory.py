"""How much memory a process and its children hold, from time to time (Linux). Only looks; owns no process."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_SECONDS = 0.05

_FIELD = re.compile(r"^(Rss|Private_Clean|Private_Dirty): +(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes that a process holds: all that is in memory, and what of it is no other process's as well."""

    resident_bytes: int
    private_bytes: int


@dataclass(kw_only=True)
class Watched:
    """The samples of one process."""

    samples: list[Memory] = field(default_factory=list)

    def peak(self) -> Memory:
        """Return the largest of each; raises ValueError if there is no sample."""
        return Memory(
            resident_bytes=max(sample.resident_bytes for sample in self.samples),
            private_bytes=max(sample.private_bytes for sample in self.samples),
        )

    def growth(self) -> Memory:
        """Return by how much each peak is above the first sample; raises ValueError if there is none."""
        peak, first = self.peak(), self.samples[0]
        return Memory(
            resident_bytes=peak.resident_bytes - first.resident_bytes,
            private_bytes=peak.private_bytes - first.private_bytes,
        )


class MemoryWatch(threading.Thread):
    """Samples a supervisor and the largest of its children until told to stop, or until the supervisor is gone."""

    def __init__(self, pid: int) -> None:
        super().__init__(name="memory", daemon=True)
        self.supervisor = Watched()
        self.child = Watched()
        self._pid = pid
        self._ended = threading.Event()

    def run(self) -> None:
        """Take samples."""
        while (memory := memory_of(self._pid)) is not None:
            self.supervisor.samples.append(memory)
            children = [found for child in _children_of(self._pid) if (found := memory_of(child)) is not None]
            if children:
                self.child.samples.append(max(children, key=lambda found: found.resident_bytes))
            if self._ended.wait(SAMPLE_SECONDS):
                return

    def stop(self) -> None:
        """Take no more samples, and wait for the last one."""
        self._ended.set()
        self.join()


def memory_of(pid: int) -> Memory | None:
    """Return what a process holds, or None if it is gone or holds nothing any more (proc_pid_smaps(5))."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return None
    sizes = {name: 1024 * int(size) for name, size in _FIELD.findall(text)}
    if not sizes.get("Rss"):
        return None
    return Memory(resident_bytes=sizes["Rss"], private_bytes=sizes["Private_Clean"] + sizes["Private_Dirty"])


def _children_of(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, path.read_text().split())
        except OSError:  # the thread has ended
            continue
    return found
