"""Start, stop, reconcile: the services behind every button. Rights are asked here again, whatever a view did."""

from __future__ import annotations

import fcntl
import logging
import os
import pwd
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import Error, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from launcher import argv as argv_module
from launcher import policy
from launcher.conf import command_options
from launcher.engines import EngineError, engine
from launcher.execution.judging import judge_apart
from launcher.execution.progress import noted_doing
from launcher.execution.record import record_outcome, save_ring
from launcher.models import UNFINISHED, Run, Status, Via, sources_of
from launcher.output.store import Spool, SpooledOutput, host_name, ship_all

logger = logging.getLogger(__name__)


class NotAccepted(ValueError):
    """The command's parser refuses the argv; `verdict` says why."""

    def __init__(self, verdict: argv_module.Verdict) -> None:
        super().__init__("; ".join(message for messages in verdict.errors.values() for message in messages))
        self.verdict = verdict


@sensitive_variables()
def judge(command: str, argv: Sequence[str]) -> argv_module.Verdict:
    """Return what the command's parser says of an argv; raises CommandUnavailable if there is none to ask.

    An action of the author's own may ask, wait or leave, so it is called in a process of its own. A parser that is not
    argparse's is not asked: the command judges when it runs.
    """
    if argv_module.is_foreign_parser(command):
        return argv_module.judge_foreign(argv)
    if argv_module.meets_custom_action(command, argv):
        return judge_apart(command, argv)
    return argv_module.judge(command, argv)


@sensitive_variables()
def read(command: str, argv: Sequence[str]) -> argv_module.Reading:
    """Return what an argv gives to each argument, and what in it is secret; raises CommandUnavailable."""
    try:
        return argv_module.read(command, argv)
    except argv_module.ForeignParser:
        return argv_module.read_foreign(command, argv)


class Busy(Exception):
    """The command is at its limit, and one more is not to wait; the message says which runs go on."""


@sensitive_variables()
def start_run(
    command: str, argv: Sequence[str], *, user: Any, uid: UUID | None = None, via: Via = Via.PAGE, who: str = ""
) -> Run:
    """Store a run and hand it to the engine once that is committed.

    `uid` is given where files were uploaded for the run: they lie in the spool of that name and go with it. Without a
    user, for code and shells that need no permission, `who` is the name that the history shows. Raises
    PermissionDenied, NotAccepted, Busy, CommandUnavailable if the command has no parser, and DatabaseError if the run
    can't be stored; then nothing was started.
    """
    if user is not None and not (decision := policy.may_run(user, command)):
        raise PermissionDenied(decision.reason)
    verdict = judge(command, argv)
    if not verdict.is_accepted:
        raise NotAccepted(verdict)
    _refuse_if_busy(command)
    reading = read(command, argv)
    shown, has_secrets = argv_module.redact(argv, reading)
    run = Run(
        uid=uid or uuid4(),
        command=command,
        argv=shown,
        command_line=shlex.join([command, *shown]),
        has_secrets=has_secrets,
        user=user,
        user_name=user.get_username() if user is not None else who,
        engine=engine().name,
        host=host_name(),
        via=via,
    )
    run.asks = verdict.asks
    with transaction.atomic():
        run.save(force_insert=True)
        if user is not None:
            _log(user, run, ADDITION, [{"added": {}}])
        transaction.on_commit(lambda: _submit(run, argv, sorted(reading.secret_values)))
    return run


def _refuse_if_busy(command: str) -> None:
    """Say at once what the start would find out, if nobody is quicker; raises Busy."""
    said = command_options(command)
    if said.when_busy != "refuse" or not said.max_concurrent:
        return
    going = list(Run.objects.filter(command=command, status__in=UNFINISHED).order_by("pk"))
    reconcile(going)
    going = [run for run in going if not run.is_finished]
    if len(going) >= said.max_concurrent:
        names = ", ".join(f"#{run.pk}" for run in going[:5])
        raise Busy(
            _("“%(command)s” is going on already (%(runs)s), and one more may not start.")
            % {
                "command": command,
                "runs": names,
            }
        )


@sensitive_variables()
def _submit(run: Run, argv: Sequence[str], secrets: Sequence[str]) -> None:
    try:
        engine().submit(run, argv, secrets)
    except Exception as error:
        logger.warning("Run %s could not be started.", run.pk, exc_info=not isinstance(error, EngineError))
        _lose(run, str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}")
        Spool(run.uid).remove()


def stop_run(run: Run, *, user: Any, who: str = "") -> Status:
    """Ask for a run's end and return its status; a queued one ends at once, a finished one stays as it is.

    Without a user, `who` is the name that is kept. Raises PermissionDenied. Raises DatabaseError when who stopped it
    can't be noted now; the stop itself goes on.
    """
    if user is not None and not (decision := policy.may_use(user, run.command)):
        raise PermissionDenied(decision.reason)
    # First by signal: the command itself may hold the lock that the record below has to wait for.
    engine().stop(run)
    now = timezone.now()
    asked = {"stop_requested_at": now, "stopped_by_name": user.get_username() if user is not None else who}
    with transaction.atomic():
        is_first = Run.objects.filter(pk=run.pk, status__in=UNFINISHED, stop_requested_at=None).update(**asked)
        if is_first and user is not None:
            _log(user, run, CHANGE, _("Stopped."))
        # The supervisor may have heard it first, and have recorded that it never started.
        Run.objects.filter(pk=run.pk, status=Status.STOPPED, stop_requested_at=None).update(**asked)
        never_started = Run.objects.filter(pk=run.pk, status=Status.QUEUED).update(
            status=Status.STOPPED, finished_at=now, reason=_("Stopped before it started.")
        )
    if never_started:
        Spool(run.uid).remove()
    with suppress(Run.DoesNotExist):  # deleted meanwhile
        run.refresh_from_db()
    return Status(run.status)


