"""The demo's URLs and a second admin site, on which launcher must work as well."""

from django.contrib import admin
from django.urls import include, path

from launcher.admin import CommandAdmin, RunAdmin
from launcher.models import Command, Run

second = admin.AdminSite(name="second")
second.register(Command, CommandAdmin)
second.register(Run, RunAdmin)

urlpatterns = [
    path("second-admin/", second.urls),
    path("", include("project.urls")),
]
