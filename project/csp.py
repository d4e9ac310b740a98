"""The strictest content security policy: nothing but the project's own files, and nothing inline.

Launcher's pages promise to work with it. Django has a middleware of its own from 6.0 on; this one serves all versions.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

POLICY = "default-src 'self'"


class ContentSecurityPolicy:
    """Adds the header to each answer but those of Django's debug pages, whose style is inline."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response["Content-Security-Policy"] = POLICY
        return response
