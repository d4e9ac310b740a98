"""The report on one day: what it says, and the e-mail made of it. Sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.core.mail import EmailMultiAlternatives
from django.db.models import Count, Sum
from django.template.loader import render_to_string

from project.shop.daily_statistics import DayFigures, compute_figures, orders_placed_on
from project.shop.models import Order, OrderLine

BEST_SELLERS = 5


@dataclass(frozen=True, kw_only=True)
class BestSeller:
    sku: str
    name: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class DailyReport:
    """`statuses` counts the day's orders by the label of their status; those without orders are left out."""

    date: date
    figures: DayFigures
    statuses: dict[str, int]
    best_sellers: list[BestSeller]


def make_report(day: date) -> DailyReport:
    orders = orders_placed_on(day)
    counts = dict(orders.order_by().values_list("status").annotate(Count("pk")))
    sold = (
        OrderLine.objects.filter(order__in=orders.exclude(status=Order.Status.CANCELLED))
        .values_list("product__sku", "product__name")
        .annotate(quantity=Sum("quantity"))
        .order_by("-quantity", "product__sku")[:BEST_SELLERS]
    )
    return DailyReport(
        date=day,
        figures=compute_figures(day),
        statuses={str(status.label): counts[status.value] for status in Order.Status if status.value in counts},
        best_sellers=[BestSeller(sku=sku, name=name, quantity=quantity) for sku, name, quantity in sold],
    )


def make_message(
    report: DailyReport, *, to: Sequence[str], subject_prefix: str, body_format: Literal["text", "html"]
) -> EmailMultiAlternatives:
    """The report as an e-mail. An HTML one carries the text as well, for readers that show no HTML."""
    context = {"report": report}
    message = EmailMultiAlternatives(
        subject=f"{subject_prefix}Daily report for {report.date}",
        body=render_to_string("shop/daily_report.txt", context),
        to=list(to),
    )
    if body_format == "html":
        message.attach_alternative(render_to_string("shop/daily_report.html", context), "text/html")
    return message
