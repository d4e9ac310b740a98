"""Filled forms kept under a name: whose they are, what may be in them, and filling one in again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from launcher import policy, shell
from launcher.arguments import Argument, Description, Kind
from launcher.argv import mask_options, without_masked
from launcher.models import Preset

LONGEST_NAME = 100


class CannotSave(ValueError):
    """A preset that can't be kept; the message is for the person who asked."""


def presets_for(user: Any, command: str) -> QuerySet[Preset]:
    """Return the presets that the user sees: his own and those for everyone. The policy is asked elsewhere."""
    mine = Q(owner_key=str(user.pk)) | Q(owner_key="")
    return Preset.objects.filter(mine, command=command).order_by("name", "owner_key")


@sensitive_variables()
def save_preset(
    command: str,
    name: str,
    *,
    user: Any,
    description: Description,
    given: Mapping[str, Sequence[str]],
    extra: str = "",
    is_shared: bool = False,
) -> Preset:
    """Keep what was filled in under a name, less its secrets; one of the same name and owner gives way.

    Raises PermissionDenied and CannotSave.
    """
    decision = policy.may_share(user, command) if is_shared else policy.may_use(user, command)
    if not decision:
        raise PermissionDenied(decision.reason)
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        raise CannotSave(_("A preset needs a name of at most %d characters.") % LONGEST_NAME)
    secret = {item.name for each in description.chain(given) for item in each.arguments if item.is_secret}
    kept = {key: list(values) for key, values in given.items() if key not in secret}
    if any("\0" in text for texts in kept.values() for text in texts) or "\0" in extra:
        raise CannotSave(_("A NUL character can't be kept in a preset."))
    preset, _is_new = Preset.objects.update_or_create(
        command=command,
        name=name,
        owner_key="" if is_shared else str(user.pk),
        defaults={
            "given": kept,
            "extra": _without_secrets(extra, description),
            "user_name": user.get_username(),
            "saved_at": timezone.now(),
        },
    )
    return preset


def _without_secrets(extra: str, description: Description) -> str:
    """Return the line without the words that may be secret; nothing, where they can't be told apart."""
    try:
        words = shell.split(extra)
    except shell.CannotRead:
        return "" if description.has_secrets else extra
    masked = mask_options(words, description)
    return extra if masked == words else shell.join(without_masked(masked))


def fitting(preset: Preset, description: Description) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Return what of a preset the command's arguments can take now, and the names of those that are others by now."""
    said = preset.given if isinstance(preset.given, dict) else {}
    given = {name: tuple(texts) for name, texts in said.items() if _are_texts(texts)}
    found: dict[str, tuple[str, ...]] = {}
    for each in description.chain(given):
        found |= {item.name: given[item.name] for item in each.arguments if _fits(item, given.get(item.name))}
    return found, sorted(said.keys() - found.keys())


def _are_texts(texts: object) -> bool:
    return isinstance(texts, list) and all(isinstance(text, str) for text in texts)


def _fits(argument: Argument, texts: tuple[str, ...] | None) -> bool:
    if texts is None:
        return False
    match argument.kind:
        case Kind.FLAG:
            return not texts
        case Kind.YES_NO | Kind.COUNT | Kind.SUBCOMMAND:
            return len(texts) == 1
        case Kind.VALUE:
            return len(texts) == 1 or (not texts and argument.is_bare_allowed)
        case Kind.SEQUENCE | Kind.GROUPS:
            return bool(texts) and all(_can_split(text) for text in texts)
    return bool(texts) or argument.is_bare_allowed


def _can_split(text: str) -> bool:
    try:
        return bool(shlex.split(text)) or not text
    except ValueError:
        return False


def delete_preset(preset: Preset, *, user: Any) -> None:
    """Delete one's own preset, or with the right to share one that is for everyone. Raises PermissionDenied."""
    if preset.is_shared:
        decision = policy.may_share(user, preset.command)
        if not decision:
            raise PermissionDenied(decision.reason)
    elif preset.owner_key != str(user.pk):
        raise PermissionDenied(_("This preset is somebody else's."))
    preset.delete()
