"""Lines of a shell, read and written, with the system's own sh as the judge."""

import ast
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from launcher.shell import (
    CannotRead,
    CannotWriteLine,
    PastedLine,
    cron_line,
    join,
    join_for_typing,
    python_call,
    read_line,
    shell_line,
    split,
)
from tests.fuzzing import examples

LONG = 400_000

words = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12), max_size=5)
awkward = st.text(st.sampled_from("ab1 %\\'\"$`*[]{},~#=!&|;<>()?-é☃"), max_size=12)
quoted = st.sampled_from(["''", '""', "'a b'", '"a b"', "\\$", "\\\n"])
shell_text = st.lists(st.sampled_from("ab1é \t\n\\'\"$`|&;<>()*?[]!^{},.~#=:-") | quoted, max_size=12).map("".join)
read_differently = re.compile(r"\$'|\\[ \t]+\n|\A(?:[ \t]|\\\n)*[\n#]")
"""What not every sh knows, what is forgiven here, and what would end the line that the text is put into."""


def refusal(line: str) -> CannotRead:
    with pytest.raises(CannotRead) as caught:
        split(line)
    return caught.value


def pasted(line: str) -> tuple[str, ...]:
    read = read_line(line)
    return read.command, *read.argv


def pasted_refusal(line: str) -> CannotRead:
    with pytest.raises(CannotRead) as caught:
        read_line(line)
    return caught.value


def error_of(read: Callable[[str], object], text: str) -> CannotRead | None:
    try:
        read(text)
    except CannotRead as error:
        return error
    return None


def words_of_sh(arguments: str, folder: Path | None = None) -> list[str]:
    """Let the real shell split a line; its first word is there because printf needs one."""
    line = f"printf '%s\\0' first {arguments}".encode()
    done = subprocess.run(["sh", "-c", line], capture_output=True, check=True, cwd=folder, stdin=subprocess.DEVNULL)
    return done.stdout.decode().split("\0")[1:-1]


def stripped_by_cronie(line: str, stripped: str = "%") -> str:
    """Do what cron does with the backslashes of a command; a % without one would end it."""
    command, escaped = "", False
    for character in line:
        assert character != "%" or escaped, "cron would make a line break of this"
        if escaped and character in stripped:
            command = command[:-1]
        command += character
        escaped = character == "\\" and not escaped
    return command


def stripped_by_freebsd(line: str) -> str:
    return stripped_by_cronie(line, "%\\")


def stripped_by_busybox(line: str) -> str:
    return line


# A line into words


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        (" \t\r\n\n", []),
        ("a b\tc", ["a", "b", "c"]),
        ("\n\n  a b  \r\n \n", ["a", "b"]),
        ("'a  b' \"c  d\" e\\ f", ["a  b", "c  d", "e f"]),
        ("\"a\"'b'c\\d", ["abcd"]),
        ("'' \"\" x''", ["", "", "x"]),
        (r"'a\n' 'b\'", [r"a\n", "b\\"]),
        (r'"\$ \` \" \\ \n \x"', [r"$ ` " + '"' + r" \ \n \x"]),
        ("'two\nlines' \"and\r\nmore\"", ["two\nlines", "and\r\nmore"]),
        ("a\\\nb \"c\\\nd\" 'e\\\nf'", ["ab", "cd", "e\\\nf"]),
        ("a \\\r\n --b \\  \n --c \\\t\r\n", ["a", "--b", "--c"]),
        ("a # it's | a $comment", ["a"]),
        ("# before\na\n# after", ["a"]),
        ("a#b ''#c \\#d", ["a#b", "#c", "#d"]),
        ('$ a$ $, "$" "5$" \'$HOME\' \\$HOME', ["$", "a$", "$,", "$", "5$", "$HOME", "$HOME"]),
        ("'*' \"?\" \\[a] '|' \"~\" \\~ a~ a/~", ["*", "?", "[a]", "|", "~", "~", "a~", "a/~"]),
        ("[ a[b ] a]b []", ["[", "a[b", "]", "a]b", "[]"]),
        ("{} {x} {a.b} {a,b a,b} } {a','b} {a\",\"b}", ["{}", "{x}", "{a.b}", "{a,b", "a,b}", "}", "{a,b}", "{a,b}"]),
        ("--x=~/y user@host:~/z", ["--x=~/y", "user@host:~/z"]),
        ("a=b ! % @ + : , . .. é\xa0☃", ["a=b", "!", "%", "@", "+", ":", ",", ".", "..", "é\xa0☃"]),
    ],
)
def test_words_are_those_of_a_shell(line: str, expected: list[str]) -> None:
    assert split(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (r"$'a\nb\tc'", "a\nb\tc"),
        (r"$'\a\b\e\E\f\r\v\\\'\"\?'", "\a\b\x1b\x1b\f\r\v\\'\"?"),
        (r"$'\x41\x4a\x4-\101\1010'", "AJ\x04-AA0"),
        (r"$'\u263a\u41 \U0001f600'", "☺A 😀"),
        (r"$'\xc3\xa9\342\230\203'", "é☃"),
        (r"$'\q\x\u\U\9'", r"\q\x\u\U\9"),
        (r"a$'b'\c", "abc"),
        ("\"$'a'\"", "$'a'"),
        ("$''", ""),
    ],
)
def test_escapes_of_ansi_c_quoting_are_read(line: str, expected: str) -> None:
    assert split(line) == [expected]


