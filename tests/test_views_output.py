"""The fragments of a run's output: which lines an address leads to, and who gets them."""

import re
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from launcher.models import Run, Status
from launcher.output.terminal import ERROR_OFF, ERROR_ON
from tests.pages import FRAGMENT, NOT_GRANTED, SITES, address, said_in, stored_run, text_of, with_output

pytestmark = pytest.mark.django_db

LINES = 1300
HUGE = "9" * 18


@pytest.fixture
def run() -> Run:
    """An ended run with numbered lines, of which every hundredth came by stderr."""
    lines = [b"line %d\n" % number for number in range(1, LINES + 1)]
    lines[99::100] = [ERROR_ON + line + ERROR_OFF for line in lines[99::100]]
    return with_output(stored_run(), b"".join(lines))


def fragment(client: Client, run: Run, **query: Any) -> str:
    return said_in(client.get(address("run_lines", run.pk), query, headers=FRAGMENT))


def numbers(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'<div class="launcher-row[^>]* data-number="(\d+)"', html)]


def value(html: str, name: str) -> str | None:
    found = re.search(rf' data-{name}="([^"]*)"', html)
    return found[1] if found else None


# Who


@pytest.mark.parametrize(("name", "more"), [("run_lines", ()), ("run_line", (1,))])
def test_nobody_gets_lines_without_the_right(
    client: Client, operator_client: Client, outsider_client: Client, name: str, more: tuple[int, ...]
) -> None:
    run = with_output(stored_run(NOT_GRANTED), b"secret\n")
    url = address(name, run.pk, *more)
    answers = [client.get(url), client.get(url, headers=FRAGMENT), operator_client.get(url), outsider_client.get(url)]
    assert [answer.status_code for answer in answers] == [302, 204, 404, 403]
    assert answers[1]["HX-Refresh"] == "true"
    assert all("secret" not in text_of(answer) for answer in answers)
    assert client.post(url).status_code in {302, 403}


@pytest.mark.parametrize("site", SITES)
def test_lines_lead_to_no_other_site(owner_client: Client, run: Run, site: str) -> None:
    html = text_of(owner_client.get(address("run_lines", run.pk, site=site), {"line": "700"}))
    assert set(re.findall(r'href="(.)', html)) == {"?"}


# Which


def test_without_a_place_the_newest_lines_come_and_the_way_back(owner_client: Client, run: Run) -> None:
    html = fragment(owner_client, run)
    assert numbers(html) == list(range(801, LINES + 1))
    assert 'id="launcher-tail"' in html
    assert "launcher-later" not in html
    assert value(html, "last") == str(LINES)


def test_a_line_comes_with_what_is_around_it(owner_client: Client, run: Run) -> None:
    html = fragment(owner_client, run, line=700)
    assert numbers(html) == list(range(450, 950))
    assert ("launcher-earlier" in html, "launcher-later" in html, "launcher-tail" in html) == (True, True, False)
    assert 'id="L700"' in html
    assert 'href="?line=700#L700"' in html


def test_from_any_window_the_whole_output_can_be_read_both_ways(owner_client: Client, run: Run) -> None:
    html = fragment(owner_client, run, line=700)
    found, later, earlier = numbers(html), value(html, "after"), value(html, "end")
    while later:
        html = fragment(owner_client, run, after=later)
        assert "launcher-earlier" not in html
        found, later = found + numbers(html), value(html, "after")
    assert 'id="launcher-tail"' in html
    while earlier:
        html = fragment(owner_client, run, end=earlier)
        assert "launcher-later" not in html
        found, earlier = numbers(html) + found, value(html, "end")
    assert found == list(range(1, LINES + 1))


@pytest.mark.parametrize("value_", ["0", "-1", "1301", HUGE, "9" * 40, "x", "1e3"])
@pytest.mark.parametrize("name", ["line", "after", "end"])
def test_a_place_that_there_is_not_leads_to_the_nearest_or_the_end(
    owner_client: Client, run: Run, name: str, value_: str
) -> None:
    for page in ("run_lines", "run_change"):
        response = owner_client.get(address(page, run.pk), {name: value_})
        assert response.status_code == 200
        found = numbers(text_of(response))
        assert found == list(range(found[0], found[0] + len(found))) if found else name != "line"


