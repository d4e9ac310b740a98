"""Memory that child and supervisor share: what the child's Python prints goes through it, and survives both.

A file of the spool, mapped by both. The child appends and moves `head`; the supervisor stores what is between `tail`
and `head` and moves `tail`. Nothing is copied through the kernel, the child needs no thread to flush, and after any
kind of death what was printed is still there. Knows no Django.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import select
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Any

CAPACITY = 4 * 1024 * 1024
WAKE_BYTES = 1024 * 1024
"""So much at once wakes the supervisor, which else looks after some 50 ms."""
PIECE_BYTES = 64 * 1024
"""So much is stored at once: of the last piece whoever looks after a death still finds all, as it was written."""
_HEADER_BYTES = 4096
_HEAD, _TAIL, _STORED, _IS_READER_ASLEEP, _IS_WRITER_WAITING = range(5)
_WAIT_SECONDS = 0.05

WAKE = b"\n"
"""What is sent through the link in either direction to say: look at the ring."""


_SIZE = _HEADER_BYTES + CAPACITY


def _map(path: Path) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return mmap.mmap(descriptor, _SIZE)
    finally:
        os.close(descriptor)


def _create(path: Path) -> Path:
    """Make the file and return its path: in memory, where the disk has no room for it.

    Without that room at once, a later write to the memory would end the writing process by SIGBUS (mmap(2)).
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, _SIZE)
        if sys.platform == "linux":
            os.posix_fallocate(descriptor, 0, _SIZE)
    except OSError:
        path.unlink(missing_ok=True)
        if sys.platform != "linux":
            raise
        in_memory = os.memfd_create("launcher-ring")  # open for as long as this process lives
        os.ftruncate(in_memory, _SIZE)
        return Path(f"/proc/{os.getpid()}/fd/{in_memory}")
    finally:
        os.close(descriptor)
    return path


def _keep_for_ever(mapping: mmap.mmap) -> None:
    """Never release a mapping in a command's process: its descriptor's number may be a file of the command by then."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(mapping))


class Link:
    """The child's end of the socket to its supervisor. The command may close it, and open another file there."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._identity = self._look()

    def _look(self) -> tuple[int, int]:
        found = os.fstat(self.descriptor)
        return found.st_dev, found.st_ino

    def send(self, data: bytes) -> None:
        """Send all of it, unless the socket is gone; waits as long as the supervisor takes to read."""
        with suppress(OSError):
            while data and self._look() == self._identity:
                data = data[os.write(self.descriptor, data) :]

    def wait(self, seconds: float) -> None:
        """Wait until the supervisor says something, or so long; forget what it said."""
        if self._is_there() and is_readable(self.descriptor, seconds):
            with suppress(OSError):
                os.read(self.descriptor, 4096)
                return
        time.sleep(min(seconds, 0.002))

    def _is_there(self) -> bool:
        try:
            return self._look() == self._identity
        except OSError:
            return False


def is_readable(descriptor: int, seconds: float) -> bool:
    """Tell whether there is something to read, as soon as there is, or after so long."""
    poll = select.poll()  # a select() refuses descriptors above 1023
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class RingWriter:
    """The child's side. Threads and signal handlers of the command may write at the same time.

    `write` is called for each line, so it is as short as can be, and takes no lock: between the call of `len` and its
    last line there is no call and no jump back, so that CPython neither switches to another thread there nor runs a
    signal's handler. Whoever dies or is interrupted before the line that moves `head` has written nothing.
    """

    def __init__(self, path: Path, link: Link) -> None:
        self._map = _map(path)
        _keep_for_ever(self._map)
        self._view = memoryview(self._map)[_HEADER_BYTES:]
        self._header = memoryview(self._map)[:_HEADER_BYTES].cast("Q")
        self._link = link
        self._lock = RLock()
        self.write = self._make_write()
        """Append bytes and return how many; waits while there is no room for them."""

    def _make_write(self) -> Callable[[Any], int]:
        view, header, wake = self._view, self._header, self._wake_reader
        head = header[_HEAD]
        position = head % CAPACITY
        bound = position  # up to here there is room without a look at `tail`
        head_of_lap = head - position

        def write(data: Any, /) -> int:
            nonlocal position
            size = len(data)
            end = position + size
            if end > bound:
                return write_slowly(data)
            try:
                view[position:end] = data
            except (ValueError, TypeError):  # not made of single bytes
                return write(bytes(data))
            position = end
            header[_HEAD] = head_of_lap + end
            if header[_IS_READER_ASLEEP]:
                wake()
            return size

        def make_room() -> int:
            """Move on to the next lap, or find how far this one is free; return how many bytes fit in now."""
            # No call here either: a handler's write in between must not find one without the other.
            nonlocal position, bound, head_of_lap
            if position == CAPACITY:
                position, head_of_lap = 0, head_of_lap + CAPACITY
            limit = header[_TAIL] + CAPACITY - head_of_lap
            if limit > CAPACITY:
                limit = CAPACITY
            if limit > position + WAKE_BYTES:
                limit = position + WAKE_BYTES
            bound = limit
            return limit - position

        def write_slowly(data: Any) -> int:
            with self._lock:  # others who write meanwhile find no room either, or write between two pieces
                rest = memoryview(data).cast("B")
                written = len(rest)
                while rest:
                    if make_room() <= 0:
                        self._wait_for_reader(lambda: make_room() > 0)
                        continue
                    wake()
                    rest = rest[write_piece(rest) :]
            return written

        def write_piece(rest: memoryview) -> int:
            nonlocal position
            size = len(rest)
            end = position + size if position + size < bound else bound
            size = end - position
            view[position:end] = rest[:size]
            position = end
            header[_HEAD] = head_of_lap + end
            return size

        return write

    def _wake_reader(self) -> None:
        self._header[_IS_READER_ASLEEP] = 0
        self._link.send(WAKE)

    def _wait_for_reader(self, is_done: Callable[[], bool]) -> None:
        while not is_done():
            self._header[_IS_WRITER_WAITING] = 1
            self._wake_reader()
            self._link.wait(_WAIT_SECONDS)

    def drain(self) -> None:
        """Wait until everything written so far is stored, so that what others write comes after it."""
        head = self._header[_HEAD]
        self._wait_for_reader(lambda: self._header[_TAIL] >= head)


