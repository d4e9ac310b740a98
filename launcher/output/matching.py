"""The program that a search by regular expression runs in a process of its own; see `launcher.output.pattern`.

It is run as a file, by an interpreter that has loaded nothing else, so it imports little and nothing of this package.
What it reads and writes are frames: the length of what follows, a letter, and a body.

    P  a pattern, "i" or "s" (case) before it     ->  P  it is one, or E with a place (or nothing), newline, message
    L  lines of text                              ->  L  the numbers of those that match, from 0
    S  lines of text                              ->  S  triples: a line's number, start and end of a match in it
    l, s  the same, where the first line goes on from an earlier piece, so that it begins with no beginning
"""

from __future__ import annotations

import re
import sys
from array import array

TYPE_CHECKING = False  # importing `typing` would take longer than all the rest
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

CPU_SECONDS = 5
"""What outlives its searcher ends by then; a searcher that lives has lost its patience long before."""
MEMORY_BYTES = 1024**3
MOST_SPANS = 2000
MOST_LINE_SPANS = 100
HEAD_BYTES = 5


def frame(kind: bytes, body: bytes) -> bytes:
    """Return what is written for one letter and its body."""
    return len(body).to_bytes(4, "little") + kind + body


def read_head(head: bytes) -> tuple[int, bytes]:
    """Return how long the body is that follows the first HEAD_BYTES of a frame, and the letter."""
    return int.from_bytes(head[:4], "little"), head[4:]


def matching_lines(pattern: re.Pattern[str], lines: list[str], first: int) -> array[int]:
    """Return the numbers of the lines that match; of the first one, what begins at its character `first` or later."""
    search = pattern.search
    numbers = array("I", [number for number, line in enumerate(lines) if search(line)])
    if first and numbers and numbers[0] == 0 and not search(lines[0], first):
        del numbers[0]
    return numbers


def matching_spans(pattern: re.Pattern[str], lines: list[str], first: int) -> array[int]:
    """Return the places of matches, flat: a line's number, start and end. They count as browsers count characters."""
    found = array("I")
    for number, line in enumerate(lines):
        for start, end in _spans(pattern, line, 0 if number else first):
            found.extend((number, _units(line, start), _units(line, end)))
            if len(found) >= 3 * MOST_SPANS:
                return found
    return found


def _spans(pattern: re.Pattern[str], line: str, first: int) -> Iterator[tuple[int, int]]:
    for count, match in enumerate(pattern.finditer(line, first)):
        if count == MOST_LINE_SPANS:
            return
        if match.end() > match.start():
            yield match.span()


def _units(line: str, position: int) -> int:
    """Return a place in UTF-16 units."""
    return position if line.isascii() else len(line[:position].encode("utf-16-le", "surrogatepass")) // 2


def _compiled(body: bytes) -> re.Pattern[str]:
    text = body.decode()
    return re.compile(text[1:], re.IGNORECASE if text[0] == "i" else 0)


def _answers(source: BinaryIO) -> Iterator[bytes]:
    pattern = re.compile("")
    while head := source.read(HEAD_BYTES):
        size, kind = read_head(head)
        body = source.read(size)
        if len(body) < size:
            return
        if kind == b"P":
            try:
                pattern = _compiled(body)
            except re.error as error:
                place = "" if error.pos is None else str(error.pos)
                yield frame(b"E", f"{place}\n{error.msg}".encode())
            except (RecursionError, OverflowError, MemoryError) as error:
                yield frame(b"E", f"\n{type(error).__name__}".encode())
            else:
                yield frame(kind, b"")
            continue
        find = matching_lines if kind in b"Ll" else matching_spans
        lines = body.decode("utf-8", "replace").split("\n")
        yield frame(kind.upper(), find(pattern, lines, int(kind.islower())).tobytes())


def main() -> None:
    """Answer until the searcher closes its end."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):  # the searcher's deadline holds all the same
        pass
    for answer in _answers(sys.stdin.buffer):
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
