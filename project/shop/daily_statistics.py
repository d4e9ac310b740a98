"""A day's figures: computing, storing, and knowing which stored ones are out of date. Prints nothing."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Max, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from project.shop.models import Customer, DailyStatistic, Order, OrderLine


@dataclass(frozen=True, kw_only=True)
class DayFigures:
    """Cancelled orders count nowhere."""

    orders: int
    items: int
    revenue: Decimal
    new_customers: int


def days_between(first: date, last: date) -> list[date]:
    """All days from `first` to `last`, both included; none if `last` is earlier."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The day's start and the next day's start, in the current time zone."""
    midnight = datetime.combine(day, time.min)
    return timezone.make_aware(midnight), timezone.make_aware(midnight + timedelta(days=1))


def orders_placed_on(day: date) -> QuerySet[Order]:
    start, end = day_bounds(day)
    return Order.objects.filter(placed_at__gte=start, placed_at__lt=end)


def compute_figures(day: date) -> DayFigures:
    start, end = day_bounds(day)
    counted = orders_placed_on(day).exclude(status=Order.Status.CANCELLED)
    # Two queries: joined to their lines, the orders' totals would be added once per line.
    sums = counted.aggregate(orders=Count("pk"), revenue=Sum("total"))
    items = OrderLine.objects.filter(order__in=counted).aggregate(items=Sum("quantity"))["items"]
    return DayFigures(
        orders=sums["orders"],
        items=items or 0,
        # SQLite adds decimals as floats.
        revenue=round(sums["revenue"] or Decimal(0), 2),
        new_customers=Customer.objects.filter(created_at__gte=start, created_at__lt=end).count(),
    )


def days_to_compute(first: date, last: date) -> list[date]:
    """The days without a statistic, or with one older than the day's end or the last change of one of its orders.

    A deleted order and a customer added afterwards leave no trace here; only computing everything again finds them.
    """
    computed_at = dict(DailyStatistic.objects.filter(date__range=(first, last)).values_list("date", "computed_at"))
    changes = (
        Order.objects.filter(placed_at__gte=day_bounds(first)[0], placed_at__lt=day_bounds(last)[1])
        .annotate(day=TruncDate("placed_at"))
        .order_by()
        .values("day")
        .annotate(changed_at=Max("updated_at"))
    )
    changed_at = {change["day"]: change["changed_at"] for change in changes}

    def is_current(day: date) -> bool:
        computed = computed_at.get(day)
        end = day_bounds(day)[1]
        return computed is not None and computed >= max(end, changed_at.get(day, end))

    return [day for day in days_between(first, last) if not is_current(day)]


def store_figures(day: date) -> DayFigures:
    """Compute and replace the day's statistic, in one transaction: the day is never left without one."""
    with transaction.atomic():
        figures = compute_figures(day)
        DailyStatistic.objects.filter(date=day).delete()
        DailyStatistic.objects.create(
            date=day,
            orders=figures.orders,
            items=figures.items,
            revenue=figures.revenue,
            new_customers=figures.new_customers,
        )
    return figures
