"""Arguments -> a Django form and its fieldsets. It only collects: what a value means, the command's parser decides."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib.admin import widgets as admin_widgets
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from launcher import argv
from launcher.arguments import Argument, Description, Group, Kind, ValueType
from launcher.conf import options
from launcher.models import Run
from launcher.output.store import Spool, prune_spools

BARE = "__bare"
UPLOAD = "__upload"
EXTRA = "launcher_extra"
CONFIRM = "launcher_confirm"
UPLOADS_TOKEN = "launcher_uploads"  # noqa: S105  a field's name
UPLOAD_KEEP_SECONDS = 24 * 3600
CHECKBOXES = 8
"""Up to so many choices of a list are checkboxes; more are a list to select from."""


class ArgumentField(forms.CharField):
    """A text that reaches the parser exactly as typed; Django's own verdicts ("required", "strip") are left out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def validate(self, value: Any) -> None:
        """Accept everything."""

    def run_validators(self, value: Any) -> None:
        """Accept everything, NUL too: the refusal comes with the parser's verdict."""


class PickField(forms.MultipleChoiceField):
    """Any of an argument's choices; the parser judges them."""

    def validate(self, value: Any) -> None:
        """Accept everything."""


class SecretLines(forms.Textarea):
    """Secrets, one per line, that never come back from the server."""

    def format_value(self, value: Any) -> str:
        """Show nothing."""
        return ""


class ExtraWords(admin_widgets.AdminTextInputWidget):
    """Words as typed on a shell; a secret among them comes back masked, and has to be typed again."""

    def __init__(self, description: Description) -> None:
        super().__init__(attrs={**_PLAIN_TEXT, "class": "vTextField launcher-code"})
        self._description = description

    def format_value(self, value: Any) -> str:
        """Return the words with what follows a secret option masked; nothing, where they can't be told apart."""
        text = str(value or "")
        try:
            words = shlex.split(text)
        except ValueError:
            return "" if any(option in text for option in self._description.secret_options) else text
        masked = argv.mask_options(words, self._description)
        return text if masked == words else shlex.join(masked)


class UploadField(forms.FileField):
    """A file from the reader's machine, in place of a path on the server."""

    def validate(self, value: Any) -> None:
        """Refuse what is larger than the project allows; nothing chosen is fine."""
        limit = options().upload_limit_bytes
        if isinstance(value, UploadedFile) and (value.size or 0) > limit:
            raise forms.ValidationError(
                _("The file has %(size)s; at most %(limit)s are accepted.")
                % {"size": filesizeformat(value.size or 0), "limit": filesizeformat(limit)}
            )

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Accept an empty file as well: whether it makes sense is the command's business."""
        if isinstance(data, UploadedFile):
            self.validate(data)
            return data
        return None


