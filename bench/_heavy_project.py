"""A project that takes long to set up: what `wagtail start` makes, with django-extensions, Launcher and the shop.

Owns its making, in an environment of its own under .venvs/, which is made when it is first needed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench._project import Project, environment_in, temporary_folder
from tools.environments import make_environment

REQUIREMENTS = ("requirements/runtime.txt", "bench/requirements-heavy.txt")
SETTINGS = """\
from bench._project import REPOSITORY
from heavy.settings.base import *
from project.settings import ALLOWED_HOSTS, DATABASES, DEBUG, DEFAULT_FROM_EMAIL, LAUNCHER, MANAGERS, SECRET_KEY

INSTALLED_APPS = [*INSTALLED_APPS, "django_extensions", "django_htmx", "launcher", "project.shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES[0]["DIRS"].append(REPOSITORY / "templates")
STATICFILES_DIRS.append(REPOSITORY / "static")
"""


@contextmanager
def heavy_project() -> Iterator[Project]:
    """Make a fresh project; raises SystemExit if its environment can't be made, which pip then has told why."""
    python = make_environment(
        "bench-heavy", sys.executable, REQUIREMENTS, [word for name in REQUIREMENTS for word in ("-r", name)]
    )
    if python is None:
        raise SystemExit("The environment with wagtail could not be made.")
    with temporary_folder() as folder:
        code = folder / "code"
        code.mkdir()
        wagtail = Path(python).with_name("wagtail")
        subprocess.run([str(wagtail), "start", "heavy", str(code)], check=True, stdout=subprocess.DEVNULL)
        (code / "heavy" / "settings" / "bench.py").write_text(SETTINGS)
        project = Project(
            title="a project with wagtail",
            python=python,
            folder=code,
            environment=environment_in(folder, code, settings="heavy.settings.bench"),
            admin_path="/django-admin/",
        )
        project.fill()
        yield project
