"""Settings of tests on PostgreSQL: `tests.settings` with another database, and a temporary folder of its own.

LAUNCHER_TEST_POSTGRES names the database as libpq does: "host=/tmp/folder port=5432 user=launcher dbname=some_tests".
A process started by a test imports this module too and, through the environment, gets the very same database and spool.
"""

import os
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

SERVER = {name: str(value) for name, value in conninfo_to_dict(os.environ.get("LAUNCHER_TEST_POSTGRES", "")).items()}
if "dbname" not in SERVER:
    raise ImproperlyConfigured("Set LAUNCHER_TEST_POSTGRES to a server and a database that may be made there.")

# A session that starts this one has a folder of its own, and may have named it here.
os.environ.pop("PYTEST_XDIST_WORKER", None)
os.environ["LAUNCHER_TEST_DATABASE"] = str(
    Path(tempfile.gettempdir()) / f"launcher-tests-{SERVER['dbname']}-main" / "db.sqlite3"
)
from tests.settings import *  # noqa: E402

# As in `tests.settings`, the tests' database has the name that a process started by a test knows.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": SERVER.get("host", ""),
        "PORT": SERVER.get("port", ""),
        "USER": SERVER.get("user", ""),
        "PASSWORD": SERVER.get("password", ""),
        "NAME": SERVER["dbname"],
        "TEST": {"NAME": SERVER["dbname"]},
    }
}
