"""The stream of a run's lines: by a real server, and its mechanics with a run that a test writes."""

import asyncio
import http.client
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from launcher import runs, stream
from launcher.models import Run, Status
from launcher.output.marks import Mark
from launcher.output.reading import SpooledOutput
from launcher.output.window import Cursor
from launcher.stream import Gone, Lines, State
from tests.output.spools import new_spool, ship_all, write
from tests.waiting import wait_for
from tests.web_servers import WebServer

CHECK_SECONDS = 0.5
POOLED = 8
"""Threads that stay once they were needed."""
ROW = re.compile(r'<div class="launcher-row" id="L(\d+)"')


@dataclass(frozen=True)
class Event:
    name: str
    data: str
    id: str

    @property
    def settled(self) -> list[int]:
        """Numbers of the lines that it has for good."""
        return [int(number) for number in ROW.findall(self.data.partition('<div id="launcher-tail"')[0])]


class Stream:
    """A connection on which events come."""

    def __init__(self, server: WebServer, client: Client, run: Run, **headers: str) -> None:
        self._connection = http.client.HTTPConnection(server.address, timeout=30)
        cookie = f"sessionid={client.cookies['sessionid'].value}"
        url = f"/admin/launcher/run/{run.pk}/stream/"
        self._connection.request("GET", url, headers={"Cookie": cookie, "Accept-Encoding": "gzip", **headers})
        self.response = self._connection.getresponse()

    def __iter__(self) -> Iterator[Event]:
        """Yield events to the end, which is also that of a killed server."""
        fields: dict[str, list[str]] = {}
        while line := self._line():
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                fields.setdefault(name, []).append(value)
            elif fields:
                if "event" in fields:
                    yield Event(fields["event"][0], "\n".join(fields["data"]), fields.get("id", [""])[0])
                fields = {}
        self.close()

    def _line(self) -> str:
        try:
            return self.response.readline().decode()
        except (http.client.HTTPException, OSError):
            return ""

    def until(self, is_wanted: Callable[[Event], bool]) -> list[Event]:
        """Return events up to the first one that is wanted."""
        found = []
        for event in self:
            found.append(event)
            if is_wanted(event):
                return found
        raise AssertionError(f"ended without it: {found}")

    def close(self) -> None:
        self.response.close()
        self._connection.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[WebServer]:
    log = tmp_path_factory.mktemp("server") / "log"
    server = WebServer("uvicorn", log, LAUNCHER_TEST_CHECK_SECONDS=str(CHECK_SECONDS))
    server.start()
    yield server
    server.kill()


Connect = Callable[..., Stream]


@pytest.fixture
def connect(server: WebServer) -> Iterator[Connect]:
    """Open streams, which are closed at the end."""
    with ExitStack() as stack:

        def open_stream(client: Client, run: Run, **headers: str) -> Stream:
            return stack.enter_context(closing(Stream(server, client, run, **headers)))

        yield open_stream


def is_lines(event: Event) -> bool:
    return event.name == "lines" and bool(event.settled)


def count_run(user: User, gate: Path) -> Run:
    return runs.start_run("run_counts", [str(gate), "--milliseconds", "2"], user=user)


def test_a_stream_taken_up_again_gives_every_line_once(
    server: WebServer, connect: Connect, owner: User, owner_client: Client, gate: Path
) -> None:
    run = count_run(owner, gate)
    first = connect(owner_client, run)
    events = first.until(lambda event: len(event.settled) > 5)
    first.close()
    second = connect(owner_client, run, **{"Last-Event-ID": events[-1].id})
    events += second.until(is_lines)
    server.kill()
    server.start()
    gate.touch()
    events += connect(owner_client, run, **{"Last-Event-ID": events[-1].id})
    numbers = [number for event in events for number in event.settled]
    assert numbers == list(range(1, len(numbers) + 1))
    assert f"{len(numbers) - 1} lines<" in "".join(event.data for event in events)
    assert events[-1].name == "end"


def test_nobody_on_the_way_may_hold_a_stream_back(
    connect: Connect, owner: User, owner_client: Client, gate: Path
) -> None:
    headers = connect(owner_client, count_run(owner, gate)).response.headers
    assert headers["Content-Type"] == "text/event-stream"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Content-Encoding"] == "identity"
    assert "no-cache" in headers["Cache-Control"]


def test_readers_who_have_left_leave_nothing_behind(
    server: WebServer, connect: Connect, owner: User, owner_client: Client, gate: Path
) -> None:
    run = count_run(owner, gate)
    files, threads = open_files(server), count_threads(server)
    streams = [connect(owner_client, run) for _ in range(12)]
    assert all(one.until(is_lines) for one in streams)
    wait_for(lambda: not any("sqlite" in name for name in open_files(server)))  # but for a moment now and then
    for one in streams:
        one.close()
    wait_for(lambda: open_files(server) == files)
    wait_for(lambda: count_threads(server) <= threads + POOLED)


