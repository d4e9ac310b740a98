"""What the kernel does when the parent of a process ends: asked of it by both sides of a run (prctl(2), Linux only)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

# Loaded once, and not anew in each forked process.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own one has ended, so that none is lost sight of (Linux)."""
    if _libc is not None:
        _libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER, prctl(2)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent is gone, or end it at once if that is so already (Linux)."""
    if _libc is not None:
        _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, prctl(2); it survives neither a fork nor a change of user
    if os.getppid() != parent:  # it was gone before that could take effect
        os._exit(1)