class CommandForm(forms.Form):
    """The form of one command. `given()` and `extra_words()` say what was filled in, for `argv.build`."""

    required_css_class = "required"

    def __init__(
        self,
        description: Description,
        *,
        data: Any = None,
        files: Any = None,
        given: Mapping[str, Sequence[str]] | None = None,
        uploads: Uploads | None = None,
        confirm: str = "",
    ) -> None:
        super().__init__(data, files, use_required_attribute=False, auto_id="id_%s")
        self.description = description
        self.uploads = uploads
        self._command_to_type = confirm
        self._rows: dict[str, tuple[str, ...]] = {}
        self.given_initially = dict(given or {})
        for argument in description.arguments:
            self._add_fields(argument, given or {})
        self.fields[EXTRA] = ArgumentField(
            required=False,
            label=_("More arguments"),
            initial=shlex.join(argv.extra_words(description, given or {})),
            help_text=escape(self._extra_help()),
            widget=ExtraWords(description),
        )
        if confirm:
            self.fields[CONFIRM] = ArgumentField(
                required=True,
                label=_("Confirm"),
                help_text=escape(
                    _("This command can destroy data, this history perhaps included. Type its name, %s, to run it.")
                    % confirm
                ),
                widget=admin_widgets.AdminTextInputWidget(attrs=_PLAIN_TEXT),
            )

    def _extra_help(self) -> str:
        others = [argument for argument in self.description.arguments if argument.kind is Kind.OTHER]
        text = _("Appended as typed, with a shell's quoting; for what has no field here.")
        if others:
            names = ", ".join(argument.display_name for argument in others)
            text += " " + _("Needed for the sub-command: %s.") % names
        return text

    def _add_fields(self, argument: Argument, given: Mapping[str, Sequence[str]]) -> None:
        if argument.kind is Kind.OTHER:
            return
        field = _field(argument)
        field.label = label_of(argument)
        field.help_text = help_html(argument)
        field.initial = _initial(argument, given.get(argument.name)) if argument.name in given else field.initial
        self.fields[argument.name] = field
        row = [argument.name]
        if argument.is_bare_allowed:
            is_bare = argument.name in given and not given[argument.name]
            self.fields[argument.name + BARE] = forms.BooleanField(
                required=False, label=_("%s alone, without a value") % argument.option, initial=is_bare
            )
            row.append(argument.name + BARE)
        if _takes_upload(argument):
            self.fields[argument.name + UPLOAD] = UploadField(
                required=False, label=_("or upload a file"), help_text=self._kept_html(argument)
            )
            row.append(argument.name + UPLOAD)
        self._rows[argument.name] = tuple(row)

    def _kept_html(self, argument: Argument) -> str:
        kept = self.uploads.kept(argument.name) if self.uploads else None
        return escape(_("%s is kept from your last try.") % kept.name) if kept else ""

    @property
    def fieldsets(self) -> list[tuple[str | None, dict[str, Any]]]:
        """The author's groups, then what every command has, folded; for `django.contrib.admin.helpers.AdminForm`."""
        made = [_fieldset(group, self._rows) for group in self.description.groups]
        needs_extra = any(argument.kind is Kind.OTHER for argument in self.description.arguments)
        common = [self._rows[argument.name] for argument in self.description.common.arguments]
        if needs_extra:
            made.append((None, {"fields": [EXTRA]}))
        # The admin would open it by itself, but looks for field names among what are rows here.
        classes = [] if self.has_common_errors else ["collapse"]
        made.append((_("Common options"), {"fields": [*common, *([] if needs_extra else [EXTRA])], "classes": classes}))
        if CONFIRM in self.fields:
            made.append((None, {"fields": [CONFIRM]}))
        return [(name, fieldset) for name, fieldset in made if fieldset["fields"]]

    @sensitive_variables()
    def given(self) -> dict[str, tuple[str, ...]]:
        """Return what was filled in, by argument; an untouched field is not in it. A file counts once it is stored."""
        found: dict[str, tuple[str, ...]] = {}
        for argument in self.description.arguments:
            values = self._given_for(argument)
            if values is not None:
                found[argument.name] = values
        return found

    def store_uploads(self) -> None:
        """Write the files that came with the form to where the run will find them; raises OSError."""
        for argument in self.description.arguments:
            file = self.cleaned_data.get(argument.name + UPLOAD)
            if self.uploads is not None and file:
                self.uploads.store(argument.name, file)
                self[argument.name + UPLOAD].help_text = self._kept_html(argument)

    @sensitive_variables()
    def extra_words(self) -> list[str]:
        """Return the words that have no field."""
        return shlex.split(self.cleaned_data.get(EXTRA) or "")

    @sensitive_variables()
    def clean_launcher_extra(self) -> str:
        """Refuse what a shell could not split."""
        text: str = self.cleaned_data[EXTRA]
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        if any(argv.MASK in word for word in words):
            raise forms.ValidationError(_("Type the secret in place of %s again.") % argv.MASK)
        return text

    @sensitive_variables()
    def _given_for(self, argument: Argument) -> tuple[str, ...] | None:
        value = self.cleaned_data.get(argument.name)
        stored = self._uploaded(argument)
        if stored:
            return (stored,)
        if self.cleaned_data.get(argument.name + BARE) and not value:
            return ()
        match argument.kind:
            case Kind.FLAG:
                return () if value else None
            case Kind.COUNT:
                return (value,) if value and value.strip() != "0" else None
            case Kind.VALUES if isinstance(value, str):
                lines = tuple(line for line in value.replace("\r\n", "\n").split("\n") if line)
                return lines or None
            case Kind.VALUES:
                return tuple(value) if value else None
        return (value.replace("\r\n", "\n"),) if value else None

    def _uploaded(self, argument: Argument) -> str:
        if self.uploads is None or not _takes_upload(argument):
            return ""
        # What is typed now counts more than what was chosen on an earlier try, and less than what is chosen now.
        if self.cleaned_data.get(argument.name) and not self.cleaned_data.get(argument.name + UPLOAD):
            return ""
        kept = self.uploads.kept(argument.name)
        return str(kept) if kept else ""

    def clean(self) -> dict[str, Any]:
        """Check the words that have no field, and the confirmation."""
        cleaned = super().clean() or self.cleaned_data
        if self._command_to_type and cleaned.get(CONFIRM, "").strip() != self._command_to_type:
            self.add_error(CONFIRM, _("Type %s to confirm.") % self._command_to_type)
        return cleaned

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
        needs_typing = any(argument.name == name for argument in self.description.arguments)
        return EXTRA if needs_typing or (is_typed and is_alien) else None

    @property
    def has_common_errors(self) -> bool:
        """Whether something is wrong in the folded part, which then has to be open."""
        if not self.is_bound:
            return False
        common = [name for argument in self.description.common.arguments for name in self._rows[argument.name]]
        return any(name in self.errors for name in (*common, EXTRA))


