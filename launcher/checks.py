"""System checks: every misconfiguration that can be seen before somebody clicks."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateDoesNotExist, engines
from django.template.backends.django import DjangoTemplates

from launcher import catalogue
from launcher.conf import options
from launcher.engines import Engine, engine


@register("launcher")
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Check the LAUNCHER dict, and then what its engine needs."""
    try:
        options()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="See the settings page of Launcher's documentation.", id="launcher.E001")]
    try:
        carrier = engine()
        if not isinstance(carrier, Engine):
            raise TypeError(f"{options().engine} is no Engine")
    except (ImportError, TypeError) as error:
        hint = "Name an engine's class by its dotted path, such as 'launcher.engines.local.LocalEngine'."
        return [Error(f"LAUNCHER['ENGINE'] can't be used: {error}", hint=hint, id="launcher.E002")]
    return carrier.check()


@register("launcher", deploy=True)
def check_way(**kwargs: Any) -> list[CheckMessage]:
    """Say how runs start; among the deployment checks, since each run would print the message of any other."""
    try:
        return engine().check_way()
    except (ImproperlyConfigured, ImportError, AttributeError):  # E001 and E002 say it
        return []


@register("launcher")
def check_apps(**kwargs: Any) -> list[CheckMessage]:
    """Check that django-htmx is installed, which brings htmx and its template tag."""
    if apps.is_installed("django_htmx"):
        return []
    return [
        Error("Launcher needs django-htmx.", hint="Add 'django_htmx' to INSTALLED_APPS.", id="launcher.E003"),
    ]


@register("launcher")
def check_templates(**kwargs: Any) -> list[CheckMessage]:
    """Check that the pages' templates are found."""
    try:
        if any(_has_templates(backend) for backend in engines.all()):
            return []
    except Exception:  # noqa: BLE001  whatever else is wrong with templates, other checks say it better
        return []
    hint = "Add a DjangoTemplates backend with APP_DIRS; of an editable install, name its templates folder in DIRS."
    return [Error("Launcher's templates are not found.", hint=hint, id="launcher.E004")]


def _has_templates(backend: object) -> bool:
    """Tell whether a backend finds a template of ours; it is not compiled, which each command would wait for."""
    if not isinstance(backend, DjangoTemplates):
        return False
    for loader in backend.engine.template_loaders:
        for origin in loader.get_template_sources("launcher/catalogue.html"):
            with suppress(TemplateDoesNotExist):
                loader.get_contents(origin)  # type: ignore[attr-defined]  # documented; the stubs lack it
                return True
    return False


@register("launcher")
def check_grants(**kwargs: Any) -> list[CheckMessage]:
    """Check that the commands named by the settings exist: a grant for a misspelt one goes to nobody, in silence."""
    try:
        named = options().commands
    except ImproperlyConfigured:  # E001 says it
        return []
    return [
        Warning(
            f"LAUNCHER['COMMANDS'] names {name!r}, but the project has no such command.",
            hint="Correct the name. If only the runs of a removed command are still to be read, silence this check.",
            id="launcher.W001",
        )
        for name in named
        if not catalogue.exists(name)
    ]
