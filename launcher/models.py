"""What is kept: runs and their output. Status moves only along TRANSITIONS, by conditional UPDATE."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """Where a run stands; the words are also the values of `data-launcher-status` on the pages."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    STOPPED = "stopped", _("Stopped")
    TIMED_OUT = "timed_out", _("Timed out")
    LOST = "lost", _("Lost")


class Via(models.TextChoices):
    """From where a run was started."""

    PAGE = "page", _("the admin")
    API = "api", _("Python")
    SHELL = "shell", _("the shell")


TRANSITIONS: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.QUEUED: frozenset(
            {
                Status.RUNNING,  # a supervisor took it
                Status.STOPPED,  # somebody stopped it before a supervisor took it
                Status.FAILED,  # refused where it was to start: its command was at its limit
                Status.LOST,  # the process that should have taken it is gone
            }
        ),
        Status.RUNNING: frozenset(
            {
                Status.SUCCEEDED,  # exit code 0
                Status.FAILED,  # any other exit code, or death by a signal that nobody asked for
                Status.STOPPED,  # ended after a person's stop
                Status.TIMED_OUT,  # ended after its time limit's stop
                Status.LOST,  # supervisor and child are gone without a word
            }
        ),
        Status.SUCCEEDED: frozenset(),
        Status.FAILED: frozenset(),
        Status.STOPPED: frozenset(),
        Status.TIMED_OUT: frozenset(),
        Status.LOST: frozenset(
            {
                # Another machine took silence for death, as in an outage of the database, and the supervisor speaks
                # after all: what it saw counts more.
                Status.RUNNING,
                Status.SUCCEEDED,
                Status.FAILED,
                Status.STOPPED,
                Status.TIMED_OUT,
            }
        ),
    }
)
UNFINISHED = frozenset({Status.QUEUED, Status.RUNNING})


def sources_of(target: Status) -> frozenset[Status]:
    """Return the statuses from which `target` may be reached: the condition of every status UPDATE."""
    return frozenset(status for status, following in TRANSITIONS.items() if target in following)


class Command(models.Model):
    """No table: the sidebar's "Commands" entry, its content type and the permission to run."""

    name = models.CharField(max_length=255, primary_key=True)

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [("run_command", _("Can run granted commands"))]
        verbose_name = _("command")
        verbose_name_plural = _("commands")

    def __str__(self) -> str:
        return self.name


