"""Real servers that tests and benches start for themselves, in a temporary folder and on no port.

Must not need Django: a server is up before any settings that name it are read.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self

from tools.find_postgres import MISSING, find_postgres

PATIENCE_SECONDS = 60

# Nothing here outlives the machine's next crash, so nothing waits for a disk. What was committed survives the server's
# own, since the system still has it: synchronous_commit stays on.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "shared_buffers": "32MB",
}


class ServerMissing(Exception):
    """The server's programs are not on this machine; the message says what to install."""


class Postgres:
    """A PostgreSQL server, reached only by a unix socket in its folder, where anybody is its superuser `launcher`.

    As a context manager it makes the folder, starts the server, and removes both at the end, which comes even if this
    process is killed. The other methods work from any process that knows the folder: `Postgres(folder).restart()`.
    Raises ServerMissing, and RuntimeError with the program's own words when one fails.
    """

    def __init__(self, folder: Path | None = None) -> None:
        programs = os.environ.get("LAUNCHER_POSTGRES_BIN") or find_postgres()
        if programs is None:
            raise ServerMissing(MISSING)
        self._programs = Path(programs)
        # Not the system's temporary folder: a socket's path is short (at most 103 bytes), and another user must get in.
        self.folder = folder or Path(tempfile.mkdtemp(prefix="launcher-postgres-", dir="/tmp"))
        self._data = self.folder / "data"
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # It outlives this process by as long as it takes to end the server: whatever ends this one closes the pipe.
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "tests.servers", str(self.folder)],
            stdin=subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
            start_new_session=True,
        )
        try:
            if user := _server_user():
                os.chown(self.folder, user.pw_uid, user.pw_gid)
            new = ["--no-sync", "--no-locale", "--encoding=UTF8", "--auth=trust", "--username=launcher"]
            self._call("initdb", *new, "-D", str(self._data))
            settings = {**SETTINGS, "port": "5432", "unix_socket_directories": str(self.folder)}
            with (self._data / "postgresql.conf").open("a") as file:
                file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *details: object) -> None:
        assert self._guard is not None
        self._guard.communicate(timeout=PATIENCE_SECONDS)

    def conninfo(self, database: str) -> str:
        """Return how one of its databases is reached, as libpq reads it; Django makes the database of that name."""
        return f"host={self.folder} port=5432 user=launcher dbname={database}"

    @property
    def is_running(self) -> bool:
        """Whether its main process is there."""
        return self._process_id() is not None

    def start(self) -> None:
        """Start it, and return once it takes connections."""
        self._control("start", "-l", str(self.folder / "log"))

    def stop(self, how: Literal["fast", "immediate"] = "fast") -> None:
        """Stop it, and return once it is gone: fast ends every session properly, immediate is a crash on request."""
        self._control("stop", "-m", how)

    def restart(self, how: Literal["fast", "immediate"] = "fast") -> None:
        """Stop and start it."""
        self.stop(how)
        self.start()

    def kill(self) -> None:
        """Kill all its processes at once, as a crash would, and return once they are gone."""
        main = self._process_id()
        if main is None:
            return
        os.kill(main, signal.SIGSTOP)  # it would start its helpers anew
        killed = [main, *(process for process, (parent, _) in _processes().items() if parent == main)]
        for process in killed:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        end = time.monotonic() + PATIENCE_SECONDS
        while not _living(_processes()).isdisjoint(killed):
            if time.monotonic() > end:
                raise RuntimeError("The server can't be killed.")
            time.sleep(0.01)
        # Where nobody waits for orphans, the next server would take the zombie for a living one.
        for note in (self._data / "postmaster.pid", self.folder / ".s.PGSQL.5432.lock"):
            note.unlink(missing_ok=True)

    def _process_id(self) -> int | None:
        """Return its main process by its own note, which it leaves behind if it is killed."""
        try:
            found = int((self._data / "postmaster.pid").read_text().partition("\n")[0])
        except (OSError, ValueError):
            return None
        return found if found in _living(_processes()) else None

    def _control(self, *words: str) -> None:
        self._call("pg_ctl", *words, "-D", str(self._data), "-w", "-t", str(PATIENCE_SECONDS))

    def _call(self, program: str, *words: str) -> None:
        # The environment may name another server, its port or its folder.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        # A file, not a pipe: the server that pg_ctl starts would keep a pipe open for as long as it lives.
        with tempfile.TemporaryFile() as said:
            process = subprocess.run(
                [self._programs / program, *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self.folder,
                env=environment,
                check=False,
                **_as_server_user(),
            )
            if process.returncode == 0:
                return
            said.seek(0)
            text = said.read().decode(errors="replace")
        with suppress(OSError):
            text += (self.folder / "log").read_text(errors="replace")[-4000:]
        raise RuntimeError(f"{program} {words[0]} failed:\n{text}")


def _server_user() -> pwd.struct_passwd | None:
    """Return whom the server runs as if this is root, who may not run it; else None, for the user of this process."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _as_server_user() -> dict[str, Any]:
    user = _server_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _processes() -> dict[int, tuple[int, str]]:
    """Return the parent and the state of every process."""
    if not Path("/proc/self/stat").exists():
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
        rows = (line.split() for line in listing.stdout.splitlines())
        return {int(process): (int(parent), state) for process, parent, state in rows}
    found: dict[int, tuple[int, str]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            state, parent = path.read_text(errors="replace").rpartition(")")[2].split()[:2]  # proc(5)
            found[int(path.parent.name)] = int(parent), state
    return found


def _living(processes: dict[int, tuple[int, str]]) -> set[int]:
    """Return those that are no zombies, which stay where nobody waits for orphans, as in many a container."""
    return {process for process, (_, state) in processes.items() if state[0] not in "ZX"}


def guard(folder: Path) -> None:
    """Wait until whoever started this is gone or closes the pipe, then end the server and remove its folder."""
    sys.stdin.buffer.read()
    server = Postgres(folder)
    try:
        if server.is_running:
            server.stop("immediate")
    finally:
        server.kill()
        shutil.rmtree(folder)


if __name__ == "__main__":
    guard(Path(sys.argv[1]))
