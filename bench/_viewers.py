"""Many viewers of one run, in one process: each does what a page does, and notes what it gets, and when.

A line's text begins with the time at which it was printed; its lag is how long it takes to the viewer, settled or not.
Every settled line must come once, in order.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

WARM_SECONDS = 10.0
"""What is printed so soon after the last viewer has come does not count: it is about coming, not about staying."""
END_SECONDS = 60.0
RETRY_SECONDS = 2.0
"""After so long a page asks again, when it was not answered."""

_ROW = re.compile(rb'data-number="(\d+)".*?<code>(\d+\.\d+) ', re.DOTALL)
_TAIL = re.compile(rb'<div id="launcher-tail"([^>]*)>')
_ATTRIBUTE = re.compile(r'data-([\w-]+)(?:="([^"]*)")?')


@dataclass(frozen=True, kw_only=True)
class Fragment:
    """What a fragment has, however many viewers get it."""

    settled: tuple[int, ...]
    """Numbers of the lines that stay."""
    printed: tuple[tuple[int, float], ...]
    """All lines with their time."""
    tail: dict[str, str]


@lru_cache(maxsize=256)
def read_fragment(data: bytes) -> Fragment:
    """Read a fragment's rows and the attributes of its tail."""
    tail = _TAIL.search(data)
    assert tail, data[:1000]
    settled = tuple(int(number) for number, _ in _ROW.findall(data, 0, tail.start()))
    printed = tuple((int(number), float(at)) for number, at in _ROW.findall(data))
    attributes = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tail[1].decode())}
    return Fragment(settled=settled, printed=printed, tail=attributes)


@dataclass(kw_only=True)
class Viewer:
    """What one viewer has got."""

    path: str
    cookie: str
    first: int | None = None
    settled: int = 0
    """The last settled line."""
    shown: int = 0
    missed: int = 0
    doubled: int = 0
    has_ended: bool = False
    answers: int = 0
    lags: list[tuple[float, float]] = field(default_factory=list)
    """When a line was printed, and how long it was on its way."""

    def take(self, fragment: Fragment) -> None:
        """Take note of a fragment that has arrived just now."""
        now = time.time()
        for number in fragment.settled:
            if number > self.settled + 1 and self.first is not None:
                self.missed += number - self.settled - 1
            elif number <= self.settled:
                self.doubled += 1
            if self.first is None:
                self.first = number
                self.missed += number - 1
            self.settled = max(self.settled, number)
        for number, at in reversed(fragment.printed):
            if number <= self.shown:
                break
            self.lags.append((at, now - at))
        if fragment.printed:
            self.shown = max(self.shown, fragment.printed[-1][0])


