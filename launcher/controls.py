"""What an argument looks like on a page, and what the browser sends for it: both ways in one class for each kind.

A control's value is what `argv.Given` has for its argument, or None where nothing was touched. Blank inputs count as
untouched; where an empty text is meant, the box beside it says so.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from launcher.arguments import Alternatives, Argument, Kind, ValueType

BARE = "__bare"
EMPTY = "__empty"
LINES = "__lines"
WORDS = "__words"

CHECKBOXES = 8
"""Up to so many choices of a list are checkboxes; more are a list to select from."""
SEARCHED = 12
"""A list of more choices than this can be searched."""
MOST_ROWS = 100
"""More values than this are shown as lines of one text."""
_PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
_HTML_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?|-?\.\d+([eE][-+]?\d+)?")
_HTML_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_HTML_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?")


class Typed(tuple[str, ...]):
    """The texts that count, with all that stood in the inputs in `shown`: each text, and whether it counts."""

    shown: tuple[tuple[str, bool], ...]

    def __new__(cls, shown: Iterable[tuple[str, bool]]) -> Typed:
        """Keep all, and be those that count."""
        shown = tuple(shown)
        made = super().__new__(cls, [text for text, counts in shown if counts])
        made.shown = shown
        return made

    @classmethod
    def of(cls, *texts: str) -> Typed:
        """Return texts that all count."""
        return cls((text, True) for text in texts)


def _shown(value: Sequence[str] | None) -> Sequence[tuple[str, bool]]:
    return value.shown if isinstance(value, Typed) else [(text, True) for text in value or ()]


def sent(data: Any, name: str) -> list[str]:
    """Return all that was sent under a name, with line breaks as the command gets them."""
    values = data.getlist(name) if hasattr(data, "getlist") else [data[name]] if name in data else []
    return [str(value).replace("\r\n", "\n").replace("\r", "\n") for value in values]


class Control(forms.Widget):
    """Draws one argument and takes back what was given for it."""

    template_name = ""
    use_fieldset = False

    def __init__(self, argument: Argument) -> None:
        super().__init__()
        self.argument = argument

    def is_group(self, value: Sequence[str] | None) -> bool:
        """Tell whether it is drawn as several boxes or buttons, none of which is the one to label."""
        return False

    def use_required_attribute(self, initial: Any) -> bool:
        """Leave it to the parser what is required."""
        return False

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Count an absent control as untouched, not as omitted."""
        return False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return what the template needs; `value` is given texts or None."""
        described = {key: text for key, text in (attrs or {}).items() if key.startswith("aria-")}
        return {"name": name, "id": (attrs or {}).get("id", f"id_{name}"), "argument": self.argument, "aria": described}

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """Use the project's own engine: the forms' renderer doesn't look into every folder of templates."""
        return render_to_string(template_name, context)

    def cell(self, value: str, *, is_given: bool, index: int = 0, placeholder: str = "") -> dict[str, Any]:
        """Return one input for one text."""
        argument = self.argument
        cell: dict[str, Any] = {"value": value, "is_empty": is_given and not value, "index": index, "tag": "input"}
        default = "" if argument.fixed else argument.default
        # A browser tells by its placeholder whether an input is blank, so there is one in any case.
        attrs: dict[str, str] = {**_PLAIN, "placeholder": placeholder or default or " "}
        if argument.is_secret:
            attrs = {"type": "password", "autocomplete": "new-password", "class": "vTextField", "placeholder": " "}
            cell |= {"value": ""}
        elif argument.choices is not None:
            cell |= self._select(value)
            attrs = {"class": "launcher-select", **self._searched(len(argument.choices))}
        elif argument.value_type is ValueType.LINES or "\n" in value or "\n" in argument.default:
            lines = max(value.count("\n"), argument.default.count("\n") if argument.kind is Kind.VALUE else 0)
            cell["tag"] = "textarea"
            attrs |= {"rows": str(min(max(lines + 2, 3), 20)), "class": "vLargeTextField launcher-code"}
        else:
            attrs |= self._typed_as(value)
        cell["attrs"] = {key: text for key, text in attrs.items() if text or key == "class"}
        return cell

    def _typed_as(self, value: str) -> dict[str, str]:
        """Return the kind of input; a value that a browser would throw away there is shown as plain text."""
        argument = self.argument
        match argument.value_type:
            case ValueType.INTEGER if not value or re.fullmatch(r"-?\d+", value, re.ASCII):
                bounds = {"min": argument.minimum, "max": argument.maximum}
                attrs = {key: str(bound) for key, bound in bounds.items() if bound is not None}
                return {"type": "number", "step": "1", "class": "vIntegerField", **attrs}
            case ValueType.FLOAT if not value or _HTML_NUMBER.fullmatch(value):
                return {"type": "number", "step": "any", "class": "vIntegerField"}
            case ValueType.DATE if not value or (_HTML_DATE.fullmatch(value) and value >= "0001"):
                return {"type": "date", "class": "launcher-date", "placeholder": " "}
            case ValueType.TIME if not value or _HTML_TIME.fullmatch(value):
                return {"type": "time", "step": "1", "class": "launcher-date", "placeholder": " "}
            case ValueType.MOMENT if not value or _is_html_moment(value):
                return {"type": "datetime-local", "step": "1", "class": "launcher-date", "placeholder": " "}
            case ValueType.INTEGER | ValueType.FLOAT:
                return {"type": "text", "class": "vIntegerField"}
        return {"type": "text", "class": "vTextField"}

    def _select(self, value: str) -> dict[str, Any]:
        argument = self.argument
        refused = _("%s (refused by the command's parser)")
        options = [
            (choice.word, choice.word if choice.is_usable else refused % choice.word) for choice in self._choices
        ]
        if value and value not in (word for word, _label in options):
            options.append((value, value))
        is_default_told = argument.kind is Kind.VALUE and argument.default
        unset = _("Default (%s)") % argument.default if is_default_told else "---------"
        return {"tag": "select", "options": [("", unset), *options]}

    @property
    def has_empty(self) -> bool:
        """Whether an empty text can be meant: no number and no date is one, and a choice has to be."""
        argument = self.argument
        if argument.choices is not None:
            return any(not choice.word for choice in argument.choices)
        never = (ValueType.INTEGER, ValueType.FLOAT, ValueType.DATE, ValueType.TIME, ValueType.MOMENT)
        return argument.value_type not in never

    @property
    def _choices(self) -> Sequence[Any]:
        # A choice that is an empty text is what the box for it says.
        return [choice for choice in self.argument.choices or () if choice.word]

    def _searched(self, count: int) -> dict[str, str]:
        return {"data-launcher-searched": "1"} if count > SEARCHED else {}


