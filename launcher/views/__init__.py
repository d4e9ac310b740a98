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
from launcher.views.runs import run_again, run_answer, run_download, run_lines, run_page, run_states, run_stop

__all__ = [
    "NOT_LISTED",
    "catalogue_page",
    "command_fields",
    "command_fill",
    "command_help",
    "command_line",
    "command_page",
    "is_htmx",
    "preset_delete",
    "preset_save",
    "refusal",
    "run_again",
    "run_answer",
    "run_download",
    "run_lines",
    "run_page",
    "run_states",
    "run_stop",
]
