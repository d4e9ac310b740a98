"""Searching a run's output by its address: who may, what is told, and that no request takes long."""

import sys
import time
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from launcher.models import Run, Status
from launcher.output import pattern, search
from launcher.output.store import host_name
from tests.output.spools import new_spool, write
from tests.pages import FRAGMENT, NOT_GRANTED, SITES, address, said_in, stored_run, text_of, with_output

pytestmark = pytest.mark.django_db
LINES = b"".join(b"\x1b[1mline\x1b[0m %d%s\n" % (number, b" the word" * (number % 10 == 0)) for number in range(1, 101))


def searched(client: Client, run: Run, **query: Any) -> dict[str, Any]:
    response = client.get(address("run_search", run.pk), query, headers=FRAGMENT)
    assert response.status_code == 200
    told: dict[str, Any] = response.json()
    return told


def whole_search(client: Client, run: Run, **query: Any) -> tuple[int, list[int], str]:
    """Search until it is done, as a page does: how many lines match, which of them were listed, what is said of it."""
    place, count, lines = "0", 0, list[int]()
    while True:
        told = searched(client, run, **query, **{"from": place, "had": count})
        count += told["count"]
        lines += told["lines"]
        place = told["next"]
        if told["done"]:
            return count, lines, told["said"]


@pytest.fixture
def run() -> Run:
    return with_output(stored_run(), LINES)


def test_the_lines_that_match_are_told(owner_client: Client, run: Run) -> None:
    told = searched(owner_client, run, q="line 2")
    assert told["lines"] == [2, *range(20, 30)]
    assert (told["count"], told["first"], told["through"], told["next"]) == (11, 0, 100, str(len(LINES)))
    assert (told["done"], told["live"], told["said"], told["pending"]) == (True, False, "11 lines match", [])


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ({"q": "THE WORD"}, list(range(10, 101, 10))),
        ({"q": "THE WORD", "case": "1"}, []),
        ({"q": "1[05] THE|^line 7$", "regex": "1"}, [7, 10]),
        ({"q": "1[05] THE|^line 7$", "regex": "1", "case": "1"}, [7]),
        ({"q": "1[05] the"}, []),
        ({"q": "\x00"}, []),
    ],
)
def test_words_and_patterns_in_either_case(
    owner_client: Client, run: Run, query: dict[str, str], lines: list[int]
) -> None:
    assert searched(owner_client, run, **query)["lines"] == lines