def _is_html_moment(value: str) -> bool:
    date, separator, time = value.partition("T")
    return bool(separator and _HTML_DATE.fullmatch(date) and _HTML_TIME.fullmatch(time))


def _counted(data: Any, name: str) -> Typed | None:
    """Return the texts under a name that count: what is not blank, and blanks whose box says that they are meant."""
    return _typed(data, name) or None


def _typed(data: Any, name: str) -> Typed:
    """Do the same, with what does not count at hand."""
    meant = set(sent(data, name + EMPTY))
    return Typed((text, bool(text) or str(index) in meant) for index, text in enumerate(sent(data, name)))


class TextControl(Control):
    """One text: typed, picked, or read from a date's or number's input; and whether the option stands alone."""

    template_name = "launcher/controls/text.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return the text, nothing for an option that stands alone, None where all was left blank."""
        found = _counted(data, name)
        if found:
            return Typed.of(found[-1])
        return Typed.of() if sent(data, name + BARE) and self.argument.is_bare_allowed else None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return the input, and the boxes beside it."""
        context = super().get_context(name, value, attrs)
        text = value[0] if value else ""
        return context | {
            "cell": self.cell(text, is_given=bool(value)),
            "has_empty": self.has_empty,
            "is_bare": value is not None and not value,
        }


class FlagControl(Control):
    """An option alone."""

    template_name = "launcher/controls/flag.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return nothing, where the box is ticked."""
        return Typed.of() if any(sent(data, name)) else None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return whether it is ticked."""
        return super().get_context(name, value, attrs) | {"is_on": value is not None}


class ChoiceControl(Control):
    """Radio buttons: an argument's words, or the members of a group of which one is chosen."""

    template_name = "launcher/controls/choice.html"
    use_fieldset = True

    def __init__(self, argument: Argument, options: Sequence[tuple[str, str, str]]) -> None:
        super().__init__(argument)
        self.options = options

    @classmethod
    def for_yes_no(cls, argument: Argument) -> ChoiceControl:
        """Return yes, no, and neither."""
        unset = _("Leave at the default (%s)") % argument.default if argument.default else _("Not given")
        options = [("", unset, ""), ("yes", _("Yes"), argument.option)]
        if argument.negative_option:
            options.append(("no", _("No"), argument.negative_option))
        return cls(argument, options)

    def is_group(self, value: Sequence[str] | None) -> bool:
        """Say yes: it is buttons."""
        return True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return the word chosen."""
        chosen = [value for value in sent(data, name) if value]
        return Typed.of(chosen[-1]) if chosen else None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return the buttons."""
        chosen = value[0] if value else ""
        return super().get_context(name, value, attrs) | {"options": self.options, "chosen": chosen}


