"""Each kind of argument, filled in by hand: the command gets what was meant, and the run fills the same form again."""

import datetime
from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import FilePayload, Page, expect

from launcher.engines import engine
from launcher.models import Run
from tests.e2e.forms import (
    PaperEngine,
    add_row,
    box,
    choose,
    edit,
    expect_law,
    expect_meant,
    field,
    filled_in,
    meaning,
    open_form,
    paste,
    run_form,
    told,
    type_rows,
)
from tests.e2e.pages import click_run, expect_state, more_arguments, preview, rows

ODD_TEXTS = ["-x", "--text", "-5", "a b", "'", '"', 'it\'s "so"', "$HOME", "*", "\\", "=", "a=b", "☃ – “ñ” 日本", "@x"]

TYPED: dict[str, tuple[str, object]] = {
    "text": ("a text", "a text"),
    "letter": ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
    "number": ("-12", -12),
    "percent": ("100", 100),
    "ratio": ("-1.5e3", -1500.0),
    "day": ("2024-02-29", datetime.date(2024, 2, 29)),
    "moment": ("2024-02-29T12:30:05", datetime.datetime(2024, 2, 29, 12, 30, 5)),
    "clock": ("23:59:01", datetime.time(23, 59, 1)),
    "path": ("no such/file.txt", Path("no such/file.txt")),
    "maybe": ("a value", "a value"),
}
"""What is typed for arguments of `kind_values`, and what their types make of it."""


@pytest.fixture
def page(shared_page: Page) -> Page:
    """One page for all these tests."""
    return shared_page


@pytest.fixture
def form(owner_page: Page, paper_runs: None) -> Page:
    """The superuser's page, with runs that are written down instead of carried out."""
    return owner_page


@pytest.fixture
def values(form: Page) -> Page:
    open_form(form, "kind_values")
    return form


@pytest.fixture
def lists(form: Page) -> Page:
    open_form(form, "kind_lists")
    return form


@pytest.fixture
def choices(form: Page) -> Page:
    """The form of choices; one of its options that exclude each other is chosen, as one has to be."""
    open_form(form, "kind_choices")
    form.get_by_role("radio", name="All").check()
    return form


def argv_given() -> list[str]:
    """Return the last run's argv as the engine got it, secrets included."""
    return cast(PaperEngine, engine()).submitted[-1]


# One value


def test_typed_values_are_what_the_command_gets(values: Page) -> None:
    for name, (typed, _value) in TYPED.items():
        expect(field(values, name).get_by_text("changed", exact=True)).to_be_hidden()
        box(values, name).fill(typed)
        expect(field(values, name).get_by_text("changed", exact=True)).to_be_visible()
    expect_law(values, **{name: value for name, (_typed, value) in TYPED.items()})


@pytest.mark.parametrize("name", ["text", "number", "day", "maybe"])
def test_one_value_leaves_the_others_at_their_defaults(values: Page, name: str) -> None:
    box(values, name).fill(TYPED[name][0])
    run = expect_meant(values, **{name: TYPED[name][1]}, ratio=0.5, letter="Dear all,\n\nregards", dry=False)
    assert len(run.argv) == 1


def test_every_odd_text_arrives_as_typed(lists: Page) -> None:
    type_rows(lists, "tag", *ODD_TEXTS)
    expect_law(lists, tag=ODD_TEXTS)


@pytest.mark.parametrize("text", ["-x", "--text", "-5"])
def test_a_value_that_looks_like_an_option_is_none(values: Page, text: str) -> None:
    box(values, "text").fill(text)
    expect_law(values, text=text, dry=False)


def test_odd_texts_arrive_in_a_real_process(owner_page: Page) -> None:
    open_form(owner_page, "kind_lists")
    type_rows(owner_page, "words", *ODD_TEXTS, "--")
    run_form(owner_page)
    expect_state(owner_page, "succeeded")

    assert told(rows(owner_page).first.inner_text())["words"] == [*ODD_TEXTS, "--"]


def test_two_lines_pasted_turn_the_input_into_one_of_several_lines(values: Page) -> None:
    box(values, "text").fill("before ")
    paste(box(values, "text"), "one\r\n two")
    expect(field(values, "text").locator("textarea")).to_be_focused()
    expect(field(values, "text").locator("textarea")).to_have_value("before one\n two")
    expect_law(values, text="before one\n two")


