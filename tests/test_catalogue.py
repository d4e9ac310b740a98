"""The list of commands, and what is known of one without importing it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import django
import pytest
from django.conf import settings as django_settings
from django.core.management import get_commands
from django.core.management.base import BaseCommand

from launcher import catalogue
from launcher.catalogue import CommandUnavailable

ROOT = Path(__file__).parent.parent
AppMaker = Callable[[dict[str, str]], None]


@pytest.fixture
def make_app(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppMaker]:
    """Install an app of the project's own with the given modules as its commands."""
    name = f"app_{tmp_path.name.replace('-', '_')}"

    def make(modules: dict[str, str]) -> None:
        commands = tmp_path / name / "management" / "commands"
        commands.mkdir(parents=True)
        for folder in (commands, commands.parent, commands.parent.parent):
            (folder / "__init__.py").touch()
        for command, source in modules.items():
            (commands / f"{command}.py").write_text(dedent(source))
        monkeypatch.syspath_prepend(tmp_path)
        settings.INSTALLED_APPS = [*django_settings.INSTALLED_APPS, name]
        get_commands.cache_clear()  # type: ignore[attr-defined]

    yield make
    get_commands.cache_clear()  # type: ignore[attr-defined]


def options_for(command: str, **options: Any) -> dict[str, Any]:
    return {**django_settings.LAUNCHER, "COMMANDS": {command: options}}


def test_listing_imports_no_command() -> None:
    script = """
        import sys, django
        django.setup()
        from launcher import catalogue
        found = catalogue.entries()
        assert any(entry.name == "broken_exit" for entry in found)
        print([name for name in sys.modules if ".management.commands." in name])
    """
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", dedent(script)], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_own_apps_come_first_then_third_parties_then_djangos() -> None:
    order = {entry.name: place for place, entry in enumerate(catalogue.entries())}
    assert order["import_csv_data"] < order["show_urls"] < order["collectstatic"] < order["migrate"]
    assert [name for name in order if name.startswith("args_")] == sorted(n for n in order if n.startswith("args_"))


def test_every_command_is_listed_once() -> None:
    assert sorted(entry.name for entry in catalogue.entries()) == sorted(get_commands())


def test_the_commands_of_an_app_stand_together() -> None:
    titles = [entry.app_title for entry in catalogue.entries()]
    changes = sum(before != after for before, after in pairwise(titles))
    assert changes == len(set(titles)) - 1


def test_an_entry_tells_where_the_command_comes_from() -> None:
    own, foreign = catalogue.entry("args_kinds"), catalogue.entry("show_urls")
    assert (own.app_title, own.is_own, own.summary) == ("Zoo", True, "Takes an argument of every kind.")
    assert own.path == ROOT / "tests/zoo/management/commands/args_kinds.py"
    assert (foreign.app_name, foreign.is_own) == ("django_extensions", False)
    assert catalogue.entry("migrate").app_title == "Django"


def test_an_unknown_command_is_a_key_error() -> None:
    assert not catalogue.exists("no_such_command")
    with pytest.raises(KeyError):
        catalogue.entry("no_such_command")


@pytest.mark.parametrize(
    ("body", "help_text"),
    [
        ('help = "Plain."', "Plain."),
        ('help: str = "Annotated."', "Annotated."),
        ('help = "One " "two."', "One two."),
        ('help = ("One " + "two.")', "One two."),
        ('help = _("Translated.")', "Translated."),
        ('help = translation.gettext_lazy("Translated.")', "Translated."),
        ('help = pgettext_lazy("context", "Translated.")', "Translated."),
        ("help = __doc__", "The module."),
        ('"""The class."""\n    help = __doc__', "The class."),
        ("help = HELP", "A constant."),
        ('help = f"Sends {count} mails."', "Sends … mails."),
        ('help = f"{everything}"', ""),
        ('help = "Sends %d mails, 100%%." % count', "Sends … mails, 100%."),
        ('help = "Sends {} mails.".format("many")', "Sends … mails."),
        ('help = " Stripped. ".strip()', "Stripped."),
        ('help = """\n        First.\n\n        Second.\n    """', "First.\n\nSecond."),
        ("help = compute()", ""),
        ("help = None", ""),
        ("pass", ""),
    ],
)
def test_help_is_read_from_the_source(body: str, help_text: str, make_app: AppMaker) -> None:
    make_app({"sample": f'"""The module."""\nHELP = "A constant."\nclass Command(BaseCommand):\n    {body}\n'})
    assert catalogue.entry("sample").help == help_text


