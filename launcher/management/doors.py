"""This process's own streams and signals, so that one loop can serve all of them without waiting for any of them."""

from __future__ import annotations

import os
import select
import signal
import termios
from contextlib import suppress
from types import FrameType
from typing import Any, Self

from launcher.management.streams import Bare

READ_BYTES = 64 * 1024


class Signals:
    """Ctrl-C and SIGTERM as something to be looked at. The second one raises KeyboardInterrupt, wherever that is.

    A signal that was ignored from the beginning (nohup, a background job of a script) stays so.
    """

    def __init__(self) -> None:
        self.first = 0
        """The number of the first one, 0 if there was none."""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        for descriptor in (self._reader, self._writer):
            os.set_blocking(descriptor, False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._reader)
        os.close(self._writer)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.first:
            raise KeyboardInterrupt
        self.first = number

    def wait(self, seconds: float | None, *, to_write: int | None = None) -> bool:
        """Wait, at most until a signal comes or the descriptor takes bytes; True if it does."""
        writers = [] if to_write is None else [to_write]
        came, ready, _ = select.select([self._reader], writers, [], seconds)
        if came:
            with suppress(BlockingIOError):
                os.read(self._reader, READ_BYTES)
        return bool(ready)


class Printer:
    """One of this process's outputs. Colours are for terminals, as `manage.py` has it, unless they are forced."""

    def __init__(self, stream: Any, *, is_colour_forced: bool) -> None:
        self.descriptor = descriptor_of(stream)
        self.is_terminal = self.descriptor is not None and os.isatty(self.descriptor)
        self._bare = None if self.is_terminal or is_colour_forced else Bare()
        if self.descriptor is not None:
            stream.flush()

    def prepared(self, data: bytes, *, is_end: bool = False) -> bytes:
        """Return what is to be written of some bytes; nothing where this process was started without the stream."""
        if self.descriptor is None:
            return b""
        return self._bare.strip(data, is_end=is_end) if self._bare else data

    def write(self, data: memoryview) -> int:
        """Write bytes and return how many were taken; raises OSError."""
        return 0 if self.descriptor is None else os.write(self.descriptor, data)


class Keyboard:
    """Where answers come from: a terminal, a pipe or a file. Without one it has ended from the beginning."""

    def __init__(self, stream: Any) -> None:
        self._descriptor = descriptor_of(stream)
        self._has_ended = self._descriptor is None
        self._rest = b""
        self._modes: list[Any] | None = None
        if self._descriptor is not None and os.isatty(self._descriptor):
            self._modes = termios.tcgetattr(self._descriptor)

    @property
    def is_terminal(self) -> bool:
        """Whether a person types here."""
        return self._modes is not None

    def __enter__(self) -> Self:
        self.show_typing(False)
        return self

    def __exit__(self, *error: object) -> None:
        if self._modes is not None:
            self._set(self._modes)

    def show_typing(self, is_shown: bool) -> None:
        """Show on a terminal what is typed, or hide it: a password may be typed before it is known to be one."""
        if self._modes is None:
            return
        modes = list(self._modes)
        if not is_shown:
            modes[3] &= ~termios.ECHO
        self._set(modes)

    def _set(self, modes: list[Any]) -> None:
        if self._descriptor is None or not self._is_ours():
            return
        with suppress(OSError, termios.error):  # the terminal may be gone
            if termios.tcgetattr(self._descriptor)[3] != modes[3]:
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, modes)

    def _is_ours(self) -> bool:
        """Tell whether reading would not stop this process, as it does one in the background (SIGTTIN, SIGTTOU)."""
        if self._descriptor is None or self._modes is None:
            return True
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # it is not the terminal that controls this process, so it stops none
            return True

    def line(self) -> bytes | None:
        """Return the next line with its newline, empty bytes at the end, or None if there is neither yet."""
        if b"\n" not in self._rest and not self._has_ended:
            self._read()
        line, newline, rest = self._rest.partition(b"\n")
        if newline:
            self._rest = rest
        elif not self._has_ended:
            return None
        elif line:  # the last one, without a newline
            self._rest, newline = b"", b"\n"
        if self.is_terminal:
            self._has_ended = False  # after Ctrl-D, a terminal has more
            return line + newline
        return line.removesuffix(b"\r") + newline  # as Python reads text

    def give_back(self, line: bytes) -> None:
        """Have the line, which `line` returned, be the next one once more; not for a terminal."""
        self._rest = line + self._rest

    def _read(self) -> None:
        if self._descriptor is None or not self._is_ours():
            return
        try:
            if not select.select([self._descriptor], [], [], 0)[0]:
                return
            data = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._rest += data
        self._has_ended = not data


def descriptor_of(stream: Any) -> int | None:
    """Return a stream's descriptor, or None where this process was started without, or something else stands there."""
    try:
        descriptor: int = stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None
    return descriptor
