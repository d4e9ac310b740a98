"""What a person sees of the arguments, and what is taken from a browser."""

import argparse
import os
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from launcher import argv
from launcher.arguments import describe as describe_parser
from launcher.conf import options
from launcher.controls import BARE, EMPTY, LINES
from launcher.forms import EXTRA, UPLOAD, CommandForm, label_of, with_file_names
from launcher.models import Run
from launcher.output.store import prune_spools
from launcher.templatetags.launcher import help_html
from launcher.uploads import UPLOAD_KEEP_SECONDS, UPLOADS_TOKEN, Uploads
from tests.browser import FormData
from tests.law import form_page


def form_for(command: str, data: dict[str, Any] | None = None, **given: Any) -> CommandForm:
    form = CommandForm(argv.describe(command), data=query(data or {}), **given)
    form.is_valid()
    return form


def query(data: dict[str, Any]) -> QueryDict:
    made = QueryDict(mutable=True)
    for name, value in data.items():
        made.setlist(name, value if isinstance(value, list) else [value])
    return made


def shown(*names: str, **kwargs: Any) -> Any:
    """Return a form with the one field of an argument."""
    parser = argparse.ArgumentParser(prog="x")
    parser.add_argument(*names, **kwargs)
    return CommandForm(describe_parser(parser))


def page(client: Client, command: str, data: dict[str, Any] | None = None) -> str:
    url = reverse("admin:launcher_command_run", args=[command])
    response = client.get(url) if data is None else client.post(url, data)
    assert response.status_code == 200
    return unescape(response.content.decode())