class CountControl(Control):
    """How often the option is given."""

    template_name = "launcher/controls/count.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return the number as text; none for nought."""
        found = _counted(data, name)
        return Typed.of(found[-1]) if found and found[-1].strip() not in ("0", "") else None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return the number."""
        return super().get_context(name, value, attrs) | {"value": value[0] if value else ""}


class RowsControl(Control):
    """Any number of texts, a row for each; many at once as lines."""

    template_name = "launcher/controls/rows.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return the rows' texts and then the lines'; nothing for an option that stands alone; None if all is blank."""
        rows = _typed(data, name)
        lines = [(line, True) for text in sent(data, name + LINES) for line in text.split("\n") if line]
        if rows or lines:
            return Typed([*rows.shown, *lines])
        return Typed.of() if sent(data, name + BARE) and self.argument.is_bare_allowed else None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return a row for each text and a blank one; for very many, lines."""
        shown = list(_shown(value))
        is_long = len(shown) > MOST_ROWS and all(text and "\n" not in text for text, _counts in shown)
        is_long = is_long and not self.argument.is_secret
        lines = "\n".join(text for text, _counts in shown) if is_long else ""
        shown = [] if is_long else shown
        cells = [self.cell(text, is_given=counts, index=index) for index, (text, counts) in enumerate(shown)]
        blank = self.cell("", is_given=False, index=len(cells))
        return super().get_context(name, value, attrs) | {
            "cells": cells if cells and not cells[-1]["value"] and not cells[-1]["is_empty"] else [*cells, blank],
            "blank": blank,
            "lines": lines,
            "is_bare": value is not None and not value,
            "fixed": self.argument.fixed,
            "has_lines": not self.argument.is_secret and self.argument.choices is None,
            "has_empty": self.has_empty,
        }


class PicksControl(Control):
    """Some of a list of choices: boxes to tick or a list to select from; rows, where their order is not the list's."""

    template_name = "launcher/controls/picks.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return the words picked."""
        found = _counted(data, name)
        if found:
            return found
        return Typed.of() if sent(data, name + BARE) and self.argument.is_bare_allowed else None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return the choices with what is picked of them."""
        picked = list(value or ())
        refused = _("%s (refused by the command's parser)")
        options = [
            (choice.word, choice.word if choice.is_usable else refused % choice.word, choice.word in picked)
            for choice in self._choices
        ]
        return super().get_context(name, value, attrs) | {
            "options": options,
            "is_short": len(options) <= CHECKBOXES,
            "is_searched": len(options) > SEARCHED,
            "is_bare": value is not None and not value,
            "fixed": self.argument.fixed,
        }

    def shows(self, value: Sequence[str] | None) -> bool:
        """Tell whether ticked boxes can say it: each word once, in the order of the list."""
        words = [choice.word for choice in self._choices]
        if len(words) < len(self.argument.choices or ()):
            return False  # an empty text is one of the choices, and no box can say it
        places = [words.index(word) if word in words else -1 for word in value or ()]
        return all(place >= 0 for place in places) and places == sorted(set(places))


class ListControl(Control):
    """Picks while they can say what is given, else rows: what is drawn depends on the value alone."""

    use_fieldset = True

    def __init__(self, argument: Argument) -> None:
        super().__init__(argument)
        self._rows = RowsControl(argument)
        self._picks = PicksControl(argument)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return the words picked; both send them alike."""
        return self._rows.value_from_datadict(data, files, name)

    def is_group(self, value: Sequence[str] | None) -> bool:
        """Tell whether it is boxes to tick."""
        return self._picks.shows(value) and len(self._choices) <= CHECKBOXES

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Draw it as the value needs."""
        control = self._picks if self._picks.shows(value) else self._rows
        return control.render(name, value, attrs, renderer)


class TupleControl(Control):
    """A fixed number of texts, side by side."""

    template_name = "launcher/controls/tuple.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return the texts; blank ones are missing, which the parser will say."""
        return _counted(data, name)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return an input for each text, with the author's name for it."""
        shown = list(_shown(value))
        shown += [("", False)] * ((self.argument.group_size or 1) - len(shown))
        cells = [
            self.cell(text, is_given=counts, index=index, placeholder=self._title(index))
            | {"title": self._title(index)}
            for index, (text, counts) in enumerate(shown)
        ]
        return super().get_context(name, value, attrs) | {
            "cells": cells,
            "has_titles": bool(self.argument.metavars),
            "has_empty": self.has_empty,
        }

    def _title(self, index: int) -> str:
        names = self.argument.metavars
        return names[index] if index < len(names) else _("value %d") % (index + 1)


