"""Lines as people write them for a POSIX shell: read into words, and written from words; nothing is given to a shell.

What only a shell can do (a second command, the value of a variable, names of files) is refused, never guessed at.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Never

_LONGEST_SHOWN = 40
_LONGEST_CALL = 100
_LONGEST_NAME = 300

_ONLY_A_SHELL = (
    "only a shell can do that. Paste the command alone, without what comes before or after. "
    "If this is part of a value, quote the value."
)
_SECOND_COMMAND = (
    "a second command starts here. Paste one command at a time; "
    "if it is one that goes on in the next line, end the line before with a backslash."
)
_VARIABLE = "a shell would put a value in here. Write that value, or use single quotes to give the word as it is."
_SUBSTITUTION = (
    "a shell would run a command here. Write what it prints, or use single quotes to give the word as it is."
)
_GLOB = "a shell would look for file names here. Write the names, or quote the word to give it as it is."
_BRACES = "a shell would make several words of this. Write each of them, or quote the word to give it as it is."
_TILDE = "a shell would put a home folder in place of the ~. Write the folder, or quote the word to give it as it is."
_UNCLOSED = "a quote is opened here and never closed."
_DANGLING = "the line breaks off after the backslash. Paste all of it."
_NUL = "a NUL character can't be given to a command."
_ESCAPE = "a backslash escape in it stands for no character that could be given to a command."

_ON = r"(?:\\[ \t]*+\r?\n)"
"""The end of a line that goes on in the next. Blanks after the backslash come with copying and are forgiven; a shell
would keep the first of them and end the command."""
_EXPANDED = r"A-Za-z0-9_@*#?$!({\[-"
"""What turns a $ before it into more than a $."""
_DOUBLE = rf'"(?:[^"\\$`\0]++|\\[^\0]|\$(?!{_ON}*+[{_EXPANDED}]))*+'
_ANSI = r"\$'(?:[^'\\\0]++|\\[^\0])*+"
_SINGLE = r"'[^'\0]*+"
_TOKEN = re.compile(
    r"(?P<plain>(?:[^ \t\r\n\\'\"$`|&;<>()*?\[\]{}~#\0]++|\r(?!\n))++)"
    r"|(?P<blank>[ \t]++)"
    rf"|(?P<on>{_ON})"
    r"|(?P<newline>\r?\n)"
    r"|(?P<escaped>\\[^\0])"
    rf"|(?P<single>{_SINGLE}')"
    rf'|(?P<double>{_DOUBLE}")'
    rf"|(?P<ansi>{_ANSI}')"
    rf"|(?P<dollar>\$(?!{_ON}*+['\"{_EXPANDED}]))"
    r"|(?P<operator>\|[|&]?|&&|&>>?|&|;[;&]?|[<>]&[0-9-]*|<<[<-]?|<[>(]?|>[>|(]?|[()])"
    r"|(?P<mark>[\[\]{}~#])"
    r"|(?P<refused>.)",
    re.DOTALL,
)
_OPENED = re.compile(rf"{_DOUBLE}|{_ANSI}|{_SINGLE}", re.DOTALL)
_COMMENT = re.compile(r"[^\n\0]*")
_REST = re.compile(
    r"(?:\$\([^)]*+\)?|\$\{[^}]*+\}?|`[^`]*+`?|\\.?|'[^']*+'?|\"(?:[^\"\\]++|\\.)*+\"?|[^ \t\r\n|&;<>()'\"`\\])*+",
    re.DOTALL,
)
"""The rest of a word, only to show it."""
_DOUBLE_ESCAPE = re.compile(r"\\(?:\r?\n|([$`\"\\]))")
_ANSI_ESCAPE = re.compile(
    r"\\(?:(?P<letter>[abeEfnrtv\\'\"?])|(?P<octal>[0-7]{1,3})|x(?P<byte>[0-9A-Fa-f]{1,2})"
    r"|u(?P<code>[0-9A-Fa-f]{1,4})|U(?P<long_code>[0-9A-Fa-f]{1,8})|(?P<odd>c|x\{))"
)
_ANSI_LETTERS = dict(zip("abeEfnrtv\\'\"?", "\a\b\x1b\x1b\f\n\r\t\v\\'\"?", strict=True))
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*+)\+?=")


class CannotRead(ValueError):
    """A line that is not one plain command.

    `word` is the number of the word where that shows, from 1 (a prompt is not counted), `text` is that word as written,
    and `message` a full sentence that names both. `unquoted` is the same without the word, which may be a secret.
    """

    def __init__(self, word: int, text: str, reason: str) -> None:
        shown = "".join(character if character.isprintable() else " " for character in text[: _LONGEST_SHOWN + 1])
        if len(text) > _LONGEST_SHOWN:
            shown = f"{shown[:_LONGEST_SHOWN]}…"
        self.word = word
        self.text = text
        self.message = f"Word {word}, “{shown}”: {reason}" if text else reason
        self.unquoted = f"Word {word}: {reason}" if text else reason
        super().__init__(self.message)


class CannotWriteLine(ValueError):
    """Words that can't stand in such a line; `message` is a full sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, kw_only=True)
