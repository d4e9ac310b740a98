"""How far runs are and why they failed, as pages show it: the run's page, its fragments, the history, the catalogue."""

import re
import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from launcher.execution.progress import Doing, Progress, write_doing
from launcher.models import Run, Status
from launcher.output.store import Spool, host_name
from launcher.output.terminal import ERROR_OFF, ERROR_ON
from launcher.views.head import prompt_seen, state_seen
from launcher.views.progress import refresh_doing
from tests.pages import FRAGMENT, GRANTED, NOT_GRANTED, PROMPT, SITES, address, said_in, stored_run, with_output

pytestmark = pytest.mark.django_db
TRACEBACK = """Traceback (most recent call last):
  File "/x/site-packages/django/core/management/base.py", line 459, in execute
    output = self.handle(*args, **options)
  File "/srv/count.py", line 12, in handle
    total += int(row["<b>"])
ValueError: no number: '<b>'
"""


def progress(**known: Any) -> dict[str, Any]:
    """Return a progress as a run's column has it."""
    return Progress(source="api", **{"at": 1000.0, **known}).as_dict()


HALF = {"done": 512, "total": 1024, "percent": 50.0, "rate": 56.0, "left_seconds": 9.2, "note": "<b>rows</b>"}


def shown(client: Client, run: Run) -> str:
    """Return what the run's page says of its progress, without tags."""
    page = said_in(client.get(address("run_change", run.pk)))
    part = page.partition('id="launcher-progress"')[2].partition('<div id="launcher-viewer"')[0]
    return " ".join(re.sub(r"<[^>]*>", " ", part.partition(">")[2]).split())


# The run's page


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (HALF, "rows 50 % 50 % 512 of 1,024 56/s 10 s left"),
        ({"done": 1234, "rate": 0.5}, "Progress 1,234 so far 0.5/s"),
        ({"done": 3, "rate": 0.01}, "Progress 3 so far 0.6/min"),
        ({"done": 3, "rate": 0.0001}, "Progress 3 so far 0.4/h"),
        ({"percent": 99.9}, "Progress 99 % 99 %"),
        ({"done": 10, "total": 10, "percent": 100.0, "left_seconds": 0.0}, "Progress 100 % 100 % 10 of 10"),
        (
            {"done": 25.2, "total": 66.8, "percent": 37.7, "unit": "MB", "rate": 12.0, "left_seconds": 185},
            "Progress 37 % 37 % 25.2 of 66.8 MB 12 MB/s 3 min 5 s left",
        ),
        (
            {"done": 2_500_000, "total": 5_000_000, "percent": 50.0, "unit": "B", "rate": 4_100_000},
            "Progress 50 % 50 % 2.5 of 5 MB 4.1 MB/s",
        ),
        ({"done": -3, "note": "below"}, "below -3 so far"),
        (None, ""),
    ],
)
def test_figures_are_said_in_words(owner_client: Client, known: dict[str, Any] | None, expected: str) -> None:
    run = stored_run(status=Status.RUNNING, progress=progress(**known) if known else None)
    assert shown(owner_client, run) == expected


def test_a_note_is_escaped_and_the_bar_has_name_and_value(owner_client: Client, settings: Settings) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    run = stored_run(status=Status.RUNNING, progress=progress(**HALF))
    response = owner_client.get(address("run_change", run.pk))
    page = response.content.decode()
    assert "<b>rows" not in page
    assert "&lt;b&gt;rows" in page
    assert 'max="100" value="50.00"' in page
    assert 'data-launcher-percent="50 %"' in page
    assert 'aria-labelledby="launcher-progress-note"' in page


