"""Launcher: every management command of a Django project, in its admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launcher.reporting import progress

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

    from launcher.models import Run

__version__ = "0.1.0"
__all__ = ["progress", "start"]


def start(command: str, /, *words: object, user: AbstractBaseUser | None = None) -> Run:
    """Start a command like the admin does, and return its run at once; the run goes on in processes of its own.

    `words` are those of the command line after the command's name, in its order; each is given as `str()` of it, so
    that numbers and paths can stand there. With a user, the run is in his or her name, and what the policy forbids is
    refused. Without one, the caller is trusted with every command, and the history shows the name of the system's user.

    Inside a transaction, the run starts when that is committed, and never if it is rolled back. A run that no process
    could be started for is returned as lost, with its reason.

    Raises PermissionDenied (django.core.exceptions), NotAccepted and Busy (launcher.runs), CommandUnavailable
    (launcher.catalogue) if there is no such command or it can't be imported, and DatabaseError (django.db) if the run
    can't be stored. Nothing was started then.
    """
    # Importing the package must not need Django's apps to be loaded.
    from launcher import runs
    from launcher.models import Via

    return runs.start_run(command, [str(word) for word in words], user=user, via=Via.API, who=runs.system_user())
