#!/usr/bin/env python
"""Writes the CSV files in `project/sample_data`, one that `import_csv_data` takes and one that it refuses.

`--check` writes nothing and fails if the shipped files are not what this would write.
"""

import argparse
import csv
import io
import sys
from datetime import date
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from project.shop import sample_data  # noqa: E402  (found only after the line above)

DIRECTORY = REPOSITORY / "project" / "sample_data"
COLUMNS = ["sku", "name", "category", "price", "stock"]
# No row of the file has a date; it only has to be a fixed one.
UNTIL = date(2026, 1, 1)
# Above the numbers of `populate_sample_data`: a first import finds no SKU that exists.
FIRST_NUMBER = 50_000
GOOD_ROWS = 3_000
ROWS_WITH_ERRORS = 40

Row = dict[str, str]


def product_rows(count: int, *, seed: int) -> list[Row]:
    """`count` valid rows."""
    products = sample_data.products(
        count, seed=seed, until=UNTIL, category_names=sample_data.categories(10), first_number=FIRST_NUMBER
    )
    return [
        {
            "sku": product.sku,
            "name": product.name,
            "category": product.category,
            "price": str(product.price),
            "stock": str(product.stock),
        }
        for product in products
    ]


def rows_with_errors() -> list[Row]:
    """Mostly valid rows, with seven errors in six of them."""
    rows = product_rows(ROWS_WITH_ERRORS, seed=2)
    wrong = {
        9: {"name": ""},
        17: {"price": "abc"},
        23: {"stock": "-4"},
        28: {"sku": rows[3]["sku"]},
        31: {"price": "12,50"},
        36: {"sku": "", "stock": "many"},
    }
    for line, cells in wrong.items():
        rows[line - 2].update(cells)  # line 1 is the header
    return rows


def as_csv(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def sample_files() -> dict[str, bytes]:
    """The content of each shipped file, by its name."""
    return {
        "products.csv": as_csv(product_rows(GOOD_ROWS, seed=1)),
        "products_with_errors.csv": as_csv(rows_with_errors()),
    }


def outdated_files(directory: Path) -> list[str]:
    """The names of the files in `directory` that are missing or differ from what would be written."""
    return [
        name
        for name, content in sample_files().items()
        if not (directory / name).is_file() or (directory / name).read_bytes() != content
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the demo's sample CSV files.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    if parser.parse_args().check:
        outdated = outdated_files(DIRECTORY)
        for name in outdated:
            print(f"{name} is out of date: run tools/make_sample_csv.py", file=sys.stderr)
        return 1 if outdated else 0
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name, content in sample_files().items():
        (DIRECTORY / name).write_bytes(content)
        print(f"Wrote {name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
