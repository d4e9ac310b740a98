"""Tests of `setup_demo`: the three logins and their rights, and that a second call changes nothing."""

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType

from project.shop.models import Customer, Order, Product
from tests.shop.running import run

pytestmark = pytest.mark.django_db


def test_makes_three_logins_whose_password_is_their_name() -> None:
    run("setup_demo")
    users = {user.username: user for user in User.objects.all()}
    assert set(users) == {"owner", "operator", "outsider"}
    assert all(user.is_staff and user.check_password(name) for name, user in users.items())
    assert [name for name, user in users.items() if user.is_superuser] == ["owner"]


def test_operators_may_run_commands_and_see_runs_and_the_shop() -> None:
    run("setup_demo")
    operator = User.objects.get(username="operator")
    existing = Permission.objects.filter(content_type__app_label="launcher", codename__in=["run_command", "view_run"])
    assert operator.has_perms([f"launcher.{permission.codename}" for permission in existing])
    assert operator.has_perms(["shop.view_product", "shop.view_dailystatistic"])
    assert not operator.has_perm("shop.change_product")
    assert [group.name for group in operator.groups.all()] == ["Operators"]


def test_the_outsider_has_no_right_at_all() -> None:
    run("setup_demo")
    assert User.objects.get(username="outsider").get_all_permissions() == set()


def test_missing_launcher_permissions_are_no_error_and_come_with_the_next_call() -> None:
    Permission.objects.filter(content_type__app_label="launcher").delete()
    run("setup_demo")
    assert not User.objects.get(username="operator").has_module_perms("launcher")
    run_type, _ = ContentType.objects.get_or_create(app_label="launcher", model="run")
    Permission.objects.create(content_type=run_type, codename="view_run", name="Can view run")
    run("setup_demo")
    assert User.objects.get(username="operator").has_perm("launcher.view_run")


def test_fills_an_empty_shop_only() -> None:
    first = run("setup_demo")
    filled = Product.objects.count(), Customer.objects.count(), Order.objects.count()
    second = run("setup_demo")
    assert "Products: 120 added." in first.lines
    assert second.lines[0] == "The shop has data already."
    assert (Product.objects.count(), Customer.objects.count(), Order.objects.count()) == filled


def test_a_changed_password_stays_changed() -> None:
    run("setup_demo")
    owner = User.objects.get(username="owner")
    owner.set_password("something else")
    owner.save()
    run("setup_demo")
    assert User.objects.get(username="owner").check_password("something else")
    assert User.objects.count() == 3


def test_prints_the_logins_as_a_table() -> None:
    lines = run("setup_demo").lines
    assert lines[-5].split() == ["login", "password", "what", "for"]
    assert lines[-4].split()[:2] == ["owner", "owner"]
    assert run("setup_demo").lines[-4].endswith("(existed; its password may be another)")