@pytest.mark.parametrize(
    ("status", "known", "expected"),
    [
        (Status.SUCCEEDED, HALF, "512 of 1,024"),
        (Status.SUCCEEDED, {"done": 8, "total": 8, "percent": 100.0}, "8 of 8"),
        (Status.SUCCEEDED, {"source": "bar", "percent": 93.0}, ""),
        (Status.FAILED, {"source": "bar", "percent": 93.0}, "Stopped at 93 %."),
        (Status.STOPPED, HALF, "Stopped at 512 of 1,024."),
        (Status.LOST, {"done": 7}, "Stopped at 7."),
    ],
)
def test_of_an_ended_run_it_is_said_how_far_it_came(
    owner_client: Client, status: Status, known: dict[str, Any], expected: str
) -> None:
    run = stored_run(status=status, progress={**progress(), **known})
    said = shown(owner_client, run)
    assert said.endswith(expected)
    assert bool(said) is bool(expected)
    assert "left" not in said
    assert "data-launcher-percent" not in said_in(owner_client.get(address("run_change", run.pk)))


def test_pages_on_the_same_host_are_ahead_of_the_database(owner_client: Client) -> None:
    run = stored_run(
        status=Status.RUNNING, host=host_name(), pid=None, progress=progress(done=1, total=4, percent=25.0)
    )
    spool = Spool(run.uid)
    spool.make()
    write_doing(spool, Doing(progress=Progress(source="api", done=3, total=4, percent=75.0), last_line="line 3"))
    refresh_doing(run)
    assert run.progress is not None
    assert (run.progress["done"], run.last_line) == (3, "line 3")
    (spool.folder / "doing.json").write_text("{")
    run.refresh_from_db()
    refresh_doing(run)
    assert run.progress["done"] == 1
    spool.remove()


# What a page that is open is sent


def fragment(client: Client, run: Run, seen: str) -> str:
    return said_in(client.get(address("run_lines", run.pk), {"cursor": "0-0-0-", "seen": seen}, headers=FRAGMENT))


def test_only_the_progress_is_sent_where_nothing_else_has_changed(owner_client: Client) -> None:
    run = stored_run(status=Status.RUNNING, progress=progress(**HALF))
    first = fragment(owner_client, run, "running-0-0")
    assert 'id="launcher-progress"' in first
    assert 'hx-swap-oob="true"' in first
    assert "launcher-run-head" not in first
    (seen,) = re.findall(r'data-seen="([^"]+)"', first)
    assert "launcher-progress" not in fragment(owner_client, run, seen)
    Run.objects.filter(pk=run.pk).update(progress=progress(**HALF | {"at": 1001.0}))
    assert "launcher-progress" in fragment(owner_client, run, seen)
    Run.objects.filter(pk=run.pk).update(status=Status.FAILED)
    ended = fragment(owner_client, run, seen)
    assert "launcher-run-head" in ended
    assert "Stopped at 512 of 1,024." in ended


def test_who_streams_is_told_of_head_progress_and_prompt_alike() -> None:
    run = stored_run(status=Status.RUNNING)
    seen = {(state_seen(run, None), prompt_seen(run))}
    for name, value in (("progress", progress(**HALF)), ("prompt", PROMPT), ("status", Status.FAILED)):
        setattr(run, name, value)
        seen.add((state_seen(run, None), prompt_seen(run)))
    run.progress = progress(**HALF | {"at": 1002.0})
    assert len(seen | {(state_seen(run, None), prompt_seen(run))}) == 5


@pytest.mark.parametrize("seen", ["", "~", "x~y~z", "running-0-0~" + "f" * 5000, "\0"])
def test_nonsense_that_was_seen_is_something_else(owner_client: Client, seen: str) -> None:
    run = stored_run(status=Status.RUNNING, progress=progress(**HALF))
    assert "launcher-progress" in fragment(owner_client, run, seen)


# The lists