def test_a_line_copied_whole_leaves_its_break_behind(values: Page) -> None:
    paste(box(values, "path"), "odd name.txt\n")
    paste(box(values, "number"), "12\r\n")
    expect_law(values, path=Path("odd name.txt"), number=12)


def test_two_numbers_pasted_are_not_taken_for_one(values: Page) -> None:
    paste(box(values, "number"), "1\n2")
    click_run(values)
    expect(field(values, "number").locator(".errorlist")).to_contain_text("invalid int value")
    assert not Run.objects.exists()


def test_a_pasted_secret_keeps_its_lines_and_is_not_seen(values: Page) -> None:
    paste(box(values, "password"), "-----BEGIN KEY-----\nabc\n-----END KEY-----\n")
    area = field(values, "password").locator("textarea")
    assert area.evaluate("area => getComputedStyle(area).webkitTextSecurity") == "disc"
    run_form(values)
    assert argv_given() == ["--password=-----BEGIN KEY-----\nabc\n-----END KEY-----\n"]


def test_an_empty_text_is_meant_where_its_box_says_so(values: Page) -> None:
    for name in ["text", "letter", "maybe"]:
        box(values, name).focus()
        field(values, name).get_by_label("empty text").check()
    expect_law(values, text="", letter="", maybe="")


def test_typing_takes_back_that_the_text_is_empty(values: Page) -> None:
    field(values, "text").get_by_label("empty text").check()
    box(values, "text").fill("x")
    box(values, "text").fill("")
    expect_law(values, text=None)


def test_a_number_beyond_its_bounds_is_told_at_its_field(values: Page) -> None:
    assert box(values, "percent").get_attribute("max") == "100"
    box(values, "percent").fill("101")
    click_run(values)

    expect(field(values, "percent").locator(".errorlist")).to_contain_text("invalid choice")
    expect(box(values, "percent")).to_have_value("101")
    assert not Run.objects.exists()


def test_a_file_uploaded_takes_the_place_of_a_path(values: Page) -> None:
    files = field(values, "path").locator("input[type=file]")
    files.set_input_files({"name": "odd näme.txt", "mimeType": "text/plain", "buffer": b"content"})
    expect(preview(values)).to_contain_text("--path")
    path = meaning(run_form(values))["path"]
    assert path.read_bytes() == b"content"

    edit(values)
    expect(values.get_by_text("choose it again")).to_be_visible()
    expect(box(values, "path")).to_have_value("")


# Switches


def test_a_box_ticked_is_the_option_alone(values: Page) -> None:
    values.get_by_label("Dry").check()
    values.get_by_label("No colour").check()
    expect_law(values, dry=True, colour=False)


@pytest.mark.parametrize(("answer", "meant"), [("Not given", None), ("Yes --cache", True), ("No --no-cache", False)])
def test_yes_and_no_and_neither_are_three_answers(values: Page, answer: str, meant: bool | None) -> None:
    field(values, "cache").get_by_role("radio", name="Yes --cache").check()
    field(values, "cache").get_by_role("radio", name=answer, exact=True).check()
    expect_law(values, cache=meant)


@pytest.mark.parametrize(("answer", "meant"), [("On", True), ("Off", False)])
def test_two_options_of_one_name_are_buttons(values: Page, answer: str, meant: bool) -> None:
    field(values, "switch").get_by_role("radio", name=answer, exact=True).check()
    expect_law(values, switch=meant)


def test_an_option_may_stand_alone_with_a_value_or_not_at_all(values: Page) -> None:
    assert meaning(run_form(values))["maybe"] is None
    edit(values)
    field(values, "maybe").get_by_label("alone, without a value").check()
    expect_law(values, maybe="bare")
    box(values, "maybe").fill("a value")
    assert meaning(run_form(values))["maybe"] == "a value"


def test_a_stepper_counts_how_often_the_option_is_given(values: Page) -> None:
    for name in ["loud", "dot"]:
        for _ in range(3):
            field(values, name).get_by_role("button", name="More").click()
        field(values, name).get_by_role("button", name="Less").click()
        expect(field(values, name).get_by_role("spinbutton")).to_have_value("2")
    expect_law(values, loud=2, dot=[".", "."])


def test_a_stepper_never_goes_below_none(values: Page) -> None:
    field(values, "loud").get_by_role("button", name="More").click()
    for _ in range(2):
        field(values, "loud").get_by_role("button", name="Less").click()
    expect(field(values, "loud").get_by_text("changed", exact=True)).to_be_hidden()
    expect_law(values, loud=0)