def look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the next look at the list look at the files."""
    assert catalogue._kept
    monkeypatch.setattr(catalogue, "_kept", replace(catalogue._kept, until=0.0))


def test_the_list_is_kept_until_a_commands_file_is_another_one(
    make_app: AppMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_app({"sample": 'class Command:\n    help = "Before."'})
    found = catalogue.entries()
    assert catalogue.entries() is found
    look_again(monkeypatch)
    assert catalogue.entries() is found
    (path,) = (entry.path for entry in found if entry.name == "sample" and entry.path)
    path.write_text('class Command:\n    help = "Behind."')
    os.utime(path, (1, 1))
    look_again(monkeypatch)
    assert "Behind." in {entry.help for entry in catalogue.entries()}


def test_help_is_inherited_within_the_module(make_app: AppMaker) -> None:
    source = """
        class Base(BaseCommand):
            help = "Of the base."
        class Middle(Mixin, Base): pass
        class Command(Middle): pass
    """
    make_app({"sample": source})
    assert catalogue.entry("sample").summary == "Of the base."


@pytest.mark.parametrize("source", ["def broken(:", "class Command(Command): pass", "", "\0", "Command = make()"])
def test_a_source_that_tells_nothing_has_no_summary(source: str, make_app: AppMaker) -> None:
    make_app({"sample": source})
    assert catalogue.entry("sample").summary == ""


def test_an_edit_counts_at_once(make_app: AppMaker) -> None:
    make_app({"sample": 'class Command:\n    help = "Before."\n'})
    path = catalogue.entry("sample").path
    assert path is not None
    path.write_text('class Command:\n    help = "After."\n')
    os.utime(path, ns=(1, 1))
    assert catalogue.entry("sample").help == "After."


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken_import", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("broken_raise", "RuntimeError: the settings lack <SHOP_URL>"),
        ("broken_exit", "SystemExit: not on this machine"),
        ("broken_syntax", "SyntaxError: invalid syntax"),
        ("broken_class", "AttributeError: module"),
    ],
)
def test_whatever_a_module_does_at_import_is_told(name: str, message: str) -> None:
    with pytest.raises(CommandUnavailable) as caught:
        catalogue.load(name)
    assert caught.value.message.startswith(message)
    assert "Traceback" in caught.value.details


def test_a_file_with_a_syntax_error_is_listed_and_told(make_app: AppMaker) -> None:
    make_app({"sample": "def handle(:"})
    assert catalogue.entry("sample").is_own
    with pytest.raises(CommandUnavailable, match="SyntaxError"):
        catalogue.load("sample")


def test_a_command_registered_as_an_instance_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    command = BaseCommand()
    monkeypatch.setitem(get_commands(), "instance", command)
    assert catalogue.load("instance") is command
    entry = catalogue.entry("instance")
    assert (entry.app_name, entry.path, entry.summary) == ("django.core.management.base", None, "")


@pytest.mark.parametrize("name", ["runserver", "testserver", "shell", "dbshell", "runserver_plus", "shell_plus"])
def test_servers_and_terminals_are_not_launchable_and_say_why(name: str) -> None:
    entry = catalogue.entry(name)
    assert entry.obstacle.endswith(".")
    assert catalogue.obstacle(name)


def test_runserver_is_a_server_whoever_overrides_it() -> None:
    # django.contrib.staticfiles has the runserver that runs here; Django's own is behind it.
    assert catalogue.entry("runserver").app_name == "django.contrib.staticfiles"
    assert catalogue.obstacle("runserver")


@pytest.mark.parametrize("name", ["migrate", "check", "import_csv_data", "show_urls", "test"])
def test_all_others_are_launchable(name: str) -> None:
    assert not catalogue.obstacle(name)
    assert catalogue.entry(name).obstacle == ""


def test_the_operator_outranks_the_list(settings: Any) -> None:
    settings.LAUNCHER = options_for("runserver", launchable=True)
    assert not catalogue.obstacle("runserver")
    settings.LAUNCHER = options_for("migrate", launchable=False, reason="Only by the pipeline.")
    assert catalogue.entry("migrate").obstacle == "Only by the pipeline."
    settings.LAUNCHER = options_for("migrate", launchable=False)
    assert catalogue.obstacle("migrate") == "Taken off this page by the project's settings."


def test_destructive_commands_ask_to_confirm_unless_the_operator_says_otherwise(settings: Any) -> None:
    assert catalogue.wants_confirmation("flush")
    assert not catalogue.wants_confirmation("migrate")
    settings.LAUNCHER = options_for("flush", confirm=False)
    assert not catalogue.wants_confirmation("flush")
    settings.LAUNCHER = options_for("migrate", confirm=True)
    assert catalogue.wants_confirmation("migrate")


def test_five_hundred_commands_are_listed_in_no_time(make_app: AppMaker) -> None:
    make_app({f"sample_{number}": f'class Command:\n    help = "Number {number}."\n' for number in range(500)})
    assert len(catalogue.entries()) > 600
    started_at = time.perf_counter()
    catalogue.entries()
    assert time.perf_counter() - started_at < 0.25


def test_djangos_commands_come_last_even_from_a_checkout() -> None:
    assert Path(django.__path__[0]) in (catalogue.entry("migrate").path or Path()).parents
    assert catalogue.entries()[-1].app_name == "django.core"


def test_a_command_that_does_more_on_the_shell_is_known() -> None:
    assert catalogue.has_own_entry("sqldiff")
    assert not catalogue.has_own_entry("migrate")
