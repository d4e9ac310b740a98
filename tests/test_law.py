"""For every command installed here: what its parser can make of a command line, its form can say."""

import os
from typing import Any

import hypothesis
import pytest
from django.core.management import get_commands
from hypothesis import strategies as st

from launcher import argv as argv_module
from launcher import catalogue
from tests.law import argvs, breach, namespace_of

EXAMPLES = int(os.environ.get("LAUNCHER_LAW_EXAMPLES", "3"))
NAMES = sorted(
    name for name, app in get_commands().items() if app in ("tests.zoo", "project.shop") or "django" in str(app)
)


def _usable(name: str) -> bool:
    try:
        return not argv_module.is_foreign_parser(name)
    except catalogue.CommandUnavailable:
        return False


COMMANDS = [name for name in NAMES if _usable(name)]


@pytest.mark.django_db
@pytest.mark.parametrize("name", COMMANDS)
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(st.data())
def test_what_the_parser_can_make_the_form_can_say(name: str, data: Any) -> None:
    argv = data.draw(argvs(argv_module.make_parser(name), argv_module.LEFT_OUT))
    hypothesis.target(float(namespace_of(name, argv) is not None))
    assert not breach(name, argv)
