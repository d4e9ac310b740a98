"""What is said to a going run's supervisor, on its own machine: answers to prompts, which no record may hold."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from launcher.execution import local_socket
from launcher.output.spool import Spool

LIMIT_BYTES = 64 * 1024
SECONDS = 2.0
Message = dict[str, Any]


class CannotReach(Exception):
    """There is no supervisor to talk to on this machine."""


def _path(spool: Spool) -> Path:
    return spool.folder / "control"


def say(spool: Spool, message: Message) -> Message:
    """Say something to a run's supervisor and return its answer; raises CannotReach."""
    try:
        with local_socket.connect(_path(spool), timeout_seconds=SECONDS) as connection:
            connection.sendall(json.dumps(message).encode())
            connection.shutdown(socket.SHUT_WR)
            answer: Message = json.loads(local_socket.receive(connection, LIMIT_BYTES))
    except (OSError, ValueError) as error:
        raise CannotReach from error
    return answer


class Listener:
    """The supervisor's side: hands each message to a function, and its answer back."""

    def __init__(self, spool: Spool, hear: Callable[[Message], Message]) -> None:
        self._hear = hear
        self._socket: socket.socket | None = None
        with suppress(OSError):  # no answers then; everything else goes on
            self._socket = local_socket.listen(_path(spool))
            self._socket.setblocking(False)

    def fileno(self) -> int | None:
        """Return the descriptor that is readable when somebody speaks; None where nobody can."""
        return self._socket.fileno() if self._socket is not None else None

    def take(self) -> None:
        """Answer one who speaks, and wait no longer than a moment for what he says."""
        if self._socket is None:
            return
        with suppress(OSError, ValueError):
            connection, _ = self._socket.accept()
            with connection:
                connection.settimeout(0.5)
                message = json.loads(local_socket.receive(connection, LIMIT_BYTES))
                connection.sendall(json.dumps(self._hear(message)).encode())

    def close(self) -> None:
        """Hear nobody any more."""
        if self._socket is not None:
            self._socket.close()
