"""What the templates show: durations, marked words, nonces, short command lines."""

from datetime import timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone
from django.utils.safestring import SafeString
from pytest_django import Settings

from launcher.models import Run
from launcher.output.terminal import PLAIN, Style
from launcher.runs import uploads_folder
from launcher.templatetags import launcher as tags


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3599.9, "59 min 59 s"),
        (7200, "2 h 0 min"),
        (360_060, "100 h 1 min"),
    ],
)
def test_a_duration_is_written_as_people_do(seconds: float | None, text: str) -> None:
    assert tags.duration(seconds) == text


@pytest.mark.parametrize("is_aware", [True, False])
@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-01-31T23:30:05.123456+00:00", "05:00:05"),
        ("2026-01-31T23:30:05.123456", "23:30:05"),
        ("2026-13-31T23:30:05", "2026-13-31T23:30:05"),
        ("x", "x"),
    ],
)
def test_a_step_is_shown_in_the_zone_of_all_other_times(
    settings: Settings, moment: str, text: str, is_aware: bool
) -> None:
    settings.USE_TZ, settings.TIME_ZONE = is_aware, "Asia/Kolkata"
    assert tags.clock(moment) == text


@pytest.mark.parametrize(("code", "text"), [(None, ""), (0, "0"), (2, "2"), (-9, "signal 9")])
def test_an_exit_code_below_zero_is_a_signal(code: int | None, text: str) -> None:
    assert tags.exit_code(code) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 commands"), (1, "1 command"), (12, "12 commands")])
def test_commands_are_counted(count: int, text: str) -> None:
    assert tags.counted_commands(count) == text


def test_a_moment_within_the_last_minute_is_just_now() -> None:
    now = timezone.now()
    assert tags.ago(now) == "just now"
    assert tags.ago(now - timedelta(minutes=5, seconds=1)) == "5\xa0minutes ago"


@pytest.mark.parametrize(
    ("text", "query", "html"),
    [
        ("import_csv", "", "import_csv"),
        ("import_csv", "CSV", "import_<mark>csv</mark>"),
        ("import_csv", "csv import", "<mark>import</mark>_<mark>csv</mark>"),
        ("import", "imp import", "<mark>import</mark>"),
        ("a & b", "b", "a &amp; <mark>b</mark>"),
        ("<b>", "<B>", "<mark>&lt;b&gt;</mark>"),
        ("<b>", "amp lt", "&lt;b&gt;"),
        ("Straße <b>", "b", "Straße &lt;b&gt;"),
        ("nothing", "zzz", "nothing"),
    ],
)
def test_searched_words_are_marked_and_all_else_is_escaped(text: str, query: str, html: str) -> None:
    found = tags.marked(text, query)
    assert isinstance(found, SafeString)
    assert found == html


def test_the_template_does_not_escape_output_twice() -> None:
    template = Template("{% load launcher %}{{ row|spans }}")
    row = (("<", PLAIN), (">", Style(foreground=1)))
    assert template.render(Context({"row": row})) == '&lt;<span class="ansi-fg-1">&gt;</span>'


def test_a_nonce_is_written_where_the_project_has_one() -> None:
    template = Template("{% load launcher %}<link{% nonce %}>")
    assert template.render(Context({"csp_nonce": "abc"})) == '<link nonce="abc">'
    assert template.render(Context({"csp_nonce": '"><script>'})) == '<link nonce="&quot;&gt;&lt;script&gt;">'
    assert template.render(Context()) == "<link>"


def test_the_configuration_of_htmx_needs_no_eval() -> None:
    html = Template("""{% load launcher %}<meta content="{% htmx_config %}">""").render(Context())
    assert "&quot;allowEval&quot;:false" in html
    assert html.count('"') == 2


@pytest.mark.parametrize("name", ["prices.csv", "my prices.csv"])
def test_a_short_line_names_an_uploaded_file_alone(name: str) -> None:
    run = Run(command="import_csv")
    path = uploads_folder(run) / "file" / name
    run.command_line = f"import_csv '{path}' --other={path} --dry-run a/b"
    assert tags.short_line(run) == f"import_csv '{name}' --other={name} --dry-run a/b"


def test_a_line_without_uploads_stays_as_it_is() -> None:
    assert tags.short_line(Run(command="check", command_line="check --tag a/b")) == "check --tag a/b"


def test_a_very_long_line_is_shown_with_its_beginning_and_length() -> None:
    assert tags.bounded("short") == "short"
    assert tags.bounded("x" * 20_000) == "x" * 10_000 + "… (20000 characters in all)"
    assert [tags.is_cut("short"), tags.is_cut("x" * 20_000)] == [False, True]
