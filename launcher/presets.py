"""Filled forms kept under a name: whose they are, what may be in them, and filling one in again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from launcher import policy, shell
from launcher.arguments import Description
from launcher.argv import mask_options
from launcher.masking import MASK
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
    """Return the line without the words that are secret; nothing, where they can't be told apart."""
    try:
        words = shell.split(extra)
    except shell.CannotRead:
        is_open = description.groups and not description.secret_options
        return extra if is_open else ""
    masked = mask_options(words, description)
    return extra if masked == words else shell.join([word for word in masked if MASK not in word])


def delete_preset(preset: Preset, *, user: Any) -> None:
    """Delete one's own preset, or with the right to share one that is for everyone. Raises PermissionDenied."""
    if preset.is_shared:
        decision = policy.may_share(user, preset.command)
        if not decision:
            raise PermissionDenied(decision.reason)
    elif preset.owner_key != str(user.pk):
        raise PermissionDenied(_("This preset is somebody else's."))
    preset.delete()
