"""Fills the shop with invented data. What it invents is decided in `sample_data`; this stores it and says how much."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models, transaction
from django.utils import timezone

from project.shop import sample_data
from project.shop.argument_types import non_negative_int
from project.shop.models import Category, Customer, DailyStatistic, Order, OrderLine, Product

BATCH_SIZE = 1_000
EARLIEST_YEAR = 1970


class Command(BaseCommand):
    help = (
        "Fill the shop with invented categories, products, customers and orders. The same seed and --until give the "
        "same data. Categories, products and customers that exist already are kept; orders are added every time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        amounts = parser.add_argument_group("amounts")
        for name, default in {"categories": 8, "products": 120, "customers": 60, "orders": 200}.items():
            amounts.add_argument(
                f"--{name}",
                type=non_negative_int,
                default=default,
                metavar="N",
                help=f"How many {name} (default: %(default)s).",
            )
        making = parser.add_argument_group("how they are made")
        making.add_argument("--seed", type=int, default=1, help="Another seed, other data (default: %(default)s).")
        making.add_argument(
            "--until",
            type=date.fromisoformat,
            metavar="DATE",
            help="The newest orders are of the day before this one (default: today).",
        )
        parser.add_argument("--flush", action="store_true", help="Delete all of the shop's data first.")

    def handle(
        self,
        *,
        categories: int,
        products: int,
        customers: int,
        orders: int,
        seed: int,
        until: date | None,
        flush: bool,
        **options: Any,
    ) -> None:
        until = until or timezone.localdate()
        if until.year < EARLIEST_YEAR:
            raise CommandError(f"--until {until} is before {EARLIEST_YEAR}.", returncode=2)
        with transaction.atomic():
            if flush:
                self._flush()
            kept_categories = self._add_categories(categories)
            kept_products = self._add_products(products, seed, until, kept_categories)
            kept_customers = self._add_customers(customers, seed, until)
            self._add_orders(orders, seed, until, kept_customers, kept_products)
        self.stdout.write(
            self.style.SUCCESS(
                f"The shop has {Category.objects.count()} categories, {Product.objects.count()} products, "
                f"{Customer.objects.count()} customers and {Order.objects.count()} orders."
            )
        )

    def _flush(self) -> None:
        # Lines before orders, orders before customers: every foreign key but the lines' protects its target.
        everything: list[type[models.Model]] = [OrderLine, Order, Customer, Product, Category, DailyStatistic]
        for model in everything:
            deleted, _ = model._default_manager.all().delete()
            self.stdout.write(f"Deleted {deleted} {model._meta.verbose_name_plural}.")

    def _add_categories(self, count: int) -> list[Category]:
        names = sample_data.categories(count)
        there = Category.objects.in_bulk(names, field_name="name")
        added = Category.objects.bulk_create(
            [Category(name=name) for name in names if name not in there], batch_size=BATCH_SIZE
        )
        self._report("Categories", added=len(added), kept=len(there))
        return [*there.values(), *added] or list(Category.objects.all())

    def _add_products(self, count: int, seed: int, until: date, categories: Sequence[Category]) -> Sequence[Product]:
        if count and not categories:
            raise CommandError("Products need a category: give --categories.", returncode=2)
        by_name = {category.name: category for category in categories}
        samples = sample_data.products(count, seed=seed, until=until, category_names=sorted(by_name))
        there = Product.objects.in_bulk([sample.sku for sample in samples], field_name="sku")
        added = Product.objects.bulk_create(
            [
                Product(
                    sku=sample.sku,
                    name=sample.name,
                    category=by_name[sample.category],
                    price=sample.price,
                    stock=sample.stock,
                    created_at=sample.created_at,
                )
                for sample in samples
                if sample.sku not in there
            ],
            batch_size=BATCH_SIZE,
        )
        self._report("Products", added=len(added), kept=len(there))
        by_sku = {**there, **{product.sku: product for product in added}}
        return [by_sku[sample.sku] for sample in samples] or list(Product.objects.order_by("pk"))

    def _add_customers(self, count: int, seed: int, until: date) -> Sequence[Customer]:
        samples = sample_data.customers(count, seed=seed, until=until)
        there = Customer.objects.in_bulk([sample.email for sample in samples], field_name="email")
        added = Customer.objects.bulk_create(
            [
                Customer(name=sample.name, email=sample.email, city=sample.city, created_at=sample.created_at)
                for sample in samples
                if sample.email not in there
            ],
            batch_size=BATCH_SIZE,
        )
        self._report("Customers", added=len(added), kept=len(there))
        by_email = {**there, **{customer.email: customer for customer in added}}
        return [by_email[sample.email] for sample in samples] or list(Customer.objects.order_by("pk"))

    def _add_orders(
        self, count: int, seed: int, until: date, customers: Sequence[Customer], products: Sequence[Product]
    ) -> None:
        if count and not (customers and products):
            raise CommandError("Orders need a customer and a product: give --customers and --products.", returncode=2)
        samples = sample_data.orders(
            count,
            seed=seed,
            until=until,
            registered_at=[customer.created_at for customer in customers],
            product_count=len(products),
        )
        orders, lines = [], []
        for sample in samples:
            order = Order(customer=customers[sample.customer], status=sample.status, placed_at=sample.placed_at)
            for line in sample.lines:
                product = products[line.product]
                lines.append(OrderLine(order=order, product=product, quantity=line.quantity, unit_price=product.price))
                order.total += lines[-1].amount
            orders.append(order)
        Order.objects.bulk_create(orders, batch_size=BATCH_SIZE)
        OrderLine.objects.bulk_create(lines, batch_size=BATCH_SIZE)
        self.stdout.write(f"Orders: {len(orders)} added, with {len(lines)} lines.")

    def _report(self, kind: str, *, added: int, kept: int) -> None:
        self.stdout.write(f"{kind}: {added} added" + (f", {kept} there already." if kept else "."))
