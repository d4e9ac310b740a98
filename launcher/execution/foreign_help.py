"""What a command answers to `--help`, asked in a process of its own: for those whose parser can't be described."""

from __future__ import annotations

import os
import re
import subprocess
import sys

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


_answers: dict[tuple[str, int], str] = {}
"""What was answered, by command and the time of its module's last change."""


def answers_help(name: str) -> bool:
    """Tell whether the command's library is known to answer `--help`, and to do nothing else for it."""
    command = catalogue.load(name)
    library = type(command.create_parser("manage.py", name)).__module__.partition(".")[0]
    return library in ("django_typer", "djclick")


def help_text(name: str) -> str:
    """Return the text, or a sentence that says why there is none. It is asked for again when the module changes."""
    path = catalogue.entry(name).path
    try:
        changed = path.stat().st_mtime_ns if path else 0
    except OSError:
        changed = 0
    key = (name, changed)
    if key not in _answers:
        text, is_answer = _ask(name)
        if not is_answer:
            return text
        _answers[key] = text
    return _answers[key]


def _ask(name: str) -> tuple[str, bool]:
    """Return the answer, and whether it is one."""
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
        return f"Its help can't be shown: {error}", False
    text = (answer.stdout or answer.stderr).decode("utf-8", "replace")
    return _STYLES.sub("", text).strip() or "It has no help.", answer.returncode == 0
