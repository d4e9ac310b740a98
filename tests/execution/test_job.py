"""What a supervisor is told, and what it makes of it."""

import io
import os
import sys

import pytest

from launcher.execution.job import Job, make_job


def test_a_job_arrives_as_it_was_sent() -> None:
    job = make_job(7, "migrate", ["--x=ä", "", "two\nlines", "\udcff"], ["ä"])
    assert Job.read(io.BytesIO(job.to_bytes())) == job


def test_a_job_carries_this_process_import_path_without_relative_entries() -> None:
    assert "" not in make_job(7, "migrate", [], []).sys_path
    assert set(filter(None, sys.path)) <= set(make_job(7, "migrate", [], []).sys_path)


def test_entering_gives_back_the_python_path_that_the_web_server_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    job = make_job(7, "migrate", [], [])
    monkeypatch.setenv("PYTHONPATH", "/only/for/the/supervisor")
    monkeypatch.setattr(sys, "path", list(sys.path))
    job.enter()
    assert "PYTHONPATH" not in os.environ


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"\xff"])
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Job.read(io.BytesIO(text))
