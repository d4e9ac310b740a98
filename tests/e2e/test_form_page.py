"""What a form's page does around its arguments: finding, folding, telling the line, filling, keeping, and no mouse."""

import re
import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from launcher.models import Preset, Run
from tests.e2e.conftest import log_in
from tests.e2e.forms import (
    add_row,
    box,
    choose,
    edit,
    expect_meant,
    field,
    meaning,
    open_form,
    paste,
    run_form,
    type_rows,
)
from tests.e2e.pages import click_run, form_url, mark_load, preview
from tests.e2e.test_keyboard import tab_to


@pytest.fixture
def page(shared_page: Page) -> Page:
    """One page for all these tests."""
    return shared_page


@pytest.fixture
def form(owner_page: Page, paper_runs: None) -> Page:
    """The superuser's page, with runs that are written down instead of carried out."""
    return owner_page


@pytest.fixture
def operator_page(new_context: Callable[..., BrowserContext], live_server: LiveServer, operator: User) -> Page:
    """The page of somebody who may run some commands."""
    context = new_context()
    log_in(context, operator, live_server.url)
    return context.new_page()


def changed(page: Page, name: str) -> Locator:
    return field(page, name).get_by_text("changed", exact=True)


def shown_fields(page: Page) -> list[str]:
    """Return the names of the arguments that can be seen."""
    names: list[str] = page.locator("[data-launcher-field]").evaluate_all(
        "fields => fields.filter((field) => field.offsetParent).map((field) => field.dataset.launcherField)"
    )
    return names


def paste_line(page: Page, line: str) -> None:
    """Fill the form from a command line."""
    area = page.get_by_role("textbox", name="Command line")
    if not area.is_visible():
        page.get_by_text("Paste a command line").click()
    area.fill(line)
    mark_load(page)
    page.get_by_role("button", name="Fill in the form").click()
    # No `expect_navigation`: what was typed is kept by a change of the address, which counts as one.
    page.wait_for_function("() => !window.isSameLoad")
    page.wait_for_load_state()


def save_preset(page: Page, name: str, *, is_shared: bool = False) -> None:
    page.get_by_text("Save as a preset").click()
    page.locator(".launcher-save").get_by_label("Name", exact=True).fill(name)
    if is_shared:
        page.get_by_label("for everyone who may run this command").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(f"The preset “{name}” was saved.")).to_be_visible()


# Finding and folding


def test_an_argument_is_found_by_name_option_and_help(form: Page) -> None:
    open_form(form, "args_everything")
    for words, found in (("clock", "clock"), ("--dot", "dot"), ("AT least", "places"), ("text lines", "letter")):
        form.get_by_label("Find an argument").fill(words)
        assert shown_fields(form) == [found]

    form.get_by_label("Find an argument").fill("")
    assert len(shown_fields(form)) > 30


def test_what_is_not_found_is_said(form: Page) -> None:
    open_form(form, "args_everything")
    form.get_by_label("Find an argument").fill("no such thing")
    expect(form.get_by_text("No argument matches.")).to_be_visible()
    assert shown_fields(form) == []
    form.get_by_label("Find an argument").fill("clock")
    expect(form.get_by_text("No argument matches.")).to_be_hidden()


def test_enter_in_the_box_to_find_sends_nothing(form: Page) -> None:
    open_form(form, "args_everything")
    mark_load(form)
    form.get_by_label("Find an argument").fill("clock")
    form.keyboard.press("Enter")
    assert form.evaluate("window.isSameLoad") is True


def test_only_what_is_changed_is_shown_on_demand(form: Page) -> None:
    open_form(form, "args_everything")
    box(form, "clock").fill("12:30")
    field(form, "country").get_by_role("combobox").click()
    form.get_by_role("option", name="c007").click()
    form.get_by_label("changed only").check()
    assert shown_fields(form) == ["clock", "country"]
    form.get_by_label("changed only").uncheck()
    assert len(shown_fields(form)) > 30


def test_what_is_found_in_a_folded_section_unfolds_it_for_as_long(form: Page) -> None:
    open_form(form, "args_everything")
    expect(field(form, "verbosity")).to_be_hidden()
    form.get_by_label("Find an argument").fill("verbosity")
    expect(field(form, "verbosity")).to_be_visible()
    form.get_by_label("Find an argument").fill("")
    expect(field(form, "verbosity")).to_be_hidden()


