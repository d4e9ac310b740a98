"""Holes in files: space given back to the disk from the middle of a file that goes on growing."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from functools import cache

_KEEP_SIZE = 0x01  # linux/falloc.h
_PUNCH_HOLE = 0x02


def punch(descriptor: int, start: int, end: int) -> bool:
    """Give back the bytes from `start` to `end`, which read as NUL from then on; the file's size stays.

    False where nothing was given back: the system is no Linux, or the file system knows no holes (fallocate(2)).
    """
    call = _fallocate()
    if call is None or start >= end:
        return False
    while failure := call(descriptor, start, end - start):
        if failure != errno.EINTR:
            return False
    return True


@cache
def _fallocate() -> Callable[[int, int, int], int] | None:
    """Return a function that punches a hole and returns the error's number, 0 if all went well."""
    if sys.platform != "linux":
        return None
    import ctypes  # only for a run that reaches its limit

    library = ctypes.CDLL(None, use_errno=True)
    # Where off_t has 32 bits by default, only the first has 64.
    function = getattr(library, "fallocate64", None) or getattr(library, "fallocate", None)
    if function is None:
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    function.restype = ctypes.c_int

    def call(descriptor: int, start: int, size: int) -> int:
        failed = function(descriptor, _PUNCH_HOLE | _KEEP_SIZE, start, size)
        return ctypes.get_errno() or errno.EIO if failed else 0

    return call