@pytest.fixture
def spool(settings: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    settings.LAUNCHER = {**django_settings.LAUNCHER, "SPOOL_DIR": folder, "UPLOAD_LIMIT_BYTES": 1000}
    return folder


@pytest.fixture
def uploads(spool: Path, db: None) -> Uploads:
    return Uploads(uuid4())


# What is shown


@pytest.mark.parametrize(
    ("names", "options", "label"),
    [
        (["--dry-run"], {}, "Dry run"),
        (["-n"], {}, "N"),
        (["-v", "--long_name"], {}, "Long name"),
        (["csv_path"], {}, "Csv path"),
        (["args"], {"metavar": "app_label[.Model]"}, "App label[.Model]"),
        (["--no-input"], {"dest": "interactive", "action": "store_false"}, "No input"),
    ],
)
def test_a_label_is_made_of_the_options_words(names: list[str], options: dict[str, Any], label: str) -> None:
    assert label_of(shown(*names, **options).description.arguments[0]) == label


def test_help_default_and_option_are_told_and_escaped() -> None:
    form = shown("--size", help="The <b>size</b> & shape", default="<big>")
    text = help_html(form.description.arguments[0])
    assert text == "The &lt;b&gt;size&lt;/b&gt; &amp; shape. Default: &lt;big&gt;."


def test_a_default_that_the_help_tells_is_not_told_twice() -> None:
    form = shown("--size", help="The size, by default %(default)s.", default="big")
    assert help_html(form.description.arguments[0]).count("big") == 1


def test_a_number_in_the_help_is_not_mistaken_for_the_default() -> None:
    form = shown("--level", help="0 is low, 1 is high.", default=1)
    assert "Default: 1." in help_html(form.description.arguments[0])


@pytest.mark.parametrize(
    ("options", "html"),
    [
        ({"type": int}, 'type="number"'),
        ({"type": float}, 'step="any"'),
        ({"action": "count"}, 'min="0"'),
        ({"action": "store_true"}, 'type="checkbox"'),
        ({"nargs": "+"}, "<textarea"),
        ({"nargs": "+"}, "data-launcher-add"),
        ({"nargs": 2}, 'placeholder="value 2"'),
        ({"nargs": 2, "metavar": ("LON", "LAT")}, 'placeholder="LAT"'),
        ({"action": "append", "nargs": 2, "metavar": ("LON", "LAT")}, "Add a group"),
        ({"type": int, "choices": range(100)}, 'max="99"'),
        ({"default": "two\nlines"}, "<textarea"),
        ({"choices": [str(n) for n in range(20)]}, "data-launcher-searched"),
        ({"nargs": "?"}, "alone, without a value"),
        ({"action": "append_const", "const": 1}, 'min="0"'),
        ({"choices": ["a", "b"]}, "<select"),
        ({"choices": ["a", "b"], "nargs": "+"}, 'type="checkbox"'),
        ({"choices": [str(n) for n in range(20)], "nargs": "+"}, "multiple"),
        ({"choices": ["a", "b"], "nargs": 2}, "<select"),
        ({"choices": [1, 2]}, "1 (refused by the command"),
        ({"default": "blue"}, 'placeholder="blue"'),
        ({"choices": ["a", "b"], "default": "b"}, '<option value="" selected>Default (b)</option>'),
        ({"action": argparse.BooleanOptionalAction, "default": True}, 'value="no"> No <code>--no-x</code>'),
    ],
)
def test_each_kind_has_its_control(options: dict[str, Any], html: str) -> None:
    assert html in unescape(str(shown("--x", **options)["x"]))


def test_a_yes_or_no_without_a_long_name_offers_no_no() -> None:
    form = shown("-x", action=argparse.BooleanOptionalAction)
    assert [value for value, _label, _option in form.fields["x"].widget.options] == ["", "yes"]


def test_a_password_is_not_shown_and_has_no_value() -> None:
    form = CommandForm(argv.describe("args_secrets"), given={"password": ("s3cret",)})
    html = str(form["password"])
    assert 'type="password"' in html
    assert "s3cret" not in form.as_p()
    assert "default-of-the-password" not in form.as_p()


def test_a_posted_password_does_not_come_back() -> None:
    form = form_for("args_secrets", {"password": "s3cret", "pin": "1234", "api_keys": "k3y", EXTRA: "--pin 1234 --x"})
    assert form.given()["password"] == ("s3cret",)
    assert not any(secret in form.as_p() for secret in ("s3cret", "1234", "k3y"))


def test_a_secret_among_more_arguments_comes_back_masked_and_is_asked_for_again() -> None:
    typed = form_for("args_secrets", {EXTRA: "--user bob -ps3cret --backup-secret 's3 cret'"})
    html = unescape(str(typed[EXTRA]))
    assert "s3" not in html
    assert "--user bob" in html
    assert "s3cret" not in str(form_for("args_secrets", {EXTRA: "--password 's3cret"})[EXTRA])


def test_groups_stand_in_the_authors_order_with_their_titles() -> None:
    form = CommandForm(argv.describe("args_groups"))
    assert [section.title for section in form.sections] == ["", "Where the CSV comes from", "Target", "Common options"]
    assert form.sections[1].description == "One of <these>."


def test_required_is_marked_but_the_parser_decides() -> None:
    form = CommandForm(argv.describe("args_groups"), data=query({}))
    assert form.fields["table"].required
    assert not form.fields["alone"].required
    assert form.is_valid()


def test_djangos_own_options_are_folded_and_settings_are_not_offered() -> None:
    form = CommandForm(argv.describe("args_kinds"))
    section = form.sections[-1]
    names = {name for row in section.rows for name in (row.group.names if row.group else [row.name])}
    assert names == {"verbosity", "traceback", "no_color", "force_color", "skip_checks"}
    assert (section.title, section.is_open) == ("Common options", False)
    assert not {"settings", "pythonpath", "version", "help"} & set(form.fields)


# What is taken


@pytest.mark.parametrize(
    ("data", "given"),
    [
        ({"text": ""}, {}),
        ({"text": "  two  spaces "}, {"text": ("  two  spaces ",)}),
        ({"text": "a\r\nb"}, {"text": ("a\nb",)}),
        ({"text": "☃ é"}, {"text": ("☃ é",)}),
        ({"text": "", "text" + EMPTY: "0"}, {"text": ("",)}),
        ({"more": ["one", "", " two "]}, {"more": ("one", " two ")}),
        ({"more": ["one", "", "two"], "more" + EMPTY: ["1"]}, {"more": ("one", "", "two")}),
        ({"more": ["one"], "more" + LINES: "two\r\n\r\nthree"}, {"more": ("one", "two", "three")}),
        ({"pair": ["k", "v", "", "", "a b", "c"]}, {"pair": ("k v", "'a b' c")}),
        ({"two": ["a", ""]}, {"two": ("a",)}),
        ({"on": "on"}, {"on": ()}),
        ({"cache": "no"}, {"cache": ("no",)}),
        ({"loud": "0"}, {}),
        ({"loud": "2"}, {"loud": ("2",)}),
        ({"maybe" + BARE: "on"}, {"maybe": ()}),
        ({"maybe" + BARE: "on", "maybe": "x"}, {"maybe": ("x",)}),
        ({"any" + BARE: "on"}, {"any": ()}),
        ({"days": ["tue", "mon"]}, {"days": ("tue", "mon")}),
        ({"days": ["nonsense"]}, {"days": ("nonsense",)}),
        ({"size": "77"}, {"size": ("77",)}),
    ],
)
def test_what_was_filled_in_is_taken_as_it_is(data: dict[str, Any], given: dict[str, tuple[str, ...]]) -> None:
    assert form_for("args_kinds", data).given() == given


@pytest.mark.parametrize(
    ("data", "given"),
    [
        ({}, {}),
        ({"switch": "--off"}, {"switch-2": ()}),
        ({"switch": "--on"}, {"switch": ()}),
        ({"switch": "on"}, {"switch": ()}),
        ({"launcher_choice-form": "--yaml", "form-3": "typed before"}, {"form-2": ()}),
        ({"form-3": "csv"}, {"form-3": ("csv",)}),
    ],
)
def test_of_options_with_one_dest_one_is_chosen(data: dict[str, Any], given: dict[str, tuple[str, ...]]) -> None:
    assert form_for("args_everything", data).given() == given


@pytest.mark.parametrize(
    ("data", "given"),
    [
        ({"launcher_choice-all": "--since", "since": "2024-02-29", "ids": ["1"]}, {"since": ("2024-02-29",)}),
        ({"launcher_choice-all": "--all", "since": "2024-02-29"}, {"all": ()}),
        ({"launcher_choice-all": "--maybe"}, {"maybe": ()}),
        ({"since": "2024-02-29"}, {"since": ("2024-02-29",)}),
        ({"launcher_choice-all": "", "all": "on", "ids": ["1"]}, {"all": (), "ids": ("1",)}),
        ({"launcher_choice-all": "nonsense", "ids": ["1"]}, {"ids": ("1",)}),
    ],
)
def test_of_a_group_only_the_chosen_is_said(data: dict[str, Any], given: dict[str, tuple[str, ...]]) -> None:
    """Without a choice, what was filled in counts, and the parser judges it."""
    assert form_for("args_everything", data).given() == given


def test_options_that_fill_one_list_keep_their_order() -> None:
    data = {"types": ["--str", "", "--type", "--int"], "types__words": ["", "", "a b", ""]}
    assert form_for("args_everything", data).given() == {"types": ("--str", "'--type=a b'", "--int")}


def test_a_line_of_more_arguments_is_split_like_a_shell() -> None:
    assert form_for("args_kinds", {EXTRA: "--text='a b' c"}).extra_words() == ["--text=a b", "c"]


@pytest.mark.parametrize("text", ["'open", f"--password={argv.MASK}"])
def test_a_line_that_can_not_be_taken_is_refused_at_its_field(text: str) -> None:
    form = form_for("args_kinds", {EXTRA: text})
    assert EXTRA in form.errors
    assert form.extra_words() == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("text", ("a b",)),
        ("more", ("one", "two")),
        ("on", ()),
        ("cache", ("no",)),
        ("loud", ("3",)),
        ("maybe", ()),
        ("maybe", ("x",)),
        ("pair", ("a b", "'c d' e")),
        ("days", ("mon", "wed")),
        ("size", ("2",)),
        ("verbosity", ("0",)),
    ],
)
def test_a_rerun_is_filled_in_with_what_was_given(name: str, values: tuple[str, ...]) -> None:
    form = CommandForm(argv.describe("args_kinds"), given={name: values})
    sent = CommandForm(form.description, data=FormData(form_page(form, "args_kinds")).post)
    assert sent.given() == {name: values}