# What has no control of its own


def test_an_action_of_the_authors_own_is_given_several_times_on_the_line_for_more(values: Page) -> None:
    more_arguments(values, "--set", "a=1", "--set", "b=two words")
    run = expect_meant(values, set={"a": "1", "b": "two words"})
    edit(values)
    assert meaning(run_form(values)) == meaning(run)


def test_an_action_of_the_authors_own_has_a_control_for_one_use(values: Page) -> None:
    box(values, "set").fill("a=1")
    expect_law(values, set={"a": "1"})


def test_a_hidden_option_is_accepted_on_the_line_for_more(values: Page) -> None:
    more_arguments(values, "--hidden", "it's")
    expect(values.get_by_text("The author hides --hidden")).to_be_visible()
    expect_meant(values, hidden="it's")
    edit(values)
    expect_meant(values, hidden="it's")


def test_a_secret_is_masked_and_never_filled_in_again(values: Page) -> None:
    values.get_by_label("Password").fill("open sesame")
    expect(preview(values)).to_contain_text("--password")
    expect(preview(values)).not_to_contain_text("sesame")
    run = run_form(values)
    assert any("open sesame" in word for word in argv_given())
    assert "sesame" not in f"{run.argv} {run.command_line} {values.content()}"

    edit(values)
    expect(values.get_by_text("Secrets are not kept; type them again.")).to_be_visible()
    expect(values.get_by_label("Password")).to_have_value("")
    assert "sesame" not in values.content()


# Several values


def test_rows_are_added_moved_and_removed(lists: Page) -> None:
    type_rows(lists, "words", "a", "b", "c", "d")
    row = field(lists, "words").locator("[data-launcher-row]")
    row.nth(3).get_by_role("button", name="Move up").click()
    row.nth(0).get_by_role("button", name="Move down").click()
    row.nth(3).get_by_role("button", name="Remove").click()
    expect(row).to_have_count(3)
    expect(row.first.get_by_role("button", name="Move up")).to_be_disabled()
    expect_law(lists, words=["b", "a", "d"])


def test_an_empty_text_among_the_rows_moves_with_its_row(lists: Page) -> None:
    type_rows(lists, "words", "a", "b", "")
    row = field(lists, "words").locator("[data-launcher-row]")
    row.nth(2).get_by_label("empty text").check()
    row.nth(2).get_by_role("button", name="Move up").click()
    row.nth(0).get_by_role("button", name="Remove").click()
    expect_law(lists, words=["", "b"])


def test_many_lines_pasted_become_rows(lists: Page) -> None:
    type_rows(lists, "tag", "first", "last")
    add_row(lists, "tag")
    field(lists, "tag").locator("[data-launcher-row]").last.get_by_role("button", name="Move up").click()
    paste(box(lists, "tag").nth(1), "one\ntwo\n\nthree\n")
    expect(box(lists, "tag")).to_have_count(5)
    expect_law(lists, tag=["first", "one", "two", "three", "last"])


def test_many_numbers_pasted_become_rows(lists: Page) -> None:
    paste(box(lists, "ids").first, "17\n4\n\n256\n")
    expect_law(lists, ids=[17, 4, 256])


def test_very_many_lines_pasted_go_where_many_are_typed_at_once(lists: Page) -> None:
    texts = [f"value {number}" for number in range(150)]
    paste(box(lists, "tag").first, "\n".join(texts))
    expect(field(lists, "tag").get_by_label("Values, one per line")).to_have_value("\n".join(texts))
    expect_law(lists, tag=texts)


def test_many_at_once_come_behind_the_rows(lists: Page) -> None:
    type_rows(lists, "words", "first")
    field(lists, "words").get_by_text("Many at once").click()
    field(lists, "words").get_by_label("Values, one per line").fill("two words\n\n-x\n")
    run = run_form(lists)
    assert meaning(run)["words"] == ["first", "two words", "-x"]
    edit(lists)
    assert [value for _name, value in filled_in(lists)] == ["first", "two words", "-x"]
    assert run_form(lists).argv == run.argv


def test_several_files_are_uploaded_beside_typed_paths(lists: Page) -> None:
    type_rows(lists, "files", "typed.txt")
    contents = {"a.txt": b"a", "b.txt": b"b", "A.txt": b"another"}
    files: list[FilePayload] = [
        {"name": name, "mimeType": "text/plain", "buffer": content} for name, content in contents.items()
    ]
    field(lists, "files").locator("input[type=file]").set_input_files(files)
    first, *uploaded = meaning(run_form(lists))["files"]
    assert first == Path("typed.txt")
    assert {path.name: path.read_bytes() for path in uploaded} == contents
    assert [path.name for path in uploaded] == list(contents)


