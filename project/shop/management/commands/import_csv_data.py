"""Imports products from a CSV file, all or nothing. `product_csv` judges the file; this writes the rows and tells."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

import launcher
from project.shop.argument_types import delimiter as delimiter_sign
from project.shop.argument_types import text_encoding
from project.shop.models import Category, Product
from project.shop.product_csv import ProductRow, RowError, UnreadableFile, read_product_file

BATCH_SIZE = 250
MOST_ERRORS_SHOWN = 50


class Command(BaseCommand):
    help = (
        "Import products from a CSV file with the columns sku, name, category, price, stock. One wrong row, and "
        "nothing is imported. Categories that don't exist are added."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "csv_path", type=Path, help="The file to import, for example project/sample_data/products.csv."
        )
        reading = parser.add_argument_group("reading the file")
        reading.add_argument(
            "--delimiter",
            type=delimiter_sign,
            choices=[",", ";", "tab", "|"],
            default=",",
            help="What separates the columns (default: %(default)s).",
        )
        reading.add_argument(
            "--encoding",
            type=text_encoding,
            default="utf-8-sig",
            help="How the text is encoded (default: %(default)s, which is UTF-8 with or without a byte order mark).",
        )
        reading.add_argument(
            "--category", metavar="NAME", help="The category of the rows that name none (default: such a row is wrong)."
        )
        writing = parser.add_argument_group("writing the products")
        writing.add_argument(
            "--update-existing",
            action="store_true",
            help="Change the products whose SKU exists already. Without it, they are skipped.",
        )
        writing.add_argument("--dry-run", action="store_true", help="Do everything, then undo it.")

    def handle(
        self,
        *,
        csv_path: Path,
        delimiter: str,
        encoding: str,
        category: str | None,
        update_existing: bool,
        dry_run: bool,
        **options: Any,
    ) -> None:
        rows = self._read(csv_path, "\t" if delimiter == "tab" else delimiter, encoding, category)
        with transaction.atomic():
            counts = self._import(rows, update_existing)
            if dry_run:
                transaction.set_rollback(True)
        self._summarise(counts, dry_run)

    def _read(self, path: Path, delimiter: str, encoding: str, category: str | None) -> list[ProductRow]:
        self.stdout.write(f"Reading {path.name}.")
        try:
            file = read_product_file(path, delimiter=delimiter, encoding=encoding, default_category=category)
        except UnreadableFile as error:
            raise CommandError(str(error), returncode=2) from error
        if file.ignored_columns:
            self.stderr.write(self.style.WARNING(f"Ignored columns: {', '.join(file.ignored_columns)}."))
        if file.errors:
            self._refuse(file.errors)
        if not file.rows:
            raise CommandError(f"{path.name} has no row below its first line.", returncode=2)
        return file.rows

    def _refuse(self, errors: Sequence[RowError]) -> None:
        for error in errors[:MOST_ERRORS_SHOWN]:
            self.stderr.write(str(error))
        if len(errors) > MOST_ERRORS_SHOWN:
            self.stderr.write(f"… and {len(errors) - MOST_ERRORS_SHOWN} more.")
        wrong_rows = len({error.line for error in errors})
        raise CommandError(f"Nothing was imported: {len(errors)} errors in {wrong_rows} rows.")

    def _import(self, rows: Sequence[ProductRow], update_existing: bool) -> Counter[str]:
        counts: Counter[str] = Counter()
        categories = {category.name: category for category in Category.objects.all()}
        for start in range(0, len(rows), BATCH_SIZE):
            batch = rows[start : start + BATCH_SIZE]
            counts += self._import_batch(batch, categories, update_existing)
            self.stdout.write(f"{start + len(batch)} of {len(rows)} rows.")
            launcher.progress(start + len(batch), len(rows))
        return counts

    def _import_batch(
        self, batch: Sequence[ProductRow], categories: dict[str, Category], update_existing: bool
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        existing = Product.objects.in_bulk([row.sku for row in batch], field_name="sku")
        created, updated = [], []
        for row in batch:
            product = existing.get(row.sku)
            if product is not None and not update_existing:
                counts["skipped"] += 1
                continue
            if row.category not in categories:
                categories[row.category] = Category.objects.create(name=row.category)
                counts["new categories"] += 1
            category = categories[row.category]
            if product is None:
                created.append(Product(sku=row.sku, name=row.name, category=category, price=row.price, stock=row.stock))
            elif _change(product, row, category):
                updated.append(product)
            else:
                counts["unchanged"] += 1
        Product.objects.bulk_create(created)
        Product.objects.bulk_update(updated, ["name", "category", "price", "stock", "updated_at"])
        return counts + Counter({"created": len(created), "updated": len(updated)})

    def _summarise(self, counts: Counter[str], dry_run: bool) -> None:
        parts = [f"{counts[kind]} {kind}" for kind in ("created", "updated", "unchanged", "skipped", "new categories")]
        if dry_run:
            self.stdout.write(self.style.WARNING(f"Dry run, nothing was kept: {', '.join(parts)}."))
        else:
            self.stdout.write(self.style.SUCCESS(f"Imported: {', '.join(parts)}."))
        if counts["skipped"]:
            self.stdout.write(self.style.WARNING("Skipped products exist already; --update-existing changes them."))


def _change(product: Product, row: ProductRow, category: Category) -> bool:
    """Give the product the row's values, without saving; False if it has them already."""
    before = (product.name, product.category_id, product.price, product.stock)
    if before == (row.name, category.pk, row.price, row.stock):
        return False
    product.name, product.category, product.price, product.stock = row.name, category, row.price, row.stock
    product.updated_at = timezone.now()  # bulk_update leaves auto_now alone
    return True