def test_a_rerun_fills_what_has_no_field_into_the_line_of_more_arguments() -> None:
    reading = argv.read("args_everything", ["--hidden=h h", "--set=a=1", "--set=b=2", "place"])
    form = CommandForm(argv.describe("args_everything"), given=reading.given, extra=reading.extra)
    assert form[EXTRA].value() == "'--hidden=h h' --set=a=1 --set=b=2"
    assert form["places"].value() == ("place",)


def test_a_rerun_shows_the_fields_of_its_sub_command() -> None:
    given = argv.read("args_subcommands", ["--env=test", "logout", "--times=2"]).given
    form = CommandForm(argv.describe("args_subcommands"), given=given)
    assert (form["action"].value(), form["times"].value()) == (("logout",), ("2",))
    assert "password" not in form.fields


def test_a_confirmation_wants_the_commands_name() -> None:
    assert not form_for("args_kinds", {"launcher_confirm": "no"}, confirm="args_kinds").is_valid()
    assert form_for("args_kinds", {"launcher_confirm": "args_kinds "}, confirm="args_kinds").is_valid()


# Where errors stand


def test_an_error_in_the_folded_part_opens_it() -> None:
    form = form_for("args_kinds", {"name": "N"})
    form.show_verdict(argv.judge("args_kinds", ["N", "--verbosity=9"]).errors)
    assert form.sections[-1].is_open
    assert not form_for("args_kinds", {"name": "N"}).sections[-1].is_open


