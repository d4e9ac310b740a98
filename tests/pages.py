"""What the tests of pages share: addresses on either admin site, stored runs, and what a response says."""

import subprocess
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from launcher.models import Chunk, Preset, Run, Status

SITES = ["admin", "second"]
FRAGMENT = {"HX-Request": "true"}
GRANTED = "recalculate_stats"
"""A command that the demo's settings grant to Operators."""
NOT_GRANTED = "check"

PROMPT = {"number": 3, "text": "Are you <sure>?", "is_secret": False, "since": 0.0}
"""What a run that waits for an answer has in its column."""


def address(name: str, *args: Any, site: str = "admin") -> str:
    """Return the URL of one of launcher's pages on a site."""
    return reverse(f"admin:launcher_{name}", args=args, current_app=site)


def stored_run(command: str = GRANTED, status: Status = Status.SUCCEEDED, **fields: Any) -> Run:
    """Store a run that never was; a running one is said to go on elsewhere, where nobody can see that it doesn't."""
    now = timezone.now()
    given: dict[str, Any] = {"command_line": command, "argv": [], "user_name": "somebody", "host": "elsewhere"}
    if status != Status.QUEUED:
        given |= {"started_at": now, "heartbeat_at": now}
    if status not in (Status.QUEUED, Status.RUNNING):
        given |= {"finished_at": now + timedelta(seconds=3), "exit_code": 0 if status == Status.SUCCEEDED else 1}
    return Run.objects.create(command=command, status=status, **given | fields)


def with_output(run: Run, data: bytes) -> Run:
    """Store an output for the run."""
    import zlib

    lines = data.count(b"\n")
    Chunk.objects.create(run=run, offset=0, size=len(data), first_line=0, line_count=lines, data=zlib.compress(data, 1))
    return run


def text_of(response: Any) -> str:
    """Return a response's body as text, a streamed one's as well."""
    assert isinstance(response, HttpResponseBase)
    body = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    return bytes(body).decode()


def said_in(response: Any) -> str:
    """Return a response's body with its character references resolved."""
    return unescape(text_of(response))


def preset_of(run: Run) -> Preset:
    """Return a preset for everyone, of the run's command."""
    return Preset.objects.get_or_create(command=run.command, name="a preset", owner_key="")[0]


def every_page(run: Run, site: str = "admin") -> list[tuple[str, str]]:
    """Return the method and address of every one of launcher's views, for the run and its command."""
    return [
        ("get", address("command_changelist", site=site)),
        ("get", address("command_run", run.command, site=site)),
        ("post", address("command_run", run.command, site=site)),
        ("post", address("command_line", run.command, site=site)),
        ("post", address("command_fields", run.command, site=site)),
        ("post", address("command_fill", run.command, site=site)),
        ("post", address("command_help", run.command, site=site)),
        ("post", address("preset_save", run.command, site=site)),
        ("post", address("preset_delete", run.command, preset_of(run).pk, site=site)),
        ("get", address("run_changelist", site=site)),
        ("get", address("run_states", site=site)),
        ("get", address("run_change", run.pk, site=site)),
        ("get", address("run_lines", run.pk, site=site)),
        ("get", address("run_line", run.pk, 1, site=site)),
        ("get", address("run_stream", run.pk, site=site)),
        ("get", address("run_download", run.pk, site=site)),
        ("get", address("run_search", run.pk, site=site)),
        ("post", address("run_stop", run.pk, site=site)),
        ("post", address("run_again", run.pk, site=site)),
        ("post", address("run_answer", run.pk, site=site)),
        ("get", address("run_history", run.pk, site=site)),
        ("get", address("run_delete", run.pk, site=site)),
        ("post", address("run_delete", run.pk, site=site)),
    ]


def send(client: Client, method: str, url: str, **more: Any) -> Any:
    """Send a request; the method is a word, as in `every_page`."""
    return getattr(client, method)(url, **more)


def database_bytes() -> bytes:
    """Return all that the SQLite files hold, the write-ahead log included.

    Another process reads them: this one would lose its locks on them by closing them (SQLite, "How to corrupt").
    """
    from django.conf import settings

    path: Path = settings.TEST_DATABASE
    files = sorted(path.parent.glob(f"{path.name}*"))
    return subprocess.run(["cat", *files], capture_output=True, check=True).stdout