def open_files(server: WebServer) -> list[str]:
    folder = Path(f"/proc/{server.pid}/fd")
    found = []
    for path in folder.iterdir():
        with suppress(OSError):
            found.append(os.readlink(path))
    return sorted(name for name in found if name.startswith(("/", "socket")))


def count_threads(server: WebServer) -> int:
    return len(list(Path(f"/proc/{server.pid}/task").iterdir()))


@pytest.mark.parametrize("taken", ["grant", "session", "activity"])
def test_a_stream_ends_when_its_reader_may_not_read_any_more(
    connect: Connect, owner: User, operator: User, operator_client: Client, gate: Path, taken: str
) -> None:
    run = count_run(owner, gate)
    Run.objects.filter(pk=run.pk).update(command="recalculate_stats")
    stream = connect(operator_client, run)
    assert stream.until(lambda event: event.name == "lines")
    if taken == "grant":
        operator.groups.clear()
    elif taken == "session":
        operator_client.session.delete()
    else:
        User.objects.filter(pk=operator.pk).update(is_active=False)
    assert stream.until(lambda event: event.name == "gone")


def test_who_may_not_read_a_run_gets_no_stream(
    connect: Connect, owner: User, outsider_client: Client, gate: Path
) -> None:
    assert connect(outsider_client, count_run(owner, gate)).response.status == 403


def test_lines_of_a_run_on_another_host_come_from_the_database(
    connect: Connect, owner_client: Client, transactional_db: None
) -> None:
    run = Run.objects.create(command="check", command_line="check", host="elsewhere", status=Status.RUNNING)
    spool = new_spool(run)
    write(spool, b"".join(b"line %d\n" % number for number in range(1, 101)))
    ship_all(run, SpooledOutput(spool))
    stream = connect(owner_client, run)
    events = stream.until(is_lines)
    write(spool, b"".join(b"line %d\n" % number for number in range(101, 201)))
    ship_all(run, SpooledOutput(spool))
    events += stream.until(is_lines)
    numbers = [number for event in events for number in event.settled]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 100


def test_a_server_with_threads_says_why_it_has_no_stream(owner_client: Client, owner: User) -> None:
    run = Run.objects.create(command="check", command_line="check")
    answer = owner_client.get(f"/admin/launcher/run/{run.pk}/stream/")
    assert answer.status_code == 501
    assert "a thread for each open stream" in answer.content.decode()
    assert "launcher-stream" not in owner_client.get(f"/admin/launcher/run/{run.pk}/change/").content.decode()


def place(offset: int) -> Cursor:
    return Cursor(mark=Mark(offset=offset, line=offset))


@dataclass
class Numbers:
    """A run that has written the numbers up to `size`, each one byte long."""

    size: int = 0
    is_finished: bool = False
    is_gone: bool = False
    window: int = 10
    drawn: list[tuple[int, int]] = field(default_factory=list)

    def state(self) -> State:
        if self.is_gone:
            raise Gone
        return State(said=f'"{self.is_finished}"', is_finished=self.is_finished)

    def hint(self) -> int:
        return self.is_finished

    def signature(self, state: State) -> int:
        return self.size

    def start(self, state: State) -> Lines:
        return self._lines(self.size, self.size)

    def following(self, state: State, cursor: Cursor, until: Cursor | None = None) -> Lines:
        begin = cursor.mark.offset
        end = min(begin + self.window, until.mark.offset if until else self.size)
        self.drawn.append((begin, end))
        return self._lines(begin, end)

    def _lines(self, begin: int, end: int) -> Lines:
        return Lines(
            begin=begin,
            cursor=place(end),
            rows="".join(f"{number}," for number in range(begin, end)),
            tail=f'<div id="launcher-tail" data-from="{begin}">',
            is_at_end=end == self.size,
        )