@pytest.mark.parametrize("cursor", ["0-0-1-31", f"{HUGE[:15]}-9-0-", "9000-1300-2-1;1", "13-1-0-31", "x", ""])
def test_a_forged_cursor_gets_lines_or_none_but_no_error(owner_client: Client, run: Run, cursor: str) -> None:
    response = owner_client.get(address("run_lines", run.pk), {"cursor": cursor})
    assert response.status_code == 200
    assert value(text_of(response), "cursor") is not None


def test_what_follows_a_cursor_says_what_it_follows(owner_client: Client, run: Run) -> None:
    html = fragment(owner_client, run, cursor="14-2-0-")
    assert numbers(html)[0] == 3
    assert value(html, "from") == "14"


def test_a_page_that_has_the_last_lines_by_now_is_not_sent_them_again(owner_client: Client) -> None:
    run = with_output(stored_run(status=Status.RUNNING), b"one\ntwo")
    first = fragment(owner_client, run, cursor="0-0-0-")
    assert numbers(first) == [1, 2]
    assert "data-live" in first
    again = fragment(owner_client, run, cursor=value(first, "cursor"), had=value(first, "digest"))
    assert "data-launcher-same" in again
    assert numbers(again) == []


def test_news_have_no_lines_and_say_how_many_there_are(owner_client: Client, run: Run) -> None:
    html = fragment(owner_client, run, news="", seen="running-0-0")
    assert numbers(html) == []
    assert value(html, "last") == str(LINES)
    assert 'id="launcher-run-head" hx-swap-oob="true"' in html


def test_a_reader_far_behind_is_told_that_lines_were_left_out(owner_client: Client) -> None:
    run = with_output(stored_run(), b"a line of the flood\n" * 100_000)
    html = fragment(owner_client, run, cursor="0-0-0-")
    assert 'class="launcher-earlier launcher-gap"' in html
    assert (value(html, "floor"), value(html, "from")) == ("0", "0")
    assert numbers(html)[-1] == 100_000


# Only errors


def test_only_errors_can_be_read_like_all_lines(owner_client: Client, run: Run) -> None:
    everywhere = list(range(100, LINES + 1, 100))
    assert numbers(fragment(owner_client, run, only="errors")) == everywhere
    assert numbers(fragment(owner_client, run, only="errors", line=750)) == everywhere
    assert numbers(fragment(owner_client, run, only="errors", cursor="0-0-0-")) == everywhere
    page = said_in(owner_client.get(address("run_change", run.pk), {"only": "errors"}))
    assert numbers(page) == everywhere
    assert 'data-only="errors"' in page
    assert 'href="?" role="button" class="launcher-plain-button" aria-pressed="true"' in page


# Single lines


def test_a_line_too_long_to_show_can_be_had_whole(owner_client: Client) -> None:
    long = b"x" * 100_000
    run = with_output(stored_run(), b"\x1b[31mred\x1b[0m\n" + long + b"\nlast\n")
    html = fragment(owner_client, run)
    assert len(html) < 50_000
    assert re.search(r'<a class="launcher-cut" href="../line/2.txt">Show the whole line \(97.7.KB\)</a>', html)
    response = owner_client.get(address("run_line", run.pk, 2))
    assert text_of(response) == long.decode()
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert text_of(owner_client.get(address("run_line", run.pk, 1))) == "red"


@pytest.mark.parametrize("line", [0, LINES + 1, 10**18, 10**30])
def test_a_line_that_there_is_not_is_not_found(owner_client: Client, run: Run, line: int) -> None:
    assert owner_client.get(address("run_line", run.pk, line)).status_code == 404


async def _line(user: User, url: str) -> bytes:
    client: Any = AsyncClient()
    await client.aforce_login(user)
    response = await client.get(url)
    assert response.is_async
    return b"".join([piece async for piece in response])


def test_under_asgi_a_line_is_sent_as_it_is_read(owner: User, run: Run) -> None:
    assert async_to_sync(_line)(owner, address("run_line", run.pk, 7)) == b"line 7"


def test_what_is_in_a_row_is_text(owner_client: Client) -> None:
    run = with_output(stored_run(), b'<img src=x onerror="alert(1)">&amp;\n')
    html = text_of(owner_client.get(address("run_lines", run.pk)))
    assert '<code>&lt;img src=x onerror="alert(1)"&gt;&amp;amp;</code>' in html