def test_sections_fold_and_unfold(form: Page) -> None:
    open_form(form, "args_groups")
    form.locator("summary", has_text="Target").click()
    expect(field(form, "table")).to_be_hidden()
    form.locator("summary", has_text="Common options").click()
    expect(field(form, "verbosity")).to_be_visible()
    form.locator("summary", has_text="Target").click()
    expect(field(form, "table")).to_be_visible()


def test_a_section_with_a_filled_in_or_refused_field_is_open(form: Page) -> None:
    form.goto(form_url("kind_lists") + "?args=--verbosity%3D2")
    expect(field(form, "verbosity").get_by_role("combobox")).to_have_value("2")
    expect(field(form, "verbosity")).to_be_visible()


def test_what_was_changed_is_marked_and_reset(form: Page) -> None:
    open_form(form, "kind_lists")
    type_rows(form, "tag", "a", "b", "c")
    expect(changed(form, "tag")).to_be_visible()
    field(form, "tag").get_by_role("button", name="Reset").click()
    expect(changed(form, "tag")).to_be_hidden()
    expect(box(form, "tag")).to_have_count(1)
    expect(box(form, "tag")).to_be_focused()
    expect(preview(form)).to_have_text("python manage.py kind_lists")


def test_every_kind_of_control_can_be_reset(form: Page) -> None:
    words = ["--maybe", "--text=x", "--number=1", "--day=2024-02-29", "--cache", "--dry", "--off", "--loud"]
    form.goto(form_url("kind_values") + f"?args={'+'.join(words)}")
    names = ["day", "text", "number", "maybe", "cache", "switch", "dry"]
    for name in names:
        expect(changed(form, name)).to_be_visible()
        field(form, name).get_by_role("button", name="Reset").click()
        expect(changed(form, name)).to_be_hidden()
        option = {"switch": "--off"}.get(name, f"--{name}")
        words = [word for word in words if not word.startswith(option)]
        expect(preview(form)).to_have_text(f"python manage.py kind_values {' '.join(words)}")
    assert run_form(form).argv == ["--loud"]


def test_a_searched_list_can_be_reset(form: Page) -> None:
    form.goto(form_url("kind_choices") + "?args=--country=c007+--labels+'label+3'+--since=2024-02-29")
    for name in ["country", "labels"]:
        field(form, name).get_by_role("button", name="Reset").click()
        expect(changed(form, name)).to_be_hidden()
    expect(field(form, "country").locator(".select2-selection__rendered")).to_have_text("---------")
    expect(preview(form)).to_have_text("python manage.py kind_choices --since=2024-02-29")


def test_a_sub_command_is_reset_with_its_fields(form: Page) -> None:
    form.goto(form_url("args_nested") + "?args=--env=live+add+7")
    expect(box(form, "number")).to_have_value("7")
    field(form, "what").locator("> .launcher-field-head [data-launcher-reset]").click()
    expect(field(form, "number")).to_have_count(0)
    expect(preview(form)).to_have_text("python manage.py args_nested --env=live")


def test_rows_of_searched_lists_are_searched_too(form: Page) -> None:
    form.goto(form_url("kind_choices") + "?args=--all+--labels+'label+3'+'label+1'")
    add_row(form, "labels").press("Enter")
    form.locator(".select2-search__field:focus").fill("label 29")
    form.get_by_role("option", name="label 29").click()
    row = field(form, "labels").locator("[data-launcher-row]")
    for place in [3, 2]:  # over the blank row, and one more
        row.nth(place).get_by_role("button", name="Move up").click()
    row.first.get_by_role("button", name="Remove").click()
    expect_meant(form, labels=["label 29", "label 1"])


# The line


def test_the_line_follows_the_typing(form: Page) -> None:
    open_form(form, "kind_values")
    box(form, "text").press_sequentially("it's")
    expect(preview(form)).to_have_text("""python manage.py kind_values '--text=it'"'"'s'""")
    form.get_by_label("Dry").check()
    expect(preview(form)).to_contain_text("--dry")
    form.get_by_label("Dry").uncheck()
    box(form, "text").fill("")
    expect(preview(form)).to_have_text("python manage.py kind_values")


def test_the_line_follows_rows(form: Page) -> None:
    open_form(form, "kind_lists")
    type_rows(form, "tag", "a", "b")
    expect(preview(form)).to_contain_text("--tag=a --tag=b")
    row = field(form, "tag").locator("[data-launcher-row]")
    row.first.get_by_role("button", name="Move down").click()
    expect(preview(form)).to_contain_text("--tag=b --tag=a")
    row.first.get_by_role("button", name="Remove").click()
    expect(preview(form)).to_have_text("python manage.py kind_lists --tag=a")


