"""Whether the code and the settings that this process has loaded are still those on disk. Knows no Django."""

from __future__ import annotations

import os
import sys
import sysconfig
import time
from typing import Any

OLDEST_SECONDS = 600
"""What a module computes when it is imported, such as today's date, must not grow old."""

Seen = dict[str, tuple[int, int, int] | None]
_INSTALLED = tuple(
    sorted({sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")}, key=len, reverse=True)
)
_PASSED_OVER = ("/proc/", "/sys/", "/dev/", "/run/")


class Freshness:
    """The files that this process has read since it began, and how they were then.

    Those of installed packages, which are most, are not looked at each time: an installation changes the folder that
    they lie in, and a file that somebody edits there is noticed by the next thorough look.
    """

    def __init__(self) -> None:
        self._own: Seen = {}
        self._installed: Seen = {}
        self._opened: set[str] = set()
        self._began = time.monotonic()
        self._day = time.localtime()[:3]
        self._modules = 0

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of a file that is opened for reading; an audit hook."""
        if event != "open" or not arguments:
            return
        path, mode, flags = (*arguments, None, None, None)[:3]
        if isinstance(mode, str):
            is_read = not {"w", "a", "x", "+"} & set(mode)
        else:
            is_read = not isinstance(flags, int) or flags & os.O_ACCMODE == os.O_RDONLY
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if is_read and isinstance(path, str) and not path.startswith(_PASSED_OVER):
            self._opened.add(path)

    def note(self) -> None:
        """Note how every file looks that was read by now."""
        found = {os.path.abspath(path) for path in self._opened}
        self._opened.clear()
        modules = list(sys.modules.values())
        if len(modules) != self._modules:
            self._modules = len(modules)
            found.update(filter(None, (getattr(module, "__file__", None) for module in modules)))
        for path in found - self._own.keys() - self._installed.keys():
            folder = _installed_folder(path)
            if folder:
                self._own.setdefault(folder, _look(folder))
                self._installed[path] = _look(path)
            elif not os.path.isdir(path):
                self._own[path] = _look(path)

    def why_stale(self, *, is_thorough: bool = False) -> str:
        """Return what has changed, or an empty string; thoroughly also in the files of installed packages."""
        if time.monotonic() - self._began > OLDEST_SECONDS or time.localtime()[:3] != self._day:
            return "it is too old"
        changed = _changed(self._own) or (_changed(self._installed) if is_thorough else "")
        return f"{changed} has changed" if changed else ""


def _installed_folder(path: str) -> str:
    """Return the folder of installed packages, or of Python's library, that a file is in; empty for any other."""
    for folder in _INSTALLED:
        if path.startswith(folder):
            return folder
    return ""


def _changed(seen: Seen) -> str:
    return next((path for path, before in seen.items() if _look(path) != before), "")


def _look(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
