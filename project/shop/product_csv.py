"""Product CSV files: reading one and judging every row of it. Knows no database row, writes nothing."""

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

from project.shop.models import CATEGORY_LENGTH, HIGHEST_PRICE, HIGHEST_STOCK, NAME_LENGTH, SKU_LENGTH

COLUMNS = ("sku", "name", "category", "price", "stock")


class UnreadableFile(Exception):
    """The file can't be read as a product CSV at all; the message says why, and what to try."""


@dataclass(frozen=True, kw_only=True)
class ProductRow:
    """`line` is the line on which the row starts, counted from 1."""

    line: int
    sku: str
    name: str
    category: str
    price: Decimal
    stock: int


@dataclass(frozen=True, kw_only=True)
class RowError:
    """`column` is None when the row as a whole is wrong."""

    line: int
    column: str | None
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.column is None else f"line {self.line}, column {self.column}"
        return f"{place}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class ProductFile:
    """`ignored_columns` are those of the header that no product has."""

    rows: list[ProductRow]
    errors: list[RowError]
    ignored_columns: list[str]


def read_product_file(path: Path, *, delimiter: str, encoding: str, default_category: str | None) -> ProductFile:
    """Read and check the whole file. `default_category` is for rows that name none, and for a file without the column.

    Raises UnreadableFile if it can't be opened or decoded, is empty, or lacks a column.
    """
    try:
        with path.open(encoding=encoding, newline="") as file:
            return _read(file, path.name, delimiter, default_category)
    except FileNotFoundError:
        raise UnreadableFile(f"There is no file {path}.") from None
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror or error}.") from error
    except UnicodeError as error:
        raise UnreadableFile(f"{path.name} is not {encoding} text: {error}. Try another --encoding.") from error


def _read(file: TextIO, name: str, delimiter: str, default_category: str | None) -> ProductFile:
    numbered = _numbered_rows(file, name, delimiter)
    first = next(numbered, None)
    if first is None:
        raise UnreadableFile(f"{name} is empty.")
    header = [column.strip().lower() for column in first[1]]
    _check_header(header, name, delimiter, default_category)
    rows: list[ProductRow] = []
    errors: list[RowError] = []
    line_of_sku: dict[str, int] = {}
    for line, cells in numbered:
        row, row_errors = _check_row(line, header, cells, default_category)
        if row is not None and row.sku in line_of_sku:
            row_errors = [RowError(line=line, column="sku", message=_repeated(row.sku, line_of_sku[row.sku]))]
        elif row is not None:
            line_of_sku[row.sku] = line
            rows.append(row)
        errors += row_errors
    return ProductFile(rows=rows, errors=errors, ignored_columns=[column for column in header if column not in COLUMNS])


def _numbered_rows(file: TextIO, name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Every row that isn't blank, with the line on which it starts (a quoted cell may go over several)."""
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(f"{name}, line {reader.line_num}: {error}.") from error


def _check_header(header: list[str], name: str, delimiter: str, default_category: str | None) -> None:
    missing = [column for column in COLUMNS if column not in header]
    if default_category is not None and "category" in missing:
        missing.remove("category")
    if missing:
        found = ", ".join(header)
        raise UnreadableFile(
            f"{name} has no column {', '.join(missing)}; its first line is read as: {found}. "
            f"Is the delimiter really {delimiter!r}?"
        )
    twice = sorted({column for column in COLUMNS if header.count(column) > 1})
    if twice:
        raise UnreadableFile(f"{name} has more than one column {', '.join(twice)}.")


def _check_row(
    line: int, header: list[str], cells: list[str], default_category: str | None
) -> tuple[ProductRow | None, list[RowError]]:
    """The row, or everything that is wrong with it."""
    if len(cells) != len(header):
        message = f"has {len(cells)} columns, the first line has {len(header)}"
        return None, [RowError(line=line, column=None, message=message)]
    texts = {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
    checked = _Cells(line=line, texts={**texts, "category": texts.get("category") or default_category or ""})
    row = ProductRow(
        line=line,
        sku=checked.text("sku", SKU_LENGTH),
        name=checked.text("name", NAME_LENGTH),
        category=checked.text("category", CATEGORY_LENGTH),
        price=checked.price("price"),
        stock=checked.stock("stock"),
    )
    return (None if checked.errors else row), checked.errors


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """A row's cells by column. A wrong one gives a placeholder and adds to `errors`, so that all of them are found."""

    line: int
    texts: dict[str, str]
    errors: list[RowError] = field(default_factory=list)

    def text(self, column: str, longest: int) -> str:
        text = self.texts[column]
        if not text:
            self._refuse(column, "is empty")
        elif len(text) > longest:
            self._refuse(column, f"is longer than {longest} characters")
        elif any(unicodedata.category(character) == "Cc" for character in text):
            self._refuse(column, f"{text!r} has a control character in it")
        return text

    def price(self, column: str) -> Decimal:
        text = self.texts[column]
        try:
            price = Decimal(text)
        except InvalidOperation:
            price = Decimal("NaN")
        if not text:
            self._refuse(column, "is empty")
        elif not price.is_finite():
            self._refuse(column, f"{text!r} is not a number")
        elif price < 0:
            self._refuse(column, f"{text!r} is negative")
        elif price > HIGHEST_PRICE:
            self._refuse(column, f"{text!r} is more than {HIGHEST_PRICE}")
        elif price != round(price, 2):
            self._refuse(column, f"{text!r} has more than two decimals")
        return price

    def stock(self, column: str) -> int:
        text = self.texts[column]
        try:
            stock = int(text)
        except ValueError:
            self._refuse(column, f"{text!r} is not a whole number" if text else "is empty")
            return 0
        if stock < 0:
            self._refuse(column, f"{text!r} is negative")
        elif stock > HIGHEST_STOCK:
            self._refuse(column, f"{text!r} is more than {HIGHEST_STOCK}")
        return stock

    def _refuse(self, column: str, message: str) -> None:
        self.errors.append(RowError(line=self.line, column=column, message=message))


def _repeated(sku: str, first_line: int) -> str:
    return f"{sku!r} is in line {first_line} already"