def test_values_are_added_to_what_is_in_the_list_already(lists: Page) -> None:
    expect(field(lists, "more").get_by_text("in the list already")).to_be_visible()
    type_rows(lists, "more", "two", "three")
    expect_law(lists, more=["one", "two", "three"])


def test_a_fixed_number_of_values_stands_side_by_side(lists: Page) -> None:
    lists.get_by_label("X", exact=True).fill("1.5")
    lists.get_by_label("Y", exact=True).fill("-2")
    expect_law(lists, point=[1.5, -2.0])


def test_one_of_two_values_missing_is_told_at_its_field(lists: Page) -> None:
    lists.get_by_label("X", exact=True).fill("1.5")
    click_run(lists)
    expect(field(lists, "point").locator(".errorlist")).to_contain_text("2 arguments")
    expect(lists.get_by_label("X", exact=True)).to_have_value("1.5")


def test_pairs_are_rows_of_two_inputs(lists: Page) -> None:
    row = field(lists, "pair").locator("[data-launcher-row]")
    row.first.get_by_label("KEY").fill("a b")
    row.first.get_by_label("VALUE").fill("-1")
    add_row(lists, "pair").fill("c")
    row.last.get_by_label("VALUE").fill("it's")
    row.last.get_by_role("button", name="Move up").click()
    expect_law(lists, pair=[["c", "it's"], ["a b", "-1"]])


def test_an_empty_text_can_be_half_of_a_pair(lists: Page) -> None:
    row = field(lists, "pair").locator("[data-launcher-row]")
    row.first.get_by_label("KEY").fill("a")
    add_row(lists, "pair").fill("b")
    row.last.get_by_label("empty text").nth(1).check()
    row.first.get_by_label("VALUE").fill("1")
    expect_law(lists, pair=[["a", "1"], ["b", ""]])


def test_groups_of_any_length_are_typed_as_on_a_shell(lists: Page) -> None:
    type_rows(lists, "group", "one 'two words'", "three")
    expect_law(lists, group=[["one", "two words"], ["three"]])


def test_options_that_fill_one_list_keep_their_order(lists: Page) -> None:
    row = field(lists, "types").locator("[data-launcher-row]")
    row.first.get_by_role("combobox").select_option("--int")
    add_row(lists, "types").select_option("--type")
    row.last.get_by_role("textbox").fill("a b")
    add_row(lists, "types").select_option("--str")
    row.last.get_by_role("button", name="Move up").click()
    expect_law(lists, types=["int", "str", "a b"])


def test_an_empty_text_is_meant_among_options_that_fill_one_list(lists: Page) -> None:
    row = field(lists, "types").locator("[data-launcher-row]")
    row.first.get_by_role("combobox").select_option("--type")
    row.first.get_by_label("empty text").check()
    add_row(lists, "types").select_option("--int")
    expect_law(lists, types=["", "int"])


@pytest.mark.parametrize("option", ["", "--int"])
def test_a_value_typed_beside_no_option_for_it_is_told(lists: Page, option: str) -> None:
    row = field(lists, "types").locator("[data-launcher-row]").first
    row.get_by_role("combobox").select_option(option)
    row.get_by_role("textbox").fill("not to be lost")
    click_run(lists)
    lists.wait_for_load_state()
    assert not Run.objects.exists()


# Choices


def test_one_of_few_words_is_selected(choices: Page) -> None:
    field(choices, "size").get_by_role("combobox").select_option("3")
    expect_law(choices, size=3)


def test_a_word_that_is_an_empty_text_has_a_box(choices: Page) -> None:
    field(choices, "ending").get_by_label("empty text").check()
    expect_law(choices, ending="")


def test_one_of_many_words_is_searched(choices: Page) -> None:
    field(choices, "country").get_by_role("combobox").click()
    choices.locator(".select2-search__field:focus").fill("c24")
    choices.get_by_role("option", name="c242").click()
    expect(field(choices, "country").get_by_text("changed", exact=True)).to_be_visible()
    expect(preview(choices)).to_contain_text("c242")
    expect_law(choices, country="c242")


