"""What stands in for `sys.stdout` and `sys.stderr` in a command's process. Installed before Django is set up.

Log handlers and consoles keep the stream that they find when they are made, so the streams stay the same objects from
the start, and only where they write to changes: kept while the project is set up, then into the ring, and straight to
the terminal from the moment when somebody else may write there too, since then only the kernel knows the order.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any

from launcher.execution.ring import RingWriter
from launcher.output.terminal import ERROR_OFF, ERROR_ON

_OTHERS_WRITE = frozenset(
    {"subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.exec", "pty.spawn"}
)
"""Audit events after which other processes may write to the same terminal; see "Audit events" in Python's library."""

Piece = tuple[int, bytes]
"""A descriptor, 1 or 2, and what was written to it."""
Write = Callable[[Any], int]


class Sink(io.BufferedIOBase):
    """What a text stream writes its bytes to; `write` is put in its place by the capture, and buffers nothing."""

    def __init__(self, descriptor: int, write: Write) -> None:
        self._descriptor = descriptor
        self.write: Write = write  # an attribute, so that each line is one call
        self.mode = "wb"

    @property
    def name(self) -> str:
        """The name that the stream has on the shell."""
        return "<stdout>" if self._descriptor == 1 else "<stderr>"

    @property
    def raw(self) -> Sink:
        """There is nothing below it."""
        return self

    def flush(self) -> None:
        """Do nothing: a line is safe as soon as it is written, and shown soon after."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that it has on the shell; it is open unless the command has closed it."""
        return self._descriptor

    def isatty(self) -> bool:
        """Tell whether that is a terminal."""
        try:
            return os.isatty(self._descriptor)
        except OSError:
            return False


class Capture:
    """Where both streams write to, and when that changes."""

    def __init__(self) -> None:
        self.kept: list[Piece] = []
        """What was printed while the project was set up."""
        self._ring: RingWriter | None = None
        self._is_direct = False
        self._sinks = {descriptor: Sink(descriptor, self._keeper(descriptor)) for descriptor in (1, 2)}
        self._heard: list[Callable[[str, tuple[Any, ...]], None]] = []
        self._is_listening = False

    def install(self) -> None:
        """Put streams of this capture in the place of Python's own, and keep what is written to them."""
        sys.stdout = sys.__stdout__ = self._stream(1, sys.stdout)  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = self._stream(2, sys.stderr)  # type: ignore[misc]

    def _stream(self, descriptor: int, old: Any) -> io.TextIOWrapper:
        encoding = getattr(old, "encoding", None) or "utf-8"
        errors = "backslashreplace" if descriptor == 2 else getattr(old, "errors", None)
        stream = io.TextIOWrapper(self._sinks[descriptor], encoding=encoding, errors=errors, line_buffering=True)
        stream.mode = "w"  # type: ignore[misc]
        return stream

    # Where a sink writes to

    def _keeper(self, descriptor: int) -> Write:
        def write(data: Any) -> int:
            self.kept.append((descriptor, bytes(data)))
            return len(data)

        return write

    def _direct(self, descriptor: int, *, is_marked: bool) -> Write:
        def write(data: Any) -> int:
            write_all(descriptor, marked(data) if is_marked and descriptor == 2 else data)
            return len(data)

        return write

    def _through(self, descriptor: int, ring: RingWriter) -> Write:
        def write(data: Any) -> int:
            ring.write(marked(data))
            return len(data)

        return ring.write if descriptor == 1 else write

    # When that changes

    def pass_on(self) -> None:
        """From now on write straight to the descriptors, unmarked: this process is no command's."""
        kept, self.kept = self.kept, []
        self._is_direct = True
        for descriptor, sink in self._sinks.items():
            sink.write = self._direct(descriptor, is_marked=False)
        for descriptor, data in kept:
            write_all(descriptor, data)

    def give_up(self) -> None:
        """Before this process dies of an error: show what was kept, unless it has a ring already."""
        if self._ring is None:
            self.pass_on()

    def enter_ring(self, ring: RingWriter) -> None:
        """From now on write into the ring, first what was kept: the shell would have shown it as well."""
        kept, self.kept = self.kept, []
        self._ring = ring
        for descriptor, sink in self._sinks.items():
            sink.write = self._through(descriptor, ring)
        for descriptor, data in kept:
            self._sinks[descriptor].write(data)
        self.listen(self._on_event)
        os.register_at_fork(after_in_child=self._leave_ring)
        self._watch_os_write()

    def listen(self, heard: Callable[[str, tuple[Any, ...]], None]) -> None:
        """Have a function called for each audit event of this process, from now until it is dropped."""
        self._heard.append(heard)
        if not self._is_listening:
            self._is_listening = True
            sys.addaudithook(self._hear)  # it can't be taken back

    def drop(self, heard: Callable[[str, tuple[Any, ...]], None]) -> None:
        """Don't call the function any more."""
        self._heard.remove(heard)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        for heard in self._heard:
            heard(event, arguments)

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        # A question is written past the streams, and its answer's echo by the kernel.
        if event in _OTHERS_WRITE or event == "builtins.input" or (event == "open" and arguments[0] == "/dev/tty"):
            self.go_direct()

    def go_direct(self) -> None:
        """From now on write straight to the terminal, marks and all, so that what others write there is in order."""
        if self._ring is None or self._is_direct:
            return
        self._ring.drain()
        self._leave_ring()

    def _leave_ring(self) -> None:
        """Write straight to the terminal; a process that the command has forked does, too: the ring is its parent's."""
        self._is_direct = True
        for descriptor, sink in self._sinks.items():
            sink.write = self._direct(descriptor, is_marked=True)

    def _watch_os_write(self) -> None:
        """Take part in the order of what the command writes to 1 and 2 by `os.write`, which has no audit event."""
        write = os.write

        def watched(fd: int, data: Any, /) -> int:
            if fd in (1, 2) and not self._is_direct:
                self.go_direct()
            return write(fd, data)

        watched.__name__ = watched.__qualname__ = "write"
        watched.__doc__ = write.__doc__
        os.write = watched


def marked(data: Any) -> bytes:
    """Return what was written to stderr between its marks; nothing for nothing."""
    return ERROR_ON + bytes(data) + ERROR_OFF if len(data) else b""


def write_all(descriptor: int, data: Any) -> None:
    """Write all of it, as a text stream on that descriptor would."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[os.write(descriptor, rest) :]