@pytest.mark.parametrize(
    ("line", "place"),
    [("--nonsense", EXTRA), ("--settings=x", EXTRA), ("--help", "__all__"), ("-n=x", "n")],
)
def test_what_was_typed_as_more_arguments_is_refused_there(line: str, place: str) -> None:
    form = form_for("args_kinds", {"name": "N", EXTRA: line})
    form.show_verdict(argv.judge("args_kinds", ["N", line]).errors)
    assert list(form.errors) == [place]


def test_a_missing_sub_command_is_asked_for_where_it_is_chosen() -> None:
    form = form_for("args_subcommands")
    form.show_verdict(argv.judge("args_subcommands", []).errors)
    assert list(form.errors) == ["action"]


def test_a_page_shows_each_error_at_its_field_and_keeps_what_was_typed(owner_client: Client) -> None:
    html = page(owner_client, "args_kinds", {"name": "kept <b>", "n": "many", "days": ["mon"]})
    assert "argument -n: invalid int value: 'many'" in html
    assert 'value="kept <b>"' in html
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"pair": ["'open"]}, "argument --pair: expected 2 arguments"),
        ({"loud": "²"}, "as a whole number"),
        ({"text": "a\0b"}, "NUL"),
        ({"some": ["a", "-b"]}, "can start with a dash"),
        ({EXTRA: "--help"}, "usage: manage.py args_kinds"),
        ({EXTRA: "--pythonpath=/tmp"}, "it works on the shell only"),
    ],
)
def test_what_can_not_be_run_is_answered_with_a_page(data: dict[str, str], message: str, owner_client: Client) -> None:
    assert message in page(owner_client, "args_kinds", {"name": "N", **data})
    assert not Run.objects.exists()


# Uploads


def stored(uploads: Uploads, name: str = "file", file_name: str = "data.csv", content: bytes = b"a;b") -> Path:
    return uploads.store(name, SimpleUploadedFile(file_name, content))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("data.csv", "data.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\data.csv", "data.csv"),
        ("-rf.csv", "rf.csv"),
        (".hidden", "hidden"),
        ("a b;$(c).csv", "a_b__(c).csv"),
        ("...", "upload"),
        ("Grüße.csv", "Grüße.csv"),
    ],
)
def test_an_uploaded_file_gets_a_harmless_name(uploads: Uploads, sent: str, kept: str) -> None:
    file = SimpleUploadedFile("x", b"")
    file._name = sent  # type: ignore[attr-defined]  # Django's own cleaning comes first; this is the second line
    assert uploads.store("file", file).name == kept


def test_a_very_long_name_can_be_stored(uploads: Uploads) -> None:
    path = stored(uploads, file_name="界" * 200 + ".csv")
    assert path.read_bytes() == b"a;b"
    assert path.suffix == ".csv"


def test_files_lie_where_nobody_else_reads_them(uploads: Uploads, spool: Path) -> None:
    path = stored(uploads)
    assert path.is_relative_to(spool / f"run-{uploads.uid.hex}")
    assert spool.stat().st_mode & 0o077 == 0


def test_a_second_file_for_an_argument_replaces_the_first(uploads: Uploads) -> None:
    first = stored(uploads, content=b"1")
    second = stored(uploads, file_name="other.csv", content=b"2")
    assert not first.exists()
    assert uploads.kept("file") == [second]


def test_arguments_with_similar_names_do_not_share_a_file(uploads: Uploads) -> None:
    one, two = stored(uploads, "file-2"), stored(uploads, "file_2")
    assert one != two
    assert (uploads.kept("file-2"), uploads.kept("file_2")) == ([one], [two])


@pytest.mark.parametrize(("size", "is_valid"), [(1000, True), (1001, False), (0, True)])
def test_a_file_may_not_be_too_large(uploads: Uploads, size: int, is_valid: bool) -> None:
    files = {"path" + UPLOAD: SimpleUploadedFile("f", b"x" * size)}
    form = CommandForm(argv.describe("args_kinds"), data=query({}), files=files, uploads=uploads)
    assert form.is_valid() is is_valid
    form.store_uploads()
    assert ("path" in form.given()) is is_valid


