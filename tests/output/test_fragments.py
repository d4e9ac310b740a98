"""What the pages and downloads make of an output: stderr, times, and what is left out."""

import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from launcher.models import Run
from launcher.output import writer
from launcher.output.store import SpooledOutput, SpoolWriter, ship_all
from launcher.output.terminal import ERROR_OFF, ERROR_ON
from tests.output.spools import Clock, new_spool, set_sizes
from tests.pages import address, said_in, stored_run, text_of


@pytest.fixture(autouse=True)
def spool_here(settings: Settings, tmp_path: Path) -> None:
    settings.LAUNCHER = {**getattr(settings, "LAUNCHER", {}), "SPOOL_DIR": tmp_path / "spool"}


def written(*pieces: bytes) -> Run:
    """Store an ended run with this output."""
    run = stored_run()
    spool = new_spool(run)
    writer = SpoolWriter(spool)
    for piece in pieces:
        writer.append(piece)
    writer.close()
    assert ship_all(run.pk, SpooledOutput(spool)) == 0
    spool.remove()
    return run


def rows_of(page: str) -> list[str]:
    return re.findall(r'<div class="launcher-row.*?</div>', page)


def test_rows_tell_stderr_and_when_they_came(owner_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "time", Clock(1_763_999_999.08))
    run = written(b"out\n", ERROR_ON + b"\x1b[31merror\x1b[0m\n" + ERROR_OFF, b"out\n")
    rows = rows_of(text_of(owner_client.get(address("run_lines", run.pk))))
    assert [re.sub(r'<a class="launcher-number".*?</a>', "", row) for row in rows] == [
        '<div class="launcher-row" id="L1" data-number="1" data-offset="0" data-at="1763999999.1">'
        "<code>out</code></div>",
        '<div class="launcher-row launcher-row-error" id="L2" data-number="2" data-offset="4" data-at="1763999999.1">'
        '<code><span class="ansi-fg-1">error</span></code></div>',
        '<div class="launcher-row" id="L3" data-number="3" data-offset="26" data-at="1763999999.1">'
        "<code>out</code></div>",
    ]


@pytest.mark.parametrize("chunk_bytes", [9, 12, 17, 256 * 1024])
def test_downloads_leave_the_marks_of_stderr_out(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    set_sizes(monkeypatch, CHUNK_BYTES=chunk_bytes)
    run = written(b"one\n" + ERROR_ON + b"\x1b[31mtwo\x1b[0m\n" + ERROR_OFF + b"three " + ERROR_ON + b"x" + ERROR_OFF)
    assert text_of(owner_client.get(address("run_download", run.pk))) == "one\ntwo\nthree x"
    assert (
        text_of(owner_client.get(address("run_download", run.pk), {"ansi": ""})) == "one\n\x1b[31mtwo\x1b[0m\nthree x"
    )


@pytest.mark.parametrize("query", [{}, {"ansi": ""}])
def test_a_download_says_in_one_line_what_is_left_out(
    owner_client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "OUTPUT_LIMIT_BYTES": 1000}
    set_sizes(monkeypatch, STEP_BYTES=100, MARK_BYTES=50)
    run = written(*[b"line\n"] * 5000)
    lines = text_of(owner_client.get(address("run_download", run.pk), query)).splitlines()
    assert len(lines) == 201
    (notice,) = set(lines) - {"line"}
    assert notice.startswith("… 4,800 lines (23.4\xa0KB) left out here: OUTPUT_LIMIT_BYTES")


def test_the_page_shows_what_is_left_out_on_the_way_back_and_forth(
    owner_client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "OUTPUT_LIMIT_BYTES": 1000}
    set_sizes(monkeypatch, STEP_BYTES=100, MARK_BYTES=50)
    run = written(*[b"line\n"] * 5000)
    url = address("run_lines", run.pk)
    newest = said_in(owner_client.get(address("run_change", run.pk)))
    assert 'data-end="24500" data-floor="0"' in newest
    earlier = said_in(owner_client.get(url, {"end": "24500", "floor": "0"}))
    assert earlier.count("launcher-left-out") == 1
    assert rows_of(earlier)[-1].startswith(
        '<div class="launcher-row launcher-left-out" data-offset="500"><p dir="auto">4,800 lines (23.4\xa0KB) left out'
    )
    forth = said_in(owner_client.get(url, {"cursor": "500-100-0-"}))
    assert forth.count("launcher-left-out") == 1
    assert 'data-from="500" data-cursor="24500-4900-0-"' in forth