def test_the_line_follows_sub_commands(form: Page) -> None:
    open_form(form, "args_nested")
    choose(form, "what", "add")
    expect(preview(form)).to_have_text("python manage.py args_nested add")
    box(form, "number").fill("7")
    expect(preview(form)).to_have_text("python manage.py args_nested add 7")
    choose(form, "what", "remove")
    expect(preview(form)).to_have_text("python manage.py args_nested remove")


def test_the_line_follows_the_buttons_of_which_one_is_chosen(form: Page) -> None:
    open_form(form, "args_everything")
    form.get_by_role("radio", name="All", exact=True).check()
    expect(preview(form)).to_contain_text("--all")
    form.locator("[name=since]").fill("2024-02-29")
    expect(preview(form)).to_contain_text("--since=2024-02-29")
    expect(preview(form)).not_to_contain_text("--all")
    group = form.locator(".launcher-field", has=form.get_by_role("radio", name="Since"))
    group.get_by_role("radio", name="None of these").check()
    expect(preview(form)).to_have_text("python manage.py args_everything")
    expect(form.locator("[name=since]")).to_have_value("")


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("words", ["a"]),
        ("tag", ["a", "b"]),
    ],
)
def test_going_back_from_a_run_finds_what_was_typed(form: Page, name: str, texts: list[str]) -> None:
    open_form(form, "kind_lists")
    type_rows(form, name, *texts)
    run = run_form(form)
    form.get_by_role("button", name="Edit and run again").wait_for()
    form.route("**/fields/", late)
    form.go_back()
    assert run_form(form).argv == run.argv


def late(route: Route) -> None:
    """Let a request through only after a while, in which somebody quick could click."""
    time.sleep(0.5)
    route.continue_()


def test_the_line_is_copied(form: Page) -> None:
    open_form(form, "kind_values")
    box(form, "text").fill("a b")
    expect(preview(form)).to_contain_text("a b")
    form.locator(".launcher-shell").get_by_role("button", name="Copy").click()
    expect(form.locator(".launcher-shell").get_by_role("button", name="✓")).to_be_visible()
    assert form.evaluate("navigator.clipboard.readText()") == "python manage.py kind_values '--text=a b'"


# Pasting a line


def test_a_pasted_line_fills_the_form_and_runs_nothing(form: Page) -> None:
    open_form(form, "kind_lists")
    paste_line(form, "$ python manage.py kind_lists --tag 'two words' \\\n    --tag=\"it's\" --point 1 -2 -- -x")
    expect(box(form, "tag").nth(0)).to_have_value("two words")
    expect(box(form, "tag").nth(1)).to_have_value("it's")
    expect(box(form, "point").nth(1)).to_have_value("-2")
    expect(box(form, "words").first).to_have_value("-x")
    assert not Run.objects.exists()
    expect_meant(form, tag=["two words", "it's"], point=[1.0, -2.0], words=["-x"])


def test_a_line_that_cannot_be_read_is_told_where_and_kept(form: Page) -> None:
    open_form(form, "kind_lists")
    for line, told in (
        ('python manage.py kind_lists --tag "open', 'Word 5, “"open”: a quote is opened here'),
        ("python manage.py kind_lists --tag $HOME", "Word 5, “$HOME”: a shell would put a value in here."),
        ("python manage.py kind_lists | less", "Word 4, “|”: only a shell can do that."),
        ("python manage.py kind_values", "This line runs “kind_values”; this is the form of “kind_lists”."),
    ):
        paste_line(form, line)
        expect(form.get_by_role("alert")).to_contain_text(told)
        expect(form.get_by_role("textbox", name="Command line")).to_have_value(line)


def test_what_a_pasted_line_says_too_much_is_told_and_kept(form: Page) -> None:
    open_form(form, "kind_lists")
    paste_line(form, "python manage.py kind_lists --tag a --nonsense 3")
    expect(form.get_by_text("The command's parser does not take all of it")).to_be_visible()
    expect(box(form, "tag").first).to_have_value("a")


def test_a_secret_in_a_pasted_line_is_not_filled_in(form: Page) -> None:
    open_form(form, "kind_values")
    paste_line(form, "python manage.py kind_values --text a --password 'open sesame'")
    expect(form.get_by_text("Secrets are not filled in; type them yourself.")).to_be_visible()
    expect(box(form, "text")).to_have_value("a")
    assert "sesame" not in form.content()