class PastedLine:
    """What a pasted line runs."""

    command: str
    """The management command's name, as written: nobody has looked yet whether there is one."""
    argv: tuple[str, ...]
    """The words after it."""


def split(text: str) -> list[str]:
    """Return the words that a POSIX shell would make of one plain command, [] if there is none.

    The rules are those of POSIX.1-2024, XCU 2.2 (quoting, with `$'...'`) and 2.3 (tokens, comments). What bash would
    do beyond them (braces, `name=~`) is refused too, as the line may come from there. Raises CannotRead.
    """
    return _Splitter(text).words


class _Splitter:
    """The state between two tokens; a word is under way while `start` says where it began."""

    def __init__(self, text: str) -> None:
        self.words: list[str] = []
        self.written: list[str] = []
        self._text = text
        self._at = 0
        self._has_ended = False
        self._start: int | None = None
        self._pieces: list[str] = []
        self._bracket: int | None = None
        self._braces = ""
        while token := _TOKEN.match(text, self._at):
            self._take(token.lastgroup or "", token.group())
            self._at = max(self._at, token.end())
        self._end_word()

    def _take(self, kind: str, written: str) -> None:
        match kind:
            case "blank":
                self._end_word()
            case "newline":
                self._end_word()
                self._has_ended = bool(self.words)
            case "plain" | "dollar":
                if self._braces and ("," in written or ".." in self._pieces[-1][-1:] + written):
                    self._braces = "{,"
                self._add(written)
            case "escaped":
                self._add(written[1:])
            case "single":
                self._add(written[1:-1])
            case "double":
                self._add(_DOUBLE_ESCAPE.sub(lambda found: found[1] or "", written[1:-1]))
            case "ansi":
                self._add(self._ansi(written[2:-1]))
            case "mark":
                self._mark(written)
            case "operator":
                self._refuse_operator(written)
            case "refused":
                self._refuse(self._reason())

    def _add(self, piece: str) -> None:
        if self._start is None:
            if self._has_ended:
                self._refuse(_SECOND_COMMAND)
            self._start = self._at
        self._pieces.append(piece)

    def _end_word(self) -> None:
        if self._start is None:
            return
        self.words.append("".join(self._pieces))
        self.written.append(self._text[self._start : self._at])
        self._start = self._bracket = None
        self._pieces.clear()
        self._braces = ""

    def _mark(self, mark: str) -> None:
        """Take a character that has a meaning at certain places only."""
        if mark == "#" and self._start is None:
            comment = _COMMENT.match(self._text, self._at)
            self._at = comment.end() if comment else self._at
            return
        if mark == "~" and (self._start is None or self._is_after_assignment()):
            self._refuse(_TILDE)
        if mark == "]" and self._bracket not in (None, self._at):
            self._refuse(_GLOB)
        # Bash skips a pair without comma, so that it makes two words of "{a},b}": the order is all that counts.
        if mark == "}" and self._braces == "{,":
            self._refuse(_BRACES)
        self._add(mark)
        if mark == "[" and self._bracket is None:
            self._bracket = self._at + 1
        if mark == "{" and not self._braces:
            self._braces = "{"

    def _is_after_assignment(self) -> bool:
        """Tell whether bash would see `name=~` or `name=...:~` here; it does even where no assignment can stand."""
        if self._start is None or not self._pieces[-1].endswith(("=", ":")):
            return False
        # Names are shorter than that, and asking for each ~ of a long word must not cost its length each time.
        beginning = self._text[self._start : min(self._at, self._start + _LONGEST_NAME)]
        return _ASSIGNMENT.match(re.sub(_ON, "", beginning)) is not None

    def _ansi(self, inner: str) -> str:
        try:
            # Bytes are kept as surrogates until all of them are there to be decoded.
            piece = _ANSI_ESCAPE.sub(_ansi_character, inner).encode("utf-8", "surrogateescape").decode("utf-8")
        except ValueError:
            self._refuse(_ESCAPE)
        if "\0" in piece:
            self._refuse(_NUL)
        return piece

    def _reason(self) -> str:
        """Say why no token starts here."""
        opened = _OPENED.match(self._text, self._at)
        at = opened.end() if opened else self._at
        stop = self._text[at : at + 2]
        if stop.lstrip("\\").startswith("\0"):
            return _NUL
        if opened and stop in ("", "\\"):
            return _UNCLOSED
        if stop == "\\":
            return _DANGLING
        if stop == "$(" or stop.startswith("`"):
            return _SUBSTITUTION
        return _VARIABLE if stop.startswith("$") else _GLOB

    def _refuse_operator(self, operator: str) -> Never:
        start = self._at if self._start is None else self._start
        descriptor = self._text[start : self._at]
        if operator[0] not in "<>" or not re.fullmatch(r"[0-9]*", descriptor):
            descriptor = ""
            self._end_word()
        raise CannotRead(len(self.words) + 1, descriptor + operator, _ONLY_A_SHELL)

    def _refuse(self, reason: str) -> Never:
        start = self._at if self._start is None else self._start
        rest = _REST.match(self._text, self._at)
        end = max(self._at + 1, rest.end() if rest else 0)
        raise CannotRead(len(self.words) + 1, self._text[start:end], reason)