class RingReader:
    """The supervisor's side, or that of whoever looks after both are dead."""

    def __init__(self, path: Path, *, is_new: bool = False) -> None:
        self.path = _create(path) if is_new else path
        """Where the child finds it."""
        self._map = _map(self.path)
        self._view = memoryview(self._map)[_HEADER_BYTES:]
        self._header = memoryview(self._map)[:_HEADER_BYTES].cast("Q")

    def forget(self) -> None:
        """In the forked child: this is the supervisor's."""
        _keep_for_ever(self._map)

    def take(self, store: Callable[[bytes], int], wake: Callable[[], None]) -> int:
        """Give everything that is there to `store`, in pieces, and return how many bytes that was.

        `store` returns how many bytes it has stored: what is no output it does not.
        """
        head, tail = self._header[_HEAD], self._header[_TAIL]
        if not 0 <= head - tail <= CAPACITY:  # overwritten by a command gone wild
            self._header[_TAIL] = head
            return 0
        # The call below is also what keeps a processor that reorders its stores from showing `head` before the data.
        os.getppid()
        taken = head - tail
        while tail < head:
            start = tail % CAPACITY
            size = min(head - tail, CAPACITY - start, PIECE_BYTES)
            stored = store(bytes(self._view[start : start + size]))
            tail += size
            self._header[_TAIL] = tail
            self._header[_STORED] += stored
        if taken and self._header[_IS_WRITER_WAITING]:
            self._header[_IS_WRITER_WAITING] = 0
            wake()
        return taken

    def note_stored(self, size: int) -> None:
        """Count bytes stored from elsewhere; after a death the count tells whether a piece was stored twice."""
        self._header[_STORED] += size

    def sleep(self) -> bool:
        """Ask to be woken by the next write; False if there was one meanwhile."""
        self._header[_IS_READER_ASLEEP] = 1
        return self._header[_HEAD] == self._header[_TAIL]

    def rest(
        self, stored_bytes: int, read_stored: Callable[[int, int], bytes], output_in: Callable[[bytes], bytes] = bytes
    ) -> bytes:
        """Return what nobody stored; a dead supervisor may have stored its last piece without counting it.

        `output_in` leaves out what is no output.
        """
        head, tail = self._header[_HEAD], self._header[_TAIL]
        data = output_in(b"".join(self._pieces(tail, head)))
        uncounted = stored_bytes - self._header[_STORED]
        if 0 < uncounted <= len(data) and read_stored(self._header[_STORED], uncounted) == data[:uncounted]:
            data = data[uncounted:]
        return data

    def _pieces(self, tail: int, head: int) -> list[bytes]:
        if not 0 <= head - tail <= CAPACITY:  # overwritten by a command gone wild
            return []
        start, size = tail % CAPACITY, head - tail
        first = bytes(self._view[start : min(start + size, CAPACITY)])
        return [first, bytes(self._view[: size - len(first)])]


def make_link() -> tuple[socket.socket, socket.socket]:
    """Return the supervisor's and the child's end of a link."""
    ours, childs = socket.socketpair()
    ours.setblocking(False)
    return ours, childs
