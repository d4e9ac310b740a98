"""URLs of the demo project: the admin, and nothing else. Launcher needs no line here."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

admin.site.site_header = "Launcher demo shop"
admin.site.site_title = "Launcher demo shop"
admin.site.index_title = "Shop administration"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
]
