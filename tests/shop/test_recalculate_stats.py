"""Tests of `recalculate_stats`: the figures, which days it computes, how it shows progress, what it refuses."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError
from django.utils import timezone

from project.shop.daily_statistics import DayFigures, store_figures
from project.shop.models import Category, Customer, DailyStatistic, Order, OrderLine, Product
from tests.shop.running import Terminal, run

pytestmark = pytest.mark.django_db
DAY = date(2026, 5, 4)
MAY = ("--from=2026-05-01", "--to=2026-05-10")


def place_order(day: date, *quantities: int, status: str = Order.Status.PAID, hour: int = 12) -> Order:
    """An order with a line per quantity, all of one product that costs 2.50."""
    category, _ = Category.objects.get_or_create(name="Kitchen")
    product, _ = Product.objects.get_or_create(sku="K-1", defaults={"price": Decimal("2.50"), "category": category})
    at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    customer = Customer.objects.create(name="Ada", email=f"{Customer.objects.count()}@example.com", created_at=at)
    order = Order.objects.create(customer=customer, status=status, placed_at=at)
    for quantity in quantities:
        OrderLine.objects.create(order=order, product=product, quantity=quantity, unit_price=product.price)
    order.save_total()
    return order


def test_counts_a_days_orders_items_revenue_and_new_customers() -> None:
    place_order(DAY, 1, 2, hour=0)
    place_order(DAY, 4, hour=23)
    place_order(DAY + timedelta(days=1), 9, hour=0)
    run("recalculate_stats", *MAY)
    found = DailyStatistic.objects.get(date=DAY)
    assert (found.orders, found.items, found.revenue, found.new_customers) == (2, 7, Decimal("17.50"), 2)


def test_cancelled_orders_count_nowhere() -> None:
    place_order(DAY, 3, status=Order.Status.CANCELLED)
    run("recalculate_stats", *MAY)
    found = DailyStatistic.objects.get(date=DAY)
    assert (found.orders, found.items, found.revenue) == (0, 0, Decimal(0))


def test_computes_the_last_thirty_days_by_default() -> None:
    run("recalculate_stats")
    today = timezone.localdate()
    dates = set(DailyStatistic.objects.values_list("date", flat=True))
    assert dates == {today - timedelta(days=age) for age in range(30)}


def test_days_that_are_up_to_date_are_left_alone() -> None:
    run("recalculate_stats", *MAY)
    place_order(DAY, 1)
    output = run("recalculate_stats", *MAY)
    assert output.lines[-1] == "Days computed: 1, with 1 orders. Up to date already: 9."


def test_a_day_whose_order_changed_since_is_computed_again() -> None:
    order = place_order(DAY, 1)
    run("recalculate_stats", *MAY)
    order.status = Order.Status.CANCELLED
    order.save()
    run("recalculate_stats", *MAY)
    assert DailyStatistic.objects.get(date=DAY).orders == 0


def test_a_day_that_was_not_over_is_computed_again() -> None:
    run("recalculate_stats", *MAY)
    DailyStatistic.objects.filter(date=DAY).update(computed_at=datetime(2026, 5, 4, 18, tzinfo=UTC))
    output = run("recalculate_stats", *MAY)
    assert "10 days, 1 to compute." in output.lines[0]


def test_rebuild_computes_every_day_of_the_period_and_no_other() -> None:
    wrong = {"orders": 99, "items": 99, "revenue": 99, "new_customers": 99}
    DailyStatistic.objects.create(date=DAY, **wrong)
    DailyStatistic.objects.create(date=date(2026, 5, 11), **wrong)
    run("recalculate_stats", *MAY, "--rebuild")
    orders = dict(DailyStatistic.objects.values_list("date", "orders"))
    assert len(orders) == 11
    assert (orders[DAY], orders[date(2026, 5, 11)]) == (0, 99)


def test_prints_a_plain_line_per_tenth_when_nobody_watches() -> None:
    output = run("recalculate_stats", "--from=2026-01-01", "--to=2026-02-19")
    progress = output.lines[1:-1]
    assert [line.split("%")[0].strip() for line in progress] == [str(10 * tenth) for tenth in range(1, 11)]
    assert "\r" not in output.stdout


def test_draws_one_bar_over_itself_on_a_terminal() -> None:
    output = run("recalculate_stats", *MAY, stdout=Terminal())
    bar = output.stdout.split("\n")[1]
    assert bar.count("\r") == 10
    assert bar.endswith("100 %  2026-05-10")
    assert output.stdout.split("\n")[2].endswith("Up to date already: 0.")


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(CommandError, match="--to 2026-05-01 is before --from 2026-05-02") as caught:
        run("recalculate_stats", "--from=2026-05-02", "--to=2026-05-01")
    assert caught.value.returncode == 2


def test_an_end_in_the_future_is_refused() -> None:
    with pytest.raises(CommandError, match="--to 9999-12-31 is in the future"):
        run("recalculate_stats", "--to=9999-12-31")


def test_the_calendars_first_day_is_no_error() -> None:
    run("recalculate_stats", "--to=0001-01-02")
    assert DailyStatistic.objects.count() == 2


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="argument --from: invalid fromisoformat value: 'May'"):
        run("recalculate_stats", "--from=May")


def test_stopped_half_way_it_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop_at_the_third(day: date) -> DayFigures:
        if day.day == 3:
            raise KeyboardInterrupt
        return store_figures(day)

    monkeypatch.setattr("project.shop.management.commands.recalculate_stats.store_figures", stop_at_the_third)
    with pytest.raises(CommandError, match="Stopped after 2 of 5 days") as stopped:
        run("recalculate_stats", "--from=2026-01-01", "--to=2026-01-05", "--rebuild")
    assert stopped.value.returncode == 130