# Presets


def test_a_preset_is_saved_offered_filled_in_and_deleted(form: Page) -> None:
    open_form(form, "kind_lists")
    type_rows(form, "tag", "b", "a")
    form.get_by_label("X", exact=True).fill("1.5")
    save_preset(form, "half a point")
    open_form(form, "kind_lists")
    expect(box(form, "tag").first).to_have_value("")
    form.get_by_role("link", name="half a point").click()
    expect(form.get_by_label("X", exact=True)).to_have_value("1.5")
    expect(box(form, "tag").nth(1)).to_have_value("a")
    form.get_by_role("button", name="Delete the preset half a point").click()
    expect(form.get_by_text("The preset “half a point” was deleted.")).to_be_visible()
    assert not Preset.objects.exists()
    assert not Run.objects.exists()


def test_a_preset_keeps_sub_commands_and_what_stands_on_the_line_for_more(form: Page) -> None:
    open_form(form, "args_nested")
    choose(form, "what", "add")
    box(form, "number").fill("7")
    save_preset(form, "seven")
    expect(field(form, "what").get_by_role("combobox")).to_have_value("add")
    expect_meant(form, what="add", number=7)


def test_a_preset_for_everyone_is_offered_to_who_may_run_the_command(form: Page, operator_page: Page) -> None:
    open_form(form, "args_kinds")
    box(form, "name").fill("shared value")
    save_preset(form, "for all", is_shared=True)
    box(form, "name").fill("private value")
    save_preset(form, "for me")

    operator_page.goto(form_url("args_kinds"))
    expect(operator_page.get_by_role("link", name="for me")).to_have_count(0)
    expect(operator_page.get_by_role("button", name="Delete the preset for all")).to_have_count(0)
    operator_page.get_by_role("link", name="for all").click()
    expect(box(operator_page, "name")).to_have_value("shared value")


def test_a_preset_has_no_secret(form: Page) -> None:
    open_form(form, "args_secrets")
    box(form, "user").fill("me")
    for name in ["password", "pin"]:
        box(form, name).fill("open sesame")
    save_preset(form, "mine")
    expect(box(form, "user")).to_have_value("me")
    assert "sesame" not in form.content() + str(Preset.objects.values())
    expect(box(form, "password")).to_have_value("")


def test_a_preset_without_a_name_loses_nothing_typed(form: Page) -> None:
    open_form(form, "kind_values")
    box(form, "text").fill("typed")
    form.get_by_text("Save as a preset").click()
    form.get_by_role("button", name="Save", exact=True).click()
    expect(form.get_by_text("A preset needs a name")).to_be_visible()
    expect(box(form, "text")).to_have_value("typed")


# Earlier runs


def test_a_recent_run_fills_the_form(form: Page) -> None:
    open_form(form, "kind_values")
    box(form, "text").fill("as before")
    run = run_form(form)
    open_form(form, "kind_values")
    form.locator(".launcher-recent").get_by_role("button", name="Fill in").click()
    expect(box(form, "text")).to_have_value("as before")
    assert Run.objects.get() == run


def test_a_run_is_used_elsewhere_in_four_ways(form: Page) -> None:
    open_form(form, "kind_lists")
    type_rows(form, "tag", "it's", "☃")
    run_form(form)
    form.get_by_text("Use it elsewhere").click()
    terms = form.locator(".launcher-copies dt").all_inner_texts()
    assert terms == ["On the shell", "In a crontab, at 3 a.m.", "In Python", "As a link to the form"]
    expect(form.locator("#launcher-copy-shell")).to_contain_text("python manage.py kind_lists")
    expect(form.locator("#launcher-copy-cron")).to_have_text(re.compile(r"^0 3 \* \* \* cd .*kind_lists"))
    expect(form.locator("#launcher-copy-python")).to_contain_text("call_command(")


def test_a_runs_link_opens_the_form_filled_in_and_runs_nothing(form: Page) -> None:
    open_form(form, "kind_lists")
    type_rows(form, "tag", "it's", "a&b=c", "-x", "☃")
    run = run_form(form)
    form.get_by_text("Use it elsewhere").click()
    form.locator(".launcher-copies dd").last.get_by_role("button", name="Copy").click()
    expect(form.locator(".launcher-copies dd").last.get_by_role("button", name="✓")).to_be_visible()
    form.goto(form.evaluate("navigator.clipboard.readText()"))
    expect(box(form, "tag").first).to_have_value("it's")
    assert Run.objects.get() == run
    assert run_form(form).argv == run.argv