@sensitive_variables()
def answer(run: Run, number: int, text: str | None, *, user: Any) -> str:
    """Type a line where the run waits for one, or end its input where `text` is None; `number` is the prompt's.

    Returns an empty string, or why it was not taken, such as that somebody else was quicker. Raises PermissionDenied.
    """
    if user is not None and not (decision := policy.may_use(user, run.command)):
        raise PermissionDenied(decision.reason)
    obstacle = engine().answer(run, number, text)
    if not obstacle and user is not None:
        with suppress(Error), transaction.atomic():  # the command may hold the database's lock
            _log(user, run, CHANGE, _("Answered a prompt."))
    return obstacle


def uploads_folder(run: Run) -> Path:
    """Return the folder under which the files uploaded for a run lie while it goes on."""
    return Spool(run.uid).uploads_path


def short_line(line: str, uid: UUID) -> str:
    """Return a command line for people: with the name alone of each file that was uploaded for the run."""
    before, folder, after = line.partition(str(Spool(uid).uploads_path))
    if not folder:
        return line
    return before + short_line(after.lstrip("/").partition("/")[2], uid)


def system_user() -> str:
    """Return the name of this process's user on the system, for runs that no user of the project started.

    The environment is not asked: LOGNAME and USER say what anybody likes.
    """
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container with a user that has a number only
        return f"uid {os.getuid()}"


def project_folder() -> Path | None:
    """Return the folder of the project's manage.py, or None where it is not found."""
    named = [getattr(settings, "BASE_DIR", None), os.getcwd(), os.path.dirname(sys.argv[0])]
    for folder in [*named, *sys.path]:
        if folder and Path(folder, "manage.py").is_file():
            return Path(folder).resolve()
    return None


def argv_for_link(run: Run) -> list[str]:
    """Return the run's argv less what a link must not or can't carry: secrets, and files that are gone.

    Raises CommandUnavailable, and CannotWrite where what is left can't be said.
    """
    reading = read(run.command, run.argv)
    if argv_module.is_foreign_parser(run.command):
        return argv_module.without_masked(run.argv)
    uploads = str(uploads_folder(run))
    kept = {name: [text for text in texts if not text.startswith(uploads)] for name, texts in reading.given.items()}
    given = {name: texts for name, texts in kept.items() if texts or not reading.given[name]}
    extra = [word for word in reading.extra if uploads not in word and argv_module.MASK not in word]
    return argv_module.build(argv_module.describe(run.command), given, extra)


def has_uploads(run: Run) -> bool:
    """Tell whether the run was given an uploaded file, which is gone once it has ended."""
    return any(str(uploads_folder(run)) in word for word in run.argv)


def reconcile(runs: Iterable[Run]) -> None:
    """Give each unfinished run whose process is gone its true end, in the database and in the objects given."""
    for run in runs:
        if run.is_finished or not engine().is_gone(run):
            continue
        try:
            _recover(run)
        except Error as error:  # the next look tries again
            logger.warning("Run %s is gone, but that can't be recorded now: %s", run.pk, error)
        except Run.DoesNotExist:  # deleted while it was looked at
            continue


def _recover(run: Run) -> None:
    spool = Spool(run.uid)
    with _alone(spool):
        # It may have ended properly between the reading of `run` and the look at its process.
        run.refresh_from_db()
        if run.is_finished:
            return
        is_here = run.host == host_name()
        if is_here:
            engine().clear_up(run)
            save_ring(spool)
            with suppress(FileNotFoundError):
                ship_all(run.pk, SpooledOutput(spool))
        outcome = spool.read_outcome()
        if outcome is not None:
            record_outcome(run.pk, outcome)
            run.refresh_from_db()
        else:
            words = engine().last_words(run) if is_here else ""
            reached = noted_doing(run) if is_here else None
            _lose(run, _("Its process is gone.") + (f" {words}" if words else ""), **reached or {})
        if is_here:
            spool.remove()


@contextmanager
def _alone(spool: Spool) -> Iterator[None]:
    """Let one process at a time recover a run from its spool: what each stores would be there twice."""
    try:
        folder = os.open(spool.folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # nothing to recover from
        yield
        return
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _lose(run: Run, reason: str, **columns: Any) -> None:
    known = {**columns, "last_line": ""}
    Run.objects.filter(pk=run.pk, status__in=sources_of(Status.LOST)).update(
        status=Status.LOST, reason=reason, finished_at=timezone.now(), command_slot=None, prompt=None, **known
    )
    run.refresh_from_db()


def _log(user: Any, run: Run, flag: int, message: Any) -> None:
    LogEntry.objects.log_actions(user.pk, [run], flag, message, single_object=True)
