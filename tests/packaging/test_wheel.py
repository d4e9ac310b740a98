"""What the wheel holds, and what it must not."""

import tomllib
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

import launcher
from tests.packaging.conftest import ROOT


@pytest.fixture(scope="session")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


@pytest.mark.parametrize("kind", ["templates", "static"])
def test_every_template_and_static_file_is_inside_the_package(kind: str, names: set[str]) -> None:
    files = files_under(ROOT / kind / "launcher")
    assert files
    assert {f"launcher/{path.relative_to(ROOT)}" for path in files} <= names


def test_every_module_is_inside(names: set[str]) -> None:
    assert {str(path.relative_to(ROOT)) for path in files_under(ROOT / "launcher")} <= names


def test_nothing_but_the_package_and_its_metadata_is_inside(names: set[str]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in names} == {"launcher", "django_launcher"}


@pytest.mark.parametrize("kind", ["templates", "static"])
def test_no_file_of_the_demo_is_inside(kind: str, names: set[str]) -> None:
    folders = {name.split("/")[2] for name in names if name.startswith(f"launcher/{kind}/")}
    assert folders == {"launcher"}


def test_the_version_is_the_packages_own(metadata: Message) -> None:
    assert metadata["Version"] == launcher.__version__


def test_only_django_and_django_htmx_are_required(metadata: Message) -> None:
    assert metadata.get_all("Requires-Dist") == ["django-htmx>=1.29", "django>=5.2"]


def test_requirements_repeat_the_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "requirements" / "runtime.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == project["dependencies"]
