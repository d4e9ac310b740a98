"""Tests of the shop's admin pages and of the demo's URLs."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from project.shop.models import DailyStatistic, Order, OrderLine, Product
from tests.shop.running import run

MODELS = ["category", "product", "customer", "order", "dailystatistic"]


@pytest.fixture(autouse=True)
def shop(db: None) -> None:
    run("populate_sample_data", "--products=30", "--customers=10", "--orders=30")
    run("recalculate_stats")


@pytest.fixture
def client(client: Client) -> Client:
    """A client logged in as a superuser."""
    client.force_login(User.objects.create_superuser("boss"))
    return client


def test_the_root_leads_to_the_admin(client: Client) -> None:
    response = client.get("/")
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_the_admin_says_where_one_is(client: Client) -> None:
    assert "Launcher demo shop" in client.get("/admin/").content.decode()


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_and_can_be_searched(client: Client, model: str) -> None:
    url = reverse(f"admin:shop_{model}_changelist")
    assert client.get(url).status_code == 200
    assert client.get(url, {"q": "ada"}).status_code == 200


@pytest.mark.parametrize("model", ["product", "order"])
def test_a_list_of_thirty_rows_needs_no_query_per_row(
    client: Client, model: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(10):
        client.get(reverse(f"admin:shop_{model}_changelist"))


def test_statistics_can_be_looked_at_and_not_changed(client: Client) -> None:
    statistic = DailyStatistic.objects.latest("date")
    url = reverse("admin:shop_dailystatistic_change", args=[statistic.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"orders": 99}).status_code == 403
    assert client.get(reverse("admin:shop_dailystatistic_add")).status_code == 403
    assert client.post(reverse("admin:shop_dailystatistic_delete", args=[statistic.pk])).status_code == 403


def test_saving_an_order_adds_up_its_lines(client: Client) -> None:
    order = Order.objects.create(customer=Order.objects.all()[0].customer)
    product = Product.objects.all()[0]
    data = {
        "customer": order.customer_id,
        "status": "paid",
        "placed_at_0": "2026-05-04",
        "placed_at_1": "12:00:00",
        "lines-TOTAL_FORMS": 1,
        "lines-INITIAL_FORMS": 0,
        "lines-0-product": product.pk,
        "lines-0-quantity": 3,
        "lines-0-unit_price": "2.50",
    }
    assert client.post(reverse("admin:shop_order_change", args=[order.pk]), data).status_code == 302
    order.refresh_from_db()
    assert order.total == Decimal("7.50")


def test_everything_says_what_it_is() -> None:
    line = OrderLine.objects.select_related("product", "order__customer")[0]
    assert str(line) == f"{line.quantity} x {line.product.name} ({line.product.sku})"
    assert str(line.order) == f"Order {line.order.pk}"
    assert str(line.order.customer) == line.order.customer.name
    assert str(line.product.category) == line.product.category.name
    assert str(DailyStatistic.objects.latest("date")).count("-") == 2
