"""What size costs: a catalogue of 500 commands against the admin's index, a form of 60 arguments against its add pages.

The project is generated. All is asked for in one process by Django's test client, in turns, so neither network nor
browser is in the figures. The first look at the catalogue, which finds out what can't be imported, is not counted.
"""

from __future__ import annotations

import dataclasses
import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from bench._large_project import COMMANDS, NAMES, SECTIONS, WIDE_APP, WIDE_COMMAND, large_project
from bench._project import conditions, milliseconds

if TYPE_CHECKING:
    from django.test import Client

ROUNDS = 30
WAIT_SECONDS = 60.0
CATALOGUE_TARGET = 1.5
FORM_TARGET = 3.0


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page to ask for, and what proves that it is the one."""

    title: str
    url: str
    check: Callable[[str], None]


def main() -> None:
    """Measure in turns and print medians, ratios, and whether the targets are met."""
    with large_project():
        _measure()


def _measure() -> None:
    from django.contrib.auth.models import User
    from django.core.management import get_commands
    from django.test import Client
    from django.urls import reverse

    client = Client()
    client.force_login(User.objects.get(username="owner"))
    index = Page(title="the admin's index", url=reverse("admin:index"), check=_is_index)
    catalogue = Page(
        title=f"catalogue of {len(get_commands())} commands",
        url=reverse("admin:launcher_command_changelist"),
        check=_has_every_run_link,
    )
    form = Page(
        title=f"form of {len(NAMES)} arguments",
        url=reverse("admin:launcher_command_run", args=[WIDE_COMMAND]),
        check=_has_every_field,
    )
    wide = Page(
        title=f"add page of {len(NAMES)} fields", url=reverse(f"admin:{WIDE_APP}_record_add"), check=_has_every_field
    )
    short = Page(title="add page of a customer", url=reverse("admin:shop_customer_add"), check=_is_add_page)

    print(f"{len(COMMANDS)} generated commands, medians of {ROUNDS}; {conditions()}")
    _wait_for_the_import_check(client, catalogue.url)
    _compare(client, catalogue, index, target=CATALOGUE_TARGET)
    _compare(client, catalogue, index, before=_age)
    imported = [name for name in sys.modules if name.rpartition(".")[2] in COMMANDS]
    assert not imported, imported
    print(f"  asserted: of the {len(COMMANDS)} commands' modules, none is imported for the catalogue")
    _compare(client, form, wide, target=FORM_TARGET)
    _compare(client, form, short)


def _age() -> None:
    """Have the next look at the catalogue look at the commands' files as well, as one in half a minute does."""
    from launcher import catalogue

    assert catalogue._kept
    catalogue._kept = dataclasses.replace(catalogue._kept, until=0.0)


def _compare(
    client: Client, page: Page, other: Page, target: float | None = None, before: Callable[[], None] | None = None
) -> None:
    """Ask for both in turns, check what comes, and print how they compare; `before` prepares each look at the first."""
    found: dict[str, list[float]] = {page.title: [], other.title: []}
    sizes: dict[str, int] = {}
    for number in range(ROUNDS + 1):
        for asked in (page, other):
            if before and asked is page:
                before()
            started = time.perf_counter()
            answer = client.get(asked.url)
            seconds = time.perf_counter() - started
            assert answer.status_code == 200, (asked.url, answer.status_code)
            if number:
                found[asked.title].append(seconds)
            else:  # it fills caches
                asked.check(answer.content.decode())
                sizes[asked.title] = len(answer.content)
    medians = {title: statistics.median(values) for title, values in found.items()}
    ratio = medians[page.title] / medians[other.title]
    verdict = "for information"
    if target is not None:
        verdict = f"target {target} x: {'met' if ratio <= target else 'missed'}"
    print(f"{page.title} / {other.title}{', with a look at the files' if before else ''}")
    for title, median in medians.items():
        print(f"  {title:<30}{milliseconds(median)}   {sizes[title]:>9,} bytes")
    print(f"  {'ratio':<30}{ratio:8.2f} x    {verdict}")


def _wait_for_the_import_check(client: Client, url: str) -> None:
    """Wait for the child process that imports every command, and make sure that it found them all sound."""
    from launcher.output.store import spool_root

    started = time.perf_counter()
    while b'hx-trigger="load delay:1s"' in client.get(url).content:
        assert time.perf_counter() - started < WAIT_SECONDS, "the import check did not end"
        time.sleep(0.2)
    answers = list(spool_root().glob("imports-*.json"))
    assert len(answers) == 1, "the import check left no answer"
    errors = json.loads(answers[0].read_text())
    assert not COMMANDS.keys() & errors, errors


class _Reader(HTMLParser):
    """Collects what there is to follow and to fill in on a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        """The text of each link, and where it goes."""
        self.fields: set[str] = set()
        self.headings: list[str] = []
        self._open: str | None = None
        self._address = ""
        self._text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a field, or where a link or heading begins."""
        given = dict(attrs)
        if tag in ("input", "select", "textarea") and given.get("name"):
            self.fields.add(given["name"] or "")
        if tag in ("a", "h2"):
            self._open, self._address, self._text = tag, given.get("href") or "", ""

    def handle_data(self, data: str) -> None:
        """Keep the text of a link or heading."""
        if self._open:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        """Note a link or heading that has ended."""
        if tag != self._open:
            return
        text = " ".join(self._text.split())
        if tag == "a":
            self.links.append((text, self._address))
        else:
            self.headings.append(text)
        self._open = None


def _is_index(html: str) -> None:
    from django.urls import reverse

    assert reverse(f"admin:{WIDE_APP}_record_add") in {address for _text, address in _Reader(html).links}


def _has_every_run_link(html: str) -> None:
    from django.urls import reverse

    found = [address for text, address in _Reader(html).links if text == "Run"]
    wanted = {reverse("admin:launcher_command_run", args=[name]) for name in COMMANDS}
    assert len([address for address in found if address in wanted]) == len(wanted) == 500, len(found)
    assert wanted <= set(found), sorted(wanted - set(found))[:5]


def _has_every_field(html: str) -> None:
    reader = _Reader(html)
    # The admin draws a moment as two inputs, and we put more beside a value: `name_0`, `name__upload`.
    found = {re.sub(r"(__.+|(?<=_\d)_[01])$", "", name) for name in reader.fields}
    assert len(NAMES) == 60
    assert found.issuperset(NAMES), sorted(set(NAMES) - found)
    assert set(SECTIONS) <= set(reader.headings), reader.headings


def _is_add_page(html: str) -> None:
    assert {"name", "email", "_save"} <= _Reader(html).fields


if __name__ == "__main__":
    main()
