"""Presets: whose they are, what is in them, and what never is."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from launcher.models import Preset, Run
from tests.conftest import logged_in
from tests.pages import GRANTED, address, database_bytes, said_in

SECRET = "correct-horse-battery"


@pytest.fixture
def colleague(operator: User) -> User:
    """Somebody else who may run what the operator may."""
    user = User.objects.create_user("colleague", "c@example.com", "colleague", is_staff=True)
    user.groups.add(Group.objects.get(name="Operators"))
    return user


@pytest.fixture
def sharing_operator(operator: User) -> User:
    operator.user_permissions.add(Permission.objects.get(codename="share_preset"))
    return operator


def save(client: Client, name: str, command: str = GRANTED, **data: Any) -> Any:
    return client.post(address("preset_save", command), {"launcher_preset_name": name, **data}, follow=True)


def form_of(client: Client, command: str = GRANTED, **query: Any) -> str:
    return said_in(client.get(address("command_run", command), query))


def test_a_saved_form_is_filled_in_again(operator_client: Client) -> None:
    page = said_in(save(operator_client, "  Last  week ", from_date="2026-01-05", rebuild="on"))
    preset = Preset.objects.get()
    assert (preset.name, preset.given) == ("Last week", {"from_date": ["2026-01-05"], "rebuild": []})
    assert "The preset “Last week” was saved." in page
    assert 'value="2026-01-05"' in page
    assert not Run.objects.exists()


def test_a_form_need_not_be_complete_nor_right_to_be_saved(operator_client: Client) -> None:
    save(operator_client, "half", "import_csv_data", delimiter="?", launcher_extra="'open")
    page = form_of(operator_client, "import_csv_data", preset=Preset.objects.get().pk)
    assert '<option value="?" selected>' in page
    assert ">\n'open</textarea>" in page


def test_a_preset_of_the_same_name_gives_way(operator_client: Client) -> None:
    save(operator_client, "mine", rebuild="on")
    save(operator_client, "mine", from_date="2026-01-05")
    assert Preset.objects.get().given == {"from_date": ["2026-01-05"]}


def test_ones_own_is_seen_by_nobody_else(operator_client: Client, colleague: User, owner: User) -> None:
    save(operator_client, "private-preset")
    pk = Preset.objects.get().pk
    assert "private-preset" in form_of(operator_client)
    for other in (logged_in(colleague), logged_in(owner)):
        assert "private-preset" not in form_of(other)
        assert "There is no such preset any more." in form_of(other, preset=pk)
        assert other.post(address("preset_delete", GRANTED, pk)).status_code == 404


def test_one_for_everyone_is_seen_by_those_who_may_run_the_command(sharing_operator: User, colleague: User) -> None:
    save(logged_in(sharing_operator), "for all", launcher_preset_shared="on", rebuild="on")
    page = form_of(logged_in(colleague), preset=Preset.objects.get().pk)
    assert "for all" in page
    assert "for everyone" in page
    assert "launcher-changed" in page


def test_without_the_right_nothing_is_saved_for_everyone(operator_client: Client) -> None:
    assert 'name="launcher_preset_shared"' not in form_of(operator_client)
    assert save(operator_client, "for all", launcher_preset_shared="on").status_code == 403
    assert not Preset.objects.exists()


def test_one_for_everyone_is_deleted_by_those_with_the_right_alone(sharing_operator: User, colleague: User) -> None:
    client = logged_in(sharing_operator)
    save(client, "for all", launcher_preset_shared="on")
    url = address("preset_delete", GRANTED, Preset.objects.get().pk)
    assert logged_in(colleague).post(url).status_code == 403
    assert client.get(url).status_code == 405
    assert client.post(url, follow=True).status_code == 200
    assert not Preset.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\0b"])
def test_a_name_that_is_none_is_refused_and_the_form_kept(operator_client: Client, name: str) -> None:
    page = said_in(save(operator_client, name, from_date="2026-01-05"))
    assert "A preset needs a name" in page
    assert 'value="2026-01-05"' in page
    assert not Preset.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "data",
    [
        {"password": SECRET},
        {"launcher_extra": f"--password {SECRET} --user bob"},
        {"launcher_extra": f"-p{SECRET}"},
        {"launcher_extra": f"--password '{SECRET}"},
        {"api_keys": ["k", SECRET]},
    ],
)
def test_a_secret_is_never_in_it(owner_client: Client, data: dict[str, Any]) -> None:
    page = said_in(save(owner_client, "with secret", "args_secrets", user="ann", **data))
    assert SECRET not in page
    assert Preset.objects.get().given == {"user": ["ann"]}
    assert SECRET.encode() not in database_bytes()


def test_a_secret_of_another_parsers_command_is_not_in_it_either(owner_client: Client) -> None:
    save(owner_client, "x", "foreign_typer", launcher_extra=f"Ann --token={SECRET}")
    assert SECRET not in Preset.objects.get().extra


def test_an_argument_that_is_gone_is_told(operator_client: Client, operator: User) -> None:
    preset = Preset.objects.create(
        command=GRANTED, name="old", owner_key=str(operator.pk), given={"gone": ["1"], "rebuild": []}
    )
    page = form_of(operator_client, preset=preset.pk)
    assert "The command has no argument gone any more" in page
    assert "launcher-changed" in page


def test_a_preset_of_another_command_fills_nothing(operator_client: Client, operator: User) -> None:
    preset = Preset.objects.create(command="check", name="x", owner_key=str(operator.pk), given={"tags": ["a"]})
    assert "There is no such preset any more." in form_of(operator_client, preset=preset.pk)


def test_an_outsider_saves_and_sees_none(outsider_client: Client) -> None:
    assert save(outsider_client, "x").status_code == 403
    assert not Preset.objects.exists()