@dataclass
class Reader:
    """Reads a stream, and checks that each piece goes on where it is."""

    source: Numbers
    at: int = 0
    may_read: bool = True
    got: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.events: AsyncIterator[bytes] = stream.stream("run", lambda: self.source, place(self.at), self.is_allowed)

    def is_allowed(self) -> bool:
        return self.may_read

    async def read(self, until: Callable[[], bool]) -> None:
        async for data in self.events:
            self.take(data.decode())
            if until():
                return

    def take(self, data: str) -> None:
        for event in data.split("\n\n"):
            if found := re.search(r"event: (\w+)", event):
                self.names.append(found[1])
            if 'data-from="' in event:
                rows, begin = re.findall(r'data: ([\d,]*)<div id="launcher-tail" data-from="(\d+)"', event)[0]
                assert int(begin) == self.at, "it would not be added by a page"
                self.got += map(int, rows.split(",")[:-1])
                self.at = int(re.findall(r"id: (\d+)", event)[0])

    async def close(self) -> None:
        await self.events.aclose()  # type: ignore[attr-defined]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_SECONDS", "QUIET_LOOK_SECONDS", "STATE_SECONDS", "READER_SECONDS", "BEAT_SECONDS"):
        monkeypatch.setattr(stream, name, 0.002)


@pytest.fixture
def numbers(quick: None, db: None) -> Numbers:
    return Numbers()


async def grow(source: Numbers, size: int) -> None:
    for _ in range(size):
        await asyncio.sleep(0.001)
        source.size += 1


def test_readers_who_come_at_any_time_get_each_line_once(numbers: Numbers) -> None:
    async def look() -> list[Reader]:
        readers: list[Reader] = []
        reading = []
        writing = asyncio.create_task(grow(numbers, 200))
        while not writing.done():
            readers.append(Reader(numbers, at=min(numbers.size, 3 * len(readers))))
            first = readers[-1].at
            reading.append(asyncio.create_task(readers[-1].read(lambda: False)))
            readers[-1].got += range(first)
            await asyncio.sleep(0.02)
        numbers.is_finished = True
        await asyncio.gather(*reading)
        return readers

    readers = asyncio.run(look())
    assert len(readers) > 3
    assert [reader.got for reader in readers] == [list(range(200))] * len(readers)
    assert {reader.names[-1] for reader in readers} == {"end"}
    assert not stream._tails


def test_what_is_new_is_drawn_once_for_all_readers(numbers: Numbers) -> None:
    async def look() -> None:
        readers = [Reader(numbers) for _ in range(20)]
        reading = [asyncio.create_task(reader.read(lambda: False)) for reader in readers]
        await grow(numbers, 50)
        numbers.is_finished = True
        await asyncio.gather(*reading)

    asyncio.run(look())
    begins = [begin for begin, end in numbers.drawn if end > begin]
    assert len(begins) == len(set(begins))


def test_a_reader_slower_than_what_is_kept_goes_on_where_it_is(
    numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "KEPT_EVENTS", 2)

    async def look() -> Reader:
        quick, slow = Reader(numbers), Reader(numbers)
        await slow.read(lambda: "lines" in slow.names)
        reading = asyncio.create_task(quick.read(lambda: False))
        await grow(numbers, 100)
        numbers.is_finished = True
        await reading
        # What it has missed of the tail it reads by itself, though that has ended meanwhile.
        await slow.read(lambda: False)
        return slow

    slow = asyncio.run(look())
    assert slow.got == list(range(100))
    assert slow.names[-1] == "end"


def test_the_tail_goes_with_its_last_reader(numbers: Numbers) -> None:
    async def look() -> tuple[int, set[str]]:
        one, other = Reader(numbers), Reader(numbers)
        await one.read(lambda: "lines" in one.names)
        await other.read(lambda: "lines" in other.names)
        shared = len(stream._tails)
        await one.close()
        assert stream._tails
        await other.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        return shared, {task.get_name() for task in asyncio.all_tasks()} - {asyncio.current_task().get_name()}  # type: ignore[union-attr]

    assert asyncio.run(look()) == (1, set())
    assert not stream._tails


def test_a_stream_is_told_that_its_run_was_deleted(numbers: Numbers) -> None:
    async def look() -> Reader:
        reader = Reader(numbers)
        await reader.read(lambda: "lines" in reader.names)
        numbers.is_gone = True
        await reader.read(lambda: False)
        return reader

    assert asyncio.run(look()).names[-1] == "gone"


def test_a_stream_says_that_it_is_alive_and_ends_when_it_is_old(
    numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ALIVE_SECONDS", 0.01)
    monkeypatch.setattr(stream, "LIFE_SECONDS", 0.2)

    async def look() -> Reader:
        reader = Reader(numbers)
        await reader.read(lambda: False)
        return reader

    names = asyncio.run(look()).names
    assert names[:2] == ["state", "state"]
    assert "alive" in names
    assert not {"end", "gone"} & set(names)


def test_every_line_of_a_text_is_a_line_of_its_event() -> None:
    assert stream.encode("lines", "a\r\nb\rc\n", "7") == b"id: 7\nevent: lines\ndata: a\ndata: b\ndata: c\ndata: \n\n"