@pytest.mark.parametrize("site", SITES)
def test_the_history_shows_what_running_runs_are_doing(owner_client: Client, site: str) -> None:
    going = stored_run(status=Status.RUNNING, progress=progress(**HALF), last_line="row 512 <b>&amp;")
    ended = stored_run(progress=progress(**HALF), last_line="left over")
    query: dict[str, Any] = {"id": [going.pk, ended.pk], "newest": ended.pk}
    page = owner_client.get(address("run_changelist", site=site)).content.decode()
    states = owner_client.get(address("run_states", site=site), query, headers=FRAGMENT).content.decode()
    for text in (page, states):
        assert "row 512 &lt;b&gt;&amp;amp;" in text
        assert 'value="50.00"' in text
        assert "50 % · 10 s left" in text
        assert "left over" not in text
        assert text.count("<progress") == 1
    assert f'id="launcher-doing-{going.pk}" hx-swap-oob="true"' in states


def test_a_long_last_line_is_shortened(owner_client: Client) -> None:
    stored_run(status=Status.RUNNING, last_line="x" * 200)
    page = said_in(owner_client.get(address("run_changelist")))
    assert "x" * 119 + "…" in page
    assert "x" * 121 not in page


@pytest.mark.parametrize("site", SITES)
def test_the_catalogue_shows_what_is_going_on_and_asks_for_more(owner_client: Client, site: str) -> None:
    going = stored_run(status=Status.RUNNING, progress=progress(**HALF), last_line="row 512")
    stored_run(NOT_GRANTED)
    page = said_in(owner_client.get(address("command_changelist", site=site)))
    url = f"{address('run_states', site=site)}?in=catalogue&id={going.pk}"
    assert f'hx-get="{url}"' in page
    assert 'value="50.00"' in page
    assert f'id="launcher-duration-{going.pk}"' in page
    assert "row 512" not in page
    states = said_in(owner_client.get(url, headers=FRAGMENT))
    assert re.findall(r'id="(launcher-[a-z]+)[^"]*"[^>]*hx-swap-oob', states) == ["launcher-state", "launcher-doing"]
    assert f'hx-get="{url}"' in states
    Run.objects.filter(pk=going.pk).update(status=Status.SUCCEEDED)
    ended = said_in(owner_client.get(url, headers=FRAGMENT))
    assert "hx-get" not in ended
    assert f'id="launcher-doing-{going.pk}" hx-swap-oob="true"></span>' in ended


def test_a_catalogue_in_which_nothing_goes_on_asks_for_nothing(owner_client: Client) -> None:
    stored_run()
    page = said_in(owner_client.get(address("command_changelist"), {"q": GRANTED}))
    assert reverse("admin:launcher_run_states") not in page


