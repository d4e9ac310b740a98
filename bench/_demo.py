"""The demo shop for a measurement, in a temporary folder: database, spool and all. Owns its making."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench._project import REPOSITORY, Project, end_runs, environment_in, temporary_folder


@contextmanager
def demo_project(settings: str = "project.settings", files: Mapping[str, str] | None = None) -> Iterator[Project]:
    """Make a fresh demo project; `files` are put on its import path, by their name and with their text."""
    with temporary_folder() as folder:
        code = folder / "code"
        for name, text in (files or {}).items():
            path = code / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        project = Project(
            title="the demo",
            python=sys.executable,
            folder=REPOSITORY,
            environment=environment_in(folder, *([code] if files else []), settings=settings),
        )
        project.fill()
        yield project


@contextmanager
def demo_shop() -> Iterator[None]:
    """Set Django up for a fresh demo project in this very process."""
    with demo_project() as project:
        project.enter()
        try:
            yield
        finally:
            end_runs()
