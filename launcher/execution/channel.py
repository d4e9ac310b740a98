"""What is between a supervisor and its child: a terminal (or a pipe), the ring, and the link. Knows no Django."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
import struct
import termios
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from launcher.execution.ring import RingReader, make_link
from launcher.output.screen import COLUMNS, ROWS

GO = b"g"


@dataclass(kw_only=True)
class Channel:
    """Both ends of everything. The supervisor closes the child's ends once there is a child, and the child its own."""

    ring: RingReader
    link: socket.socket
    childs_link: socket.socket
    terminal: int
    """What the supervisor reads: the master of a pseudo-terminal, or a pipe."""
    childs_output: int
    terminal_name: str = ""
    """The pseudo-terminal's, or empty where there is a pipe."""

    @classmethod
    def open(cls, ring_path: Path, *, has_terminal: bool) -> Channel:
        """Make one. The terminal becomes the controlling one of this process, which must lead its session."""
        ring = RingReader(ring_path, is_new=True)
        link, childs_link = make_link()
        terminal, output = _open_terminal() if has_terminal else os.pipe()
        name = os.ttyname(output) if has_terminal else ""
        return cls(
            ring=ring,
            link=link,
            childs_link=childs_link,
            terminal=terminal,
            childs_output=output,
            terminal_name=name,
        )

    def close_childs_ends(self) -> None:
        """In the supervisor: what is left is its own."""
        os.close(self.childs_output)
        self.childs_link.close()

    def close_own_ends(self) -> None:
        """In the forked child: what is left is the child's."""
        os.close(self.terminal)
        self.link.close()
        self.ring.forget()

    def give_foreground(self, group: int) -> None:
        """Make a process group the one that reads from the terminal, and that its signals go to."""
        if not self.terminal_name:
            return
        with suppress(OSError):
            descriptor = os.open(self.terminal_name, os.O_RDWR | os.O_NOCTTY)
            try:
                os.tcsetpgrp(descriptor, group)
            finally:
                os.close(descriptor)

    def is_echoing(self) -> bool:
        """Tell whether the terminal shows what is typed; a program that asks for a password turns that off."""
        try:
            modes = termios.tcgetattr(self.terminal)
        except (termios.error, OSError):
            return True
        # An editor of lines shows by itself what is typed.
        return bool(modes[3] & termios.ECHO) or not modes[3] & termios.ICANON

    def is_raw(self) -> bool:
        """Tell whether each key is read as it is typed."""
        try:
            return not termios.tcgetattr(self.terminal)[3] & termios.ICANON
        except (termios.error, OSError):
            return False


def _open_terminal() -> tuple[int, int]:
    """Return the two ends of a pseudo-terminal that passes bytes as they are written."""
    terminal, terminal_end = pty.openpty()
    modes = termios.tcgetattr(terminal_end)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(terminal_end, termios.TCSANOW, modes)
    fcntl.ioctl(terminal_end, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    # From the background, where a supervisor is, a change of the foreground would stop it.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    fcntl.ioctl(terminal_end, termios.TIOCSCTTY, 0)
    return terminal, terminal_end
