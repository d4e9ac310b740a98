"""Arguments -> a Django form and its sections. It only collects: what a value means, the command's parser decides."""

from __future__ import annotations

import re
from argparse import SUPPRESS
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.admin import widgets as admin_widgets
from django.core.files.uploadedfile import UploadedFile
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from launcher import argv, shell
from launcher.arguments import Alternatives, Argument, Description, Group, Kind, ValueType
from launcher.conf import options
from launcher.controls import SEARCHED, Control, ListControl, TextControl, choice_of, control_for, sent, word_of
from launcher.uploads import Uploads

UPLOAD = "__upload"
EXTRA = "launcher_extra"
CONFIRM = "launcher_confirm"
FILTERED = 15
"""A form of more arguments than this has a box to find one."""


class ArgumentField(forms.Field):
    """What was given for an argument, as its control says it; Django has no opinion on it."""

    def validate(self, value: Any) -> None:
        """Accept everything: the parser judges."""


class LineField(forms.CharField):
    """A text that reaches us as typed; its line breaks are those of the command, not of the browser."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def validate(self, value: Any) -> None:
        """Accept everything."""

    def run_validators(self, value: Any) -> None:
        """Accept everything, NUL too: the refusal comes with the parser's verdict."""


class ExtraWords(forms.Textarea):
    """Words as typed on a shell; a secret among them comes back masked, and has to be typed again."""

    def __init__(self, description: Description) -> None:
        super().__init__(attrs={**_PLAIN_TEXT, "rows": "2", "class": "vLargeTextField launcher-code"})
        self._description = description

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        """Return the line with newlines as the command gets them."""
        return "".join(sent(data, name)[-1:])

    def format_value(self, value: Any) -> str:
        """Return the words with what follows a secret option masked; nothing, where they can't be told apart."""
        text = str(value or "")
        try:
            words = shell.split(text)
        except shell.CannotRead:
            return "" if self._description.has_secrets else text
        masked = argv.mask_options(words, self._description)
        return text if masked == words else shell.join(masked)


class FilesInput(forms.FileInput):
    """A choice of files; of several where the argument takes several."""

    def __init__(self, *, is_multiple: bool) -> None:
        self.allow_multiple_selected = is_multiple
        super().__init__(attrs={"multiple": True} if is_multiple else None)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        """Return all files chosen."""
        found = files.getlist(name) if hasattr(files, "getlist") else [files[name]] if name in files else []
        return [file for file in found if isinstance(file, UploadedFile)]


class UploadField(forms.FileField):
    """Files from the reader's machine, in place of paths on the server."""

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        """Refuse what is larger than the project allows. Empty files are fine, and so is none."""
        limit = options().upload_limit_bytes
        for file in data or ():
            if (file.size or 0) > limit:
                raise forms.ValidationError(
                    _("The file has %(size)s; at most %(limit)s are accepted.")
                    % {"size": filesizeformat(file.size or 0), "limit": filesizeformat(limit)}
                )
        return list(data or ())


