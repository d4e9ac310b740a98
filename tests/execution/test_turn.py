"""Lines and slots as locked files: order, limits, refusal, and that the dead hold nobody up."""

import os
from pathlib import Path

import pytest

from launcher.execution.turn import Limits, Place, Refused, Turn


def turn(folder: Path, number: int, *, command: str = "x", **limits: object) -> Turn:
    return Turn(folder, run_pk=number, uid=f"{number:032x}", command=command, limits=Limits(**limits))  # type: ignore[arg-type]


def never(seconds: float) -> bool:
    raise AssertionError("it had to wait")


def give_up(seconds: float) -> bool:
    return True


def test_without_limits_nobody_waits_and_no_file_is_made(tmp_path: Path) -> None:
    assert turn(tmp_path, 1).wait(never)
    assert list(tmp_path.iterdir()) == []


def test_as_many_as_the_host_takes_go_at_once_and_no_more(tmp_path: Path) -> None:
    going = [turn(tmp_path, number, on_host=2) for number in (1, 2)]
    assert all(found.wait(never) for found in going)
    assert not turn(tmp_path, 3, on_host=2).wait(give_up)


def test_a_slot_is_free_again_when_its_run_releases_it(tmp_path: Path) -> None:
    first = turn(tmp_path, 1, on_host=1)
    assert first.wait(never)
    first.release()
    assert turn(tmp_path, 2, on_host=1).wait(never)


def test_a_slot_is_free_again_when_its_process_dies(tmp_path: Path) -> None:
    if (pid := os.fork()) == 0:
        turn(tmp_path, 1, on_host=1).wait(never)
        os._exit(0)
    os.waitpid(pid, 0)
    assert turn(tmp_path, 2, on_host=1).wait(never)


def test_the_older_goes_first_whoever_looks_first(tmp_path: Path) -> None:
    going, older, younger = (turn(tmp_path, number, on_host=1) for number in (1, 2, 3))
    assert going.wait(never)
    older.take_ticket()
    younger.take_ticket()
    going.release()
    assert not younger.wait(give_up)
    assert older.wait(never)


def test_a_dead_one_in_the_line_holds_nobody_up(tmp_path: Path) -> None:
    if (pid := os.fork()) == 0:
        turn(tmp_path, 1, on_host=1).take_ticket()
        os._exit(0)
    os.waitpid(pid, 0)
    assert turn(tmp_path, 2, on_host=1).wait(never)


def test_a_command_at_its_limit_does_not_hold_up_another(tmp_path: Path) -> None:
    going = turn(tmp_path, 1, command="slow", of_command=1, on_host=2)
    assert going.wait(never)
    waiting = turn(tmp_path, 2, command="slow", of_command=1, on_host=2)
    waiting.take_ticket()
    assert not waiting.wait(give_up)
    assert turn(tmp_path, 3, command="other", on_host=2).wait(never)


def test_one_that_may_not_wait_is_refused(tmp_path: Path) -> None:
    assert turn(tmp_path, 1, of_command=1).wait(never)
    with pytest.raises(Refused):
        turn(tmp_path, 2, of_command=1, is_refused=True).wait(never)


def test_who_finds_a_free_slot_has_no_place_in_the_line(tmp_path: Path) -> None:
    assert turn(tmp_path, 1, on_host=3).wait(never)
    starting = [turn(tmp_path, number, on_host=3) for number in (2, 3, 4)]
    for found in starting:
        found.take_ticket()
    assert [found.place() for found in starting] == [None, None, Place(before=2, is_for_command=False)]
    assert all(found.wait(never) for found in starting[:2])
    assert starting[2].place() == Place(before=0, is_for_command=False)


def test_the_place_in_the_line_is_told_to_anybody(tmp_path: Path) -> None:
    assert turn(tmp_path, 1, on_host=1).wait(never)
    waiting = [turn(tmp_path, number, on_host=1) for number in (2, 3, 4)]
    for found in waiting:
        found.take_ticket()
    assert turn(tmp_path, 4).place() == Place(before=2, is_for_command=False)
    assert turn(tmp_path, 1).place() is None


def test_a_ticket_is_inherited_by_the_process_that_goes_on(tmp_path: Path) -> None:
    parent = turn(tmp_path, 1, on_host=1)
    ticket = parent.take_ticket()
    assert ticket is not None
    heir = turn(tmp_path, 1, on_host=1)
    heir.inherit_ticket(os.dup(ticket))
    parent.forget()
    assert turn(tmp_path, 2, on_host=1)._before("host") == [heir._name]
    assert heir.wait(never)


def test_whoever_gives_up_leaves_the_line(tmp_path: Path) -> None:
    assert turn(tmp_path, 1, on_host=1).wait(never)
    waiting = turn(tmp_path, 2, on_host=1)
    assert not waiting.wait(give_up)
    waiting.release()
    assert waiting.place() is None