class GroupsControl(Control):
    """Any number of groups of texts: a row of inputs for each, or, where a group may be of any length, its words."""

    template_name = "launcher/controls/groups.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return each group's texts joined as for a shell."""
        size = self.argument.group_size or 1
        cells = _typed(data, name).shown
        groups = [cells[start : start + size] for start in range(0, len(cells), size)]
        filled = [[text for text, counts in group if counts] for group in groups]
        if self.argument.group_size is None:
            return Typed.of(*(texts[0] for texts in filled if texts)) or None
        return Typed.of(*(shlex.join(texts) for texts in filled if texts)) or None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return the rows, each with its inputs, and a blank one."""
        size = self.argument.group_size
        rows = []
        for number, joined in enumerate(value or ()):
            if size is None:
                rows.append([self._words_cell(joined, number)])
                continue
            texts = _split(joined)
            rows.append(
                [
                    self._cell_at(texts[place] if place < len(texts) else "", place < len(texts), number * size + place)
                    for place in range(size)
                ]
            )
        blank = (
            [self._words_cell("", len(rows), is_given=False)]
            if size is None
            else [self._cell_at("", False, len(rows) * size + place) for place in range(size)]
        )
        return super().get_context(name, value, attrs) | {
            "rows": [*rows, blank],
            "blank": blank,
            "size": size,
            "has_empty": self.has_empty or size is None,
            "fixed": self.argument.fixed,
        }

    def _cell_at(self, text: str, is_given: bool, index: int) -> dict[str, Any]:
        names = self.argument.metavars
        place = index % (self.argument.group_size or 1)
        title = names[place] if place < len(names) else _("value %d") % (place + 1)
        return self.cell(text, is_given=is_given, index=index, placeholder=title) | {"title": title}

    def _words_cell(self, joined: str, index: int, *, is_given: bool = True) -> dict[str, Any]:
        attrs = {**_PLAIN, "type": "text", "class": "vTextField launcher-code", "placeholder": _("words as on a shell")}
        tag = "input"
        if "\n" in joined:
            tag, attrs = "textarea", {**_PLAIN, "rows": "3", "class": "vLargeTextField launcher-code"}
        if self.argument.is_secret:
            tag, attrs = "input", {"type": "password", "autocomplete": "new-password", "class": "vTextField"}
            joined = ""
        return {"value": joined, "is_empty": is_given and not joined, "index": index, "tag": tag, "attrs": attrs}


def _split(joined: str) -> list[str]:
    try:
        return shlex.split(joined)
    except ValueError:
        return [joined]


class SequenceControl(Control):
    """Several options that fill one list between them: a row for each use, with its option and its words."""

    template_name = "launcher/controls/sequence.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return each use as its words joined for a shell."""
        options, words = sent(data, name), sent(data, name + WORDS)
        meant = set(sent(data, name + EMPTY))
        known = {option: member for member in self.argument.members for option in member.option_strings}
        uses = []
        for index, option in enumerate(options):
            text = words[index] if index < len(words) else ""
            member = known.get(option)
            takes = member is not None and member.kind not in (Kind.FLAG, Kind.COUNT)
            if member is None and not text:
                continue
            if member is None or not takes:
                # A text beside it is in the wrong place, which is said where the argv is made or judged.
                uses.append(shlex.join([f"{option}={text}" if text else option]))
            elif member.nargs in (None, "?"):
                has_value = bool(text) or str(index) in meant
                uses.append(shlex.join([f"{option}={text}"] if has_value else [option]))
            else:
                parts = _split(text)
                uses.append(shlex.join([f"{option}={parts[0]}"] if len(parts) == 1 else [option, *parts]))
        return Typed.of(*uses) or None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return the uses and a blank row."""
        rows = []
        known = {option: member for member in self.argument.members for option in member.option_strings}
        for index, use in enumerate(value or ()):
            words = _split(use)
            option, equals, first = words[0].partition("=") if words else ("", "", "")
            member = known.get(option)
            values = [*([first] if equals else []), *words[1:]]
            is_one = member is None or member.nargs in (None, "?", 0)
            text = (values[0] if values else "") if is_one else shlex.join(values)
            rows.append(self._row(option, text, index, is_empty=is_one and bool(values) and not text))
        options = [(member.option, member.help) for member in self.argument.members]
        more = [(row["option"], "") for row in rows if row["option"] not in (option for option, _help in options)]
        blank = self._row("", "", len(rows))
        return super().get_context(name, value, attrs) | {
            "rows": [*rows, blank],
            "blank": blank,
            "options": [*options, *dict(more).items()],
            "takes_words": any(member.kind not in (Kind.FLAG, Kind.COUNT) for member in self.argument.members),
            "fixed": self.argument.fixed,
        }

    def _row(self, option: str, text: str, index: int, *, is_empty: bool = False) -> dict[str, Any]:
        attrs = {**_PLAIN, "type": "text", "class": "vTextField"}
        tag = "input"
        if "\n" in text:
            tag, attrs = "textarea", {**_PLAIN, "rows": "3", "class": "vLargeTextField"}
        if self.argument.is_secret:
            tag, text, attrs = "input", "", {"type": "password", "autocomplete": "new-password", "class": "vTextField"}
        cell = {"value": text, "is_empty": is_empty, "index": index, "tag": tag, "attrs": attrs}
        return {"option": option, "cell": cell}


class SubcommandControl(Control):
    """Which sub-command; its own fields stand below."""

    template_name = "launcher/controls/subcommand.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed | None:
        """Return the word."""
        chosen = [value for value in sent(data, name) if value]
        return Typed.of(chosen[-1]) if chosen else None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return the words with what they do."""
        chosen = value[0] if value else ""
        words = [item.word for item in self.argument.subcommands]
        return super().get_context(name, value, attrs) | {
            "chosen": chosen,
            "unknown": chosen if chosen and chosen not in words else "",
            "is_searched": len(words) > SEARCHED,
        }


def control_for(argument: Argument) -> Control:
    """Return the control that a person would expect for an argument."""
    match argument.kind:
        case Kind.FLAG:
            return FlagControl(argument)
        case Kind.YES_NO:
            return ChoiceControl.for_yes_no(argument)
        case Kind.COUNT:
            return CountControl(argument)
        case Kind.GROUPS:
            return GroupsControl(argument)
        case Kind.SEQUENCE:
            return SequenceControl(argument)
        case Kind.SUBCOMMAND:
            return SubcommandControl(argument)
        case Kind.VALUES if argument.group_size:
            return TupleControl(argument)
        case Kind.VALUES if argument.choices is not None:
            return ListControl(argument)
        case Kind.VALUES:
            return RowsControl(argument)
    return TextControl(argument)


def choice_of(group: Alternatives, members: Mapping[str, Argument]) -> ChoiceControl:
    """Return what takes back which member of a group is chosen; the buttons stand among the members' own controls."""
    return ChoiceControl(members[group.names[0]], ())


def word_of(member: Argument) -> str:
    """Return how a member of a group is called in what the browser sends."""
    return member.option or member.display_name
