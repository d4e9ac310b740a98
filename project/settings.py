"""Settings of the demo project: small, but what a real one would have. Launcher needs one line: in INSTALLED_APPS."""

import os
from pathlib import Path

import django

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("LAUNCHER_DEMO_DEBUG", "1").lower() not in {"", "0", "false", "no", "off"}
SECRET_KEY = "demo-only-this-key-is-public-and-protects-nothing"
ALLOWED_HOSTS = ["*"] if DEBUG else ["localhost", "127.0.0.1", "[::1]", "testserver"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "launcher",
    "project.shop",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "project.csp.ContentSecurityPolicy",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
ASGI_APPLICATION = "project.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("LAUNCHER_DEMO_DATABASE") or BASE_DIR / "db.sqlite3",
        "OPTIONS": {
            # Readers never wait for a writer (WAL); a writer waits its turn at BEGIN, not failing at its first UPDATE.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

DEFAULT_FROM_EMAIL = "shop@launcher.example"
# On the console by default, so that a run shows the mail in its output.
_MAIL_TO_FILES = os.environ.get("LAUNCHER_DEMO_EMAIL", "console") == "file"
_MAIL_BACKEND = f"django.core.mail.backends.{'filebased' if _MAIL_TO_FILES else 'console'}.EmailBackend"
_MAIL_DIRECTORY = BASE_DIR / "var" / "mail"
if django.VERSION >= (6, 1):  # where the EMAIL_* settings are deprecated
    MAILERS = {
        "default": {
            "BACKEND": _MAIL_BACKEND,
            "OPTIONS": {"file_path": _MAIL_DIRECTORY} if _MAIL_TO_FILES else {},
        }
    }
else:
    EMAIL_BACKEND = _MAIL_BACKEND
    EMAIL_FILE_PATH = _MAIL_DIRECTORY
# Django 6.0 takes addresses, and deprecates the pairs which 5.2 insists on.
MANAGERS: list[str] | list[tuple[str, str]]
MANAGERS = ["owner@launcher.example"] if django.VERSION >= (6, 0) else [("Shop owner", "owner@launcher.example")]

LAUNCHER = {
    "COMMANDS": {
        "import_csv_data": {"groups": ["Operators"]},
        "send_daily_report": {"groups": ["Operators"]},
        "recalculate_stats": {"groups": ["Operators"]},
    },
}
