"""Serves the demo at the wanted port, or at the next free one, and says where.

The logins are printed by `manage.py setup_demo`, which makes them and which `make run` calls just before.
"""

import argparse
import os
import socket
import sys
from pathlib import Path

HOST = "127.0.0.1"
PORTS_TO_TRY = 50


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As runserver does: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def first_free_port(wanted: int) -> int | None:
    """Return `wanted` or the next free port above it, or None after `PORTS_TO_TRY` of them."""
    candidates = range(wanted, min(wanted + PORTS_TO_TRY, 65536))
    return next(filter(is_free, candidates), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", nargs="?", type=int, default=8000)
    wanted = parser.parse_args().port
    port = first_free_port(wanted)
    if port is None:
        print(f"No free port from {wanted} on; choose another: make run PORT=9000", file=sys.stderr)
        return 1
    print()
    if port != wanted:
        print(f"  Port {wanted} is taken, so this is port {port}.\n")
    print(f"  http://{HOST}:{port}/admin/\n")
    print("  Stop with Ctrl-C.\n", flush=True)
    os.chdir(Path(__file__).resolve().parent.parent)
    os.execv(sys.executable, [sys.executable, "manage.py", "runserver", f"{HOST}:{port}"])


if __name__ == "__main__":
    sys.exit(main())
