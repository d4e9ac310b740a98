"""Telling a process from a later one with the same id."""

import os
import subprocess
import sys

from launcher.execution.identity import is_alive, own_start, process_start


def test_this_process_is_alive() -> None:
    assert is_alive(os.getpid(), own_start())


def test_a_process_that_ended_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = process_start(process.pid)
    process.communicate(b"\n")
    assert started
    assert not is_alive(process.pid, started)


def test_a_zombie_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    started = process_start(process.pid)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(process.pid, started)
    process.wait()


def test_another_process_with_the_same_id_is_not_the_one_recorded() -> None:
    assert not is_alive(os.getpid(), own_start() + "0")


def test_nothing_recorded_is_not_alive() -> None:
    assert not is_alive(os.getpid(), "")


def test_an_id_that_no_process_has_starts_nowhere() -> None:
    assert process_start(2**22 + 1) == ""