@dataclass(kw_only=True)
class Row:
    """One line of the form: an argument, or a group of arguments of which one is chosen."""

    name: str
    label: str
    fields: tuple[BoundField, ...]
    """The argument's own field, then that for files; for a group, its radio buttons."""
    argument: Argument | None = None
    group: Alternatives | None = None
    members: tuple[Row, ...] = ()
    sections: tuple[Section, ...] = ()
    """The fields of the sub-command chosen."""
    word: str = ""
    """How the row is called in the group that it is a member of."""
    is_group: bool = False
    """Whether its control is a group of boxes or buttons, which has a title instead of a label."""
    is_changed: bool = False
    is_chosen: bool = False
    errors: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Names of the files that were uploaded for it before."""
    typed_choices: str = ""

    @property
    def is_required(self) -> bool:
        """Whether the parser insists on it."""
        return bool(self.argument and self.argument.is_required) or bool(self.group and self.group.is_required)

    @property
    def has_control(self) -> bool:
        """Whether there is more to say than that it is chosen."""
        return self.argument is not None and self.argument.kind is not Kind.FLAG

    @property
    def search_text(self) -> str:
        """Return what the box to find an argument looks through."""
        argument = self.argument
        own = [self.label, self.name]
        own += [*argument.option_strings, argument.help] if argument else []
        return " ".join([*own, *(member.search_text for member in self.members)]).casefold()


@dataclass(kw_only=True)
class Section:
    """A titled part of the form."""

    key: str
    title: str
    description: str
    rows: tuple[Row, ...]
    is_open: bool = True


class CommandForm(forms.Form):
    """The form of one command. `given()` and `extra_words()` say what was filled in, for `argv.write`."""

    required_css_class = "required"

    def __init__(
        self,
        description: Description,
        *,
        data: Any = None,
        files: Any = None,
        given: Mapping[str, Sequence[str]] | None = None,
        extra: Sequence[str] | str = (),
        uploads: Uploads | None = None,
        confirm: str = "",
    ) -> None:
        super().__init__(data, files, use_required_attribute=False, auto_id="id_%s")
        self.description = description
        self.uploads = uploads
        self.shows_errors = True
        self._command_to_type = confirm
        self.given_initially = dict(given or {})
        self._members: dict[str, Alternatives] = {}
        self._chain = tuple(self._add_chain(description))
        extra = [*argv.extra_words(description, self.given_initially), *extra] if not isinstance(extra, str) else extra
        self.fields[EXTRA] = LineField(
            required=False,
            label=_("More arguments"),
            initial=extra if isinstance(extra, str) else shell.join_for_typing(extra),
            widget=ExtraWords(description),
        )
        if confirm:
            self.fields[CONFIRM] = LineField(
                required=True,
                label=_("Confirm"),
                widget=admin_widgets.AdminTextInputWidget(attrs=_PLAIN_TEXT),
            )

    def _add_chain(self, description: Description) -> Iterator[Description]:
        """Add the fields of a description, then of the sub-command chosen; yield the descriptions in use."""
        by_name = {argument.name: argument for argument in description.arguments}
        for group in description.alternatives:
            self._members |= dict.fromkeys(group.names, group)
            self.fields[group.name] = ArgumentField(
                required=group.is_required,
                widget=choice_of(group, by_name),
                initial=next(((word_of(by_name[name]),) for name in group.names if name in self.given_initially), None),
            )
        for argument in description.arguments:
            self._add_fields(argument)
        yield description
        chooser = description.subcommand
        if chooser is None:
            return
        chosen = self[chooser.name].value()
        subcommand = chooser.subcommand(chosen[0]) if chosen else None
        if subcommand is not None:
            yield from self._add_chain(subcommand.description)

    def _add_fields(self, argument: Argument) -> None:
        if argument.name not in self.fields:  # else the buttons of its group say all there is to say
            self.fields[argument.name] = ArgumentField(
                required=argument.is_required,
                label=label_of(argument),
                help_text=argument.help,  # drawn elsewhere; with it, Django describes the input by that element
                widget=control_for(argument),
                initial=None if argument.is_secret else self.given_initially.get(argument.name),
            )
        if takes_upload(argument):
            self.fields[argument.name + UPLOAD] = UploadField(
                required=False,
                label=_("or upload files") if argument.kind is Kind.VALUES else _("or upload a file"),
                widget=FilesInput(is_multiple=argument.kind is Kind.VALUES),
            )

    @property
    def arguments(self) -> list[Argument]:
        """Every argument that has a field now: the command's, and those of the sub-commands chosen."""
        return [argument for description in self._chain for argument in description.arguments]

    # What was filled in

    @sensitive_variables()
    def given(self) -> dict[str, tuple[str, ...]]:
        """Return what was filled in, by argument; an untouched field is not in it. A file counts once it is stored."""
        found: dict[str, tuple[str, ...]] = {}
        for argument in self.arguments:
            values = self._given_for(argument)
            if values is not None:
                found[argument.name] = values
        for description in self._chain:
            for group in description.alternatives:
                self._choose(group, found)
        return found

    def _given_for(self, argument: Argument) -> tuple[str, ...] | None:
        group = self._members.get(argument.name)
        if group is not None and group.name == argument.name:
            return None  # its field is the group's
        value = self[argument.name].value()
        stored = self._uploaded(argument, value)
        if stored:
            return (*(value or ()), *stored) if argument.kind is Kind.VALUES else stored[-1:]
        return None if value is None else tuple(value)

    def _choose(self, group: Alternatives, found: dict[str, tuple[str, ...]]) -> None:
        """Leave only the chosen member of a group; without a choice, what was filled in counts."""
        value = self[group.name].value()
        if not value:
            return
        by_name = {argument.name: argument for argument in self.arguments}
        members = [by_name[name] for name in group.names]
        chosen = next((item for item in members if word_of(item) == value[0]), None)
        if chosen is None and group.name == members[0].name:
            chosen = members[0]  # its own box was ticked, as on a page without the buttons
        if chosen is None:
            return
        for member in members:
            if member is not chosen:
                found.pop(member.name, None)
        untouched = {Kind.YES_NO: ("yes",), Kind.COUNT: ("1",)}.get(chosen.kind, ())
        if chosen.option_strings:
            found.setdefault(chosen.name, untouched)

    def _uploaded(self, argument: Argument, value: Sequence[str] | None) -> tuple[str, ...]:
        if self.uploads is None or not takes_upload(argument):
            return ()
        is_chosen_now = bool(self.files) and bool(self[argument.name + UPLOAD].value())
        # What is typed now counts more than what was chosen on an earlier try, and less than what is chosen now.
        if value and argument.kind is not Kind.VALUES and not is_chosen_now:
            return ()
        return tuple(map(str, self.uploads.kept(argument.name)))

    def store_uploads(self) -> None:
        """Write the files that came with the form to where the run will find them; raises OSError."""
        for argument in self.arguments:
            files = self.cleaned_data.get(argument.name + UPLOAD)
            if self.uploads is not None and files:
                self.uploads.store(argument.name, *files)

    @sensitive_variables()
    def extra_words(self) -> list[str]:
        """Return the words that have no field."""
        try:
            return shell.split(self[EXTRA].value() or "")
        except shell.CannotRead:
            return []

    @sensitive_variables()
    def clean_launcher_extra(self) -> str:
        """Refuse what a shell could not split."""
        text: str = self.cleaned_data[EXTRA]
        try:
            words = shell.split(text)
        except shell.CannotRead as error:
            raise forms.ValidationError(error.unquoted if self.description.has_secrets else error.message) from error
        if any(argv.MASK in word for word in words):
            raise forms.ValidationError(_("Type the secret in place of %s again.") % argv.MASK)
        return text

    def clean(self) -> dict[str, Any]:
        """Check the confirmation."""
        cleaned = super().clean() or self.cleaned_data
        if self._command_to_type and cleaned.get(CONFIRM, "").strip() != self._command_to_type:
            self.add_error(CONFIRM, _("Type %s to confirm.") % self._command_to_type)
        return cleaned

    # What is shown

    @property
    def sections(self) -> tuple[Section, ...]:
        """The author's groups, then what every command has, folded unless something in it is said or wrong."""
        common = self._section(self.description, self.description.common, "common", title=_("Common options"))
        common.is_open = any(row.is_changed or row.errors for row in common.rows)
        sections = [*self._own_sections(self.description), common]
        return tuple(section for section in sections if section.rows)

    def _own_sections(self, description: Description, prefix: str = "") -> list[Section]:
        groups = enumerate(description.groups)
        return [self._section(description, group, f"{prefix}{number}") for number, group in groups]

    def _section(self, description: Description, group: Group, key: str, title: str = "") -> Section:
        mine = {argument.name: argument for argument in description.arguments}
        drawn: set[str] = set()
        rows = []
        for argument in group.arguments:
            choice = self._members.get(argument.name) if argument.name in mine else None
            if choice is None or choice.name not in self.fields:
                rows.append(self._row(argument, key))
            elif choice.names[0] == argument.name and choice.name not in drawn:
                drawn.add(choice.name)
                rows.append(self._choice_row(choice, mine))
        title = title or group.title[:1].upper() + group.title[1:]
        return Section(key=key, title=title, description=group.description, rows=tuple(rows))

    def _row(self, argument: Argument, key: str, word: str = "") -> Row:
        names = [name for name in (argument.name, argument.name + UPLOAD) if name in self.fields]
        kept = self.uploads.kept(argument.name) if self.uploads and takes_upload(argument) else []
        row = Row(
            name=argument.name,
            label=label_of(argument),
            fields=tuple(self[name] for name in names),
            argument=argument,
            word=word,
            is_group=_is_group(self[argument.name]),
            is_changed=argument.name in self._given_now,
            errors=self._errors_of(*names),
            kept=tuple(path.name for path in kept),
            typed_choices=_typed_choices(argument),
        )
        if argument.kind is Kind.SUBCOMMAND:
            chosen = argument.subcommand("".join(self._given_now.get(argument.name, ())[:1]))
            inner = self._own_sections(chosen.description, f"{key}-{argument.name}-") if chosen else []
            row.sections = tuple(section for section in inner if section.rows)
        return row

    def _choice_row(self, group: Alternatives, arguments: Mapping[str, Argument]) -> Row:
        members = [self._row(arguments[name], group.name, word=word_of(arguments[name])) for name in group.names]
        chosen = self[group.name].value()
        for member in members:
            is_named = bool(chosen) and member.word == chosen[0]
            member.is_chosen = is_named or (not chosen and member.name in self._given_now)
        members_errors = [error for member in members if member.name == group.name for error in member.errors]
        own = [] if members_errors else list(self._errors_of(group.name))
        return Row(
            name=group.name,
            label=_label_of_group(group, arguments),
            fields=(self[group.name],),
            group=group,
            members=tuple(members),
            is_group=True,
            is_changed=any(member.is_changed for member in members),
            errors=tuple(own),
        )

    @property
    def _given_now(self) -> Mapping[str, Sequence[str]]:
        if not self.is_bound:
            return self.given_initially
        if self._given_seen is None:
            self._given_seen = self.given()
        return self._given_seen

    _given_seen: dict[str, tuple[str, ...]] | None = None

    def _errors_of(self, *names: str) -> tuple[str, ...]:
        if not self.is_bound or not self.shows_errors:
            return ()
        return tuple(str(message) for name in names for message in self.errors.get(name, ()))

    @property
    def is_long(self) -> bool:
        """Whether there are so many arguments that one has to be searched for."""
        return len(self.arguments) > FILTERED

    @property
    def is_searched(self) -> bool:
        """Whether a list on the form is so long that it can be searched, which takes scripts of the admin's."""
        shown = [argument for argument in self.arguments if argument.choices is not None]
        return any(len(argument.choices or ()) > SEARCHED for argument in shown) or any(
            len(argument.subcommands) > SEARCHED for argument in self.arguments
        )

    @property
    def has_extra(self) -> bool:
        """Whether something stands in the folded line for more arguments, or is wrong with it."""
        return bool(self[EXTRA].value()) or bool(self._errors_of(EXTRA))

    def show_verdict(self, errors: Mapping[str, Sequence[str]]) -> None:
        """Put the parser's messages on the fields they concern, and the rest on top."""
        for name, messages in errors.items():
            for message in messages:
                self.add_error(self._place_for(name, message), message)

    def _place_for(self, name: str, message: str) -> str | None:
        if name in self.fields:
            return name
        # What has no field, or what the parser doesn't know at all, was typed on the line for more arguments.
        is_typed = bool(self.cleaned_data.get(EXTRA)) if hasattr(self, "cleaned_data") else False
        is_alien = bool(name) or message.startswith(("unrecognized arguments", "ambiguous option"))
        return EXTRA if is_typed and is_alien else None


