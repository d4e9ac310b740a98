"""What a command answers to `--help`, asked in a process of its own: for those whose parser can't be described."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import lru_cache

from launcher import catalogue
from launcher.conf import options
from launcher.execution.job import settings_module

HELP_SECONDS = 20.0
ASK = """
import sys
from django.core.management import execute_from_command_line
sys.argv = ["manage.py", sys.argv[1], "--help"]
execute_from_command_line(sys.argv)
"""
_STYLES = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


def help_text(name: str) -> str:
    """Return the text, or a sentence that says why there is none. It is asked for again when the module changes."""
    path = catalogue.entry(name).path
    try:
        changed = path.stat().st_mtime_ns if path else 0
    except OSError:
        changed = 0
    return _asked(name, changed)


@lru_cache(maxsize=64)
def _asked(name: str, changed: int) -> str:
    argv = [options().python, "-c", ASK, name]
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "100", "PYTHONPATH": path}
    if settings_module():
        environment["DJANGO_SETTINGS_MODULE"] = settings_module()
    try:
        answer = subprocess.run(
            argv, capture_output=True, check=False, timeout=HELP_SECONDS, env=environment, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"Its help can't be shown: {error}"
    text = (answer.stdout or answer.stderr).decode("utf-8", "replace")
    return _STYLES.sub("", text).strip() or "It has no help."
