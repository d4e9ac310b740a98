"""What all views share: pages in the admin's dress, addresses on the same site, and what the user may read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from launcher import policy
from launcher.models import Run

View = Callable[..., HttpResponseBase]

NOT_LISTED = ("traceback", "argv", "screen")
"""What may be long, and no list shows."""

if TYPE_CHECKING:
    Admin = ModelAdmin[Any]
else:
    Admin = ModelAdmin


def is_htmx(request: HttpRequest) -> bool:
    """Tell a request for a fragment from one for a page; a history restore wants the page."""
    details = HtmxDetails(request)
    return bool(details) and not details.history_restore_request


def address(admin: Admin, name: str, *args: Any) -> str:
    """Return the address of one of our pages on the admin's own site."""
    return reverse(f"admin:launcher_{name}", args=args, current_app=admin.admin_site.name)


def page(
    admin: Admin, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
) -> TemplateResponse:
    """Return a page with the site's frame; a fragment, which needs none, is spared its queries."""
    return TemplateResponse(
        request,
        f"launcher/{template}",
        {**admin.admin_site.each_context(request), "title": title, "opts": admin.opts, **context},
        status=status,
    )


def refusal(admin: Admin, request: HttpRequest, *, status: int, title: str, message: str) -> TemplateResponse:
    """Return a page in the admin's dress that says why there is nothing to see."""
    return page(admin, request, "refusal.html", title, status=status, message=message)


def number(text: str | None) -> int | None:
    """Return a number from a URL, or None for what is none that a key or a place in an output can be."""
    return int(text) if text and re.fullmatch("[0-9]{1,18}", text) else None


def require(decision: policy.Decision) -> None:
    """Raise PermissionDenied with the policy's reason, where it says no."""
    if not decision:
        raise PermissionDenied(decision.reason)


def runs_of(admin: Admin, request: HttpRequest) -> QuerySet[Run]:
    """Return the runs that the user may read, as the site's own ModelAdmin for them says."""
    readable: QuerySet[Run] = admin.admin_site.get_model_admin(Run).get_queryset(request)
    return readable