def test_an_upload_stands_for_the_path(uploads: Uploads) -> None:
    files = {"path" + UPLOAD: SimpleUploadedFile("f.txt", b"content")}
    form = CommandForm(argv.describe("args_kinds"), data=query({}), files=files, uploads=uploads)
    assert form.is_valid()
    form.store_uploads()
    (path,) = form.given()["path"]
    assert Path(path).read_bytes() == b"content"


def test_reading_the_form_stores_nothing(uploads: Uploads) -> None:
    files = {"path" + UPLOAD: SimpleUploadedFile("f.txt", b"content")}
    form = CommandForm(argv.describe("args_kinds"), data=query({}), files=files, uploads=uploads)
    form.is_valid()
    assert "path" not in form.given()
    assert not uploads.has_any


def test_half_a_file_is_not_kept(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise OSError("No space left on device")

    file = SimpleUploadedFile("f.txt", b"content")
    monkeypatch.setattr(file, "chunks", chunks)
    with pytest.raises(OSError, match="No space"):
        uploads.store("path", file)
    assert uploads.kept("path") == []


def test_a_file_survives_an_invalid_try_and_yields_to_a_typed_path(uploads: Uploads, owner: User) -> None:
    path = stored(uploads, "path")
    again = Uploads.from_token(uploads.token(owner), owner)
    assert form_for("args_kinds", {}, uploads=again).given() == {"path": (str(path),)}
    assert form_for("args_kinds", {"path": "/typed"}, uploads=again).given() == {"path": ("/typed",)}


def test_a_page_keeps_an_uploaded_file_after_an_error(owner_client: Client, owner: User, spool: Path) -> None:
    html = page(owner_client, "args_kinds", {"path" + UPLOAD: SimpleUploadedFile("f.txt", b"content")})
    assert "f.txt is kept from your last try." in html
    assert f'name="{UPLOADS_TOKEN}"' in html


def test_a_token_is_good_for_its_user_only_and_once(uploads: Uploads, owner: User, outsider: User) -> None:
    token = uploads.token(owner)
    assert Uploads.from_token(token, owner).uid == uploads.uid
    assert Uploads.from_token(token, outsider).uid != uploads.uid
    assert Uploads.from_token(token + "x", owner).uid != uploads.uid
    assert Uploads.from_token("", owner).uid != uploads.uid
    Run.objects.create(uid=uploads.uid, command="x", user=owner)
    assert Uploads.from_token(token, owner).uid != uploads.uid


def test_forgotten_files_go_after_a_day_and_no_others(uploads: Uploads, owner: User) -> None:
    old, fresh, running = stored(uploads), stored(Uploads(uuid4())), stored(Uploads(uuid4()))
    Run.objects.create(uid=running.parents[2].name.removeprefix("run-"), command="x", user=owner)
    a_day_ago = time.time() - UPLOAD_KEEP_SECONDS - 1
    for path in (old, running):
        os.utime(path.parents[2], (a_day_ago, a_day_ago))
    prune_spools()
    assert [path.exists() for path in (old, fresh, running)] == [False, True, True]


@pytest.mark.parametrize(
    ("names", "kwargs", "takes"),
    [
        (["--path"], {"type": Path}, True),
        (["--read"], {"type": argparse.FileType("rb")}, True),
        (["csv"], {}, True),
        (["--write"], {"type": argparse.FileType("w")}, False),
        (["--output"], {"type": Path}, False),
        (["--target-dir"], {"type": Path}, False),
        (["files"], {"type": Path, "nargs": "+"}, True),
        (["files"], {"type": Path, "nargs": 2}, False),
        (["--name"], {}, False),
    ],
)
def test_a_file_can_be_uploaded_where_one_is_read(names: list[str], kwargs: dict[str, Any], takes: bool) -> None:
    form = shown(*names, **kwargs)
    assert any(name.endswith(UPLOAD) for name in form.fields) is takes


def test_a_preview_is_told_names_not_files() -> None:
    named = with_file_names(argv.describe("args_kinds"), query({"path" + UPLOAD: "f.txt"}))
    assert named.getlist("path") == ["f.txt"]


def test_the_limit_is_the_projects(spool: Path) -> None:
    assert options().upload_limit_bytes == 1000
