"""A command's form: a GET runs nothing, a POST runs what the parser accepts, and a refusal keeps what was typed."""

import re
import shlex
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import got_request_exception
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from launcher.models import Run, Status
from launcher.output.store import Spool
from launcher.uploads import Uploads
from tests.pages import (
    FRAGMENT,
    GRANTED,
    NOT_GRANTED,
    SITES,
    address,
    database_bytes,
    said_in,
    stored_run,
    text_of,
)
from tests.waiting import output_of, wait_for, wait_until_finished

PASSWORD = "correct-horse-battery-staple"


def form_of(client: Client, command: str, site: str = "admin", **query: Any) -> str:
    return said_in(client.get(address("command_run", command, site=site), query))


def post(client: Client, command: str, site: str = "admin", **data: Any) -> Any:
    return client.post(address("command_run", command, site=site), data)


def element(page: str, name: str) -> str:
    """Return the tag of the field of that name."""
    found = re.search(rf'<(?:input|textarea|select)[^>]* name="{name}"[^>]*>', page, re.S)
    assert found, f"no field {name}"
    return found[0]


def errors_of(page: str) -> list[str]:
    lists = re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', page, re.S)
    return [message for found in lists for message in re.findall(r"<li>(.*?)</li>", found, re.S)]


# Showing


@pytest.mark.parametrize("site", SITES)
def test_the_form_has_a_field_for_each_argument_and_stays_on_its_site(owner_client: Client, site: str) -> None:
    page = form_of(owner_client, GRANTED, site)
    for name in ("from_date", "to_date", "rebuild", "verbosity", "launcher_extra"):
        element(page, name)
    own = {"admin": "/admin/", "second": "/second-admin/"}[site]
    assert f'hx-post="{own}launcher/command/{GRANTED}/line/"' in page
    assert f'href="{own}launcher/command/"' in page


@pytest.mark.parametrize("query", [{}, {"rebuild": "on"}, {"launcher_extra": "--rebuild", "_run": "1"}])
def test_a_get_never_runs_anything(owner_client: Client, query: dict[str, str]) -> None:
    for headers in ({}, FRAGMENT, {"Purpose": "prefetch"}):
        response = owner_client.get(address("command_run", GRANTED), query, headers=headers)
        assert response.status_code == 200
    assert owner_client.head(address("command_run", GRANTED), query).status_code == 200
    assert not Run.objects.exists()


@pytest.mark.parametrize("name", ["settings", "pythonpath"])
def test_other_settings_and_code_are_not_offered(owner_client: Client, name: str) -> None:
    page = form_of(owner_client, GRANTED)
    assert f'name="{name}"' not in page
    assert f"--{name}" not in page


@pytest.mark.parametrize(
    "words", ["--settings=x", "--settings x", "--sett=x", "--pythonpath=/tmp", "--pythonp /tmp", "-v 1 --settings=x"]
)
def test_other_settings_and_code_are_not_accepted(owner_client: Client, words: str) -> None:
    response = post(owner_client, GRANTED, launcher_extra=words)
    assert response.status_code == 200
    assert "not accepted here" in said_in(response)
    assert not Run.objects.exists()


def test_a_field_named_settings_is_ignored(owner_client: Client) -> None:
    assert post(owner_client, GRANTED, settings="x", pythonpath="/tmp").status_code == 302
    assert Run.objects.get().argv == []


def test_a_command_that_is_not_launchable_shows_why_and_does_not_run(owner_client: Client) -> None:
    for response, status in (
        (owner_client.get(address("command_run", "runserver")), 200),
        (post(owner_client, "runserver"), 405),
    ):
        assert response.status_code == status
        assert "A server: it runs until it is killed" in said_in(response)
        assert 'type="submit" value="Run"' not in text_of(response)
    assert not Run.objects.exists()


def test_recent_runs_of_the_command_are_listed(operator_client: Client) -> None:
    mine, other = stored_run(), stored_run(NOT_GRANTED)
    page = form_of(operator_client, GRANTED)
    assert address("run_change", mine.pk) in page
    assert address("run_change", other.pk) not in page


def test_recent_runs_are_listed_without_what_is_not_shown(owner_client: Client) -> None:
    stored_run(status=Status.FAILED, traceback="Traceback")
    with CaptureQueriesContext(connection) as queries:
        form_of(owner_client, GRANTED)
    columns = "".join(query["sql"] for query in queries)
    assert '"launcher_run"."command_line"' in columns
    assert '"launcher_run"."traceback"' not in columns
    assert '"launcher_run"."argv"' not in columns