# What the browser itself can't read


def test_a_number_that_the_browser_cannot_read_is_told_and_not_sent(form: Page) -> None:
    open_form(form, "kind_values")
    mark_load(form)
    for name, typed in (("number", "--"), ("ratio", "e"), ("number", "1e"), ("percent", "-")):
        box(form, name).press("Control+a")
        box(form, name).press_sequentially(typed)
        click_run(form)
        expect(field(form, name).get_by_role("alert")).to_be_visible()
        expect(form.get_by_role("alert")).to_have_count(1)
        expect(box(form, name)).to_be_focused()
        assert form.evaluate("window.isSameLoad") is True
        assert not Run.objects.exists()
        box(form, name).press("Control+a")
        box(form, name).press_sequentially("7")
    meant = meaning(run_form(form))
    assert [meant[name] for name in ("number", "ratio", "percent")] == [7, 7, 7]


def test_a_half_typed_date_is_told_and_not_sent(form: Page) -> None:
    open_form(form, "kind_values")
    box(form, "day").press_sequentially("02")
    click_run(form)
    expect(field(form, "day").get_by_role("alert")).to_be_visible()
    expect(changed(form, "day")).to_be_visible()
    field(form, "day").get_by_role("button", name="Reset").click()
    expect(field(form, "day").get_by_role("alert")).to_have_count(0)
    assert meaning(run_form(form))["day"] is None


# By keyboard


def test_rows_are_filled_added_and_moved_by_keyboard(form: Page) -> None:
    open_form(form, "kind_lists")
    keys = form.keyboard
    tab_to(form, "#id_tag")
    keys.type("a")
    tab_to(form, "[data-launcher-field=tag] [data-launcher-add]")
    keys.press("Enter")
    keys.type("b")
    tab_to(form, "[data-launcher-field=tag] [data-launcher-row]:last-child [data-launcher-move='-1']")
    keys.press("Enter")
    expect(field(form, "tag").locator("[data-launcher-row]").first.locator("input:focus")).to_have_value("b")
    tab_to(form, "input[type=submit]")
    keys.press("Enter")
    form.wait_for_url(re.compile("/run/\\d+/"))
    assert Run.objects.get().argv == ["--tag=b", "--tag=a"]


def test_a_button_is_chosen_by_keyboard(form: Page) -> None:
    open_form(form, "kind_choices")
    tab_to(form, "input[type=radio][value='--all']")
    form.keyboard.press("ArrowDown")
    expect(form.get_by_role("radio", name="Since")).to_be_focused()
    form.keyboard.press("ArrowDown")
    tab_to(form, "[name=ids]")
    form.keyboard.type("7")
    form.keyboard.press("Enter")
    form.wait_for_url(re.compile("/run/\\d+/"))
    assert Run.objects.get().argv == ["--ids=7"]


def test_a_long_list_is_searched_by_keyboard(form: Page) -> None:
    open_form(form, "kind_choices")
    tab_to(form, "[data-launcher-field=country] .select2-selection")
    form.keyboard.press("Enter")
    expect(form.locator(".select2-search__field:focus")).to_be_visible()
    form.keyboard.type("c249")
    form.keyboard.press("Enter")
    expect(preview(form)).to_contain_text("--country=c249")
    tab_to(form, "[data-launcher-field=days] input")


def test_a_sub_command_is_chosen_by_keyboard_and_keeps_the_focus(form: Page) -> None:
    open_form(form, "args_nested")
    tab_to(form, "#id_what")
    form.keyboard.type("add")
    expect(field(form, "number")).to_be_visible()
    expect(form.locator("#id_what")).to_be_focused()
    tab_to(form, "#id_number")
    form.keyboard.type("7")
    expect(preview(form)).to_have_text("python manage.py args_nested add 7")


# Without JavaScript


def test_many_values_are_typed_at_once_without_javascript(plain_page: Page, paper_runs: None) -> None:
    open_form(plain_page, "kind_lists")
    expect(field(plain_page, "words").get_by_role("button", name="Add a value")).to_be_hidden()
    box(plain_page, "words").first.fill("first")
    field(plain_page, "words").get_by_text("Many at once").click()
    field(plain_page, "words").get_by_label("Values, one per line").fill("a\nb c")
    run = expect_meant(plain_page, words=["first", "a", "b c"])
    edit(plain_page)
    expect(box(plain_page, "words").nth(2)).to_have_value("b c")
    assert run_form(plain_page).argv == run.argv


