"""The zoo's app: behaves itself, unless a test asks otherwise for a process that it starts."""

import os
import socket
import threading
import time
from tempfile import TemporaryDirectory
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register


class ZooConfig(AppConfig):
    name = "tests.zoo"
    verbose_name = "Zoo"

    def ready(self) -> None:
        if os.environ.get("LAUNCHER_TEST_THREAD_IN_READY"):
            threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
        if os.environ.get("LAUNCHER_TEST_FOLDER_IN_READY"):
            self.folder = TemporaryDirectory()
        if port := os.environ.get("LAUNCHER_TEST_SOCKET_IN_READY"):
            self.connection = socket.create_connection(("127.0.0.1", int(port)))
        if os.environ.get("LAUNCHER_TEST_FAILING_CHECK"):
            register(failing_check)


def failing_check(**kwargs: Any) -> list[CheckMessage]:
    return [Error("a check that fails", id="zoo.E001")]
