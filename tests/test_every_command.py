"""Every command installed here, the zoo's, django-extensions' and Django's included, through the admin."""

import html

import pytest
from django.core.management import get_commands
from django.test import Client
from django.urls import reverse

from launcher import argv, catalogue
from tests.law import said_by_form

COMMANDS = sorted(get_commands())
FOREIGN = ("foreign_click", "foreign_own", "foreign_typer")
"""Their parsers are not argparse's: they have one line to type on."""
UNAVAILABLE = {
    "broken_class": "has no attribute 'Command'",
    "broken_exit": "not on this machine",
    "broken_import": "no_such_package",
    "broken_parser": "no such table",
    "broken_raise": "SHOP_URL",
    "broken_syntax": "SyntaxError",
    "mail_debug": "aiosmtpd",  # a package that django-extensions wants for this one
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in (*UNAVAILABLE, *FOREIGN)])
def test_the_untouched_form_sends_an_empty_argv(name: str) -> None:
    assert said_by_form(name, []) == []


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