def with_file_names(description: Description, data: QueryDict) -> QueryDict:
    """Return the data with chosen files' names where their paths will be: a preview is sent names, not files."""
    named = data.copy()
    for key in list(named):
        name = key.removesuffix(UPLOAD)
        if name != key and any(named.getlist(key)):
            named.setlist(name, [*filter(None, named.getlist(name)), *filter(None, named.getlist(key))])
    return named


_PLAIN_TEXT = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


def takes_upload(argument: Argument) -> bool:
    """Tell whether a file makes sense: a path, but not one that names a folder or something to be written."""
    if argument.is_written or argument.is_secret or argument.value_type is not ValueType.PATH:
        return False
    if argument.kind not in (Kind.VALUE, Kind.VALUES) or argument.group_size not in (None, 1):
        return False
    words = set(re.split(r"[^a-z0-9]+", f"{argument.dest} {' '.join(argument.option_strings)}".lower()))
    return words.isdisjoint(
        {"dir", "directory", "folder", "output", "out", "outfile", "root", "target", "dest", "destination"}
    )


def _is_group(field: BoundField) -> bool:
    control = field.field.widget
    return control.is_group(field.value()) if isinstance(control, Control) else False


def _typed_choices(argument: Argument) -> str:
    """Return the choices of an argument whose control doesn't show them."""
    control = control_for(argument)
    is_shown = isinstance(control, TextControl | ListControl) or argument.choices is None
    return "" if is_shown else ", ".join(choice.word for choice in argument.choices or ())


def _label_of_group(group: Alternatives, arguments: Mapping[str, Argument]) -> str:
    first = arguments[group.names[0]]
    if not group.is_exclusive or group.name == first.name:
        words = first.dest.replace("_", " ").replace("-", " ").strip()
        return words[:1].upper() + words[1:]
    return _("One of these") if group.is_required else _("At most one of these")


def label_of(argument: Argument) -> str:
    """Return a name for people: the words of the option, or of what the author calls a positional."""
    if argument.kind is Kind.SUBCOMMAND and argument.dest == SUPPRESS:
        return _("Sub-command")
    words = argument.dest if argument.members else argument.option or argument.display_name
    words = words.lstrip("-").replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def _sentence(text: str) -> str:
    """Return a text that other sentences can follow."""
    return f"{text}." if text[-1:].isalnum() else text
