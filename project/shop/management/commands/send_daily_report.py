"""Sends a day's report by e-mail. `daily_report` writes it; this chooses the day and the readers, and sends."""

from collections.abc import Sequence
from datetime import date, timedelta
from smtplib import SMTPException
from typing import Any, Literal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from project.shop.argument_types import email_address, one_line
from project.shop.daily_report import make_message, make_report


class Command(BaseCommand):
    help = "Send the report on one day's orders by e-mail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--date", type=date.fromisoformat, metavar="DATE", help="The day, as YYYY-MM-DD (default: yesterday)."
        )
        parser.add_argument(
            "--to",
            nargs="+",
            type=email_address,
            metavar="EMAIL",
            help="Who gets it: one or more addresses (default: those of the setting MANAGERS).",
        )
        message = parser.add_argument_group("the message")
        message.add_argument(
            "--format", choices=["text", "html"], default="text", help="Of the body (default: %(default)s)."
        )
        message.add_argument(
            "--subject-prefix",
            type=one_line,
            default="[Shop] ",
            metavar="TEXT",
            help="What the subject begins with (default: %(default)r).",
        )

    def handle(
        self,
        *,
        date: date | None,
        to: list[str] | None,
        format: Literal["text", "html"],
        subject_prefix: str,
        **options: Any,
    ) -> None:
        day = date or timezone.localdate() - timedelta(days=1)
        if day > timezone.localdate():
            raise CommandError(f"--date {day} is in the future.", returncode=2)
        recipients = to or _manager_addresses()
        if not recipients:
            raise CommandError("Nobody to send it to: give --to, or set MANAGERS.", returncode=2)
        report = make_report(day)
        self.stdout.write(f"{day}: {report.figures.orders} orders, {report.figures.revenue} revenue.")
        message = make_message(report, to=recipients, subject_prefix=subject_prefix, body_format=format)
        try:
            message.send()
        except (OSError, SMTPException) as error:
            raise CommandError(f"The report was not sent: {error}") from error
        self.stdout.write(self.style.SUCCESS(f"Sent {message.subject!r} to {', '.join(recipients)}."))


def _manager_addresses() -> list[str]:
    """The addresses in MANAGERS, which holds (name, address) pairs up to Django 5.2 and plain addresses since 6.0."""
    managers: Sequence[str | tuple[str, str]] = settings.MANAGERS
    return [manager if isinstance(manager, str) else manager[1] for manager in managers]
