"""Who may see, run, stop and read what. Every view asks here, and so does `runs` where a run starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from launcher import catalogue
from launcher.conf import command_options, options

RUN_PERMISSION = "launcher.run_command"
DELETE_PERMISSION = "launcher.delete_run"
SHARE_PERMISSION = "launcher.share_preset"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An answer, with the sentence to show where it is no."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed


YES = Decision(allowed=True)


def may_enter(user: Any) -> Decision:
    """Decide whether the user has anything to do with Launcher at all."""
    if _is_superuser(user) or (user.has_perm(RUN_PERMISSION) and granted_commands(user)):
        return YES
    return Decision(allowed=False, reason=_("You have no right to run commands."))


def may_use(user: Any, command: str) -> Decision:
    """Decide whether the user may see the command, read its runs and stop them.

    The answer for a command that doesn't exist is that for one not granted, in words and in work done.
    """
    if _is_superuser(user) or (user.has_perm(RUN_PERMISSION) and _is_granted(user, command)):
        return YES
    return Decision(allowed=False, reason=_("You have no right to use this command."))


def may_run(user: Any, command: str) -> Decision:
    """Decide whether the user may start the command now."""
    decision = may_use(user, command)
    if not decision:
        return decision
    obstacle = catalogue.obstacle(command)
    return Decision(allowed=False, reason=obstacle) if obstacle else YES


def may_delete(user: Any, command: str) -> Decision:
    """Decide whether the user may delete the command's finished runs."""
    if user.has_perm(DELETE_PERMISSION) and may_use(user, command):
        return YES
    return Decision(allowed=False, reason=_("You have no right to delete runs."))


def may_share(user: Any, command: str) -> Decision:
    """Decide whether the user may save and delete presets that everyone sees who may run the command."""
    if user.has_perm(SHARE_PERMISSION) and may_use(user, command):
        return YES
    return Decision(allowed=False, reason=_("You have no right to save presets for everyone."))


def usable_commands(user: Any) -> Iterable[str] | None:
    """Return the names of the commands whose runs the user may read, or None for every one."""
    if _is_superuser(user):
        return None
    return granted_commands(user) if user.has_perm(RUN_PERMISSION) else []


def granted_commands(user: Any) -> list[str]:
    """Return the names that the settings grant to the user, whether or not such commands exist."""
    groups = _group_names(user)
    return [name for name in options().commands if _is_granted(user, name, groups)]


def _is_superuser(user: Any) -> bool:
    # A project's own user model need not have the attribute; then grants are the only way.
    return bool(user.is_active and getattr(user, "is_superuser", False))


def _is_granted(user: Any, command: str, groups: frozenset[str] | None = None) -> bool:
    said = command_options(command)
    if any(user.has_perm(permission) for permission in said.permissions):
        return True
    return not (_group_names(user) if groups is None else groups).isdisjoint(said.groups)


def _group_names(user: Any) -> frozenset[str]:
    """Return the names of the user's groups, asked for once per request's user object."""
    found: frozenset[str] | None = getattr(user, "_launcher_groups", None)
    if found is None:
        groups = getattr(user, "groups", None)
        found = frozenset(groups.values_list("name", flat=True)) if groups is not None else frozenset()
        user._launcher_groups = found
    return found
