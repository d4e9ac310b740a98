"""Why a run failed, read from tracebacks that Python has written and from the last lines of outputs; any text goes."""

import json
import random
import sysconfig
import time
import traceback
from collections.abc import Callable

import pytest

from launcher.output.failure import (
    HEADER,
    MOST_GROUPS,
    MOST_OWN_FRAMES,
    MOST_PARTS,
    Line,
    Part,
    Places,
    parts_of,
    place_of_failure,
)

PLACES = Places(
    project="/srv/shop", hidden="/env/lib/python3.13/site-packages/launcher", standard=["/usr/lib/python3.13"]
)
TRACEBACK = f"""{HEADER}
  File "/env/lib/python3.13/site-packages/django/core/management/base.py", line 459, in execute
    output = self.handle(*args, **options)
  File "/srv/shop/stock/management/commands/count.py", line 12, in handle
    total += count(row["<b>"])
             ~~~~~^^^^^^^^^^^^
  File "/usr/lib/python3.13/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
ValueError: no number: '<b>'
"""


def written_by(function: Callable[[], object]) -> str:
    """Return the traceback of what a function raises, as Python of this version writes it."""
    try:
        function()
    except (LookupError, RecursionError, SyntaxError, ExceptionGroup):
        return traceback.format_exc()
    raise AssertionError("It did not fail.")


def flat(part: Part) -> list[tuple[str, str]]:
    return [(frame.path, frame.function) for group in part.groups for frame in group.frames]


def lines_of(text: str, *, is_error: bool = True) -> list[Line]:
    return [Line(text=line, is_error=is_error) for line in text.splitlines()]


def test_frames_are_sorted_by_whose_code_they_are() -> None:
    (part,) = parts_of(TRACEBACK, PLACES)
    assert part.error == "ValueError: no number: '<b>'"
    assert [(group.is_own, group.count, group.libraries) for group in part.groups] == [
        (False, 1, "django"),
        (True, 1, ""),
        (False, 1, "Python"),
    ]
    own = part.groups[1].frames[0]
    assert (own.path, own.line, own.function) == ("stock/management/commands/count.py", 12, "handle")
    assert own.source == 'total += count(row["<b>"])\n         ~~~~~^^^^^^^^^^^^'
    assert part.groups[2].frames[0].path == "json/__init__.py"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/srv/shop/a.py", ("", "a.py")),
        ("/srv/shop/.venv/lib/python3.13/site-packages/tqdm/std.py", ("tqdm", "tqdm/std.py")),
        ("/srv/shop/.venv/lib/python3.13/site-packages/six.py", ("six", "six.py")),
        ("/env/lib/python3.13/site-packages/launcher/execution/child.py", (None, "")),
        ("/other/lib/python3.12/site-packages/launcher/x.py", ("launcher", "launcher/x.py")),
        ("/usr/lib/python3/dist-packages/apt/x.py", ("apt", "apt/x.py")),
        ("/opt/python/lib/python3.12/json/decoder.py", ("Python", "json/decoder.py")),
        ("<frozen importlib._bootstrap>", ("Python", "<frozen importlib._bootstrap>")),
        ("/srv/shopping/a.py", ("", "/srv/shopping/a.py")),
        ("<string>", ("", "<string>")),
        ("C:\\env\\Lib\\site-packages\\django\\x.py", ("django", "django/x.py")),
    ],
)
def test_a_file_is_somebodys(path: str, expected: tuple[str | None, str]) -> None:
    library, shown = PLACES.sort(path)
    assert library == expected[0]
    if library is not None:
        assert shown == expected[1]


def test_our_own_frames_are_left_out() -> None:
    text = TRACEBACK.replace("django/core/management/base.py", "launcher/execution/child.py")
    assert flat(parts_of(text, PLACES)[0])[0] == ("stock/management/commands/count.py", "handle")


def test_what_python_writes_of_chained_errors_is_told_apart() -> None:
    def fail() -> None:
        try:
            json.loads("{")
        except ValueError as error:
            raise LookupError("not\nreadable") from error

    text = written_by(fail)
    paths = sysconfig.get_paths()
    first, second = parts_of(text, Places(project=str(__file__).rpartition("/tests/")[0], standard=[paths["stdlib"]]))
    assert (first.intro, second.intro) == ("", "The above exception was the direct cause of the following exception:")
    assert first.error.startswith("json.decoder.JSONDecodeError: ")
    assert second.error == "LookupError: not\nreadable"
    assert [group.is_own for group in first.groups] == [True, False]
    assert flat(second)[-1] == ("tests/output/test_failure.py", "fail")


def test_a_recursion_is_bounded_and_says_by_how_much() -> None:
    def down(depth: int) -> None:
        down(depth + 1)

    def ping(depth: int) -> None:
        pong(depth + 1)

    def pong(depth: int) -> None:
        ping(depth + 1)

    (part,) = parts_of(written_by(lambda: down(0)), Places())
    assert max(frame.repeated for group in part.groups for frame in group.frames) > 900
    (part,) = parts_of(written_by(lambda: ping(0)), Places())
    assert len(flat(part)) == MOST_OWN_FRAMES + 1
    assert max(frame.left_out for group in part.groups for frame in group.frames) > 900


