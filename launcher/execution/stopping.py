"""A stop as the supervisor hears of it: by SIGTERM, from the moment when its process begins. Knows no Django."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from types import FrameType

# No threading.Event: a second SIGTERM while the handler is in its set() would wait for the first's lock for ever.
_is_wanted = False
_wakeup: tuple[int, int] | None = None


def take_stops() -> None:
    """Have SIGTERM ask for a stop from now on, instead of ending this process."""
    global _is_wanted, _wakeup
    _is_wanted = False
    _wakeup = os.pipe()
    for descriptor in _wakeup:
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(_wakeup[1], warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, _hear)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)  # only to wake whoever waits
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _hear(number: int, frame: FrameType | None) -> None:
    global _is_wanted
    _is_wanted = True


def want_stop() -> None:
    """Ask for a stop from within this process; safe in any thread."""
    global _is_wanted
    _is_wanted = True
    if _wakeup is not None:
        with suppress(BlockingIOError):
            os.write(_wakeup[1], b"\0")


def is_stop_wanted() -> bool:
    """Tell whether somebody has asked for one."""
    return _is_wanted


def wakeup_descriptor() -> int:
    """Return what becomes readable when a signal comes or a stop is wanted."""
    assert _wakeup is not None  # noqa: S101  take_stops() is the first thing that a supervisor does
    return _wakeup[0]


def forget_stops() -> None:
    """In the forked child: signals do what they do on the shell, and the supervisor's pipe is not its."""
    signal.set_wakeup_fd(-1)
    if _wakeup is not None:
        for descriptor in _wakeup:
            os.close(descriptor)


def pause(seconds: float) -> bool:
    """Wait so long, and return True as soon as a stop is wanted."""
    if not is_stop_wanted():
        poll = select.poll()
        poll.register(wakeup_descriptor(), select.POLLIN)
        poll.poll(seconds * 1000)
        drain_wakeup()
    return is_stop_wanted()


def drain_wakeup() -> None:
    """Take what has been written to wake this process."""
    with suppress(BlockingIOError):
        while os.read(wakeup_descriptor(), 1024):
            pass
