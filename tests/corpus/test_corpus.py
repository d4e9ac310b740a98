"""For every command of the corpus: its page, its untouched form, and the law of `tests/law.py`. None is ever run."""

import html
import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.contrib.auth.models import User
from django.core.management import get_commands
from django.test import Client
from django.urls import reverse
from hypothesis import strategies as st

from launcher import argv as argv_module
from launcher import catalogue
from launcher.arguments import Argument, Description
from tests.corpus.tally import Page, Tally
from tests.law import argvs, breach, namespace_of, said_by_form

EXAMPLES = int(os.environ.get("LAUNCHER_LAW_EXAMPLES", "60"))
NAMES = sorted(get_commands())


def _has_argparse(name: str) -> bool:
    try:
        return not argv_module.is_foreign_parser(name)
    except catalogue.CommandUnavailable:
        return False


# Judging an argv calls types and actions of the apps' authors; those of these apps neither ask nor reach for a service.
PARSERS = [name for name in NAMES if _has_argparse(name)]


def _in_reach(description: Description) -> Iterator[Argument]:
    """Yield the arguments of a parser and of its sub-commands', each parser once."""
    for argument in (*description.arguments, *description.hidden):
        yield argument
        for subcommand in argument.subcommands:
            if not subcommand.is_alias:
                yield from _in_reach(subcommand.description)


@pytest.fixture
def superuser_client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner", "owner@example.com", "owner"))
    return client


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_a_form_or_the_reason_why_not(name: str, superuser_client: Client, tally: Tally) -> None:
    response = superuser_client.get(reverse("admin:launcher_command_run", args=[name]))
    page = html.unescape(response.content.decode())
    assert response.status_code == 200
    cause = catalogue.obstacle(name)
    kind = Page.REFUSED if cause else Page.FIELDS
    if not cause:
        try:
            argv_module.make_parser(name)
        except argv_module.ForeignParser as error:
            kind, cause = Page.RAW, error.message
        except catalogue.CommandUnavailable as error:
            kind, cause = Page.BROKEN, error.message
    tally.pages[name] = kind
    if cause:
        tally.causes[name] = " ".join(cause.split())
    assert ('id="launcher-form"' in page) is (kind in (Page.FIELDS, Page.RAW))
    assert cause in page or kind is Page.RAW
    assert name in PARSERS or kind is not Page.FIELDS, "its parser needs more than there is while tests are collected"


@pytest.mark.django_db
@pytest.mark.parametrize("name", PARSERS)
def test_the_untouched_form_says_nothing(name: str, tally: Tally) -> None:
    description = argv_module.describe(name)
    tally.common_arguments[name] = len(description.common.arguments)
    tally.own_arguments[name] = sum(1 for _ in _in_reach(description)) - tally.common_arguments[name]
    assert said_by_form(name, []) == []


@pytest.mark.django_db
@pytest.mark.timeout(900)  # it takes long to find the smallest failure of a large parser
@pytest.mark.parametrize("name", PARSERS)
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,  # the seed alone decides
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(data=st.data())
def test_what_the_parser_can_make_the_form_can_say(name: str, tally: Tally, data: Any) -> None:
    argv = data.draw(argvs(argv_module.make_parser(name), sorted(argv_module.LEFT_OUT)))
    is_accepted = namespace_of(name, argv) is not None
    tally.drawn[name] += 1
    tally.accepted[name] += is_accepted
    hypothesis.target(float(is_accepted))
    if is_accepted and argv_module.read(name, argv).extra:
        tally.beyond_fields[name] += 1
    assert not breach(name, argv)
