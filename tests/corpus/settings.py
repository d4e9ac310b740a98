"""Settings of the corpus: Django and some 40 third-party apps, installed for the sake of their commands.

Owns what the apps want before their commands can be imported, and the choice of the temporary folder, as
`tests/settings.py` does. Nothing here reaches for a service: what needs one fails, and the test tells the cause.
"""

import os
import tempfile
import uuid
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent.parent

# As in tests/settings.py: the first process to come here decides, those that it starts follow.
os.environ.setdefault("LAUNCHER_TEST_FOLDER", str(Path(tempfile.gettempdir()) / f"launcher-corpus-{uuid.uuid4().hex}"))
TEST_FOLDER = Path(os.environ["LAUNCHER_TEST_FOLDER"])

# django-extensions and others look for files of the project beside its settings; there shall be none.
BASE_DIR = TEST_FOLDER
SECRET_KEY = "only-for-tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.corpus.urls"
SITE_ID = 1
USE_TZ = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German")]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

STATIC_URL = "static/"
STATIC_ROOT = TEST_FOLDER / "static"
STATICFILES_DIRS = [REPOSITORY / "static"]
MEDIA_URL = "media/"
MEDIA_ROOT = TEST_FOLDER / "media"

# Two, since commands offer the databases as choices.
DATABASES = {
    alias: {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": TEST_FOLDER / f"{alias}.sqlite3",
        "TEST": {"NAME": TEST_FOLDER / f"{alias}.sqlite3"},
    }
    for alias in ("default", "other")
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

INSTALLED_APPS = [
    "daphne",
    "modeltranslation",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.sites",
    "django.contrib.redirects",
    "django.contrib.flatpages",
    "django_htmx",
    "launcher",
    "django_extensions",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.search_promotions",
    "wagtail.contrib.settings",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "modelsearch",
    "django_tasks",
    "import_export",
    "django_q",
    "django_rq",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "axes",
    "reversion",
    "guardian",
    "haystack",
    "compressor",
    "easy_thumbnails",
    "sorl.thumbnail",
    "waffle",
    "simple_history",
    "constance",
    "auditlog",
    "tailwind",
    "django_elasticsearch_dsl",
    "huey.contrib.djhuey",
    "post_office",
    "oauth2_provider",
    "channels",
    "django_celery_beat",
    "silk",
    "django_typer",
    "django_rich",
    "pgtrigger",
    "django_migration_linter",
    "django_linear_migrations",
    "sslserver",
    "livereload",
    "health_check",
    "mailer",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [REPOSITORY / "templates"],
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
LAUNCHER: dict[str, Any] = {"SPOOL_DIR": TEST_FOLDER / "spool"}

# What the apps want, in their order above
MODELTRANSLATION_LANGUAGES = ("en", "de")
WAGTAIL_SITE_NAME = "Corpus"
WAGTAILADMIN_BASE_URL = "http://localhost"
WAGTAIL_I18N_ENABLED = True
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
Q_CLUSTER = {"name": "corpus", "orm": "default"}
RQ_QUEUES = {name: {"HOST": "localhost", "PORT": 6379, "DB": 0} for name in ("default", "high")}
HAYSTACK_CONNECTIONS = {
    name: {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"} for name in ("default", "second")
}
CONSTANCE_CONFIG = {"GREETING": ("hello", "What to say")}
CONSTANCE_BACKEND = "constance.backends.memory.MemoryBackend"
TAILWIND_APP_NAME = "theme"
ELASTICSEARCH_DSL = {"default": {"hosts": "http://localhost:9200"}}
HUEY = {"name": "corpus", "huey_class": "huey.MemoryHuey", "immediate": True}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
