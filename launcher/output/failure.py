"""Where a run failed: its traceback taken apart, and the place in its output. Texts in, plain data out; no Django."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import PurePath

from launcher.output.bars import bar_of

MOST_TRACEBACK_CHARACTERS = 200_000
MOST_OWN_FRAMES = 12
"""Of frames of the project's own code that follow each other so many are shown: the first and, more, the last."""
MOST_OTHER_FRAMES = 50
MOST_GROUPS = 40
MOST_PARTS = 8
"""Exceptions that followed from each other, the last ones."""
SOURCE_CHARACTERS = 300
ERROR_CHARACTERS = 5000
MOST_ERROR_LINES = 6
"""Lines of an error that is read from the output, where nothing says how long it is."""
MOST_BLOCK_LINES = 20
LONG_CHARACTERS = 1000
"""A line so long may have been cut."""
NEAR_LINES = 50
"""So near to the end a traceback stands that nobody reported and that is taken for the reason all the same."""

HEADER = "Traceback (most recent call last):"
GROUP_HEADER = "Exception Group Traceback (most recent call last):"
CHAINS = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_FRAME = re.compile(r'\s+File "(?P<path>[^"]*)", line (?P<line>\d+)(?:, in (?P<function>.*))?')
_REPEATED = re.compile(r"\s+\[Previous line repeated (\d+) more times?\]")
_COMMAND_ERROR = re.compile(r"(?:[\w.]+\.)?CommandError: ")
_INSTALLED = re.compile(r"(?:^|[\\/])(?:site|dist)-packages[\\/](?P<rest>.+)")
_STANDARD = re.compile(r"(?:^|[\\/])lib(?:64)?[\\/]python3(?:\.\d+)?[\\/](?P<rest>.+)")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where code lies, to tell the project's own from others'."""

    project: str = ""
    """The project's folder; paths in it are shown from there."""
    hidden: str = ""
    """A folder whose code is in no traceback."""
    standard: Sequence[str] = ()
    """The folders of Python's own library."""

    def sort(self, path: str) -> tuple[str | None, str]:
        """Return whose code a file is, "" for the project's own and None for what is hidden, and the path shown."""
        if self.hidden and _is_in(path, self.hidden):
            return None, path
        if found := _INSTALLED.search(path):
            rest = found["rest"].replace("\\", "/")
            return rest.partition("/")[0].removesuffix(".py"), rest
        for folder in self.standard:
            if _is_in(path, folder):
                return "Python", path[len(folder) :].lstrip("\\/")
        if path.startswith("<frozen "):
            return "Python", path
        if self.project and _is_in(path, self.project):
            return "", path[len(self.project) :].lstrip("\\/")
        if found := _STANDARD.search(path):
            return "Python", found["rest"]
        return "", path