@pytest.mark.parametrize("name", ["command_changelist", "run_changelist", "run_states"])
def test_lists_ask_the_database_no_more_for_many_runs_than_for_few(
    owner_client: Client, name: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    commands = [GRANTED, NOT_GRANTED, "migrate", "import_csv_data", "clearsessions"] * 4
    keys = [stored_run(command, Status.RUNNING, progress=progress(**HALF)).pk for command in commands]
    query: dict[str, Any] = {"id": keys, "newest": keys[-1]} if name == "run_states" else {}
    with django_assert_max_num_queries({"command_changelist": 6, "run_changelist": 12, "run_states": 5}[name]):
        owner_client.get(address(name), query)


# Failures


def failed(output: bytes = b"", **fields: Any) -> Run:
    fields = {"status": Status.FAILED, "exit_code": 1, "reason": "ValueError: no number: '<b>'", **fields}
    return with_output(stored_run(**fields), output)


def page_of(client: Client, run: Run, **query: Any) -> str:
    return client.get(address("run_change", run.pk), query).content.decode()


def stderr(text: str) -> bytes:
    return ERROR_ON + text.encode() + ERROR_OFF


def test_a_failure_is_shown_with_its_frames_and_its_place(owner_client: Client) -> None:
    run = failed(b"one\n\x1b[32mtwo\x1b[0m\n" + stderr(TRACEBACK), traceback=TRACEBACK)
    page = page_of(owner_client, run)
    panel = page.partition('class="launcher-failure launcher-panel')[2].partition("</section>")[0]
    assert "ValueError: no number: &#x27;&lt;b&gt;&#x27;</h2>" in panel
    assert "<b>" not in panel
    assert "exit code 1" in panel
    assert "1 frame of django" in panel
    assert 'class="launcher-frame launcher-frame-own"><span class="launcher-frame-path">/srv/count.py' in panel
    assert '<span class="ansi-fg-2">two</span>' in panel
    assert f'href="{address("run_change", run.pk)}?line=3#L3" data-launcher-go-to="3"' in panel
    assert 'data-launcher-open-at="3"' in page.partition('id="launcher-output"')[2].partition(">")[0]


def test_it_comes_with_the_news_of_an_open_page(owner_client: Client) -> None:
    run = failed(b"one\n" + stderr(TRACEBACK), traceback=TRACEBACK)
    text = fragment(owner_client, run, "running-0-0")
    assert "launcher-panel" in text
    assert "/srv/count.py" in text


@pytest.mark.parametrize(
    ("fields", "output", "expected", "line"),
    [
        (
            {"reason": "CommandError: Nothing."},
            b"row 1\n" + stderr("row 2 is wrong\nCommandError: Nothing.\n"),
            ["CommandError: Nothing.</h2>", "Written before it", "row 2 is wrong"],
            3,
        ),
        (
            {"reason": "Ended with exit code 3.", "exit_code": 3},
            b"row 1\n" + stderr("disk is full\n") + b"bye\n",
            ["Ended with exit code 3.</h2>", "Written to stderr last", "disk is full"],
            2,
        ),
        (
            {"reason": "Killed by signal SIGKILL.", "exit_code": -9},
            b"row 1\n",
            ["signal 9 (SIGKILL)", "Written last", "row 1"],
            None,
        ),
        (
            {"reason": "Ended with exit code 1."},
            stderr(TRACEBACK),
            ["ValueError: no number: &#x27;&lt;b&gt;&#x27;</h2>", "Ended with exit code 1.", "/srv/count.py"],
            1,
        ),
        (
            {"status": Status.TIMED_OUT, "reason": "It took longer.", "exit_code": 1},
            stderr(TRACEBACK.replace("ValueError: no number: '<b>'", "KeyboardInterrupt")),
            ["It took longer.</h2>", "KeyboardInterrupt", "/srv/count.py"],
            1,
        ),
        ({"status": Status.LOST, "reason": "Its process is gone.", "exit_code": None}, b"", ["gone.</h2>"], None),
        ({"reason": ""}, b"", ["exit code 1"], None),
        ({"reason": "x" * 5000, "traceback": "y" * 200_000}, b"\xff\x00\n" * 5, ["Traceback"], None),
    ],
)
def test_each_kind_of_failure_says_what_it_can(
    owner_client: Client, fields: dict[str, Any], output: bytes, expected: list[str], line: int | None
) -> None:
    page = page_of(owner_client, failed(output, **fields))
    panel = page.partition("launcher-panel")[2].partition("</section>")[0]
    for text in expected:
        assert text in panel
    assert re.findall(r'data-launcher-open-at="(\d+)"', page) == ([str(line)] if line else [])


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.STOPPED, Status.RUNNING, Status.QUEUED])
def test_what_did_not_fail_has_no_panel(owner_client: Client, status: Status) -> None:
    page = page_of(owner_client, failed(stderr(TRACEBACK), status=status, reason="Stopped by SIGINT."))
    assert "launcher-panel" not in page
    assert "data-launcher-open-at" not in page


def test_an_endless_traceback_is_shown_in_no_time(owner_client: Client) -> None:
    frames = TRACEBACK.splitlines(keepends=True)[1:-1]
    text = TRACEBACK.splitlines()[0] + "\n" + "".join(frames) * 1000 + "RecursionError: too deep\n"
    run = failed(b"one\n" + stderr(text), traceback=text[-200_000:], reason="RecursionError: too deep")
    started = time.perf_counter()
    page = page_of(owner_client, run)
    assert time.perf_counter() - started < 3
    assert re.search(r"… [\d,]+ frames …", page)
    assert len(page) < 600_000