def test_a_sub_command_brings_its_fields_by_a_button_without_javascript(plain_page: Page, paper_runs: None) -> None:
    open_form(plain_page, "args_nested")
    box(plain_page, "tags").first.fill("kept")
    field(plain_page, "what").get_by_role("combobox").first.select_option("remove")
    plain_page.get_by_role("button", name="Show the fields of this choice").click()
    field(plain_page, "subcommand").get_by_role("combobox").select_option("by-name")
    plain_page.get_by_role("button", name="Show the fields of this choice").last.click()
    box(plain_page, "names").first.fill("one")
    plain_page.get_by_role("radio", name="Soft").check()
    expect_meant(plain_page, what="remove", names=["one"], soft=True, tags=["kept"])


def test_one_of_a_group_is_chosen_without_javascript(plain_page: Page, paper_runs: None) -> None:
    open_form(plain_page, "kind_choices")
    plain_page.locator("[name=since]").fill("2024-02-29")
    plain_page.get_by_role("radio", name="Ids").check()
    plain_page.locator("[name=ids]").fill("7")
    field(plain_page, "country").get_by_role("combobox").select_option("c007")
    run = expect_meant(plain_page, ids=[7], since=None, country="c007")
    edit(plain_page)
    assert run_form(plain_page).argv == run.argv


def test_a_line_is_pasted_and_a_preset_kept_without_javascript(plain_page: Page, paper_runs: None) -> None:
    open_form(plain_page, "kind_lists")
    paste_line(plain_page, "python manage.py kind_lists --pair a b --pair c d")
    save_preset(plain_page, "pairs")
    open_form(plain_page, "kind_lists")
    plain_page.get_by_role("link", name="pairs").click()
    expect_meant(plain_page, pair=[["a", "b"], ["c", "d"]])
    open_form(plain_page, "kind_lists")
    plain_page.get_by_role("button", name="Delete the preset pairs").click()
    expect(plain_page.get_by_text("The preset “pairs” was deleted.")).to_be_visible()


# Whatever the browser holds against it


def test_no_form_makes_the_browser_complain(owner_page: Page, paper_runs: None, complaints: list[str]) -> None:
    page = owner_page
    page.goto(form_url("args_everything"))
    box(page, "places").first.fill("a")
    add_row(page, "places").fill("b")
    field(page, "country").get_by_role("combobox").click()
    page.get_by_role("option", name="c007").click()
    field(page, "labels").locator(".select2-search__field").fill("label 3")
    page.get_by_role("option", name="label 3", exact=True).click()
    paste(box(page, "silent_default"), "two\nlines")
    page.get_by_role("radio", name="Since").check()
    page.get_by_label("Find an argument").fill("places")
    save_preset(page, "all of it")
    expect(field(page, "country")).to_contain_text("c007")
    page.goto(form_url("args_nested"))
    choose(page, "what", "remove")
    choose(page, "subcommand", "by-name")
    paste_line(page, "python manage.py args_nested add 7 | less")
    paste_line(page, "python manage.py args_nested add 7")
    run_form(page)
    page.get_by_text("Use it elsewhere").click()
    page.locator(".launcher-copies").get_by_role("button", name="Copy").first.click()
    assert complaints == []


# On a small screen


@pytest.mark.parametrize(
    "address",
    [
        "args_everything",
        "args_everything/here",
        "args_nested/remove+by-name+one+--hard",
        "args_nested/add+7",
        "kind_lists/--pair+a+b+--group+x+y+--int+--type=t+--files+a+b",
        "kind_choices/--labels+'label+1'+'label+2'+--country=c001",
    ],
)
def test_no_form_scrolls_sideways_on_a_phone(form: Page, address: str) -> None:
    command, _slash, words = address.partition("/")
    form.set_viewport_size({"width": 320, "height": 800})
    form.goto(form_url(command) + f"?args={words}")
    form.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    widest = form.evaluate(
        "[...document.querySelectorAll('#content *')].filter((e) => e.getBoundingClientRect().right > 320)"
        ".map((e) => e.outerHTML.slice(0, 120)).slice(0, 3)"
    )
    assert form.evaluate("document.documentElement.scrollWidth") <= 320, widest
