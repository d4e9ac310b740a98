"""Which commands can't be imported: found out in a process of its own, so that the catalogue imports none of them."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from launcher import catalogue
from launcher.conf import options
from launcher.execution.job import Job, make_job, wait_aside
from launcher.output.spool import SpoolError, spool_root, write_whole

logger = logging.getLogger(__name__)

FRESH_SECONDS = 60
"""How long errors count without another look: what was missing may have been installed since."""
LIMIT_SECONDS = 120

_lock = threading.Lock()
_running: dict[Path, tuple[subprocess.Popen[bytes], float]] = {}


def import_errors(entries: Sequence[catalogue.Entry], *, wait_seconds: float) -> dict[str, str] | None:
    """Return the error of each command that can't be imported, or None if that isn't known yet.

    The answer is kept in the spool folder under the state of the code, so that only the first look after a change
    waits, and not longer than `wait_seconds`.
    """
    try:
        path = spool_root() / f"imports-{_state_of(entries)}.json"
    except SpoolError:
        return {}
    known, is_fresh = _read(path)
    if is_fresh:
        return known
    process = _start(path)
    if known is not None:
        return known
    if process is None:
        return {}
    try:
        process.wait(wait_seconds)
    except subprocess.TimeoutExpired:
        return None
    known, _ = _read(path)
    if known is None:
        logger.warning("Which commands can't be imported could not be found out (exit code %s).", process.returncode)
    return known or {}


def _read(path: Path) -> tuple[dict[str, str] | None, bool]:
    try:
        age = time.time() - path.stat().st_mtime
        known: dict[str, str] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None, False
    return known, not known or age < FRESH_SECONDS


def _state_of(entries: Sequence[catalogue.Entry]) -> str:
    """Return a text that is another one when a command or an installed package is.

    Asked again for the very same object, which the catalogue gives for a while, it looks at no file.
    """
    global _last
    if _last is None or _last[0] is not entries:
        _last = (entries, _digest(entries))
    return _last[1]


_last: tuple[Sequence[catalogue.Entry], str] | None = None


def _digest(entries: Sequence[catalogue.Entry]) -> str:
    digest = hashlib.sha256(f"{sys.version} {os.environ.get('DJANGO_SETTINGS_MODULE')}".encode())
    for folder in sys.path:
        # Other folders change for reasons of their own: a database in the project's, for one, comes and goes.
        is_installed = Path(folder).name in ("site-packages", "dist-packages")
        digest.update(f"{folder} {_time_of(Path(folder)) if is_installed else ''}".encode())
    for entry in entries:
        digest.update(f"{entry.name} {entry.path} {_time_of(entry.path)}".encode())
    return digest.hexdigest()[:32]


def _time_of(path: Path | None) -> int:
    try:
        return path.stat().st_mtime_ns if path else 0
    except OSError:
        return 0


def _start(path: Path) -> subprocess.Popen[bytes] | None:
    """Return the going probe, or a new one; None if it can't be started, or has just failed."""
    with _lock:
        process, started = _running.get(path, (None, 0.0))
        if process is not None and process.poll() is None:
            return process
        if process is not None and process.returncode and time.monotonic() - started < FRESH_SECONDS:
            return None
        job = make_job(0, "", (), ())
        try:
            process = job.start(
                options().python,
                "launcher.execution.probe",
                str(path),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return None
        wait_aside(process)  # the next look may never come
        for ended in [key for key, (other, _) in _running.items() if other.poll() is not None]:
            del _running[ended]
        _running[path] = process, time.monotonic()
        return process


def main() -> None:
    """Import every command once and write the errors to the file named by argv[1]."""
    limit = threading.Timer(LIMIT_SECONDS, os._exit, (1,))
    limit.daemon = True
    limit.start()
    target = Path(sys.argv[1])
    Job.read(sys.stdin.buffer).enter()
    import django
    from django.core.management import get_commands

    django.setup()
    errors: dict[str, str] = {}
    for name in get_commands():
        try:
            catalogue.load(name)
        except catalogue.CommandUnavailable as error:
            errors[name] = error.message
    write_whole(target, errors)
    for old in target.parent.glob("imports-*.json"):
        if old != target and time.time() - old.stat().st_mtime > 7 * 24 * 3600:
            old.unlink(missing_ok=True)
    os._exit(0)  # whatever threads the imports have started


if __name__ == "__main__":
    main()