# Running


@pytest.mark.parametrize("site", SITES)
def test_a_post_stores_a_run_and_leads_to_its_page_on_the_same_site(
    operator_client: Client, operator: User, site: str
) -> None:
    response = post(operator_client, GRANTED, site, from_date="2026-01-01", rebuild="on")
    run = Run.objects.get()
    assert (response.status_code, response["Location"]) == (302, address("run_change", run.pk, site=site))
    assert (run.command, run.status, run.user, run.user_name) == (GRANTED, Status.QUEUED, operator, "operator")
    assert shlex.split(run.command_line) == [GRANTED, *run.argv]
    assert sorted(run.argv) == ["--from=2026-01-01", "--rebuild"]


def test_each_start_is_in_the_admins_log(operator_client: Client, operator: User) -> None:
    post(operator_client, GRANTED)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.action_flag, entry.get_edited_object()) == (operator, ADDITION, Run.objects.get())
    assert entry.object_repr == str(Run.objects.get())


def test_what_is_uncommitted_starts_no_process(
    owner_client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        post(owner_client, "check")
    assert len(callbacks) == 1
    assert Run.objects.get().pid is None


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({"from_date": "yesterday"}, "from_date", "argument --from: invalid fromisoformat value: 'yesterday'"),
        ({"to_date": "2026-13-01"}, "to_date", "argument --to: invalid fromisoformat value: '2026-13-01'"),
    ],
)
def test_a_refusal_stands_on_the_field_in_the_parsers_words(
    operator_client: Client, data: dict[str, str], field: str, message: str
) -> None:
    response = post(operator_client, GRANTED, rebuild="on", **data)
    page = said_in(response)
    assert response.status_code == 200
    assert message in errors_of(page)
    assert response.context["form"].errors[field] == [message]
    assert not Run.objects.exists()


def test_a_refusal_keeps_what_was_typed(operator_client: Client) -> None:
    page = said_in(post(operator_client, GRANTED, from_date='no "date"', rebuild="on", launcher_extra="-v 2"))
    assert "Nothing was started" in page
    assert "checked" in element(page, "rebuild")
    assert ">\n-v 2</textarea>" in page
    assert 'no "date"' in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--no-such-option", "unrecognized arguments: --no-such-option"),
        ("'unbalanced", "Word 1, “'unbalanced”: a quote is opened here and never closed."),
        ("--from", "argument --from: expected one argument"),
        ("surplus", "unrecognized arguments: surplus"),
        ("-v 7", "argument -v/--verbosity: invalid choice: 7"),
    ],
)
def test_further_words_are_judged_like_all_others(operator_client: Client, words: str, message: str) -> None:
    response = post(operator_client, GRANTED, launcher_extra=words)
    assert response.status_code == 200
    assert message in said_in(response)
    assert not Run.objects.exists()


@pytest.mark.parametrize("words", ["--help", "--version", "-h"])
def test_a_parser_that_wants_to_print_and_leave_is_a_refusal(owner_client: Client, words: str) -> None:
    assert post(owner_client, GRANTED, launcher_extra=words).status_code == 200
    assert not Run.objects.exists()


def test_a_nul_character_is_refused_and_not_an_error(owner_client: Client) -> None:
    response = post(owner_client, GRANTED, launcher_extra="a\0b")
    assert response.status_code == 200
    assert "NUL" in said_in(response)


def test_a_destructive_command_wants_its_name_typed(owner_client: Client) -> None:
    for typed in ("", "flus", "FLUSH"):
        response = post(owner_client, "flush", launcher_confirm=typed)
        assert "Type flush to confirm." in said_in(response)
    assert not Run.objects.exists()
    assert post(owner_client, "flush", launcher_confirm="flush", interactive="on").status_code == 302


def test_confirmation_can_be_asked_for_by_the_settings(owner_client: Client, settings: Settings) -> None:
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": {"check": {"confirm": True}}}
    assert "Type check to confirm." in said_in(post(owner_client, "check"))
    assert post(owner_client, "check", launcher_confirm="check").status_code == 302


# Uploads


def with_file(client: Client, command: str = "import_csv_data", **data: Any) -> Any:
    return post(client, command, csv_path__upload=SimpleUploadedFile("f.csv", b"a;b"), **data)


