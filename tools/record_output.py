"""Runs a command on a terminal like a run's, and keeps what it wrote: `python -m tools.record_output FILE COMMAND`.

Lines on standard input are typed into the terminal, each once it has been quiet for a moment. The command's exit code
is the tool's own. tests/recordings has what was recorded so.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios
from pathlib import Path

from launcher.output.screen import COLUMNS, ROWS

QUIET_SECONDS = 1.0


def record(argv: list[str], answers: list[str]) -> tuple[bytes, int]:
    """Return everything that a command writes to its terminal, and its exit code."""
    child, terminal = pty.fork()
    if child == 0:
        modes = termios.tcgetattr(1)
        modes[1] &= ~termios.OPOST
        termios.tcsetattr(1, termios.TCSANOW, modes)
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvpe(argv[0], argv, {**os.environ, "TERM": "xterm-256color"})
    written = bytearray()
    while True:
        if answers and not select.select([terminal], [], [], QUIET_SECONDS)[0]:
            os.write(terminal, answers.pop(0).encode() + b"\n")
        try:
            data = os.read(terminal, 65536)
        except OSError:  # how Linux says that nobody has the other end any more
            data = b""
        if not data:
            break
        written += data
    return bytes(written), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> int:
    """Record, and say how much."""
    file, *argv = sys.argv[1:]
    answers = [] if sys.stdin.isatty() else sys.stdin.read().splitlines()
    written, code = record(argv, answers)
    Path(file).write_bytes(written)
    print(f"{file}: {len(written)} bytes, exit code {code}")
    return code


if __name__ == "__main__":
    sys.exit(main())