def with_file_names(description: Description, data: QueryDict) -> QueryDict:
    """Return the data with a chosen file's name where its path will be: a preview is sent names, not files."""
    named = data.copy()
    for argument in description.arguments:
        if _takes_upload(argument) and named.get(argument.name + UPLOAD):
            named[argument.name] = str(named[argument.name + UPLOAD])
    return named


class Uploads:
    """The files uploaded for a run that is not stored yet; they lie in the spool under the uid it will have."""

    def __init__(self, uid: UUID) -> None:
        self.uid = uid
        self._folder = Spool(uid).uploads_path

    @classmethod
    def from_token(cls, token: str, user: Any) -> Uploads:
        """Return the files of the user's last try, or a new empty place for a forged, foreign, old or used token."""
        try:
            said = signing.loads(token, salt=UPLOADS_TOKEN, max_age=UPLOAD_KEEP_SECONDS)
        except signing.BadSignature:
            return cls(uuid4())
        uid = UUID(said["uid"])
        if said["user"] != str(user.pk) or Run.objects.filter(uid=uid).exists():
            return cls(uuid4())
        return cls(uid)

    def token(self, user: Any) -> str:
        """Return the text by which the same user's next try finds the files."""
        return signing.dumps({"uid": self.uid.hex, "user": str(user.pk)}, salt=UPLOADS_TOKEN)

    def store(self, name: str, file: UploadedFile[Any]) -> Path:
        """Write a file and return its path; one stored before for the same argument gives way. Raises OSError."""
        prune_spools()
        Spool(self.uid).make()
        folder = self._folder_of(name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        os.utime(self._folder.parent)  # another day from now
        path = folder / _safe_name(file.name or "")
        try:
            with path.open("wb") as target:
                for piece in file.chunks():
                    target.write(piece)
        except OSError:  # half a file must not be taken for the whole on the next try
            path.unlink(missing_ok=True)
            raise
        return path

    def kept(self, name: str) -> Path | None:
        """Return the file stored for an argument on an earlier try, or None."""
        try:
            return next(self._folder_of(name).iterdir(), None)
        except OSError:  # most likely there is none
            return None

    def _folder_of(self, name: str) -> Path:
        # Names of arguments hold any character, and no two of them may share a folder.
        return self._folder / re.sub(r"\W", lambda found: f"-{ord(found[0]):x}", name)

    @property
    def has_any(self) -> bool:
        """Whether a file was stored."""
        return os.path.isdir(self._folder)  # unlike Path's, False where the spool can't be read


def _safe_name(name: str) -> str:
    """Return a file name without a path and without characters that make trouble on a command line."""
    base = os.path.basename(name.replace("\\", "/"))
    safe = re.sub(r"[^\w.()+-]", "_", base).encode()[-150:].decode(errors="ignore")  # file systems count bytes
    return safe.lstrip(".-") or "upload"


_PLAIN_TEXT = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


def _field(argument: Argument) -> forms.Field:
    required = argument.is_required
    match argument.kind:
        case Kind.FLAG:
            return forms.BooleanField(required=False)
        case Kind.YES_NO:
            unset = _("Default (%s)") % argument.default if argument.default else _("Not given")
            choices = [("", unset), ("yes", argument.option)]
            if argument.negative_option:
                choices.append(("no", argument.negative_option))
            return ArgumentField(required=False, widget=forms.Select(choices=choices))
        case Kind.COUNT:
            return ArgumentField(required=False, widget=_number({"min": "0", "step": "1"}))
    if is_picked(argument) and argument.kind is Kind.VALUES:
        pairs = _pairs(argument)
        widget: forms.Widget = forms.CheckboxSelectMultiple() if len(pairs) <= CHECKBOXES else forms.SelectMultiple()
        return PickField(required=required, choices=pairs, widget=widget)
    if is_picked(argument):
        unset = _("Default (%s)") % argument.default if argument.default else "---------"
        return ArgumentField(required=required, widget=forms.Select(choices=[("", unset), *_pairs(argument)]))
    if argument.kind is Kind.VALUES:
        attrs = {**_PLAIN_TEXT, "rows": 3, "placeholder": _lines_hint(argument), "class": "vLargeTextField"}
        area = SecretLines if argument.is_secret else forms.Textarea
        return ArgumentField(required=required, widget=area(attrs=attrs))
    return ArgumentField(required=required, widget=_value_widget(argument))


def is_picked(argument: Argument) -> bool:
    """Tell whether values are picked from a list; where their order or number matters, they are typed."""
    has_order = argument.kind is Kind.VALUES and (
        isinstance(argument.nargs, int) or (argument.is_repeated and argument.nargs is not None)
    )
    return argument.choices is not None and not has_order


def _pairs(argument: Argument) -> list[tuple[str, str]]:
    unusable = _("%s (refused by the command's parser)")
    return [
        (choice.word, choice.word if choice.is_usable else unusable % choice.word) for choice in argument.choices or ()
    ]


def _lines_hint(argument: Argument) -> str:
    if argument.is_repeated and argument.nargs is not None:
        return _("One group per line, its values separated by spaces")
    if isinstance(argument.nargs, int):
        return " / ".join(argument.metavars) or _("%d values, one per line") % argument.nargs
    return _("One per line")


def _value_widget(argument: Argument) -> forms.Widget:
    attrs = {**_PLAIN_TEXT, **({"placeholder": argument.default} if argument.default else {})}
    if argument.is_secret:
        return forms.PasswordInput(attrs={"class": "vTextField", "autocomplete": "new-password"}, render_value=False)
    match argument.value_type:
        case ValueType.INTEGER:
            return _number({**attrs, "step": "1"})
        case ValueType.FLOAT:
            return _number({**attrs, "step": "any"})
        case ValueType.DATE:
            return forms.DateInput(attrs={"type": "date", "class": "vDateField"})
    return admin_widgets.AdminTextInputWidget(attrs={**attrs, "class": "vTextField"})


def _number(attrs: Mapping[str, str]) -> forms.Widget:
    return forms.NumberInput(attrs={**attrs, "class": "vIntegerField"})


def _initial(argument: Argument, values: Sequence[str] | None) -> Any:
    if values is None or argument.is_secret:
        return None
    match argument.kind:
        case Kind.FLAG:
            return True
        case Kind.VALUES:
            return list(values) if is_picked(argument) else "\n".join(values)
    return values[0] if values else None


def _takes_upload(argument: Argument) -> bool:
    """Tell whether a file makes sense: a path, but not one that names a folder or something to be written."""
    if argument.is_written:
        return False
    if argument.value_type is not ValueType.PATH or argument.kind is not Kind.VALUE or argument.is_secret:
        return False
    words = set(re.split(r"[^a-z0-9]+", f"{argument.dest} {' '.join(argument.option_strings)}".lower()))
    return words.isdisjoint(
        {"dir", "directory", "folder", "output", "out", "outfile", "root", "target", "dest", "destination"}
    )


def _fieldset(group: Group, rows: Mapping[str, tuple[str, ...]]) -> tuple[str | None, dict[str, Any]]:
    fields = [rows[argument.name] for argument in group.arguments if argument.name in rows]
    title = group.title[:1].upper() + group.title[1:]
    return title or None, {"fields": fields, "description": escape(group.description)}


def label_of(argument: Argument) -> str:
    """Return a name for people: the words of the option, or of what the author calls a positional."""
    words = (argument.option or argument.display_name).lstrip("-").replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def _sentence(text: str) -> str:
    """Return a text that other sentences can follow."""
    return f"{text}." if text[-1:].isalnum() else text


def help_html(argument: Argument) -> str:
    """Return the author's help, the option and the default as safe HTML: the admin renders help text unescaped."""
    facts: list[str] = [f"<code>{escape(text)}</code>" for text in argument.option_strings]
    typed = [] if argument.choices is None or is_picked(argument) else [choice.word for choice in argument.choices]
    is_default_told = argument.default in argument.help and "default" in argument.help.casefold()
    parts: Iterable[str] = (
        escape(_sentence(argument.help)).replace("\n", "<br>"),
        escape(_("Choices: %s.") % ", ".join(typed)) if typed else "",
        escape(_("Default: %s.") % argument.default) if argument.default and not is_default_told else "",
        escape(_("Never shown again once the form is sent.")) if argument.is_secret else "",
        f'<span class="launcher-options">{", ".join(facts)}</span>' if facts else "",
    )
    return " ".join(part for part in parts if part)
