"""Tests of the shipped sample files and of the tool that writes them."""

import subprocess
import sys
from pathlib import Path

from tools.make_sample_csv import DIRECTORY, as_csv, outdated_files, product_rows, sample_files

TOOL = DIRECTORY.parents[1] / "tools" / "make_sample_csv.py"


def test_the_shipped_files_are_what_the_tool_would_write() -> None:
    assert outdated_files(DIRECTORY) == []


def test_the_tool_checks_them_without_django_being_set_up() -> None:
    checked = subprocess.run([sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_missing_and_changed_files_are_outdated(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_bytes(sample_files()["products.csv"] + b"\n")
    assert outdated_files(tmp_path) == ["products.csv", "products_with_errors.csv"]


def test_the_same_seed_gives_the_same_rows_and_another_other_ones() -> None:
    assert product_rows(50, seed=3) == product_rows(50, seed=3)
    assert product_rows(50, seed=3) != product_rows(50, seed=4)


def test_every_sku_is_there_once() -> None:
    rows = product_rows(3_000, seed=1)
    assert len({row["sku"] for row in rows}) == 3_000


def test_lines_end_the_same_on_every_system() -> None:
    assert b"\r" not in as_csv(product_rows(5, seed=1))
