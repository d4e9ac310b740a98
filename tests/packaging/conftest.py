"""The wheel, built once per session just as a release is: the sdist first, then the wheel out of it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.packaging)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    argv = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    build = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stdout + build.stderr
    return next(folder.glob("*.whl"))
