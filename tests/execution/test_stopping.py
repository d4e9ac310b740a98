"""A stop asked for by signal, however often and whenever."""

import os
import signal
import subprocess
import sys
import time

from launcher.execution.ring import is_readable

LISTENER = """
import os
from launcher.execution import stopping
stopping.take_stops()
os.write(1, b"listens")
while os.read(0, 1):
    stopping.pause(0.001)
    os.write(1, b"True" if stopping.is_stop_wanted() else b"False")
"""


def test_a_second_signal_in_the_middle_of_the_first_does_no_harm() -> None:
    process = subprocess.Popen([sys.executable, "-c", LISTENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        try:
            assert said_by(process) == b"listens"
            for number in range(6000):
                os.kill(process.pid, signal.SIGTERM)
                end = time.perf_counter() + number % 150 * 1e-6
                while time.perf_counter() < end:
                    pass
                os.kill(process.pid, signal.SIGTERM)
                os.write(process.stdin.fileno(), b"\n")  # type: ignore[union-attr]
                assert said_by(process) == b"True"
        finally:
            process.kill()


def said_by(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout is not None
    return os.read(process.stdout.fileno(), 100) if is_readable(process.stdout.fileno(), 10) else b"nothing"
