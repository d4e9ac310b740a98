"""The warm process: Django set up, no thread, no connection. It forks a supervisor for each run that it is told of.

`python -m launcher.execution.zygote <key>` takes its first job from standard input and further ones from a socket in
the spool folder. It replaces itself by a fresh interpreter when code, settings or time make it stale, and leaves when
nobody needs it. No run depends on it: supervisors are in sessions of their own, and live on when it is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import os
import pty
import select
import signal
import socket
import sys
import tempfile
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from launcher.execution import local_socket
from launcher.execution.capture import Capture, Piece
from launcher.execution.carrier import carry_out, why_fork_is_unsafe
from launcher.execution.freshness import Freshness
from launcher.execution.identity import is_alive, process_start
from launcher.execution.job import Job
from launcher.execution.owner import forget_owner, note_owner

IDLE_SECONDS = 900
"""How long it waits for a further job."""
ORPHAN_SECONDS = 20
"""How long it waits when every process that ever asked is gone: a server that restarts comes back soon."""
LOOK_SECONDS = 2.0
JOB_SECONDS = 5.0
"""How long somebody may take to say what he wants."""
IMPORT_SECONDS = 20
_REHEARSAL = "@rehearsal"
LARGEST_JOB_BYTES = 256 * 1024 * 1024


class Zygote:
    """The process's state; `serve` is its life, and returns in a forked process with its exit code."""

    def __init__(self, key: str, job: Job, listener: socket.socket, lock: int, skipped: frozenset[str]) -> None:
        self._key = key
        self._job = replace(job, run_pk=0, uid="", command="", argv=(), secrets=(), ticket=None)
        self._listener = listener
        self._lock = lock
        self._skipped = skipped
        self._capture = Capture()
        self._freshness = Freshness()
        self._imported: dict[str, list[Piece]] = {}
        self._clients = {os.getppid(): process_start(os.getppid())} if os.getppid() > 1 else {}
        self._waiting: socket.socket | None = None
        self._used_at = time.monotonic()
        self._began_ticks = 0

    def serve(self, first: Job) -> int:
        """Set Django up, do the first thing asked for, and go on until there is nothing more to do."""
        own = os.getpid()
        self._enter_terminal()
        self._capture.install()
        self._capture.listen(self._freshness.hear)
        try:
            return self._serve(first)
        except BaseException:
            if os.getpid() == own:  # what follows is for the log
                self._drain_terminal()
                for descriptor in (1, 2):
                    os.dup2(self._streams, descriptor)
                self._capture.give_up()
            raise

    def _serve(self, first: Job) -> int:
        import django

        django.setup()
        self._prepare()
        self._drain_terminal()
        if reason := self._note_way():
            return self._hand_on(first, reason)
        gc.collect()
        gc.freeze()  # so that forks share what is there
        code = self._do(first)
        if code is None:
            self._rehearse()
            _leave_reaping_to_the_kernel()
        while code is None:
            if select.select([self._listener], [], [], LOOK_SECONDS)[0]:
                code = self._accept()
            elif self._is_done() or self._freshness.why_stale(is_thorough=True):
                self._clear_up()
                return 0
        return code

    # Being set up

    def _enter_terminal(self) -> None:
        """Have a terminal while the project is loaded: what asks then whether there is one shall know the answer."""
        self._streams = os.dup(1)
        os.environ.setdefault("TERM", "xterm-256color")
        self._terminal, end = pty.openpty()
        os.set_blocking(end, False)  # nobody reads from it
        for descriptor in (0, 1, 2):
            os.dup2(end, descriptor)
        os.close(end)

    def _drain_terminal(self) -> None:
        """Write to the log what was written past the streams."""
        os.set_blocking(self._terminal, False)
        with suppress(OSError):
            os.write(self._streams, os.read(self._terminal, 65536))

    def _prepare(self) -> None:
        """Import what every run needs, and leave nothing open that must not be shared."""
        import launcher.execution.child
        import launcher.execution.claim
        import launcher.execution.supervisor  # noqa: F401

        self._began_ticks = _ticks(process_start(os.getpid())) if not sys.argv[2:] else _now_ticks()
        self._close_connections()
        self._freshness.note()

    @staticmethod
    def _close_connections() -> None:
        from django.db import connections

        connections.close_all()

    def _why_unsafe(self) -> str:
        own = {found.fileno() for found in (self._listener, self._waiting) if found is not None}
        return why_fork_is_unsafe() or _why_sockets_are_unsafe(own) or _why_folders_are_unsafe()

    def _note_way(self) -> str:
        from launcher.execution.dispatch import note_way

        reason = self._why_unsafe()
        note_way(self._job, self._key, reason)
        return reason

    def _hand_on(self, first: Job, reason: str) -> int:
        """Start cold what was asked for by now, and leave: a fork of this process would not be safe."""
        self._start_cold(first, reason)
        self._job.warm_path(self._key, ".sock").unlink(missing_ok=True)
        self._listener.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError, ValueError, TypeError, KeyError):
                    job = self._read(connection)
                    self._confirm(connection)
                    self._start_cold(job, reason)
        return 0

    def _start_cold(self, job: Job, reason: str) -> None:
        from launcher.execution.dispatch import start_cold

        if not job.run_pk:
            return
        try:
            start_cold(replace(job, why_cold=reason))
        except OSError as error:
            self._give_up(job, f"No process could be started: {error}")
        finally:
            job.turn.forget()

    @staticmethod
    def _give_up(job: Job, reason: str) -> None:
        """Have the next look at the run find how it ended: there is no process left that could record it."""
        from launcher.execution.record import make_outcome
        from launcher.models import Status

        job.spool.write_outcome(make_outcome(Status.LOST, reason))
        forget_owner(job.folder)

    # Doing what is asked

    def _accept(self) -> int | None:
        connection, _ = self._listener.accept()
        self._waiting = connection
        try:
            return self._answer(connection)
        finally:
            connection.close()
            self._waiting = None

    def _answer(self, connection: socket.socket) -> int | None:
        try:
            job = self._read(connection)
        except (OSError, ValueError, TypeError, KeyError):  # whoever it was, he is gone
            return None
        is_older = self._note_client(connection) and not job.is_from_shell
        self._confirm(connection)  # from here on the job is this process's, whatever becomes of the asking one
        if is_older or self._freshness.why_stale():
            self._replace(job)
        return self._do(job)

    @staticmethod
    def _read(connection: socket.socket) -> Job:
        connection.settimeout(JOB_SECONDS)
        _, user = local_socket.peer(connection)
        if user != os.getuid():
            raise OSError("Not this user.")
        text, ticket = local_socket.receive_descriptor(connection, LARGEST_JOB_BYTES)
        try:
            return replace(Job.from_bytes(text), ticket=ticket)
        except BaseException:
            if ticket is not None:
                os.close(ticket)
            raise

    def _note_client(self, connection: socket.socket) -> bool:
        """Note who asks, and tell whether that process began later: it may have loaded what this one must not lack."""
        pid, _ = local_socket.peer(connection)
        self._clients[pid] = process_start(pid)
        self._used_at = time.monotonic()
        return _ticks(self._clients[pid]) > self._began_ticks

    def _do(self, job: Job) -> int | None:
        """Fork the job's supervisor, or warm up for it; returns an exit code in the forked processes only."""
        if not job.run_pk:
            self._import(job.command)
            return None
        if job.is_gone:  # stopped or deleted before it was its turn here
            job.turn.forget()
            return None
        from django.core.management import get_commands

        if job.command not in get_commands():  # it has come since
            self._start_cold(job, "the command is newer than the warm process")
            self._replace(None)
        try:
            pid = os.fork()
        except OSError as error:
            self._start_cold(job, f"the warm process could not fork: {error}")
            return None
        if pid == 0:
            return self._become_supervisor(job)
        job.turn.forget()
        return None

    @staticmethod
    def _confirm(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(b"1")

    def _become_supervisor(self, job: Job) -> int:
        for found in (self._listener, self._waiting):
            if found is not None:
                found.close()
        for descriptor in (self._lock, self._terminal, self._streams):
            os.close(descriptor)
        self._capture.drop(self._freshness.hear)
        try:
            self._take_over(job)
        except FileNotFoundError:  # it was stopped or deleted this very moment, or somebody has cleared up the folder
            os._exit(0)
        self._capture.kept += self._imported.get(job.command, [])
        try:
            return carry_out(job, self._capture, lambda: None)
        except BaseException:
            self._capture.give_up()
            raise

    @staticmethod
    def _take_over(job: Job) -> None:
        """Tell trouble in the run's own log from now on, and be found as its supervisor."""
        log = os.open(job.spool.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, descriptor)
        os.close(log)
        os.close(nothing)
        note_owner(job.folder, os.getpid(), is_supervisor=True)

    def _import(self, command: str) -> None:
        """Import a command's module, so that no run of it has to."""
        from django.core.management import get_commands

        app = get_commands().get(command)
        if isinstance(app, str) and command not in self._imported:
            self._imported[command] = self._try(
                command, lambda: importlib.import_module(f"{app}.management.commands.{command}")
            )

    def _rehearse(self) -> None:
        """Do once what each run does first, which loads the URLs, fills caches and more; each still does it itself."""
        self._try(_REHEARSAL, _rehearsal)
        gc.collect()
        gc.freeze()

    def _try(self, name: str, load: Callable[[], object]) -> list[Piece]:
        """Load something ahead, and return what that printed. What makes forking unsafe is left out for ever."""
        if name in self._skipped:
            return []
        kept, self._capture.kept = self._capture.kept, []
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # it may start processes and want to know how they end
        try:
            with _time_limit(IMPORT_SECONDS):
                load()
            is_harmless = True
        except BaseException:  # noqa: BLE001  the form says it, or the run will
            is_harmless = False
        _leave_reaping_to_the_kernel()
        printed, self._capture.kept = self._capture.kept, kept
        with suppress(Exception):
            self._close_connections()
        self._freshness.note()
        if not is_harmless or self._why_unsafe():
            self._skipped |= {name}
            self._replace(None)
        return printed

    # Ending

    def _replace(self, job: Job | None) -> None:
        """Go on as a fresh interpreter under the same process id, with a job to do first; who waits goes on waiting."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        kept = [self._lock, self._listener.fileno()]
        ticket = [] if job is None or job.ticket is None else [job.ticket]
        for descriptor in (*kept, *ticket):
            os.set_inheritable(descriptor, True)
        for descriptor in (1, 2):
            os.dup2(self._streams, descriptor)
        first = job or self._job
        reading, writing = os.pipe()
        if os.fork() == 0:  # a job may be larger than a pipe
            os.close(reading)
            with suppress(OSError), open(writing, "wb") as pipe:
                pipe.write(first.to_bytes())
            os._exit(0)
        os.close(writing)
        os.dup2(reading, 0)
        os.close(reading)
        words = [*map(str, kept), ",".join(sorted(self._skipped))]
        os.execve(
            sys.executable,
            [sys.executable, "-P", "-m", "launcher.execution.zygote", self._key, *words],
            self._job.environment(),
        )

    def _is_done(self) -> bool:
        """Tell whether nobody will ask any more: it was idle for long, whoever asked is gone, or its socket is."""
        idle = time.monotonic() - self._used_at
        if idle > IDLE_SECONDS:
            return True
        if not self._is_mine():
            return True
        return idle > ORPHAN_SECONDS and not any(is_alive(pid, started) for pid, started in self._clients.items())

    def _is_mine(self) -> bool:
        """Tell whether its files are there, and not another's: somebody may have cleared up the spool folder."""
        path = self._job.warm_path(self._key, ".sock")
        try:
            return path.exists() and os.path.samestat(os.fstat(self._lock), os.stat(path.with_suffix(".lock")))
        except OSError:
            return False

    def _clear_up(self) -> None:
        """Leave no files behind: the next environment has others, and nobody else would remove them."""
        if self._is_mine():
            for suffix in (".sock", ".log", ".lock"):
                self._job.warm_path(self._key, suffix).unlink(missing_ok=True)
            self._job.way_path(self._key).unlink(missing_ok=True)


def _rehearsal() -> None:
    from django.core.management import call_command
    from django.core.management.commands import check
    from django.db import router
    from django.db.models.sql import UpdateQuery

    from launcher.models import Run

    call_command(check.Command())
    using = router.db_for_write(Run)
    runs = Run.objects.using(using).filter(pk=0)
    runs.first()
    query = runs.query.chain(UpdateQuery)
    query.add_update_values({"status": "running"})  # type: ignore[attr-defined]
    query.get_compiler(using).as_sql()  # it writes nothing: another process may hold the lock


def _leave_reaping_to_the_kernel() -> None:
    """Have supervisors that end leave no zombie, however busy this process is (sigaction(2), SIGCHLD ignored)."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _ticks(start: str) -> int:
    """Return the clock ticks since boot in what `process_start` returned; 0 for a process that is gone."""
    return int(start.rpartition("/")[2] or 0)


def _now_ticks() -> int:
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))


def _why_sockets_are_unsafe(own: set[int]) -> str:
    """Return why open sockets forbid a fork: two processes must not talk on one connection. A log's may be shared."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if int(name) in own or not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(name))) as found:
                if found.type == socket.SOCK_STREAM and found.getpeername() is not None:
                    return "an app has opened a connection when the project was loaded"
    return ""


def _why_folders_are_unsafe() -> str:
    """Return why temporary folders forbid a fork: the first process that ends would remove them for all."""
    found = (finalizer.peek() for finalizer in list(weakref.finalize._registry))  # type: ignore[attr-defined]
    if any(kept is not None and isinstance(kept[0], tempfile.TemporaryDirectory) for kept in found):
        return "a temporary folder was made when the project was loaded"
    return ""


@contextlib.contextmanager
def _time_limit(seconds: int):  # type: ignore[no-untyped-def]
    def over(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main() -> int:
    """Become the warm process of a key, unless there is one: then it is told of the job instead.

    argv: the key; after a replacement also the lock's and the listener's descriptor, and the names of commands that
    must not be imported early.
    """
    key, *words = sys.argv[1:]
    job = Job.read(sys.stdin.buffer)
    job.enter()
    if job.ticket is not None:
        os.set_inheritable(job.ticket, False)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN if number != signal.SIGTERM else signal.SIG_DFL)
    if words:
        lock, listener = map(int, words[:2])
        for descriptor in (lock, listener):
            os.set_inheritable(descriptor, False)
        skipped = frozenset(filter(None, words[2].split(",")))
        return Zygote(key, job, socket.socket(fileno=listener), lock, skipped).serve(job)
    path = job.warm_path(key, ".sock")
    deadline = time.monotonic() + IMPORT_SECONDS + JOB_SECONDS
    while (locked := _lock(path.with_suffix(".lock"))) is None:
        try:
            return _tell_other(path, job)
        except OSError:  # it just begins; or its socket was removed, so that it will leave
            if job.run_pk and job.is_gone:  # stopped or deleted meanwhile
                return 0
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    return Zygote(key, job, local_socket.listen(path), locked, frozenset()).serve(job)


def _lock(path: Path) -> int | None:
    """Return the descriptor of the file, which is locked then, or None while another process has it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between the two lines above, one that left may have removed it.
        if os.path.samestat(os.fstat(lock), os.stat(path)):
            return lock
    os.close(lock)
    return None


def _tell_other(path: Path, job: Job) -> int:
    """Hand the job to the warm process that was quicker; raises OSError where it can't be reached."""
    with local_socket.connect(path, timeout_seconds=JOB_SECONDS) as connection:
        if job.run_pk:
            note_owner(job.folder, local_socket.peer(connection)[0], is_supervisor=False)
        local_socket.send(connection, job.to_bytes(), job.ticket)
        connection.shutdown(socket.SHUT_WR)
    return 0


if __name__ == "__main__":
    sys.exit(main())
