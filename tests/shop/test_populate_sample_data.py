"""Tests of `populate_sample_data`: the amounts, sameness by seed, running it again, and what it refuses."""

from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from project.shop.models import Category, Customer, DailyStatistic, Order, OrderLine, Product
from tests.shop.running import run

pytestmark = pytest.mark.django_db
SMALL = ("--categories=3", "--products=12", "--customers=6", "--orders=20", "--until=2026-05-01")


def shop_contents() -> list[Any]:
    """Everything in the shop but keys and the time of writing."""
    return [
        list(Category.objects.values_list("name")),
        list(Product.objects.values_list("sku", "name", "category__name", "price", "stock", "created_at")),
        list(Customer.objects.order_by("email").values_list("name", "email", "city", "created_at")),
        list(Order.objects.values_list("customer__email", "status", "placed_at", "total").order_by("placed_at")),
        list(OrderLine.objects.values_list("product__sku", "quantity", "unit_price").order_by("pk")),
    ]


def test_adds_as_many_of_each_kind_as_asked_for() -> None:
    output = run("populate_sample_data", *SMALL)
    assert [model.objects.count() for model in (Category, Product, Customer, Order)] == [3, 12, 6, 20]
    assert output.lines[:3] == ["Categories: 3 added.", "Products: 12 added.", "Customers: 6 added."]
    assert output.lines[-1] == "The shop has 3 categories, 12 products, 6 customers and 20 orders."


def test_the_defaults_fill_a_small_shop() -> None:
    run("populate_sample_data")
    assert [model.objects.count() for model in (Category, Product, Customer, Order)] == [8, 120, 60, 200]


def test_the_same_seed_and_until_give_the_same_data() -> None:
    run("populate_sample_data", *SMALL, "--seed=7")
    first = shop_contents()
    run("populate_sample_data", *SMALL, "--seed=7", "--flush")
    assert shop_contents() == first


def test_another_seed_gives_other_data() -> None:
    run("populate_sample_data", *SMALL, "--seed=7")
    first = shop_contents()
    run("populate_sample_data", *SMALL, "--seed=8", "--flush")
    assert shop_contents()[1:] != first[1:]


def test_asking_for_more_customers_leaves_the_products_as_they_are() -> None:
    run("populate_sample_data", *SMALL)
    products = shop_contents()[1]
    run("populate_sample_data", *SMALL, "--customers=9", "--flush")
    assert shop_contents()[1] == products


def test_a_second_run_keeps_what_is_there_and_adds_orders() -> None:
    run("populate_sample_data", *SMALL)
    output = run("populate_sample_data", *SMALL)
    assert "Products: 0 added, 12 there already." in output.lines
    assert "Customers: 0 added, 6 there already." in output.lines
    assert (Product.objects.count(), Order.objects.count()) == (12, 40)


def test_a_second_run_with_another_seed_adds_products() -> None:
    run("populate_sample_data", *SMALL)
    run("populate_sample_data", *SMALL, "--seed=2")
    assert Category.objects.count() == 3
    assert Product.objects.count() > 12


def test_flush_deletes_everything_first_and_counts_it() -> None:
    run("populate_sample_data", *SMALL)
    DailyStatistic.objects.create(date="2026-04-01", orders=0, items=0, revenue=0, new_customers=0)
    output = run("populate_sample_data", "--flush", "--categories=1", "--products=0", "--customers=0", "--orders=0")
    assert "Deleted 12 products." in output.lines
    assert not DailyStatistic.objects.exists()
    assert shop_contents() == [[("Kitchen",)], [], [], [], []]


def test_no_order_is_in_the_future_or_before_its_customer() -> None:
    run("populate_sample_data", "--orders=300")
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    assert all(order.customer.created_at < order.placed_at < today for order in Order.objects.all())


def test_an_order_costs_what_its_lines_cost() -> None:
    run("populate_sample_data", *SMALL)
    for order in Order.objects.all():
        assert order.total == sum(line.quantity * line.unit_price for line in order.lines.all())


def test_orders_alone_are_made_of_what_the_shop_has() -> None:
    run("populate_sample_data", *SMALL, "--orders=0")
    run("populate_sample_data", "--categories=0", "--products=0", "--customers=0", "--orders=5", "--until=2026-05-01")
    assert Order.objects.count() == 5


@pytest.mark.parametrize("option", ["--categories", "--products", "--customers", "--orders"])
@pytest.mark.parametrize(("value", "message"), [("-1", "-1 is negative"), ("many", "'many' is not a whole number")])
def test_an_amount_that_is_no_amount_is_refused(option: str, value: str, message: str) -> None:
    with pytest.raises(CommandError, match=f"argument {option}: {message}"):
        run("populate_sample_data", f"{option}={value}")


def test_products_without_a_category_are_refused() -> None:
    with pytest.raises(CommandError, match="Products need a category") as caught:
        run("populate_sample_data", "--categories=0")
    assert caught.value.returncode == 2


def test_orders_without_products_are_refused_and_nothing_is_added() -> None:
    with pytest.raises(CommandError, match="Orders need a customer and a product"):
        run("populate_sample_data", "--products=0")
    assert not Customer.objects.exists()


def test_a_date_before_our_time_is_refused() -> None:
    with pytest.raises(CommandError, match="0001-01-02 is before 1970"):
        run("populate_sample_data", "--until=0001-01-02")
