"""Deletes sessions that have expired, counting them. `clearsessions` does it for every backend, but tells nothing."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from project.shop.argument_types import non_negative_int

BACKENDS_WITH_THE_TABLE = ("django.contrib.sessions.backends.db", "django.contrib.sessions.backends.cached_db")


class Command(BaseCommand):
    help = "Delete expired sessions from the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count them.")
        parser.add_argument(
            "--older-than-days",
            type=non_negative_int,
            default=0,
            metavar="N",
            help="Leave those that expired less than N days ago (default: %(default)s).",
        )

    def handle(self, *, dry_run: bool, older_than_days: int, **options: Any) -> None:
        if settings.SESSION_ENGINE not in BACKENDS_WITH_THE_TABLE:
            raise CommandError(f"The sessions are not in the database but in {settings.SESSION_ENGINE}.", returncode=2)
        try:
            expired_by = timezone.now() - timedelta(days=older_than_days)
        except OverflowError:
            raise CommandError(f"{older_than_days} days ago is before the calendar begins.", returncode=2) from None
        total = Session.objects.count()
        expired = Session.objects.filter(expire_date__lte=expired_by)
        self.stdout.write(f"Looking for sessions that expired by {expired_by:%Y-%m-%d %H:%M} UTC.")
        if dry_run:
            self.stdout.write(self.style.WARNING(f"Dry run: {expired.count()} of {total} sessions would be deleted."))
            return
        deleted, _ = expired.delete()
        self.stdout.write(self.style.SUCCESS(f"Deleted {deleted} of {total} sessions."))
