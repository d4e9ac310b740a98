"""Web servers in processes of their own, with the tests' database: what a page meets when one goes and comes again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from launcher.execution.job import settings_module

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"
ARGV = {
    "uvicorn": ["-m", "uvicorn", "tests.asgi:application", "--host", HOST, "--port", "{port}", "--lifespan", "off"],
    "gunicorn": ["-m", "gunicorn", "tests.wsgi", "--bind", "{address}", "--threads", "4", "--no-control-socket"],
}
"""How each is started, behind the interpreter."""


class WebServer:
    """A server at one port, where it is again after it was killed."""

    def __init__(self, kind: str, log: Path, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        self.address = f"{HOST}:{port}"
        self._argv = [sys.executable, *(word.format(address=self.address, port=port) for word in ARGV[kind])]
        self._log = log
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": settings_module(), **self._environment}
        with self._log.open("ab") as log:
            # In a session of its own, so that its workers can be killed with it, and nothing else.
            self._process = subprocess.Popen(
                self._argv, cwd=ROOT, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/admin/login/", timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    def kill(self) -> None:
        """End it at once, without a chance to clean up."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
