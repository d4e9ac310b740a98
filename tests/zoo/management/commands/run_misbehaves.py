"""Does to its own process what a record must survive."""

import atexit
import os
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from tempfile import TemporaryFile
from typing import Any

from django.core.management.base import BaseCommand

NOISE = bytes(byte for byte in range(256) if byte not in b"\v\f")
"""All bytes but those that move the cursor of a terminal to another line."""


class Command(BaseCommand):
    help = "Does to its own process what a record must survive."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "what", choices=["close", "daemon", "bytes", "long-line", "chdir", "sys-stdout", "fork", "reuse"]
        )

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        print("at first", flush=True)
        match what:
            case "close":
                os.closerange(1, 256)
            case "daemon":
                chatter = "import time\nfor n in range(600):\n    print('still here', flush=True)\n    time.sleep(0.05)"
                subprocess.Popen([sys.executable, "-c", chatter], start_new_session=True)
            case "bytes":
                os.write(1, NOISE * 4 + b"\n")
            case "long-line":
                sys.stdout.write("x" * 10_000_000)
            case "chdir":
                os.chdir("/")
                os.umask(0o777)
            case "sys-stdout":
                sys.stdout = None
            case "reuse":
                os.closerange(3, 256)
                files = [TemporaryFile() for _ in range(20)]  # noqa: SIM115
                atexit.register(lambda: print("largest file:", max(os.fstat(f.fileno()).st_size for f in files)))
                raise ZeroDivisionError
            case "fork":
                if os.fork() == 0:
                    print("from the fork", flush=True)
                    os._exit(0)
                os.wait()
        threading.Thread(target=time.sleep, args=(0.1,)).start()
