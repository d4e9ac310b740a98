"""Makes the demo ready to look at: logins, rights, and shop data. Run again, it changes nothing that is there."""

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Q

from project.shop.models import Product

OPERATORS = "Operators"
# login: what it is for, and its attributes. The first password is the login.
LOGINS: dict[str, tuple[str, dict[str, bool]]] = {
    "owner": ("superuser: may do everything", {"is_staff": True, "is_superuser": True}),
    "operator": ("may run the commands granted to Operators", {"is_staff": True}),
    "outsider": ("staff without any right", {"is_staff": True}),
}


class Command(BaseCommand):
    help = (
        "Make the demo's logins and sample data, where they don't exist yet. The passwords are public: "
        "never run this where others can reach it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            created = {login for login in LOGINS if self._create_login(login)}
            self._grant_to_operators()
        if Product.objects.exists():
            self.stdout.write("The shop has data already.")
        else:
            call_command("populate_sample_data", stdout=self.stdout)
        self._print_logins(created)

    def _create_login(self, login: str) -> bool:
        """Whether it had to be created. An existing one is left as it is, whoever changed it."""
        if User.objects.filter(username=login).exists():
            return False
        User.objects.create_user(login, f"{login}@launcher.example", login, **LOGINS[login][1])
        return True

    def _grant_to_operators(self) -> None:
        operators, _ = Group.objects.get_or_create(name=OPERATORS)
        may_run = Q(content_type__app_label="launcher", codename__in=["run_command", "view_run"])
        may_look = Q(content_type__app_label="shop", codename__startswith="view_")
        # Those of an app that isn't migrated yet don't exist: the next call adds them.
        operators.permissions.add(*Permission.objects.filter(may_run | may_look))
        operators.user_set.add(User.objects.get(username="operator"))

    def _print_logins(self, created: set[str]) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(f"{'login':<10} {'password':<10} what for"))
        for login, (purpose, _) in LOGINS.items():
            note = "" if login in created else " (existed; its password may be another)"
            self.stdout.write(f"{login:<10} {login:<10} {purpose}{note}")
        self.stdout.write(self.style.SUCCESS("The demo is ready."))