def test_a_search_in_many_steps_adds_up(owner_client: Client, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PIECE_BYTES": 100, "READ_BYTES": 250, "LOOK_SECONDS": 0}.items():
        monkeypatch.setattr(search, name, value)
    first = searched(owner_client, run, q="word", had=1200)
    assert (first["done"], first["said"]) == (False, f"1,200 lines so far, {first['percent']} % searched")
    assert whole_search(owner_client, run, q="word") == (10, list(range(10, 101, 10)), "10 lines match")


def test_what_was_searched_can_be_asked_about_near_a_line(
    owner_client: Client, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_LISTED", 4)
    told = searched(owner_client, run, q="word", until=len(LINES), near=60)
    assert (told["lines"], told["first"], told["count"]) == ([50, 60, 70, 80], 4, 10)
    assert searched(owner_client, run, q="word", until=0, near=60)["count"] == 0


def test_of_a_run_that_goes_on_the_lines_held_back_are_told_apart(owner_client: Client) -> None:
    run = stored_run(status=Status.RUNNING, host=host_name())
    write(new_spool(run), LINES + b"a wo")
    told = searched(owner_client, run, q="word")
    assert told["lines"] + told["pending"] == list(range(10, 101, 10))
    assert (told["done"], told["live"], told["pending"][-1]) == (True, True, 100)
    assert 0 < int(told["next"]) < len(LINES)
    write(new_spool(run), b"rd\n")
    assert searched(owner_client, run, q="word", **{"from": told["next"]})["pending"][-1] == 101


def test_where_a_pattern_matches_in_the_lines_shown_is_told(owner_client: Client, run: Run) -> None:
    told = searched(owner_client, run, q="[er] ?[12]0", regex="1", marks="8-20")
    assert told == {"marks": {"10": [[3, 7]], "20": [[3, 7]]}}
    for forged in ("8", "-", "a-b", "9-8", "900-1000", "0-5"):
        assert searched(owner_client, run, q=".", regex="1", marks=forged) == {"marks": {}}


@pytest.mark.parametrize("forged", ["-1", "9" * 40, "9" * 15, "x", "1cc", "5c", "77+"])
def test_a_forged_place_does_no_harm(owner_client: Client, run: Run, forged: str) -> None:
    told = searched(owner_client, run, q="word", near=forged, had=forged, **{"from": forged})
    assert told["done"]
    assert set(told["lines"]) <= set(range(10, 101, 10))
    assert searched(owner_client, run, q="word", until=forged, near=forged)["count"] in (0, 10)


# What can't be searched for


def test_a_pattern_that_is_none_is_said_with_its_place(owner_client: Client, run: Run) -> None:
    told = searched(owner_client, run, q="ab(c", regex="1")
    assert told["error"].startswith("This is no regular expression: missing ), unterminated subpattern, at character 3")
    assert searched(owner_client, run, q="ab(c")["count"] == 0


def test_a_pattern_that_takes_for_ever_is_answered_soon(owner_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern, "ANSWER_SECONDS", 0.3)
    run = with_output(stored_run(), b"before\n" + b"a" * 60 + b"b\n")
    began = time.monotonic()
    told = searched(owner_client, run, q="(a+)+$", regex="1")
    assert time.monotonic() - began < 8
    assert "takes too long" in told["error"]
    assert "error" in searched(owner_client, run, q="(a+)+$", regex="1", marks="1-2")


def test_too_many_patterns_at_once_are_asked_to_wait(
    owner_client: Client, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pattern, "WAIT_SECONDS", 0.01)
    others = [pattern.Pattern(".", is_case_sensitive=True) for _ in range(pattern.MOST_AT_ONCE)]
    told = searched(owner_client, run, q="l.ne", regex="1")
    for other in others:
        other.close()
    assert (told["wait"], bool(told["error"])) == (1, True)
    assert searched(owner_client, run, q="l.ne", regex="1")["count"] == 100


def test_a_process_that_can_not_be_started_is_told(owner_client: Client, run: Run, settings: Settings) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "PYTHON": "/no/such/python"}
    assert "/no/such/python" in searched(owner_client, run, q="l.ne", regex="1")["error"]
    settings.LAUNCHER = {**settings.LAUNCHER, "PYTHON": sys.executable}
    assert searched(owner_client, run, q="l.ne", regex="1")["count"] == 100


@pytest.mark.parametrize("query", [{}, {"q": ""}, {"q": "x" * 1001}])
def test_nothing_and_too_much_can_not_be_searched_for(owner_client: Client, run: Run, query: dict[str, str]) -> None:
    assert searched(owner_client, run, **query)["error"]


# Who may


@pytest.mark.parametrize("site", SITES)
def test_another_command_s_run_is_not_searched(operator_client: Client, site: str) -> None:
    url = address("run_search", with_output(stored_run(NOT_GRANTED), LINES).pk, site=site)
    assert operator_client.get(url, {"q": "word"}).status_code == 404


def test_outsiders_and_strangers_are_not_told(outsider_client: Client, client: Client, run: Run) -> None:
    url = address("run_search", run.pk)
    assert outsider_client.get(url, {"q": "word"}).status_code == 403
    assert client.get(url, {"q": "word"}).status_code == 302
    assert client.get(url, {"q": "word"}, headers=FRAGMENT).headers["HX-Refresh"] == "true"


# Without JavaScript


def test_the_page_lists_the_first_lines_as_links(owner_client: Client) -> None:
    run = with_output(stored_run(), LINES * 10)
    page = said_in(owner_client.get(address("run_change", run.pk), {"q": "the word"}))
    assert page.count("#L") >= 50
    assert '<a href="?q=the+word&line=10#L10">10</a> <code dir="ltr">line 10 the word</code>' in page
    (more,) = [part.partition('"')[0] for part in page.split('href="?q=the+word&from=')[1:]]
    page = said_in(owner_client.get(address("run_change", run.pk), {"q": "the word", "from": more}))
    assert "line=510#L510" in page
    assert "&from=" not in page


def test_the_page_says_why_it_can_not_search_and_escapes_what_was_asked_for(owner_client: Client, run: Run) -> None:
    url = address("run_change", run.pk)
    page = owner_client.get(url, {"q": "<b>(", "regex": "1"}).content.decode()
    assert "This is no regular expression" in page
    assert 'value="&lt;b&gt;("' in page
    assert "No line matches" in owner_client.get(url, {"q": "<b>("}).content.decode()
    assert 'name="regex" value="1" checked' in page


# Downloads of chosen lines


def downloaded(client: Client, run: Run, **query: str) -> str:
    response = client.get(address("run_download", run.pk), query)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    return text_of(response)


def test_the_lines_that_match_can_be_downloaded(owner_client: Client, run: Run) -> None:
    assert downloaded(owner_client, run, q="LINE 9").splitlines()[:2] == ["line 9", "line 90 the word"]
    assert downloaded(owner_client, run, q="e 9$", regex="1") == "line 9\n"
    assert downloaded(owner_client, run, q="line 9", case="1", ansi="").startswith("\x1b[1mline\x1b[0m 9\n")
    assert downloaded(owner_client, run, q="LINE 9", case="1") == ""


def test_the_lines_of_stderr_can_be_downloaded_and_searched(owner_client: Client) -> None:
    run = with_output(stored_run(), b"one\n\x1b[7711mtwo word\n\x1b[7710mthree word\n\x1b[7711mfour\x1b[7710m\n")
    assert downloaded(owner_client, run, only="errors") == "two word\nfour\n"
    assert downloaded(owner_client, run, only="errors", q="word", ansi="") == "two word\n"
    assert searched(owner_client, run, q="word")["lines"] == [2, 3]
    assert searched(owner_client, run, q="word", only="errors")["lines"] == [2]


def test_what_can_not_be_searched_for_is_no_download(
    owner_client: Client, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = owner_client.get(address("run_download", run.pk), {"q": "(", "regex": "1"})
    assert (response.status_code, "Content-Disposition" in response) == (400, False)
    monkeypatch.setattr(pattern, "ANSWER_SECONDS", 0.2)
    run = with_output(stored_run(), b"a" * 60 + b"b\n")
    assert "takes too long" in downloaded(owner_client, run, q="(a+)+$", regex="1")


def test_of_a_run_that_goes_on_a_download_has_what_it_may_still_change(owner_client: Client) -> None:
    run = stored_run(status=Status.RUNNING, host=host_name())
    write(new_spool(run), LINES + b"drawn\n\x1b[2Aover the \x1b[1mword\x1b[0m\x1b[K\n")
    lines = downloaded(owner_client, run).splitlines()
    assert (len(lines), lines[99], lines[100]) == (101, "over the word", "drawn")
    assert downloaded(owner_client, run, q="over") == "over the word\n"
    assert searched(owner_client, run, q="over")["pending"] == [100]
