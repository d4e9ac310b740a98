"""Which commands can't be imported: found out in a process of its own, so that the catalogue imports none of them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from launcher import catalogue
from launcher.conf import options
from launcher.execution.job import Job, make_job
from launcher.output.store import SpoolError, spool_root

FRESH_SECONDS = 60
"""How long errors count without another look: what was missing may have been installed since."""
LIMIT_SECONDS = 120

_lock = threading.Lock()
_running: dict[Path, subprocess.Popen[bytes]] = {}


def import_errors(entries: Iterable[catalogue.Entry], *, wait_seconds: float) -> dict[str, str] | None:
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
    if known is None and process is not None:
        try:
            process.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            return None
        known, _ = _read(path)
        return known or {}
    return known


def _read(path: Path) -> tuple[dict[str, str] | None, bool]:
    try:
        age = time.time() - path.stat().st_mtime
        known: dict[str, str] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None, False
    return known, not known or age < FRESH_SECONDS


def _state_of(entries: Iterable[catalogue.Entry]) -> str:
    digest = hashlib.sha256(f"{sys.version} {os.environ.get('DJANGO_SETTINGS_MODULE')}".encode())
    for folder in sys.path:
        digest.update(f"{folder} {_time_of(Path(folder or '.'))}".encode())
    for entry in entries:
        digest.update(f"{entry.name} {entry.path} {_time_of(entry.path)}".encode())
    return digest.hexdigest()[:32]


def _time_of(path: Path | None) -> int:
    try:
        return path.stat().st_mtime_ns if path else 0
    except OSError:
        return 0


def _start(path: Path) -> subprocess.Popen[bytes] | None:
    """Start the probe unless it runs already; None if it can't be started."""
    with _lock:
        process = _running.get(path)
        if process is not None and process.poll() is None:
            return process
        job = make_job(0, "", (), ())
        try:
            process = subprocess.Popen(
                [options().python, "-P", "-m", "launcher.execution.probe", str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(job.sys_path)},
            )
        except OSError:
            return None
        assert process.stdin is not None  # noqa: S101  asked for above
        with process.stdin as pipe:
            pipe.write(job.to_bytes())
        _running.clear()
        _running[path] = process
        return process


def main() -> None:
    """Import every command once and write the errors to the file named by argv[1]."""
    threading.Timer(LIMIT_SECONDS, os._exit, (1,)).start()
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
    draft = target.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(errors))
    draft.replace(target)
    for old in target.parent.glob("imports-*.json"):
        if old != target and time.time() - old.stat().st_mtime > 7 * 24 * 3600:
            old.unlink(missing_ok=True)
    os._exit(0)  # whatever threads the imports have started


if __name__ == "__main__":
    main()
