"""The system checks: each misconfiguration has an id, a sentence and a hint."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

import launcher
from launcher.checks import check_templates
from launcher.conf import options
from launcher.execution.dispatch import note_way
from launcher.execution.job import make_job, project_key

ROOT = Path(launcher.__file__).parent
IDS = {f"launcher.E00{number}" for number in range(1, 9)} | {"launcher.W001", "launcher.W002"}


def messages() -> dict[str | None, CheckMessage]:
    return {message.id: message for message in run_checks(tags=["launcher"])}


def test_a_sound_project_has_no_message() -> None:
    assert messages() == {}


def test_a_wrong_setting_is_e001_and_nothing_else(settings: Settings) -> None:
    settings.LAUNCHER = {"GROUPS": ["Operators"]}
    found = messages()
    assert list(found) == ["launcher.E001"]
    assert "GROUPS" in found["launcher.E001"].msg
    assert found["launcher.E001"].hint


@pytest.mark.parametrize("path", ["no.such.Engine", "launcher.engines.local.NoEngine", "os.path.join", "pathlib.Path"])
def test_an_engine_that_can_not_be_used_is_e002(settings: Settings, path: str) -> None:
    settings.LAUNCHER = {"ENGINE": path}
    found = messages()
    assert list(found) == ["launcher.E002"]
    assert "dotted path" in str(found["launcher.E002"].hint)


def test_an_abstract_engine_is_e002(settings: Settings) -> None:
    settings.LAUNCHER = {"ENGINE": "launcher.engines.base.Engine"}
    assert list(messages()) == ["launcher.E002"]


def test_django_htmx_missing_is_e003(settings: Settings) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_htmx"]
    assert "'django_htmx'" in str(messages()["launcher.E003"].hint)


def test_templates_missing_is_e004(settings: Settings) -> None:
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [], "APP_DIRS": False}]
    (found,) = check_templates()
    assert (found.id, "APP_DIRS" in str(found.hint)) == ("launcher.E004", True)


def test_templates_that_another_check_complains_of_are_none_of_ours(settings: Settings) -> None:
    settings.TEMPLATES = [{"BACKEND": "no.such.Backend"}]
    assert check_templates() == []


def test_a_system_without_fork_is_e005(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    assert "Linux or macOS" in str(messages()["launcher.E005"].hint)


def test_a_spool_folder_that_others_may_write_is_e006(settings: Settings, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path}
    assert "writable by nobody else" in messages()["launcher.E006"].msg


def test_a_spool_folder_that_can_not_be_made_is_e006(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path / "file" / "spool"}
    assert "SPOOL_DIR" in messages()["launcher.E006"].msg


def test_an_interpreter_that_can_not_be_started_is_e007(settings: Settings, tmp_path: Path) -> None:
    settings.LAUNCHER = {"PYTHON": tmp_path / "python", "SPOOL_DIR": options().spool_dir}
    assert "LAUNCHER['PYTHON']" in str(messages()["launcher.E007"].hint)


def test_settings_that_are_no_module_are_e008(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    settings.SETTINGS_MODULE = None
    assert "DJANGO_SETTINGS_MODULE" in str(messages()["launcher.E008"].hint)


def test_a_grant_for_a_command_that_is_not_there_is_w001(settings: Settings) -> None:
    commands: dict[str, Any] = {"check": {}, "chekc": {"groups": ["Operators"]}}
    settings.LAUNCHER = {"COMMANDS": commands, "SPOOL_DIR": options().spool_dir}
    found = messages()
    assert list(found) == ["launcher.W001"]
    assert "'chekc'" in found["launcher.W001"].msg


def test_a_project_that_can_not_be_forked_is_w002_of_the_deployment_checks(settings: Settings, tmp_path: Path) -> None:
    settings.LAUNCHER = {"SPOOL_DIR": tmp_path}
    tmp_path.chmod(0o700)
    job = make_job(0, "", (), (), spool_root=str(tmp_path), project=project_key())
    note_way(job, "key", "an app has started a thread")
    assert messages() == {}
    deployed = {message.id: message for message in run_checks(tags=["launcher"], include_deployment_checks=True)}
    assert "an app has started a thread" in deployed["launcher.W002"].msg


def ids_in(text: str) -> set[str]:
    return set(re.findall(r"launcher\.[EWI]\d{3}", text))


def test_every_id_in_the_code_is_tested_here() -> None:
    assert ids_in("".join(path.read_text() for path in ROOT.rglob("*.py"))) == IDS


def test_every_id_is_in_the_docs_and_no_other() -> None:
    assert ids_in((ROOT.parent / "docs" / "checks.md").read_text()) == IDS


LOADED = """
import sys
import django
from django.core.management import call_command

django.setup()
call_command("check")
print(*(name for name in sys.modules if name.startswith("launcher")), file=sys.stderr)
"""
FOR_PAGES = ("arguments", "argv", "controls", "forms", "presets", "runs", "shell", "stream", "uploads")


def test_a_command_of_the_project_loads_nothing_that_only_pages_need() -> None:
    process = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT.parent, capture_output=True, text=True, check=True
    )
    found = process.stderr.split()
    assert {"launcher.models", "launcher.admin", "launcher.checks", "launcher.templatetags.launcher"} <= {*found}
    pages = [name for name in found if name.startswith(("launcher.views.", "launcher.output."))]
    assert pages == ["launcher.views.base", "launcher.views.crowding", "launcher.output.spool"]
    assert not {*found} & {f"launcher.{name}" for name in FOR_PAGES}
