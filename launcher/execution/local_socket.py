"""Sockets of this machine in a folder that only their owner can enter, however long its path is."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_ADDRESS = 100
"""Bytes; the kernel takes 108 with the closing NUL, other systems less (unix(7))."""


@contextmanager
def _address(path: Path) -> Iterator[str]:
    if len(os.fsencode(path)) <= LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen(path: Path) -> socket.socket:
    """Return a listening socket; what lies at its path is replaced. Raises OSError."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _address(path) as address:
        listener.bind(address)
    listener.listen(128)
    return listener


def connect(path: Path, *, timeout_seconds: float) -> socket.socket:
    """Return a socket connected to the one that listens there; raises OSError, also where nobody does any more."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_seconds)
    try:
        with _address(path) as address:
            connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def send(connection: socket.socket, data: bytes, descriptor: int | None) -> None:
    """Send all of it, and an open file with its first bytes; raises OSError."""
    sent = 0 if descriptor is None else socket.send_fds(connection, [data], [descriptor])
    connection.sendall(data[sent:])


def receive_descriptor(connection: socket.socket, limit: int) -> tuple[bytes, int | None]:
    """Return what `send` has sent; raises OSError for more than `limit` bytes."""
    data, descriptors, _flags, _address = socket.recv_fds(connection, 1, 1, socket.MSG_CMSG_CLOEXEC)
    try:
        return data + receive(connection, limit), descriptors.pop() if descriptors else None
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def receive(connection: socket.socket, limit: int) -> bytes:
    """Return what the other side sends until it closes that direction; raises OSError for more than `limit` bytes."""
    data = b""
    while piece := connection.recv(256 * 1024):
        data += piece
        if len(data) > limit:
            raise OSError("The message is too long.")
    return data


def peer(connection: socket.socket) -> tuple[int, int]:
    """Return the process id and the user id of the other side, as they were when it connected or listened (Linux)."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, user, _group = struct.unpack("3i", found)
    return pid, user