def test_frames_of_many_hands_by_turns_are_bounded_too() -> None:
    lines = TRACEBACK.splitlines(keepends=True)
    (part,) = parts_of(lines[0] + "".join(lines[1:-1]) * 200 + lines[-1], PLACES)
    assert len(part.groups) == MOST_GROUPS + 1
    assert sum(group.count for group in part.groups) == 600


def test_a_syntax_error_has_the_line_that_is_none() -> None:
    (part,) = parts_of(written_by(lambda: compile("a = = 1", "/srv/shop/a.py", "exec")), PLACES)
    assert part.error == "SyntaxError: invalid syntax"
    assert flat(part)[-1] == ("a.py", "")


def test_many_errors_in_a_chain_and_endless_texts_are_bounded() -> None:
    chain = f"{TRACEBACK}\nDuring handling of the above exception, another exception occurred:\n\n" * 30 + TRACEBACK
    assert len(parts_of(chain, PLACES)) == MOST_PARTS
    started = time.perf_counter()
    parts = parts_of(TRACEBACK * 20_000 + "x" * 10_000_000, PLACES)
    assert sum(len(part.error) for part in parts) < 100_000
    assert time.perf_counter() - started < 3


def test_groups_of_exceptions_are_left_as_they_are() -> None:
    def fail() -> None:
        raise ExceptionGroup("two", [ValueError("one"), KeyError("two")])

    assert parts_of(written_by(fail), PLACES) == []


def test_garbage_is_no_traceback_and_no_error() -> None:
    chance = random.Random(1)
    pieces = [
        *TRACEBACK.splitlines(),
        "",
        " ",
        "    ",
        HEADER,
        "\x00",
        "[Previous line repeated 99999999999999 more times]",
    ]
    for _ in range(500):
        text = "\n".join(chance.choices(pieces, k=30))
        for part in parts_of(text, PLACES):
            flat(part)
        place_of_failure(lines_of(text), traceback=chance.choice(["", text, TRACEBACK]), reason="x")
    assert parts_of("", PLACES) == parts_of("Traceback", PLACES) == parts_of(HEADER, PLACES) == []


# Where it is in the output


def found(output: str, *, traceback: str = "", reason: str = "Ended with exit code 1.", is_error: bool = True) -> str:
    """Return the lines that are found to be the failure."""
    lines = lines_of(output, is_error=is_error)
    place = place_of_failure(lines, traceback=traceback, reason=reason)
    return "" if place is None else "\n".join(line.text for line in lines[place.start : place.end])


def test_the_traceback_that_was_reported_is_found_among_others() -> None:
    other = TRACEBACK.replace("no number", "handled")
    output = f"one\n{TRACEBACK}two\n{other}"
    assert found(output, traceback=TRACEBACK) == TRACEBACK.rstrip()
    masked = TRACEBACK.replace('row["<b>"]', "********")
    assert found(output, traceback=masked) == TRACEBACK.rstrip()


def test_of_one_that_is_longer_than_what_was_read_the_place_is_known() -> None:
    lines = lines_of(TRACEBACK)[4:]
    place = place_of_failure(lines, traceback=TRACEBACK, reason="")
    assert place is not None
    assert (place.start, place.lines_above) == (0, 4)


def test_without_a_report_the_last_traceback_is_it_with_its_causes() -> None:
    chain = f"{TRACEBACK}\nDuring handling of the above exception, another exception occurred:\n\n{TRACEBACK}"
    output = f"{TRACEBACK}then\n{chain}"
    assert found(output) == chain.rstrip()
    assert found(f"{TRACEBACK}" + "later\n" * 60, is_error=False) == ""


def test_a_command_error_is_its_line() -> None:
    output = "row 7 is wrong\nCommandError: Nothing was imported.\n"
    assert found(output, reason="CommandError: Nothing was imported.") == "CommandError: Nothing was imported."
    assert found("shop.CommandError: As a subprocess.\nbye") == "shop.CommandError: As a subprocess."


def test_else_it_is_what_was_written_to_stderr_last() -> None:
    lines = [
        Line(text="old", is_error=True),
        Line(text="fine"),
        Line(text="disk is full", is_error=True),
        Line(text="nothing kept", is_error=True),
        Line(text="", is_error=True),
        Line(text=" 50%|█████     | 1/2 [00:00<00:00, 1.00it/s]", is_error=True),
        Line(text="bye"),
    ]
    place = place_of_failure(lines, traceback="", reason="Ended with exit code 3.")
    assert place is not None
    assert (place.start, place.end) == (2, 4)
    assert place_of_failure([Line(text="fine")], traceback="", reason="x") is None
    assert place_of_failure([], traceback=TRACEBACK, reason="x") is None
