"""Coverage-guided search for bytes that the terminal does not bear, with Atheris (which `make test` does not need).

    pip install atheris pyte hypothesis
    python -m fuzz.terminal -max_total_time=300 -max_len=2000

ends with an exception and leaves the bytes in a file `crash-…`, if it finds some; `python -m fuzz.terminal FILE` plays
them again. The first byte says where the rest is cut in two. The recordings of the tests are a good beginning:
`python -m fuzz.terminal CORPUS tests/recordings`, where CORPUS is an empty folder for what it finds worth keeping.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["launcher.output"]):
    from tests.output.laws import check_lines, check_screen


def check(data: bytes) -> None:
    """Assert the laws of `tests/output/laws.py`."""
    cut = data[0] if data else 0
    check_lines(data[1:])
    check_screen(data[1:], cut)


def main() -> None:
    """Search until something is found or the time is over."""
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
