"""Every command installed here, the zoo's, django-extensions' and Django's included, through the admin."""

import html
import html.parser
from typing import Any

import pytest
from django.core.management import get_commands
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from launcher import argv, catalogue
from launcher.forms import CommandForm

COMMANDS = sorted(get_commands())
UNAVAILABLE = {
    "broken_class": "has no attribute 'Command'",
    "broken_exit": "not on this machine",
    "broken_import": "no_such_package",
    "broken_parser": "no such table",
    "broken_raise": "SHOP_URL",
    "broken_syntax": "SyntaxError",
    "mail_debug": "aiosmtpd",  # a package that django-extensions wants for this one
}


class Browser(html.parser.HTMLParser):
    """Collects what a browser would send for a page's fields as they stand."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.sent: list[tuple[str, str]] = []
        self._area: list[Any] = []
        self._select: list[Any] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found: dict[str, Any] = dict(attrs)
        if tag == "input" and found.get("type") not in ("submit", "button", "file"):
            if found.get("type") not in ("checkbox", "radio") or "checked" in found:
                self.sent.append((found["name"], found.get("value", "on" if found.get("type") == "checkbox" else "")))
        elif tag == "textarea":
            self._area = [found["name"], ""]
        elif tag == "select":
            self._select = [found["name"], "multiple" in found, []]
        elif tag == "option" and self._select:
            self._select[2].append((found["value"], "selected" in found))

    def handle_data(self, data: str) -> None:
        if self._area:
            self._area[1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.sent.append((self._area[0], self._area[1].removeprefix("\n")))
            self._area = []
        elif tag == "select":
            name, is_multiple, options = self._select
            chosen = [value for value, is_selected in options if is_selected]
            self.sent += [(name, value) for value in chosen or ([] if is_multiple else [options[0][0]])]
            self._select = []


def untouched(form: CommandForm) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in Browser(form.as_p()).sent:
        data.appendlist(name, value)
    return data


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in UNAVAILABLE])
def test_the_untouched_form_sends_an_empty_argv(name: str) -> None:
    description = argv.describe(name)
    form = CommandForm(description, data=untouched(CommandForm(description)))
    assert form.is_valid(), form.errors
    assert argv.build(description, form.given(), form.extra_words()) == []


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in UNAVAILABLE])
def test_every_command_has_a_form_or_a_reason_why_not(name: str, owner_client: Client) -> None:
    response = owner_client.get(reverse("admin:launcher_command_run", args=[name]))
    page = response.content.decode()
    assert response.status_code == 200
    assert ('id="launcher-form"' in page) is (not catalogue.obstacle(name))


@pytest.mark.parametrize("name", UNAVAILABLE)
def test_a_command_that_can_not_be_imported_has_a_page_with_its_error(name: str, owner_client: Client) -> None:
    with pytest.raises(catalogue.CommandUnavailable, match=UNAVAILABLE[name]):
        argv.describe(name)
    response = owner_client.get(reverse("admin:launcher_command_run", args=[name]))
    if not catalogue.obstacle(name):
        assert UNAVAILABLE[name] in html.unescape(response.content.decode())