def _is_in(path: str, folder: str) -> bool:
    return PurePath(folder) in PurePath(path).parents


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One call in a traceback; or, with `left_out`, so many that are not shown."""

    path: str = ""
    line: int = 0
    function: str = ""
    source: str = ""
    """The line of code, with the marks below it that say which part it was; may be empty."""
    repeated: int = 0
    """How many times more it called itself."""
    library: str = ""
    """Whose code it is; empty for the project's own."""
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class Group:
    """Frames that follow each other, all of the project's own code, or all of others'."""

    is_own: bool
    frames: tuple[Frame, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(frame.left_out or 1 for frame in self.frames)

    @property
    def libraries(self) -> str:
        """Whose code it is, in the order of the calls."""
        names = dict.fromkeys(frame.library for frame in self.frames if frame.library)
        return ", ".join([*names][:4]) + ("…" if len(names) > 4 else "")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One exception."""

    intro: str = ""
    """How it followed from the one before, in Python's words."""
    groups: tuple[Group, ...]
    error: str
    """What it says."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of output, as a page shows it."""

    text: str
    """What it says; of a very long one the beginning."""
    is_error: bool = False


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in some lines a failure stands: from the line at `start` to the one before `end`."""

    start: int
    end: int
    lines_above: int = 0
    """How many lines of it are before the first one that is there."""
    traceback: str = ""
    """The traceback that is there."""


def parts_of(text: str, places: Places) -> list[Part]:
    """Return the exceptions of a traceback in their order; nothing for what is none, as groups of exceptions are."""
    if GROUP_HEADER in text:
        return []
    found: list[Part] = []
    intro = ""
    for lines in _pieces(text[-MOST_TRACEBACK_CHARACTERS:].splitlines()):
        frames, error = _read(lines, places)
        error, following = _without_chain(error)
        if frames or error:
            found.append(Part(intro=intro, groups=_grouped(frames), error=error[:ERROR_CHARACTERS]))
        intro = following
    return found[-MOST_PARTS:]


def _pieces(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield the lines after each header; what is before the first was cut off, or is something else."""
    piece: list[str] | None = None
    for line in lines:
        if line.strip() == HEADER:
            if piece is not None:
                yield piece
            piece = []
        elif piece is not None:
            piece.append(line)
    if piece is not None:
        yield piece


def _read(lines: Sequence[str], places: Places) -> tuple[list[Frame], str]:
    """Return the frames, and what comes after them."""
    frames: list[Frame] = []
    position = 0
    while position < len(lines) and (not lines[position] or lines[position][0] == " "):
        line = lines[position]
        position += 1
        if match := _FRAME.fullmatch(line):
            source = []
            while position < len(lines) and lines[position].startswith("    "):
                source.append(lines[position][4 : 4 + SOURCE_CHARACTERS].rstrip())
                position += 1
            library, path = places.sort(match["path"])
            if library is None:
                continue
            frames.append(
                Frame(
                    path=path,
                    line=int(match["line"][:9]),
                    function=match["function"] or "",
                    source="\n".join(source[:6]),
                    library=library,
                )
            )
        elif (match := _REPEATED.fullmatch(line)) and frames:
            frames[-1] = replace(frames[-1], repeated=int(match[1][:9]))
    return frames, "\n".join(lines[position:]).strip("\n")


def _without_chain(error: str) -> tuple[str, str]:
    """Return what an exception says, and the sentence that leads on to the next one."""
    for sentence in CHAINS:
        if error.endswith(sentence):
            return error.removesuffix(sentence).strip("\n"), sentence
    return error, ""


def _grouped(frames: list[Frame]) -> tuple[Group, ...]:
    """Return the frames in groups, bounded: of a recursion a few say all."""
    groups = [
        Group(is_own=is_own, frames=_bounded(list(group), MOST_OWN_FRAMES if is_own else MOST_OTHER_FRAMES))
        for is_own, group in groupby(frames, key=lambda frame: not frame.library)
    ]
    if len(groups) <= MOST_GROUPS:
        return tuple(groups)
    first = MOST_GROUPS // 3
    last = MOST_GROUPS - first
    left_out = Frame(left_out=sum(group.count for group in groups[first:-last]))
    return (*groups[:first], Group(is_own=True, frames=(left_out,)), *groups[-last:])


def _bounded(frames: list[Frame], most: int) -> tuple[Frame, ...]:
    if len(frames) <= most:
        return tuple(frames)
    first = most // 3
    last = most - first
    return (*frames[:first], Frame(left_out=len(frames) - most), *frames[-last:])


# Where it is in the output


def place_of_failure(lines: Sequence[Line], *, traceback: str, reason: str) -> Place | None:
    """Return where in the last lines of an output a failure stands, or None if that is nowhere to be seen.

    By what is known of it, the traceback or the CommandError that the run's process reported; else it is the last
    traceback, the last CommandError, or what was written to stderr last.
    """
    first = reason.partition("\n")[0].strip()
    if traceback and (found := _place_of_text(lines, traceback)):
        return found
    if _COMMAND_ERROR.match(first) and (found := _place_of_line(lines, first)):
        return found
    last = _last_traceback(lines)
    if last is not None and last.end >= len(lines) - NEAR_LINES:
        return last
    return _last_command_error(lines) or _last_error_block(lines)


def _place_of_text(lines: Sequence[Line], traceback: str) -> Place | None:
    """Return where a traceback stands, of which secrets may be masked: its last line tells, and how many there are."""
    wanted = [line.rstrip() for line in traceback.rstrip().splitlines()]
    if not wanted:
        return None
    for end in range(len(lines), 0, -1):
        said = lines[end - 1].text.rstrip()
        if said != wanted[-1] and not (len(said) > LONG_CHARACTERS and wanted[-1].startswith(said)):
            continue
        start = end - len(wanted)
        if start < 0:
            return Place(start=0, end=end, lines_above=-start)
        return Place(start=start, end=end)
    return None


def _place_of_line(lines: Sequence[Line], text: str) -> Place | None:
    for index in range(len(lines) - 1, -1, -1):
        said = lines[index].text.strip()
        if said == text or (len(said) > LONG_CHARACTERS and text.startswith(said)):
            return Place(start=index, end=index + 1)
    return None


def _last_traceback(lines: Sequence[Line]) -> Place | None:
    """Return where the last traceback stands, with those that it followed from."""
    start = next((index for index in range(len(lines) - 1, -1, -1) if lines[index].text.strip() == HEADER), None)
    if start is None:
        return None
    end = start + 1
    while end < len(lines) and (not lines[end].text or lines[end].text[0] == " "):
        end += 1
    limit = min(len(lines), end + MOST_ERROR_LINES)
    end = min(end + 1, limit)
    while end < limit and lines[end].text.strip() and lines[end].is_error:
        end += 1
    while (before := _chained_before(lines, start)) is not None:
        start = before
    return Place(start=start, end=end, traceback="\n".join(line.text for line in lines[start:end]))


def _chained_before(lines: Sequence[Line], start: int) -> int | None:
    """Return where the traceback begins from which the one at `start` followed, if there is one."""
    above = next((index for index in range(start - 1, -1, -1) if lines[index].text.strip()), None)
    if above is None or lines[above].text.strip() not in CHAINS:
        return None
    return next((index for index in range(above - 1, -1, -1) if lines[index].text.strip() == HEADER), None)


def _last_command_error(lines: Sequence[Line]) -> Place | None:
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].is_error and _COMMAND_ERROR.match(lines[index].text.strip()):
            return Place(start=index, end=index + 1)
    return None


def _last_error_block(lines: Sequence[Line]) -> Place | None:
    """Return where that stands which was written to stderr last."""
    last = next((index for index in range(len(lines) - 1, -1, -1) if _says_error(lines[index])), None)
    if last is None:
        return None
    start = last
    while start and last - start + 1 < MOST_BLOCK_LINES and lines[start - 1].is_error:
        start -= 1
    while not lines[start].text.strip():
        start += 1
    return Place(start=start, end=last + 1)


def _says_error(line: Line) -> bool:
    return line.is_error and bool(line.text.strip()) and bar_of(line.text) is None  # bars are drawn on stderr, too