def _ansi_character(escape: re.Match[str]) -> str:
    """Return what an escape in `$'...'` stands for, a byte above 127 as its surrogate; ValueError if for nothing."""
    kind = escape.lastgroup
    if kind == "letter":
        return _ANSI_LETTERS[escape["letter"]]
    if kind is None or kind == "odd":
        raise ValueError
    number = int(escape[kind], 8 if kind == "octal" else 16)
    if kind in ("octal", "byte"):
        return bytes([number & 0xFF]).decode("utf-8", "surrogateescape")
    if 0xD800 <= number <= 0xDFFF or number > 0x10FFFF:
        raise ValueError
    return chr(number)


_PROMPT = re.compile(r"\s*[$%>] ")
_SCHEDULE = re.compile(r"\s*(?:[0-9*/,-]+[ \t]+){3}(?:[0-9A-Za-z*/,-]+[ \t]+){2}")
_PYTHON = re.compile(r"(?:(?:python|pypy)[0-9.]*t?|py)(?:\.exe)?")
_PYTHON_OPTION = re.compile(r"-[uBOIEsSPv]+|-[WX].+|-3[0-9.]*", re.DOTALL)
_LAUNCHERS = frozenset(["manage.py", "django-admin", "django-admin.py"])
_HARMLESS = frozenset(["PYTHONUNBUFFERED", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE"])
"""Variables that change how Python reports, not what a command does."""
_SKIPPED = frozenset(["nohup", "time", "exec", "env"])
_RUNNERS = frozenset(["uv", "poetry", "pipenv", "pdm", "hatch", "rye"])
_RUNNER_OPTIONS = frozenset(["--", "--frozen", "--locked", "--no-sync", "--offline", "--quiet", "-q"])
_CONTAINERS = frozenset(["docker", "docker-compose", "podman", "kubectl", "heroku", "fly", "dokku"])
_OTHER_USER = "a run happens as the web server's user, never as another one. If that is right, leave this word out."
_OTHER_SHELL = "it gives the command to another shell, which splits it again. Paste the command itself."
_NOT_TAKEN = {
    "sudo": _OTHER_USER,
    "doas": _OTHER_USER,
    "ssh": _OTHER_SHELL,
    "sh": _OTHER_SHELL,
    "bash": _OTHER_SHELL,
    "zsh": _OTHER_SHELL,
}
_ENVIRONMENT = (
    "a run has the web server's environment, so this variable can't be set for it. "
    "Leave it out if the command works without."
)
_EXPECTED = "here should be python, manage.py or django-admin. Paste the command from there on."
_UNKNOWN = "what this does to the command is not known. Paste from “python manage.py” on."
_ODD_OPTION = "a run can't follow this option of Python. Leave it out if the command works without."
_NOT_DJANGO = "what Python would run here is no management command: neither manage.py nor “-m django”."
_NO_LAUNCHER = "none of the words after it is manage.py, django-admin or “-m django”. Paste only the command."
_NO_NAME = "the command's name should come next, but the line ends."
_NO_COMMAND = "There is no command in this line."
_NAME_EXPECTED = "here should be the command's name."
_CRON = "this looks like a line of a crontab. Paste only what comes after its schedule, without “cd … &&”."


def read_line(text: str) -> PastedLine:
    """Return the management command that a pasted line would run, whatever started Python there.

    Without such a start, the first word is the command. Options like --settings stay in `argv`: whether they may be
    given is not decided here. Raises CannotRead for whatever the run would not do as the line says.
    """
    if prompt := _PROMPT.match(text):
        text = text[prompt.end() :]
    if _SCHEDULE.match(text):
        raise CannotRead(1, text.split(maxsplit=1)[0], _CRON)
    line = _Line(_Splitter(text))
    at = line.name_at()
    name = line.word(at)
    if not name or name.startswith("-"):
        line.refuse(at, _NAME_EXPECTED)
    return PastedLine(command=name, argv=tuple(line.words[at + 1 :]))


class _Line:
    """The words of a pasted line; one past the end is the empty word."""

    def __init__(self, splitter: _Splitter) -> None:
        self.words = splitter.words
        self._written = splitter.written

    def word(self, at: int) -> str:
        return self.words[at] if at < len(self.words) else ""

    def program(self, at: int) -> str:
        return posixpath.basename(self.word(at))

    def refuse(self, at: int, reason: str) -> Never:
        if at < len(self.words):
            raise CannotRead(at + 1, self._written[at], reason)
        if not self.words:
            raise CannotRead(1, "", _NO_COMMAND)
        raise CannotRead(len(self.words), self._written[-1], _NO_NAME)

    def name_at(self) -> int:
        """Return where the command's name stands; there may be no word any more."""
        start = self._after_skipped()
        program = self.program(start)
        if program in _NOT_TAKEN:
            self.refuse(start, _NOT_TAKEN[program])
        if program in _CONTAINERS:
            return self._after_container(start)
        if program in _RUNNERS and self.word(start + 1) == "run":
            start += 2
            while self.word(start) in _RUNNER_OPTIONS:
                start += 1
        after = self._after_launcher(start)
        if after is not None:
            return after
        if start > 0 or "/" in self.word(0) or self.word(0).endswith(".py"):
            self.refuse(start, _EXPECTED)
        if any(self._after_plain_launcher(at) for at in range(1, len(self.words))):
            self.refuse(0, _UNKNOWN)
        return 0

    def _after_skipped(self) -> int:
        at = 0
        while self.program(at) in _SKIPPED or self._is_assignment(at):
            at += 1
        return at

    def _is_assignment(self, at: int) -> bool:
        """Tell whether a harmless variable is set here; refuses any other, also in the spelling of Docker's options."""
        found = _ASSIGNMENT.match(self.word(at).removeprefix("--env=").removeprefix("-e"))
        if found and found[1] not in _HARMLESS:
            self.refuse(at, _ENVIRONMENT)
        return found is not None

    def _after_launcher(self, at: int) -> int | None:
        """Return the place after "manage.py" or the like if that is what stands here; refuses any other Python."""
        if self.program(at) in _LAUNCHERS:
            return at + 1
        if not _PYTHON.fullmatch(self.program(at)):
            return None
        at += 1
        while _PYTHON_OPTION.fullmatch(self.word(at)) or self.word(at) in ("-W", "-X"):
            at += 2 if self.word(at) in ("-W", "-X") else 1
        if self.word(at) == "-m" and self.word(at + 1) == "django":
            return at + 2
        if self.word(at).startswith("-") and self.word(at) != "-m":
            self.refuse(at, _ODD_OPTION)
        if self.program(at) not in _LAUNCHERS and not self.word(at).endswith(".py"):
            self.refuse(at, _NOT_DJANGO)
        return at + 1

    def _after_plain_launcher(self, at: int) -> int | None:
        """Return the place after "manage.py", "python any.py" or "-m django", wherever they stand."""
        # "./manage.py:/app/manage.py" is a mount, not a program.
        if self.program(at) in _LAUNCHERS and ":" not in self.word(at):
            return at + 1
        is_script = _PYTHON.fullmatch(self.program(at)) and self.word(at + 1).endswith(".py")
        return at + 2 if is_script or self.words[at : at + 2] == ["-m", "django"] else None

    def _after_container(self, start: int) -> int:
        for at in range(start + 1, len(self.words)):
            after = self._after_plain_launcher(at)
            if after is not None:
                return after
            self._is_assignment(at)
        self.refuse(start, _NO_LAUNCHER)


def join(words: Sequence[str]) -> str:
    """Return the words as a POSIX shell reads them, quoted where needed; `split` gives them back.

    Raises CannotWriteLine for a NUL character.
    """
    if any("\0" in word for word in words):
        raise CannotWriteLine("A NUL character can't be given to a command.")
    return shlex.join(words)


def join_for_typing(words: Sequence[str]) -> str:
    """Do the same for a text area, which would make a newline of a carriage return: that is written as an escape."""
    escaped = "\\r"
    return " ".join(
        "$'" + word.replace("\\", r"\\").replace("'", r"\'").replace("\r", escaped) + "'"
        if "\r" in word
        else join([word])
        for word in words
    )


def shell_line(command: str, argv: Sequence[str]) -> str:
    """Return the line that runs the command on a POSIX shell; raises CannotWriteLine for a NUL character."""
    return join(["python", "manage.py", command, *argv])


def cron_line(command: str, argv: Sequence[str], *, folder: str, python: str) -> str:
    """Return the line of a crontab that runs the command every night at three.

    Raises CannotWriteLine for what such a line can't hold: line breaks, and NUL characters.
    """
    for word in (folder, python, command, *argv):
        if "\n" in word or "\r" in word:
            raise CannotWriteLine("A line break can't stand in a crontab. Write a script that holds it, and run that.")
        if "\0" in word:
            raise CannotWriteLine("A NUL character can't be given to a command.")
    run = " ".join(map(_cron_word, [python, "manage.py", command, *argv]))
    return f"0 3 * * * cd {_cron_word(folder)} && {run}"


def _cron_word(word: str) -> str:
    r"""Quote for the shell, and for cron, which makes a line break of each % unless a backslash precedes it.

    Crons differ in what they do with that backslash, and with two in a row: cronie takes it out before %, FreeBSD's
    out of `\\` too, BusyBox leaves all of them. So a `\%` stands outside of quotes, where the shell takes out what cron
    has left, and no two backslashes stand together.
    """
    quoted = shlex.quote(word)
    if quoted == word:
        return word.replace("%", r"\%")
    return re.sub(r"\\(?=\\)", r"\\''", quoted).replace("%", r"'\%'")


def python_call(command: str, argv: Sequence[str]) -> str:
    """Return the call that runs the command from Python; one line if it has at most 100 characters."""
    literals = [_literal(word) for word in (command, *argv)]
    line = f"call_command({', '.join(literals)})"
    if len(line) <= _LONGEST_CALL:
        return line
    return "\n".join(["call_command(", *(f"    {literal}," for literal in literals), ")"])


def _literal(word: str) -> str:
    """Return a double-quoted literal; whatever can't be seen is escaped, also what would reorder the line."""
    return f'"{"".join(map(_spelled, word))}"'


def _spelled(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
