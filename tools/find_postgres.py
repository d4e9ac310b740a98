"""Prints the folder of a PostgreSQL server's programs; installs Debian's where that is possible.

Exit code 1, with one line on stderr, when there is none. The tests run a server of their own from these programs: the
cluster that Debian's package makes, and may start, is neither needed nor in the way.
"""

import os
import re
import shutil
import sys
from pathlib import Path

from tools.debian import print_found

PROGRAMS = ("initdb", "pg_ctl", "postgres")
MISSING = "no PostgreSQL server found: install your system's postgresql, with initdb, pg_ctl and postgres"


def find_postgres() -> str | None:
    """Return the folder of the programs, that of PATH first, then the newest of Debian's, or None."""
    on_path = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    debians = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    return next((str(folder) for folder in [*on_path, *debians] if _is_complete(folder)), None)


def _version(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", folder.parent.name)]


def _is_complete(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in PROGRAMS)


def main() -> int:
    return print_found(find_postgres, package="postgresql", missing=MISSING, description=__doc__)


if __name__ == "__main__":
    sys.exit(main())
