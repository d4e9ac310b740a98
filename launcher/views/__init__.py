"""The pages and their fragments. Each loads with the right to it, asks a service, and renders."""

from launcher.views.base import NOT_LISTED, is_htmx, refusal
from launcher.views.catalogue import catalogue_page
from launcher.views.commands import (
    command_fields,
    command_fill,
    command_help,
    command_line,
    command_page,
    preset_delete,
    preset_save,
)
from launcher.views.download import run_download
from launcher.views.output import run_line, run_lines
from launcher.views.progress import refresh_doing
from launcher.views.runs import run_again, run_answer, run_page, run_states, run_stop
from launcher.views.search import run_search
from launcher.views.sharing import few_at_once
from launcher.views.stream import run_stream

__all__ = [
    "NOT_LISTED",
    "catalogue_page",
    "command_fields",
    "command_fill",
    "command_help",
    "command_line",
    "command_page",
    "few_at_once",
    "is_htmx",
    "preset_delete",
    "preset_save",
    "refresh_doing",
    "refusal",
    "run_again",
    "run_answer",
    "run_download",
    "run_line",
    "run_lines",
    "run_page",
    "run_search",
    "run_states",
    "run_stop",
    "run_stream",
]