@pytest.mark.parametrize("escapes", [r"\xff", r"\377", r"\xc3", r"\ud83d\ude00", r"\udc80", r"\U00110000", r"\cA"])
def test_escapes_for_what_is_no_text_are_refused(escapes: str) -> None:
    error = refusal(f"a b$'{escapes}'")
    assert (error.word, error.text) == (2, f"b$'{escapes}'")
    assert "backslash escape" in error.message


@pytest.mark.parametrize(
    ("line", "word", "text"),
    [
        ("a b c d | e", 5, "|"),
        ("a|b", 2, "|"),
        ("a || b", 2, "||"),
        ("cd /srv && a", 3, "&&"),
        ("a &", 2, "&"),
        ("a x&y", 3, "&"),
        ("a; b", 2, ";"),
        ("a < b", 2, "<"),
        ("a >> b", 2, ">>"),
        ("a 2> b", 2, "2>"),
        ("a 2>&1", 2, "2>&1"),
        ("a 'x'2>b", 3, ">"),
        ("a &> b", 2, "&>"),
        ("a <<EOF", 2, "<<"),
        ("(a)", 1, "("),
        ("a b)", 3, ")"),
    ],
)
def test_operators_are_refused_as_words_of_their_own(line: str, word: int, text: str) -> None:
    error = refusal(line)
    assert (error.word, error.text) == (word, text)
    assert error.message.startswith(f"Word {word}, “{text}”: only a shell can do that.")


@pytest.mark.parametrize(
    ("line", "text", "reason"),
    [
        ("a --x=$HOME/y b", "--x=$HOME/y", "a value"),
        ("a ${HOME:-x y}z b", "${HOME:-x y}z", "a value"),
        ('a "in $HOME x" b', '"in $HOME x"', "a value"),
        ("a $1", "$1", "a value"),
        ("a $?", "$?", "a value"),
        ('a $"b"', '$"b"', "a value"),
        ("a $\\\nHOME", "$\\\nHOME", "a value"),
        ("a $(date +%F) b", "$(date +%F)", "run a command"),
        ("a `date +%F`x b", "`date +%F`x", "run a command"),
        ('a "x `date`" b', '"x `date`"', "run a command"),
        ("a *.csv", "*.csv", "file names"),
        ("a b?", "b?", "file names"),
        ("a b[12].csv", "b[12].csv", "file names"),
        ("a [']'b]", "[']'b]", "file names"),
        ("a x{b,c}y", "x{b,c}y", "several words"),
        ("a {1..3}", "{1..3}", "several words"),
        ("a {b},c}", "{b},c}", "several words"),
        ("a {b.\\\n.c}", "{b.\\\n.c}", "several words"),
        ("a ~/b", "~/b", "home folder"),
        ("a \\\n~", "~", "home folder"),
        ("a path=~/b", "path=~/b", "home folder"),
        ("a path=/b:~/c", "path=/b:~/c", "home folder"),
        ("a 'b c", "'b c", "never closed"),
        ('a x"b c\\"', 'x"b c\\"', "never closed"),
        ("a $'b\\'", "$'b\\'", "never closed"),
        ("a b\\", "b\\", "breaks off"),
        ("a b\0c", "b\0c", "NUL"),
        ("a 'b\0'", "'b\0'", "NUL"),
        ('a "\\\0"', '"\\\0"', "NUL"),
        ("a \\\0", "\\\0", "NUL"),
        ("a $'\\0'", "$'\\0'", "NUL"),
        ("a #\0", "\0", "NUL"),
    ],
)
def test_what_a_shell_would_replace_is_refused_with_its_word(line: str, text: str, reason: str) -> None:
    error = refusal(line)
    assert (error.word, error.text) == (2, text)
    assert error.message.startswith("Word 2, “")
    assert reason in error.message


