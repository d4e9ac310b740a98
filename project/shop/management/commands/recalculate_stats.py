"""Brings the daily statistics up to date. `daily_statistics` has the figures; this chooses days and shows progress."""

from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

import launcher
from project.shop.daily_statistics import days_between, days_to_compute, store_figures

DEFAULT_DAYS = 30
BAR_WIDTH = 30


class Command(BaseCommand):
    help = (
        "Compute the daily statistics that are missing or out of date. Each day is a transaction of its own: "
        "stopped half-way, the days done are kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from",
            dest="from_date",
            type=date.fromisoformat,
            metavar="DATE",
            help=f"First day, as YYYY-MM-DD (default: {DEFAULT_DAYS} days up to --to).",
        )
        parser.add_argument(
            "--to",
            dest="to_date",
            type=date.fromisoformat,
            metavar="DATE",
            help="Last day, as YYYY-MM-DD (default: today).",
        )
        parser.add_argument(
            "--rebuild", action="store_true", help="Delete and compute again every day, also those up to date."
        )

    def handle(self, *, from_date: date | None, to_date: date | None, rebuild: bool, **options: Any) -> None:
        first, last = self._period(from_date, to_date)
        days = days_between(first, last)
        to_do = days if rebuild else days_to_compute(first, last)
        self.stdout.write(f"From {first} to {last}: {len(days)} days, {len(to_do)} to compute.")
        orders = done = 0
        try:
            for done, day in enumerate(to_do, start=1):
                orders += store_figures(day).orders
                self._show_progress(done, len(to_do), day)
                launcher.progress(done, len(to_do), str(day))
        except KeyboardInterrupt:
            self.stdout.write("")
            raise CommandError(
                f"Stopped after {max(done - 1, 0)} of {len(to_do)} days; these are kept.", returncode=130
            ) from None
        if self.stdout.isatty() and to_do:
            self.stdout.write("")
        self.stdout.write(
            self.style.SUCCESS(
                f"Days computed: {len(to_do)}, with {orders} orders. Up to date already: {len(days) - len(to_do)}."
            )
        )

    def _period(self, from_date: date | None, to_date: date | None) -> tuple[date, date]:
        today = timezone.localdate()
        last = to_date or today
        if last > today:
            raise CommandError(f"--to {last} is in the future.", returncode=2)
        try:
            first = from_date or last - timedelta(days=DEFAULT_DAYS - 1)
        except OverflowError:
            first = date.min
        if last < first:
            raise CommandError(f"--to {last} is before --from {first}.", returncode=2)
        return first, last

    def _show_progress(self, done: int, total: int, day: date) -> None:
        """One bar that draws over itself on a terminal; elsewhere a line whenever another tenth is done."""
        percent = 100 * done // total
        if self.stdout.isatty():
            filled = BAR_WIDTH * done // total
            bar = self.style.SUCCESS("█" * filled) + "░" * (BAR_WIDTH - filled)
            self.stdout.write(f"\r{bar} {percent:3} %  {day}", ending="")
        elif 10 * done // total > 10 * (done - 1) // total:
            self.stdout.write(f"{percent:3} %  {day}")
