"""The entries "Commands" and "Runs" in the admin, on any AdminSite: `register(site)` is all that another one takes."""

from __future__ import annotations

from functools import partial, update_wrapper
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from launcher import policy
from launcher.catalogue import CommandUnavailable
from launcher.models import UNFINISHED, Command, Run
from launcher.views.base import NOT_LISTED, View, is_htmx, refusal
from launcher.views.crowding import few_at_once

READ = ("GET", "HEAD")
WRITE = ("POST",)
PAGE_OF_BUTTON = {
    "launcher_run_stop": "launcher_run_change",
    "launcher_run_again": "launcher_run_change",
    "launcher_run_answer": "launcher_run_change",
    "launcher_command_line": "launcher_command_run",
    "launcher_command_fields": "launcher_command_run",
    "launcher_command_fill": "launcher_command_run",
    "launcher_command_help": "launcher_command_run",
    "launcher_preset_save": "launcher_command_run",
}
"""Where a reader gets to from an address that is only ever posted to; all others can be read as well."""


if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class LauncherAdmin(ModelAdmin):
    """What both entries share: how a view is reached, and what its refusals look like."""

    def _view(self, place: str, methods: tuple[str, ...] = READ) -> View:
        """Let a view of ours be reached by those whom the site lets in, and by these methods only.

        `place` is its path within `launcher.views`. It is imported when it is first asked for: commands of
        the project load the URLs to check them, and need no view.
        """
        module, name = f"launcher.views.{place}".rsplit(".", 1)

        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            view = getattr(import_module(module), name)
            return self.admin_site.admin_view(partial(self._answer, view, methods))(request, *args, **kwargs)

        checked.__module__, checked.__name__, checked.__qualname__ = module, name, name
        return self._guarded(checked)

    def _guarded(self, view: View) -> View:
        """Answer here, for every page, what concerns none in particular: an expired session, a locked database."""

        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            # `reverse` and templates find this site's URLs, not the default site's.
            request.current_app = self.admin_site.name
            # Error reports, by mail or on the debug page, must not show what was typed into a form.
            request.sensitive_post_parameters = "__ALL__"  # type: ignore[attr-defined]
            try:
                if is_htmx(request) and not self.admin_site.has_permission(request):
                    # A redirect would be followed and the login page swapped into the fragment. What is being typed
                    # into a form, which is posted for its preview, must not be lost by a reload.
                    headers = {"HX-Refresh": "true"} if request.method in READ else {}
                    return HttpResponse(status=204, headers=headers)
                response = view(request, *args, **kwargs)
                # A template is rendered here, so that a locked database is answered wherever it is met.
                if hasattr(response, "render") and callable(response.render):
                    response.render()
                return response
            except OperationalError as error:
                return self._busy(request, error)

        update_wrapper(wrapper, view)
        wrapper.login_required = False  # type: ignore[attr-defined]  # LoginRequiredMiddleware would send to LOGIN_URL
        # With ATOMIC_REQUESTS, each look at a run would be a transaction, on SQLite one that waits for every writer.
        return transaction.non_atomic_requests(wrapper)

    def _answer(
        self, view: View, methods: tuple[str, ...], request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        if request.method not in methods:
            return HttpResponseNotAllowed(methods)
        try:
            return view(self, request, *args, **kwargs)
        except PermissionDenied as error:
            message = str(error) or str(_("This is not allowed."))
            return refusal(self, request, status=403, title=str(_("Permission denied")), message=message)
        except CommandUnavailable as error:
            return refusal(self, request, status=409, title=str(_("Not usable now")), message=error.message)
        except Http404 as error:
            return refusal(self, request, status=404, title=str(_("Page not found")), message=str(error))

    def _busy(self, request: HttpRequest, error: OperationalError) -> HttpResponse:
        """Answer without the database, since it is the trouble."""
        if is_htmx(request):
            return HttpResponse(status=503, headers={"Retry-After": "2"})
        is_read = request.method in READ
        match = request.resolver_match
        path = request.get_full_path()
        if not is_read and match is not None and match.url_name in PAGE_OF_BUTTON:
            path = self._url(PAGE_OF_BUTTON[match.url_name], *match.args, **match.kwargs)
        context = {
            "error": str(error),
            "is_read": is_read,
            "path": path,
            "history": self._url("launcher_run_changelist"),
        }
        content = render_to_string("launcher/busy.html", context)
        return HttpResponse(content, status=503, headers={"Retry-After": "5"})

    def _url(self, name: str, /, *args: Any, **kwargs: Any) -> str:
        return reverse(f"admin:{name}", args=args, kwargs=kwargs, current_app=self.admin_site.name)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the entries to those who may use at least one command."""
        return bool(policy.may_enter(request.user))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Decide like every page does."""
        return bool(policy.may_enter(request.user))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted, unless a subclass says so."""
        return False


class CommandAdmin(LauncherAdmin):
    """The catalogue and the forms. There is no table behind it."""

    def get_urls(self) -> list[URLPattern]:
        """Put our pages before the stock ones, whose last pattern would swallow them."""
        return [
            path("", self._view("catalogue.catalogue_page"), name="launcher_command_changelist"),
            path("<str:name>/run/", self._view("commands.command_page", READ + WRITE), name="launcher_command_run"),
            path("<str:name>/line/", self._view("commands.command_line", WRITE), name="launcher_command_line"),
            path("<str:name>/fields/", self._view("commands.command_fields", WRITE), name="launcher_command_fields"),
            path("<str:name>/fill/", self._view("commands.command_fill", WRITE), name="launcher_command_fill"),
            path("<str:name>/help/", self._view("commands.command_help", WRITE), name="launcher_command_help"),
            path("<str:name>/preset/", self._view("commands.preset_save", WRITE), name="launcher_preset_save"),
            path(
                "<str:name>/preset/<int:pk>/",
                self._view("commands.preset_delete", WRITE),
                name="launcher_preset_delete",
            ),
        ]


class RunList(ChangeList):
    """The change list, less what may be long and is in no column."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Run]:
        """Return the runs as filtered, searched and ordered."""
        found: QuerySet[Run] = super().get_queryset(request, exclude_parameters)
        return found.defer(*NOT_LISTED)


class RunAdmin(LauncherAdmin):
    """The history: the admin's own change list, and a page for each run."""

    change_list_template = "launcher/run_list.html"
    list_display = ("state", "line", "who", "started", "duration", "code")
    list_display_links = ("line",)
    list_filter = ("status", "command", "user_name", "queued_at")
    search_fields = ("command_line", "user_name")
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-pk",)

    def get_urls(self) -> list[URLPattern]:
        """Put our pages before the stock ones, whose last pattern would swallow them."""
        return [
            path("states/", self._view("runs.run_states"), name="launcher_run_states"),
            path("<int:pk>/change/", self._view("runs.run_page"), name="launcher_run_change"),
            path("<int:pk>/lines/", few_at_once(self._view("output.run_lines")), name="launcher_run_lines"),
            path("<int:pk>/line/<int:line>.txt", self._view("output.run_line"), name="launcher_run_line"),
            path("<int:pk>/stream/", self._view("stream.run_stream", ("GET",)), name="launcher_run_stream"),
            path("<int:pk>/output.txt", self._view("download.run_download"), name="launcher_run_download"),
            path("<int:pk>/search/", self._view("search.run_search"), name="launcher_run_search"),
            path("<int:pk>/stop/", self._view("runs.run_stop", WRITE), name="launcher_run_stop"),
            path("<int:pk>/answer/", self._view("runs.run_answer", WRITE), name="launcher_run_answer"),
            path("<int:pk>/again/", self._view("runs.run_again", WRITE), name="launcher_run_again"),
            path("", self._view("runs.run_history", READ + WRITE), name="launcher_run_changelist"),
            *map(self._adopted, super().get_urls()),
        ]

    def _adopted(self, pattern: URLPattern) -> URLPattern:
        """Have a stock page refuse like ours do."""
        callback = pattern.callback

        def stock(model_admin: LauncherAdmin, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response: HttpResponseBase = callback(request, *args, **kwargs)
            return response

        pattern.callback = self._guarded(update_wrapper(partial(self._answer, stock, READ + WRITE), callback))
        return pattern

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the class of the change list."""
        return RunList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Return the runs of the commands that the user may use."""
        usable = policy.usable_commands(request.user)
        found = Run.objects.all() if usable is None else Run.objects.filter(command__in=usable)
        return found.order_by("-pk")

    def has_view_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        """Ask the policy for the run's command, or for any."""
        decision = policy.may_use(request.user, obj.command) if obj else policy.may_enter(request.user)
        return bool(decision)

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        """Allow deleting finished runs to those with the right; an unfinished one would leave a process behind."""
        if obj is None:
            return request.user.has_perm(policy.DELETE_PERMISSION) and bool(policy.may_enter(request.user))
        return obj.is_finished and bool(policy.may_delete(request.user, obj.command))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Go back to the list; the stock answer does so only for those who may change runs, which nobody may."""
        super().response_delete(request, obj_display, obj_id)  # for its message
        return redirect(reverse("admin:launcher_run_changelist", current_app=self.admin_site.name))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Name the runs alone: their chunks may be thousands, each with a quarter of a megabyte."""
        found = list(objs)
        protected = [
            _("%(run)s is %(status)s: stop it first") % {"run": run, "status": run.get_status_display().lower()}
            for run in found
            if run.status in UNFINISHED
        ]
        refused = {str(run._meta.verbose_name) for run in found if not policy.may_delete(request.user, run.command)}
        return [str(run) for run in found], {str(Run._meta.verbose_name_plural): len(found)}, refused, protected

    @admin.display(description=_("State"), ordering="status")
    def state(self, run: Run) -> str:
        """Return the state, as an element that changes in place."""
        return render_to_string("launcher/_state.html", {"run": run})

    @admin.display(description=_("Command line"), ordering="command")
    def line(self, run: Run) -> str:
        """Return the command line, shortened, and while it goes on what it is doing."""
        line = render_to_string("launcher/_line.html", {"run": run})
        if run.is_finished:
            return line
        from launcher.views.progress import refresh_doing

        refresh_doing(run)
        return line + render_to_string("launcher/_doing.html", {"run": run})

    @admin.display(description=_("User"), ordering="user_name")
    def who(self, run: Run) -> str:
        """Return the name of whoever started it."""
        return run.user_name

    @admin.display(description=_("Started"), ordering="queued_at")
    def started(self, run: Run) -> str:
        """Return when it started, or when it was asked for."""
        return render_to_string("launcher/_started.html", {"run": run})

    @admin.display(description=_("Duration"))
    def duration(self, run: Run) -> str:
        """Return the duration, as an element that ticks."""
        return render_to_string("launcher/_duration.html", {"run": run})

    @admin.display(description=_("Exit"), ordering="exit_code")
    def code(self, run: Run) -> str:
        """Return the exit code, as an element that changes in place."""
        return render_to_string("launcher/_exit_code.html", {"run": run})


def register(site: admin.AdminSite) -> None:
    """Register both entries with a site, unless the project has its own."""
    for model, model_admin in ((Command, CommandAdmin), (Run, RunAdmin)):
        if not site.is_registered(model):
            site.register(model, model_admin)


register(admin.site)
