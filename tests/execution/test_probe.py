"""Finding out which commands can't be imported, without importing them here."""

import os
import sys
from pathlib import Path

import pytest

from launcher import catalogue
from launcher.execution import probe


@pytest.fixture(autouse=True)
def own_spool(settings: object, tmp_path: Path) -> None:
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path / "spool"}  # type: ignore[attr-defined]


def errors(wait_seconds: float = 30) -> dict[str, str] | None:
    return probe.import_errors(catalogue.entries(), wait_seconds=wait_seconds)


def test_a_command_that_cannot_be_imported_is_named_with_its_error() -> None:
    found = errors()
    assert found is not None
    assert found["broken_import"].startswith("ModuleNotFoundError: ")
    assert "migrate" not in found


def test_no_command_is_imported_in_this_process() -> None:
    before = {name for name in sys.modules if ".management.commands." in name}
    errors()
    assert {name for name in sys.modules if ".management.commands." in name} == before


def test_who_does_not_wait_is_told_that_it_is_not_known_yet() -> None:
    assert errors(wait_seconds=0) is None
    assert errors() is not None


def test_the_answer_is_kept_for_other_processes(tmp_path: Path) -> None:
    first = errors()
    probe._running.clear()
    assert errors(wait_seconds=0) == first
    assert probe._running == {}


def test_an_old_answer_with_errors_is_given_while_it_is_looked_at_again(tmp_path: Path) -> None:
    first = errors()
    (kept,) = (tmp_path / "spool").glob("imports-*.json")
    os.utime(kept, (0, 0))
    assert errors(wait_seconds=0) == first
    ((process, _started),) = probe._running.values()
    process.wait(30)
    assert kept.stat().st_mtime > 0


def test_a_probe_that_fails_is_not_started_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHER_TEST_BROKEN_SETTINGS", "1")
    assert errors() == {}
    first = dict(probe._running)
    assert errors() == {}
    assert probe._running == first