@pytest.mark.parametrize("line", ["a b\nc d", "\na b\r\n\r\n  c", "a b # x\n'c'", "a \\\n b\nc"])
def test_a_second_command_is_refused_where_it_starts(line: str) -> None:
    error = refusal(line)
    assert (error.word, error.text.strip("'")) == (3, "c")
    assert "second command" in error.message


def test_a_message_shows_a_long_word_shortened_and_on_one_line() -> None:
    error = refusal("a 'b\n" + "c" * 100)
    assert error.text == "'b\n" + "c" * 100
    assert error.message == f"Word 2, “'b {'c' * 37}…”: a quote is opened here and never closed."


@given(st.text() | shell_text)
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (split, read_line):
        error = error_of(read, text)
        assert error is None or (error.text in text and error.word > 0 and str(error) == error.message)


@given(words)
def test_words_that_were_joined_are_split_again(words: list[str]) -> None:
    assert split(join(words)) == words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with file names that patterns would find."""
    folder = tmp_path_factory.mktemp("names")
    for name in ("a", "b", "ab", "1", "[", "]", "{", "}", "^", "!", "a=b", ","):
        (folder / name).touch()
    return folder


@examples(100)
@given(text=shell_text)
def test_what_is_read_is_what_sh_reads(text: str, folder: Path) -> None:
    assume(not read_differently.search(text))
    try:
        expected = split(text)
    except CannotRead:
        assume(False)
    assert words_of_sh(text, folder) == expected


@pytest.mark.timeout(30)  # A cost that grows faster than the line would take minutes.
@pytest.mark.parametrize(
    "part",
    ["a ", "a", ".", "a,", "[", "{", "{}", "~", "a:~", "\\ ", "\\   ", "\\\n", "''", '"a', "$", "\n#", "\r", "="],
)
def test_a_long_line_costs_no_more_than_its_length(part: str) -> None:
    error = error_of(read_line, "x " + part * (LONG // len(part)))
    assert error is None or len(error.message) < 250


# A pasted line into a command


@pytest.mark.parametrize(
    "start",
    [
        "",
        "$ ",
        "% ",
        "> ",
        "  $ python manage.py ",
        "manage.py ",
        "./manage.py ",
        "/srv/app/manage.py ",
        "'/srv/my app/manage.py' ",
        "python manage.py ",
        "python3 ./manage.py ",
        "python3.12 /srv/app/manage.py ",
        "/srv/venv/bin/python backend/cli.py ",
        "pypy3 manage.py ",
        "py -3.12 manage.py ",
        "python -u -B -OO -I -E -s -S -P -v -W error -Wd -X dev -Xutf8 manage.py ",
        "python -uB -m django ",
        "python /srv/venv/bin/django-admin ",
        "django-admin ",
        "django-admin.py ",
        "/srv/venv/bin/django-admin ",
        "uv run manage.py ",
        "uv run --frozen -- python manage.py ",
        "poetry run python manage.py ",
        "pipenv run ./manage.py ",
        "pdm run django-admin ",
        "hatch run python -m django ",
        "rye run python manage.py ",
        "nohup python manage.py ",
        "time exec python manage.py ",
        "PYTHONUNBUFFERED=1 PYTHONWARNINGS='a b' python manage.py ",
        "/usr/bin/env PYTHONDONTWRITEBYTECODE= uv run manage.py ",
        "docker compose exec web python manage.py ",
        "docker-compose run --rm -e PYTHONUNBUFFERED=1 web ./manage.py ",
        "docker run -v ./manage.py:/app/manage.py web python manage.py ",
        "docker exec -it c /app/manage.py ",
        "podman exec c python -u -m django ",
        "kubectl exec pod -- python cli.py ",
        "heroku run -a app python manage.py ",
        "dokku run app django-admin ",
        "python \\\n  manage.py \\\n  ",
    ],
)
def test_the_command_is_found_behind_whatever_starts_it(start: str) -> None:
    line = start + "import_csv 'a b.csv' --x=1 --settings=y # nightly"
    assert read_line(line) == PastedLine(command="import_csv", argv=("a b.csv", "--x=1", "--settings=y"))


def test_words_like_a_start_are_arguments_after_the_name() -> None:
    assert pasted("manage.py x A=b python sudo run -m django") == ("x", "A=b", "python", "sudo", "run", "-m", "django")
    assert pasted("x A=b sudo run -- '' python x") == ("x", "A=b", "sudo", "run", "--", "", "python", "x")


@pytest.mark.parametrize(
    ("line", "word", "text", "reason"),
    [
        ("python manage.py", 2, "manage.py", "the line ends"),
        ("$ python -W", 2, "-W", "the line ends"),
        ("uv run", 2, "run", "the line ends"),
        ("env", 1, "env", "the line ends"),
        ("manage.py --help x", 2, "--help", "the command's name"),
        ("manage.py '' x", 2, "''", "the command's name"),
        ("--help", 1, "--help", "the command's name"),
        ("DJANGO_SETTINGS_MODULE='x' python manage.py y", 1, "DJANGO_SETTINGS_MODULE='x'", "web server's environment"),
        ("PYTHONUNBUFFERED=1 env A=b python manage.py y", 3, "A=b", "web server's environment"),
        ("docker exec -e A=b c python manage.py y", 4, "A=b", "web server's environment"),
        ("docker exec --env=A=b c python manage.py y", 3, "--env=A=b", "web server's environment"),
        ("sudo -u www python manage.py x", 1, "sudo", "the web server's user"),
        ("nohup sudo manage.py x", 2, "sudo", "the web server's user"),
        ("ssh host python manage.py x", 1, "ssh", "another shell"),
        ("bash -c 'python manage.py x'", 1, "bash", "another shell"),
        ("docker compose up", 1, "docker", "none of the words after it"),
        ("kubectl exec pod -- sh -c 'python manage.py x'", 1, "kubectl", "none of the words after it"),
        ("nice -n 10 python manage.py x", 1, "nice", "not known"),
        ("uv pip manage.py", 1, "uv", "not known"),
        ("uv run --with x python manage.py y", 3, "--with", "here should be python"),
        ("poetry run pytest", 3, "pytest", "here should be python"),
        ("env -i python manage.py x", 2, "-i", "here should be python"),
        ("./cli.py x", 1, "./cli.py", "here should be python"),
        ("python -i manage.py x", 2, "-i", "option of Python"),
        ("python -c 'print(1)'", 2, "-c", "option of Python"),
        ("python -m pip install x", 2, "-m", "no management command"),
        ("python manage x", 2, "manage", "no management command"),
        ("0 3 * * * cd /srv && python manage.py x", 1, "0", "crontab"),
        ("*/5 0-3 1,15 jan mon python manage.py x", 1, "*/5", "crontab"),
        ("$ python manage.py x | tee y", 4, "|", "only a shell"),
        ("cd /srv\npython manage.py x", 3, "python", "second command"),
    ],
)
def test_a_line_that_says_more_is_refused_where_it_does(line: str, word: int, text: str, reason: str) -> None:
    error = pasted_refusal(line)
    assert (error.word, error.text) == (word, text)
    assert error.message.startswith(f"Word {word}, “{text}”: ")
    assert reason in error.message


@pytest.mark.parametrize("line", ["", " \n", "# python manage.py x", "$ "])
def test_a_line_without_a_word_is_refused(line: str) -> None:
    error = pasted_refusal(line)
    assert (error.word, error.text, error.message) == (1, "", "There is no command in this line.")


# Words into a line


def test_the_shell_line_is_quoted() -> None:
    expected = "python manage.py x '--text=a b' '' 'it'\"'\"'s' '$HOME'"
    assert shell_line("x", ["--text=a b", "", "it's", "$HOME"]) == expected


@given(words)
def test_a_shell_line_is_read_back(words: list[str]) -> None:
    assert read_line(shell_line("import_csv", words)) == PastedLine(command="import_csv", argv=tuple(words))


@examples(30)
@given(words | st.lists(awkward, max_size=5))
def test_joined_words_are_words_of_sh(words: list[str]) -> None:
    assert words_of_sh(join(words)) == words


def test_a_cron_line_goes_to_its_folder_first() -> None:
    line = cron_line("x", ["--day=%Y", "a b%"], folder="/srv/my app", python="/srv/venv/bin/python")
    assert line == "0 3 * * * cd '/srv/my app' && /srv/venv/bin/python manage.py x --day=\\%Y 'a b'\\%''"


@pytest.mark.parametrize("strip", [stripped_by_cronie, stripped_by_freebsd, stripped_by_busybox])
@examples(30)
@given(words=st.lists(awkward, max_size=5))
def test_any_cron_gives_the_words_back(strip: Callable[[str], str], words: list[str]) -> None:
    line = cron_line("x", words, folder="/srv/100%", python="/a\\%b/python")
    schedule, command = line[:10], strip(line[10:])
    assert schedule == "0 3 * * * "
    folder, run = command.removeprefix("cd ").split(" && ", 1)
    assert words_of_sh(f"{folder} {run}") == ["/srv/100%", "/a\\%b/python", "manage.py", "x", *words]


@pytest.mark.parametrize("word", ["two\nlines", "carriage\rreturn", "a\0b"])
@pytest.mark.parametrize("place", ["command", "argv", "folder", "python"])
def test_a_crontab_takes_no_line_breaks_and_no_nul(word: str, place: str) -> None:
    given = {"command": "x", "argv": "y", "folder": "/srv", "python": "python", place: word}
    with pytest.raises(CannotWriteLine) as caught:
        cron_line(given["command"], [given["argv"]], folder=given["folder"], python=given["python"])
    assert ("crontab" in caught.value.message) is ("\0" not in word)


def test_a_nul_character_can_not_be_written() -> None:
    with pytest.raises(CannotWriteLine, match="NUL"):
        join(["a", "b\0"])
    with pytest.raises(CannotWriteLine, match="NUL"):
        shell_line("a", ["b\0"])


def test_a_python_call_stands_on_one_line_if_it_fits() -> None:
    argv = ["--x=1", 'say "a\\b"', "x" * 30]
    line = python_call("import_csv", argv)
    assert line == 'call_command("import_csv", "--x=1", "say \\"a\\\\b\\"", "' + "x" * 30 + '")'
    long = python_call("import_csv", [*argv, "y" * 30])
    assert long.splitlines()[:2] == ["call_command(", '    "import_csv",']
    assert long.endswith(f'\n    "{"y" * 30}",\n)')


@given(st.lists(st.text(st.characters()), max_size=5))
def test_a_python_call_says_the_words(words: list[str]) -> None:
    call = ast.parse(python_call("import_csv", words), mode="eval").body
    assert isinstance(call, ast.Call)
    assert ast.unparse(call.func) == "call_command"
    assert [ast.literal_eval(argument) for argument in call.args] == ["import_csv", *words]


@pytest.mark.parametrize("character", ["\0", "\n", "\r", "\x1b", "\x85", "\u2028", "\u202e", "\ud800", "\xa0"])
def test_a_python_call_shows_what_can_not_be_seen(character: str) -> None:
    call = python_call("x", [character])
    assert call.isprintable()
    assert ast.literal_eval(call.removeprefix("call_command")) == ("x", character)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=4))
def test_what_is_joined_for_a_text_area_has_no_carriage_return_and_is_split_the_same(words: list[str]) -> None:
    line = join_for_typing(words)
    assert "\r" not in line
    assert split(line) == words