def test_several_of_few_words_are_boxes(choices: Page) -> None:
    for day in ["wed", "mon"]:
        choices.get_by_role("checkbox", name=day).check()
    expect_law(choices, days=["mon", "wed"])


def test_several_of_many_words_are_searched(choices: Page) -> None:
    for label in ["label 21", "label 3"]:
        field(choices, "labels").locator(".select2-search__field").fill(label)
        choices.get_by_role("option", name=label, exact=True).click()
    expect(preview(choices)).to_contain_text("'label 3' 'label 21'")
    expect_law(choices, labels=["label 3", "label 21"])


def test_an_order_that_boxes_cannot_say_comes_back_as_rows(choices: Page) -> None:
    more_arguments(choices, "--days", "wed", "mon", "wed")
    run = run_form(choices)
    edit(choices)
    expect(field(choices, "days").locator("[data-launcher-row] select").first).to_have_value("wed")
    assert meaning(run_form(choices))["days"] == meaning(run)["days"] == ["wed", "mon", "wed"]


def test_typing_chooses_among_options_that_exclude_each_other(choices: Page) -> None:
    choices.locator("[name=ids]").fill("7")
    expect(choices.get_by_role("radio", name="Ids")).to_be_checked()
    choices.locator("[name=since]").fill("2024-02-29")
    expect(choices.get_by_role("radio", name="Since")).to_be_checked()
    namespace = meaning(run_form(choices))
    assert (namespace["all"], namespace["since"], namespace["ids"]) == (False, datetime.date(2024, 2, 29), None)


def test_a_group_of_which_one_is_required_says_so(form: Page) -> None:
    open_form(form, "kind_choices")
    click_run(form)
    group = form.locator(".launcher-field", has=form.get_by_role("radio", name="Since"))
    expect(group.locator(".errorlist")).to_contain_text("one of the arguments --all --since --ids is required")
    form.locator("[name=ids]").fill("7")
    assert meaning(run_form(form))["ids"] == [7]


def test_the_last_choice_counts_whatever_was_typed_before(choices: Page) -> None:
    choices.locator("[name=since]").fill("2024-02-29")
    choices.get_by_role("radio", name="All").check()
    expect(preview(choices)).to_contain_text("--all")
    expect(preview(choices)).not_to_contain_text("--since")
    namespace = meaning(run_form(choices))
    assert (namespace["all"], namespace["since"]) == (True, None)


# Sub-commands


@pytest.mark.parametrize("word", ["add", "a"])
def test_a_sub_command_or_its_alias_brings_its_fields(form: Page, word: str) -> None:
    open_form(form, "args_nested")
    box(form, "tags").first.fill("kept")
    choose(form, "what", word)
    box(form, "number").fill("7")
    type_rows(form, "others", "x", "-y")
    expect(box(form, "tags").first).to_have_value("kept")
    run = expect_law(form, what=word, number=7, others=["x", "-y"], tags=["kept"])
    assert run.argv[-5:].count(word) == 1


def test_sub_commands_nest(form: Page) -> None:
    open_form(form, "args_nested")
    choose(form, "what", "remove")
    choose(form, "subcommand", "by-name")
    type_rows(form, "names", "one", "two")
    form.get_by_role("radio", name="Hard").check()
    expect_law(form, what="remove", names=["one", "two"], hard=True, soft=False)


def test_another_sub_command_takes_the_fields_of_the_first_away(form: Page) -> None:
    open_form(form, "args_nested")
    choose(form, "what", "add")
    box(form, "number").fill("7")
    choose(form, "what", "remove")
    expect(field(form, "number")).to_have_count(0)
    choose(form, "subcommand", "all")
    expect(preview(form)).to_contain_text("remove all")
    expect_law(form, what="remove")


def test_an_error_in_a_sub_command_is_told_at_its_field(form: Page) -> None:
    open_form(form, "args_nested")
    choose(form, "what", "add")
    click_run(form)
    expect(field(form, "number").locator(".errorlist")).to_contain_text("required")
    expect(field(form, "what").get_by_role("combobox")).to_have_value("add")


def test_the_rest_of_the_line_is_taken_as_it_is(form: Page) -> None:
    open_form(form, "args_remainder")
    box(form, "program").fill("cp")
    type_rows(form, "rest", "-r", "--quick", "a b")
    form.get_by_label("Quick").first.check()
    expect_law(form, program="cp", rest=["-r", "--quick", "a b"], quick=True)