def test_an_upload_that_can_not_be_stored_is_told_on_the_form(
    owner_client: Client, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "spool").touch()
    settings.LAUNCHER = {**settings.LAUNCHER, "SPOOL_DIR": tmp_path / "spool"}
    response = with_file(owner_client, category="Odds")
    assert response.status_code == 503
    assert "Nothing was started: the file could not be stored" in said_in(response)
    assert 'value="Odds"' in element(said_in(response), "category")
    assert not Run.objects.exists()


@pytest.mark.parametrize("words", ["", "--no-such-option", "'unbalanced"])
def test_an_upload_is_stored_once(owner_client: Client, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    stored: list[str] = []
    store = Uploads.store

    def noted(uploads: Uploads, name: str, file: Any) -> Path:
        stored.append(name)
        return store(uploads, name, file)

    monkeypatch.setattr(Uploads, "store", noted)
    with_file(owner_client, launcher_extra=words)
    assert stored == ["csv_path"]
    assert Run.objects.count() == (0 if words else 1)


def test_a_file_whose_run_was_started_meanwhile_is_told_so(
    owner_client: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = Uploads(uuid4())
    uploads.store("csv_path", SimpleUploadedFile("f.csv", b"a;b"))
    token = uploads.token(owner)
    monkeypatch.setattr(Uploads, "from_token", lambda token, user: uploads)  # as if no run had the uid yet
    post(owner_client, "import_csv_data", launcher_uploads=token)
    response = owner_client.post(address("command_run", "import_csv_data"), {"launcher_uploads": token}, follow=True)
    assert response.redirect_chain[0][0] == address("run_changelist")
    assert "That file's run was started already: see the history." in said_in(response)
    assert "Nothing was started" not in said_in(response)
    assert Run.objects.count() == 1


# The shell line beside the form


def test_the_shell_line_follows_the_form_and_starts_nothing(operator_client: Client) -> None:
    url = address("command_line", GRANTED)
    response = operator_client.post(url, {"from_date": "a 'b", "rebuild": "on"}, headers=FRAGMENT)
    assert "python manage.py recalculate_stats" in said_in(response)
    assert shlex.quote("--from=a 'b") in said_in(response)
    assert "<html" not in text_of(response)
    assert not Run.objects.exists()


def test_the_shell_line_is_escaped_and_shows_no_secret(owner_client: Client) -> None:
    data = {"user": "<b>bold", "password": PASSWORD, "launcher_extra": f"--password {PASSWORD} -p={PASSWORD}"}
    text = text_of(owner_client.post(address("command_line", "secret_length"), data))
    assert PASSWORD not in text
    assert "<b>" not in text
    assert "&lt;b&gt;bold" in text


# From an earlier run


def test_an_earlier_run_fills_the_form(operator_client: Client) -> None:
    run = stored_run(argv=["--from=2026-02-03", "--rebuild"])
    page = form_of(operator_client, GRANTED, run=run.pk)
    assert 'value="2026-02-03"' in element(page, "from_date")
    assert "checked" in element(page, "rebuild")
    assert "--from=2026-02-03" in page


def test_a_run_of_another_command_fills_nothing(operator_client: Client) -> None:
    run = stored_run(NOT_GRANTED, argv=["--rebuild", "--tag=confidential"])
    page = form_of(operator_client, GRANTED, run=run.pk)
    assert "confidential" not in page
    assert "checked" not in element(page, "rebuild")


@pytest.mark.parametrize("value", ["", "x", "²", "-1", "9" * 30, "1" * 5000, "0"])
def test_a_number_that_is_none_fills_nothing(owner_client: Client, value: str) -> None:
    assert owner_client.get(address("command_run", GRANTED), {"run": value}).status_code == 200


def test_arguments_that_the_command_does_not_have_any_more_are_told(owner_client: Client) -> None:
    run = stored_run(argv=["--rebuild", "--of-old"])
    page = form_of(owner_client, GRANTED, run=run.pk)
    assert "The command's arguments have changed since" in page
    assert "--of-old" in page


# Secrets


def test_a_secret_is_typed_unseen_and_never_prefilled(owner_client: Client) -> None:
    run = stored_run("secret_length", argv=["--password=********"], has_secrets=True)
    page = form_of(owner_client, "secret_length", run=run.pk)
    for name in ("password", "token"):
        assert 'type="password"' in element(page, name)
        assert "value=" not in element(page, name)
    assert "Secrets are not kept; type them again." in page
    assert "****" not in element(page, "user")


@pytest.mark.parametrize(
    "data",
    [
        {"password": PASSWORD},
        {"launcher_extra": f"--password={PASSWORD}"},
        {"launcher_extra": f"--password {PASSWORD}"},
        {"launcher_extra": f"--passw {PASSWORD}"},
        {"launcher_extra": f"-p{PASSWORD}"},
        {"launcher_extra": f"-p {PASSWORD}"},
    ],
)
def test_a_secret_is_stored_masked_however_it_was_given(owner_client: Client, data: dict[str, str]) -> None:
    assert post(owner_client, "secret_length", user="ada", **data).status_code == 302
    run = Run.objects.get()
    assert run.has_secrets
    assert PASSWORD not in f"{run.argv} {run.command_line} {LogEntry.objects.get().__dict__}"
    assert "********" in run.command_line
    assert "ada" in run.argv


@pytest.mark.parametrize(
    "data",
    [
        {"password": PASSWORD, "launcher_extra": "--no-such"},
        {"token": PASSWORD},
        {"launcher_extra": f"--token={PASSWORD}"},
        {"launcher_extra": f"--password={PASSWORD} --no-such"},
        {"launcher_extra": f"--passw {PASSWORD} --no-such"},
        {"launcher_extra": f"-p{PASSWORD} --no-such"},
        {"launcher_extra": f"-p '{PASSWORD}"},
    ],
)
def test_a_refused_secret_is_not_on_the_page(owner_client: Client, data: dict[str, str]) -> None:
    response = post(owner_client, "secret_length", user="ada", **data)
    assert response.status_code == 200
    assert "Nothing was started" in text_of(response)
    assert PASSWORD not in said_in(response)
    assert 'value="ada"' in element(said_in(response), "user")


def test_an_argument_may_be_declared_secret_or_public(owner_client: Client, settings: Settings) -> None:
    said = {"secret_length": {"secret_arguments": ["user"], "public_arguments": ["password"]}}
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": said}
    page = form_of(owner_client, "secret_length")
    assert 'type="password"' in element(page, "user")
    assert 'type="password"' not in element(page, "password")
    post(owner_client, "secret_length", user="ada", password="known")
    assert Run.objects.get().argv == ["--password=known", "********"]


@pytest.mark.parametrize("failing", ["launcher.runs.start_run", "launcher.shell.shell_line"])
@pytest.mark.parametrize("name", ["command_run", "command_line"])
def test_an_error_report_shows_no_secret(owner: User, monkeypatch: pytest.MonkeyPatch, failing: str, name: str) -> None:
    reports: list[str] = []

    @sensitive_variables()
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a bug")

    def report(sender: object, request: HttpRequest, **kwargs: object) -> None:
        reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

    monkeypatch.setattr(failing, fail)
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    got_request_exception.connect(report)
    try:
        data = {"password": PASSWORD, "user": "ada"}
        if failing.endswith("shell_line"):
            data["launcher_extra"] = f"--no-such --password={PASSWORD}"  # the form comes back, with its line
        response = client.post(address(name, "secret_length"), data)
    finally:
        got_request_exception.disconnect(report)
    if (name, failing) == ("command_line", "launcher.runs.start_run"):
        assert response.status_code == 200
        return
    (found,) = reports
    assert "a bug" in found
    assert "launcher/views" in found
    assert PASSWORD not in found


def process_table() -> bytes:
    """Return what `ps` and its like can read of every process that there is now."""
    found = b""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            with suppress(OSError):  # gone by now, or somebody else's
                found += (process / name).read_bytes()
    return found


@pytest.mark.django_db(transaction=True)
def test_a_secret_reaches_the_command_and_no_record(owner_client: Client, gate: Path) -> None:
    post(owner_client, "secret_length", password=PASSWORD, gate=str(gate), fail="on")
    run = Run.objects.get()
    wait_for(lambda: "waiting" in output_of(run))
    seen = process_table() + b"".join(path.read_bytes() for path in Spool(run.uid).folder.iterdir() if path.is_file())
    gate.touch()
    wait_until_finished(run)
    assert b"launcher.execution" in seen
    assert PASSWORD.encode() not in seen
    assert f"length {len(PASSWORD)}, hash {sha256(PASSWORD.encode()).hexdigest()}" in output_of(run)
    assert (run.status, run.reason) == (Status.FAILED, "ValueError: wrong password: ********")
    assert PASSWORD not in run.traceback


@pytest.mark.django_db(transaction=True)
def test_a_secret_that_is_not_printed_is_nowhere_in_the_database(owner_client: Client) -> None:
    post(owner_client, "secret_length", password=PASSWORD, launcher_extra="--token=987654321987")
    run = wait_until_finished(Run.objects.get())
    assert run.status == Status.SUCCEEDED, run.reason
    assert "token 987654321987" in output_of(run)
    assert f"length {len(PASSWORD)}," in output_of(run)
    raw = database_bytes()
    assert b"secret_length" in raw
    assert PASSWORD.encode() not in raw
    page = said_in(owner_client.get(address("run_changelist")))
    assert "--password=********" in page


# A locked database


@pytest.fixture
def locked(transactional_db: None) -> Iterator[None]:
    """Another connection holds the write lock; ours doesn't wait long for it."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(django_settings.TEST_DATABASE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()
    connection.close()  # the next one waits as long as the settings say


@pytest.fixture
def owner_client_before(owner_client: Client) -> Client:
    """Logged in before the lock, since a login writes."""
    return owner_client


def test_a_locked_database_is_told_and_the_form_stays_as_typed(owner_client_before: Client, locked: None) -> None:
    response = post(owner_client_before, GRANTED, from_date="2026-01-01", rebuild="on")
    page = said_in(response)
    assert response.status_code == 503
    assert "Nothing was started: the database can't be written now (database is locked)." in page
    assert 'value="2026-01-01"' in element(page, "from_date")
    assert "checked" in element(page, "rebuild")
    assert not Run.objects.exists()


def test_a_locked_database_is_told_under_atomic_requests_too(
    owner_client_before: Client, locked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    response = post(owner_client_before, GRANTED, rebuild="on")
    assert response.status_code == 503
    assert "checked" in element(said_in(response), "rebuild")
    assert not Run.objects.exists()


@pytest.mark.parametrize("name", ["command_changelist", "run_changelist", "run_states"])
def test_a_locked_database_keeps_nobody_from_reading(owner_client_before: Client, locked: None, name: str) -> None:
    assert owner_client_before.get(address(name)).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_run_again_is_told_of_the_lock_as_well(owner_client_before: Client, request: pytest.FixtureRequest) -> None:
    run = stored_run()
    request.getfixturevalue("locked")
    response = owner_client_before.post(address("run_again", run.pk), follow=True)
    assert response.status_code == 200
    assert "Nothing was started: the database can't be written now" in said_in(response)
    assert Run.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_deleting_under_a_lock_is_told_and_deletes_nothing(
    owner_client_before: Client, request: pytest.FixtureRequest
) -> None:
    run = stored_run()
    request.getfixturevalue("locked")
    response = owner_client_before.post(address("run_delete", run.pk), {"post": "yes"})
    assert response.status_code == 503
    assert "The database is busy" in said_in(response)
    assert Run.objects.count() == 1


# What an author writes is text


def test_help_choices_defaults_and_titles_are_escaped(owner_client: Client) -> None:
    page = text_of(owner_client.get(address("command_run", "markup")))
    content = page.partition('id="content-main"')[2]
    assert "<script>alert" not in page
    assert "Where &lt;file&gt; is, &lt;script&gt;alert(1)&lt;/script&gt;" in content
    assert "&lt;b&gt;One&lt;/b&gt; of these." in content
    assert "description with &lt;script&gt;" in content
    assert "Epilog with &lt;script&gt;" in content
    assert "&amp;lt;" not in content


def test_a_parsers_message_is_escaped(owner_client: Client) -> None:
    page = text_of(post(owner_client, "markup", choice="<script>alert(2)", launcher_extra="<script>alert(3)"))
    assert "invalid choice: &#x27;&lt;script&gt;alert(2)" in page
    assert "<script>alert" not in page


def test_a_command_that_does_more_on_the_shell_says_so(owner_client: Client) -> None:
    assert "run_from_argv" in said_in(owner_client.get(address("command_run", "sqldiff")))
    assert "run_from_argv" not in said_in(owner_client.get(address("command_run", "check")))
