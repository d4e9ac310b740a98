"""Who may see, run, read, stop and delete what."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.core.exceptions import PermissionDenied
from pytest_django import DjangoAssertNumQueries, Settings

import launcher
from launcher import policy, runs
from launcher.models import Run
from tests.pages import GRANTED, NOT_GRANTED, stored_run


@dataclass
class Stranger:
    """A user of a project's own model: no `is_superuser`, no groups."""

    permissions: Iterable[str] = ()
    is_active: bool = True
    pk: int = 1
    asked: list[str] = field(default_factory=list)

    def has_perm(self, name: str) -> bool:
        self.asked.append(name)
        return name in self.permissions

    def get_username(self) -> str:
        return "stranger"


def may_anything(user: object, command: str) -> list[bool]:
    decisions = [policy.may_use(user, command), policy.may_run(user, command), policy.may_delete(user, command)]
    return [bool(decision) for decision in decisions]


def test_a_superuser_may_everything(owner: User) -> None:
    assert policy.may_enter(owner)
    assert may_anything(owner, NOT_GRANTED) == [True, True, True]
    assert policy.usable_commands(owner) is None


def test_staff_without_the_right_may_nothing(outsider: User) -> None:
    assert not policy.may_enter(outsider)
    assert may_anything(outsider, GRANTED) == [False, False, False]
    assert list(policy.usable_commands(outsider) or []) == []


def test_nobody_may_nothing() -> None:
    assert not policy.may_enter(AnonymousUser())
    assert may_anything(AnonymousUser(), GRANTED) == [False, False, False]


def test_an_operator_may_use_and_run_what_is_granted_but_not_delete(operator: User) -> None:
    assert policy.may_enter(operator)
    assert may_anything(operator, GRANTED) == [True, True, False]
    assert may_anything(operator, NOT_GRANTED) == [False, False, False]


def test_the_group_alone_is_not_enough(operator: User) -> None:
    Group.objects.get(name="Operators").permissions.clear()
    assert not policy.may_enter(operator)
    assert may_anything(operator, GRANTED) == [False, False, False]
    assert list(policy.usable_commands(operator) or []) == []


def test_the_right_alone_is_not_enough(outsider: User) -> None:
    outsider.user_permissions.add(Permission.objects.get(codename="run_command"))
    assert not policy.may_enter(outsider)
    assert may_anything(outsider, GRANTED) == [False, False, False]


def test_a_permission_grants_like_a_group(outsider: User, settings: Settings) -> None:
    settings.LAUNCHER = {"COMMANDS": {NOT_GRANTED: {"permissions": ["auth.view_user"]}}}
    codenames = ["run_command", "view_user", "delete_run"]
    outsider.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    assert may_anything(outsider, NOT_GRANTED) == [True, True, True]
    assert policy.granted_commands(outsider) == [NOT_GRANTED]


def test_the_right_to_delete_is_none_to_delete_runs_of_other_commands(operator: User) -> None:
    operator.user_permissions.add(Permission.objects.get(codename="delete_run"))
    assert policy.may_delete(operator, GRANTED)
    assert not policy.may_delete(operator, NOT_GRANTED)


@pytest.mark.parametrize("attribute", ["owner", "operator"])
def test_an_inactive_user_may_nothing(attribute: str, request: pytest.FixtureRequest) -> None:
    user: User = request.getfixturevalue(attribute)
    user.is_active = False
    assert not policy.may_enter(user)
    assert may_anything(user, GRANTED) == [False, False, False]


def test_a_command_that_is_not_granted_and_one_that_is_not_there_get_the_same_answer(operator: User) -> None:
    assert policy.may_use(operator, NOT_GRANTED) == policy.may_use(operator, "no_such_command")
    assert policy.may_run(operator, "runserver") == policy.may_run(operator, "no_such_command")


def test_nobody_may_run_what_is_not_launchable_but_its_runs_may_be_read(owner: User, settings: Settings) -> None:
    settings.LAUNCHER = {"COMMANDS": {"check": {"launchable": False, "reason": "Not today."}}}
    assert policy.may_use(owner, "check")
    assert policy.may_run(owner, "check") == policy.Decision(allowed=False, reason="Not today.")


def test_every_refusal_has_a_sentence(outsider: User) -> None:
    refusals = [policy.may_enter(outsider), policy.may_use(outsider, GRANTED), policy.may_delete(outsider, GRANTED)]
    assert all(re.fullmatch(r"[A-Z].+\.", refusal.reason) for refusal in refusals)


def test_a_user_model_without_superusers_and_groups_has_grants_by_permission_only(settings: Settings) -> None:
    settings.LAUNCHER = {"COMMANDS": {"check": {"permissions": ["a.b"], "groups": ["Operators"]}, GRANTED: {}}}
    assert not policy.may_enter(Stranger(permissions=["launcher.run_command"]))
    stranger = Stranger(permissions=["launcher.run_command", "a.b"])
    assert policy.may_enter(stranger)
    assert policy.usable_commands(stranger) == ["check"]
    assert not policy.may_use(stranger, GRANTED)


def test_groups_are_asked_for_once(operator: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    operator.has_perm("launcher.run_command")
    with django_assert_num_queries(1):
        for _ in range(20):
            assert policy.may_use(operator, GRANTED)
            assert policy.may_enter(operator)


@pytest.mark.django_db
def test_every_permission_that_is_asked_for_exists() -> None:
    root = Path(launcher.__file__).parent
    sources = [
        path.read_text()
        for folder in (root, root.parent / "templates")
        for path in folder.rglob("*.*")
        if path.suffix in {".py", ".html"}
    ]
    literal = {name for text in sources for name in re.findall(r"has_perm\(\s*[\"']([^\"']+)", text)}
    in_templates = {f"launcher.{name}" for text in sources for name in re.findall(r"perms\.launcher\.(\w+)", text)}
    constants = {value for name, value in vars(policy).items() if name.endswith("_PERMISSION")}
    asked = literal | in_templates | constants
    there = {f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")}
    assert asked >= {"launcher.run_command", "launcher.delete_run"}
    assert asked <= there


# The services ask again, whoever calls them.


def test_starting_asks_again(operator: User) -> None:
    with pytest.raises(PermissionDenied):
        runs.start_run(NOT_GRANTED, [], user=operator)
    assert not Run.objects.exists()


def test_stopping_asks_again(operator: User) -> None:
    run = stored_run(NOT_GRANTED)
    with pytest.raises(PermissionDenied):
        runs.stop_run(run, user=operator)


def test_starting_refuses_what_is_not_launchable_even_to_a_superuser(owner: User) -> None:
    with pytest.raises(PermissionDenied, match="server"):
        runs.start_run("runserver", [], user=owner)