class Streaming(asyncio.Protocol):
    """A viewer's connection on which events come."""

    def __init__(self, viewer: Viewer, ended: asyncio.Event) -> None:
        self._viewer = viewer
        self._ended = ended
        self._buffer = bytearray()
        self._events = b""
        self._head: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        words = f"GET {self._viewer.path}stream/?cursor=0-0-0- HTTP/1.1\r\nHost: localhost\r\n"
        transport.write(f"{words}Cookie: {self._viewer.cookie}\r\nAccept: text/event-stream\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Read the chunks that are whole (RFC 9112, section 7.1)."""
        self._buffer += data
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end == -1:
                return
            self._head = bytes(self._buffer[:end])
            assert b" 200 " in self._head.split(b"\r\n")[0], self._head
            del self._buffer[: end + 4]
        while (end := self._buffer.find(b"\r\n")) != -1:
            size = int(self._buffer[:end], 16)
            if len(self._buffer) < end + 2 + size + 2:
                return
            piece = bytes(self._buffer[end + 2 : end + 2 + size])
            del self._buffer[: end + 2 + size + 2]
            self._take(piece)

    def _take(self, piece: bytes) -> None:
        *events, self._events = (self._events + piece).split(b"\n\n")
        for event in events:
            if b"event: lines\n" in event:
                self._viewer.answers += 1
                self._viewer.take(read_fragment(event))
            elif b"event: end" in event:
                self._viewer.has_ended = True
                self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Note that it is over."""
        self._ended.set()


async def stream(viewer: Viewer, host: str, port: int) -> None:
    """View by one stream, to the run's end."""
    ended = asyncio.Event()
    await asyncio.get_running_loop().create_connection(lambda: Streaming(viewer, ended), host, port)
    await ended.wait()


async def poll(viewer: Viewer, host: str, port: int) -> None:
    """View by polling, as the page does it, to the run's end."""
    state = {"cursor": "0-0-0-", "had": "", "wait": "20", "seen": "", "asked": ""}
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while not viewer.has_ended:
        try:
            if connection is None:
                connection = await asyncio.open_connection(host, port)
            data, is_kept = await _get(*connection, f"{viewer.path}lines/?{urlencode(state)}", viewer.cookie)
        except (OSError, asyncio.IncompleteReadError):  # a kept connection that was closed meanwhile, most likely
            if connection is not None:
                connection[1].close()
            connection = None
            continue
        if not is_kept:
            connection[1].close()
            connection = None
        if data is None:
            await asyncio.sleep(RETRY_SECONDS)
            continue
        viewer.answers += 1
        fragment = read_fragment(data)
        tail = fragment.tail
        if tail["from"] == state["cursor"].split("-")[0]:
            viewer.take(fragment)
            state |= {"cursor": tail["cursor"], "had": tail["digest"]}
        state |= {"wait": tail["wait"], "seen": tail["seen"], "asked": tail["asked"]}
        viewer.has_ended = "live" not in tail
        await asyncio.sleep(int(tail["wait"]) / 1000)
    if connection is not None:
        connection[1].close()


async def _get(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, cookie: str
) -> tuple[bytes | None, bool]:
    words = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nHX-Request: true\r\n\r\n"
    writer.write(words.encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = re.search(r"(?i)^content-length: *(\d+)", head, re.MULTILINE)
    assert length, head
    data = await reader.readexactly(int(length[1]))
    is_well = head.split(" ", 2)[1] == "200"
    return data if is_well else None, not re.search(r"(?i)^connection: *close", head, re.MULTILINE)


async def view_all(way: str, host: str, port: int, path: str, cookies: Sequence[str]) -> dict[str, Any]:
    """Let all view to the run's end, and return what they have got."""
    viewers = [Viewer(path=path, cookie=cookie) for cookie in cookies]
    view = stream if way == "stream" else poll
    started = time.time()
    tasks = []
    for viewer in viewers:
        tasks.append(asyncio.create_task(view(viewer, host, port)))
        await asyncio.sleep(0.004)  # people don't come all in one moment
    while not all(viewer.answers for viewer in viewers):
        await asyncio.sleep(0.05)
    print("all there", flush=True)
    all_there = time.time()
    busy = time.process_time()
    await asyncio.wait(tasks)
    for task in tasks:
        task.result()
    last = max(viewer.settled for viewer in viewers)
    lags = sorted(lag for viewer in viewers for at, lag in viewer.lags if at > all_there + WARM_SECONDS)
    return {
        "lines": last,
        "missed": sum(viewer.missed + last - viewer.settled for viewer in viewers),
        "doubled": sum(viewer.doubled for viewer in viewers),
        "unended": sum(not viewer.has_ended for viewer in viewers),
        "coming_seconds": all_there - started,
        "answers": sum(viewer.answers for viewer in viewers),
        "seconds": time.time() - all_there,
        "load_cores": (time.process_time() - busy) / (time.time() - all_there),
        "p50": lags[len(lags) // 2],
        "p99": lags[len(lags) * 99 // 100],
        "longest": lags[-1],
    }


def main() -> None:
    """Read on standard input who views what, and write what came of it on standard output, both as JSON.

    A line on standard output says before that when all of them are there.
    """
    asked = json.load(sys.stdin)
    json.dump(asyncio.run(view_all(**asked)), sys.stdout)


if __name__ == "__main__":
    main()
