"""Settings of the tests: the demo's, with a database file and a spool of this run's own.

Owns the choice of the temporary folder, not its making: `tests/conftest.py` makes and removes it. A process started by
a test imports this module too and, through the environment, gets the very same database and spool.
"""

import json
import os
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import django

from project.settings import *

# pytest-django reads settings before any conftest is imported, so the first process to come here decides; each of
# several that share the tests (pytest-xdist) decides for itself and for all that it starts, whatever it was told.
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
_CHOSEN = os.environ.get("LAUNCHER_TEST_DATABASE")
if _CHOSEN is None or not Path(_CHOSEN).parent.name.endswith(_WORKER):
    os.environ["LAUNCHER_TEST_DATABASE"] = str(
        Path(tempfile.gettempdir()) / f"launcher-tests-{uuid.uuid4().hex}{_WORKER}" / "db.sqlite3"
    )
TEST_DATABASE = Path(os.environ["LAUNCHER_TEST_DATABASE"])
TEST_FOLDER = TEST_DATABASE.parent

SECRET_KEY = "only-for-tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "django_extensions", "tests.zoo"]

# A real file, not memory: processes and threads of their own must see the same rows. NAME and TEST NAME are the same
# file, so that a process started by a test, which knows of no test database, opens it as well.
DATABASES["default"]["NAME"] = TEST_DATABASE
DATABASES["default"]["TEST"] = {"NAME": TEST_DATABASE}

# Operators may run the shop's commands, as in the demo, and these of the zoo.
ZOO_GRANTS: dict[str, Any] = {
    "args_kinds": {"groups": ["Operators"]},
    "args_secrets": {"groups": ["Operators"], "secret_arguments": ["pin"], "public_arguments": ["sort_key"]},
}
LAUNCHER: dict[str, Any] = {  # type: ignore[no-redef]
    "COMMANDS": {**LAUNCHER["COMMANDS"], **ZOO_GRANTS},
    "SPOOL_DIR": Path(os.environ.get("LAUNCHER_TEST_SPOOL", TEST_FOLDER / "spool")),
    "MAX_CONCURRENT_RUNS": json.loads(os.environ.get("LAUNCHER_TEST_MAX_CONCURRENT_RUNS", "16")),
    "STOP_GRACE_SECONDS": float(os.environ.get("LAUNCHER_TEST_STOP_GRACE_SECONDS", "5")),
    "ANSWER_TIMEOUT_SECONDS": float(os.environ.get("LAUNCHER_TEST_ANSWER_TIMEOUT_SECONDS", "3600")),
}
# What a test wants of one command, which the processes that it starts have to know as well.
LAUNCHER["COMMANDS"].update(json.loads(os.environ.get("LAUNCHER_TEST_COMMANDS", "{}")))

# What a project may do when it is loaded: read a file, look for a terminal, print.
HAD_A_TERMINAL = sys.stdout is not None and sys.stdout.isatty()
if "LAUNCHER_TEST_READS" in os.environ:
    READ_BY_A_TEST = Path(os.environ["LAUNCHER_TEST_READS"]).read_text()
if "LAUNCHER_TEST_PRINTS" in os.environ:
    print(os.environ["LAUNCHER_TEST_PRINTS"])
    print("to stderr:", os.environ["LAUNCHER_TEST_PRINTS"], file=sys.stderr)
if os.environ.get("LAUNCHER_TEST_BROKEN_SETTINGS"):
    raise RuntimeError("settings broken for a test")

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# What a process started by a test sends; in this process Django's test runner keeps mail in memory.
MAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": MAIL_BACKEND, "OPTIONS": {"file_path": TEST_FOLDER / "mail"}}}
else:
    EMAIL_BACKEND = MAIL_BACKEND
    EMAIL_FILE_PATH = TEST_FOLDER / "mail"