class Run(models.Model):
    """One execution of a command: who, when, argv (redacted), status, exit code; its output is in `Chunk`."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    command = models.CharField(_("command"), max_length=255)
    argv = models.JSONField(
        _("arguments"), default=list, help_text=_("The words given to the parser; secrets are masked.")
    )
    command_line = models.TextField(_("command line"), help_text=_("The same as a shell line."))
    has_secrets = models.BooleanField(default=False)
    status = models.CharField(_("state"), max_length=16, choices=Status.choices, default=Status.QUEUED, db_index=True)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    # The name stays when the user is deleted: "who ran what" must survive its answer's account.
    user_name = models.CharField(_("user"), max_length=255, blank=True)

    queued_at = models.DateTimeField(_("date"), default=timezone.now, db_index=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    exit_code = models.IntegerField(
        _("exit code"), null=True, blank=True, help_text=_("Negative: the number of the signal that ended it.")
    )
    reason = models.TextField(_("reason"), blank=True, help_text=_("Why it did not succeed, in a sentence."))
    traceback = models.TextField(_("traceback"), blank=True)

    stop_requested_at = models.DateTimeField(_("stop requested at"), null=True, blank=True)
    stopped_by_name = models.CharField(_("stopped by"), max_length=255, blank=True)
    stop_steps = models.JSONField(
        _("stop steps"),
        default=list,
        blank=True,
        help_text=_("Pairs of a signal's name and the time it was sent (ISO 8601)."),
    )

    engine = models.CharField(_("engine"), max_length=32, blank=True)
    host = models.CharField(_("host"), max_length=255, blank=True)
    pid = models.BigIntegerField(_("process id"), null=True, blank=True, help_text=_("The supervisor's."))
    pid_started = models.CharField(
        max_length=100, blank=True, help_text=_("Tells the process from a later one with its id.")
    )
    heartbeat_at = models.DateTimeField(null=True, blank=True)

    via = models.CharField(_("started from"), max_length=16, choices=Via.choices, default=Via.PAGE)
    why_cold = models.CharField(
        max_length=255, blank=True, help_text=_("Why it was not forked from a warm process; empty if it was.")
    )
    timeout_seconds = models.FloatField(_("time limit"), null=True, blank=True)
    prompt = models.JSONField(null=True, blank=True, help_text=_("The question that it waits to have answered."))
    # While it goes on: which of its command's places it has. That no two have the same is the limit across hosts.
    command_slot = models.CharField(max_length=300, null=True, blank=True, unique=True, editable=False)

    output_bytes = models.BigIntegerField(_("output bytes"), default=0)
    output_lines = models.BigIntegerField(_("output lines"), default=0)
    screen = models.BinaryField(
        null=True,
        help_text=_("While it goes on: the lines that it may still change, as launcher.output.screen has them."),
    )
    last_line = models.CharField(
        _("last line"), max_length=200, blank=True, help_text=_("While it goes on: what it wrote last.")
    )
    progress = models.JSONField(
        _("progress"), null=True, blank=True, help_text=_("How far it is, as launcher.execution.progress has it.")
    )

    asks = False
    """Whether its parser asked a question when it was judged, just before it was stored. Not a column."""

    class Meta:
        default_permissions = ("delete",)
        ordering = ("-pk",)
        indexes = [models.Index(fields=("command", "-id"), name="launcher_run_command")]
        verbose_name = _("run")
        verbose_name_plural = _("runs")

    def __str__(self) -> str:
        return f"{self.command} #{self.pk}"

    @property
    def is_finished(self) -> bool:
        """Whether the status is a final one."""
        return self.status not in UNFINISHED

    @property
    def duration_seconds(self) -> float | None:
        """Seconds from start to end, or to now while it runs; None before it started."""
        if self.started_at is None:
            return None
        return max(0.0, ((self.finished_at or timezone.now()) - self.started_at).total_seconds())


class Preset(models.Model):
    """A filled form that a user keeps under a name. Secrets and uploaded files are never in it."""

    command = models.CharField(_("command"), max_length=255)
    name = models.CharField(_("name"), max_length=100)
    owner_key = models.CharField(
        max_length=100,
        blank=True,
        help_text=_("The key of the user it belongs to; empty for one that is for everyone."),
    )
    user_name = models.CharField(_("user"), max_length=255, blank=True, help_text=_("Who saved it last."))
    saved_at = models.DateTimeField(_("saved at"), default=timezone.now)
    given = models.JSONField(
        _("arguments"), default=dict, help_text=_("Texts by argument, as a form has them: it need not be complete.")
    )
    extra = models.TextField(_("more arguments"), blank=True)

    class Meta:
        default_permissions = ()
        permissions = [("share_preset", _("Can save presets for everyone who may run the command"))]
        constraints = [
            models.UniqueConstraint(fields=("command", "owner_key", "name"), name="launcher_preset_name"),
        ]
        verbose_name = _("preset")
        verbose_name_plural = _("presets")

    def __str__(self) -> str:
        return self.name

    @property
    def is_shared(self) -> bool:
        """Whether everyone who may run the command sees it."""
        return not self.owner_key


class Chunk(models.Model):
    """A stored piece of a run's output: zlib-compressed bytes, cut anywhere, in order.

    Each begins where the one before it ends, but for one place at most: there is what the run's limit left out.

    `offset` and `size` count the uncompressed bytes; `first_line` is the number of newlines before the piece.
    `style` is the SGR style in force at its start, so that a window can be drawn without reading what is before it.
    `times` says when its bytes came, as `launcher.output.marks` packs it; empty where that is not known.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="chunks")
    offset = models.BigIntegerField()
    size = models.IntegerField()
    first_line = models.BigIntegerField()
    line_count = models.IntegerField()
    style = models.CharField(max_length=64, blank=True)
    written_at = models.DateTimeField(default=timezone.now)
    data = models.BinaryField()
    times = models.BinaryField(default=b"")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=("run", "offset"), name="launcher_chunk_run_offset")]

    def __str__(self) -> str:
        return f"run {self.run_id}, bytes {self.offset} to {self.offset + self.size}"
