"""The app's registration with Django: nothing here may import a management command."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LauncherConfig(AppConfig):
    """Registers the system checks; everything else is found by Django's own conventions."""

    name = "launcher"
    verbose_name = _("Launcher")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from launcher import checks  # noqa: F401
