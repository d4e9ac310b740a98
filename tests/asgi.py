"""The tests' project as an ASGI application with its static files; a test may have it look again more often."""

import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
application = ASGIStaticFilesHandler(get_asgi_application())

from launcher import stream  # noqa: E402  once Django is set up

if "LAUNCHER_TEST_CHECK_SECONDS" in os.environ:
    stream.CHECK_SECONDS = stream.ALIVE_SECONDS = float(os.environ["LAUNCHER_TEST_CHECK_SECONDS"])
