"""`manage.py launch` beside the plain command: real processes, pipes and terminals."""

import os
import pty
import pwd
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from launcher import catalogue, runs
from launcher.execution.prompting import prompt_of
from launcher.management.attendance import exit_code
from launcher.management.commands.launch import Command, _without_djangos
from launcher.models import Run, Status, Via
from launcher.output.terminal import ERROR_OFF, ERROR_ON
from tests.waiting import output_of, wait_for, wait_until_finished

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parent.parent
ON_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "manage.py", *sys.argv[1:]])
"""


def started(*words: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start manage.py; its output comes in the order in which it is written, as a run's does."""
    given: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "cwd": ROOT,
        "env": {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONUNBUFFERED": "1"},
    }
    return subprocess.Popen([sys.executable, "manage.py", *words], **{**given, **options})


def ended(process: subprocess.Popen[bytes], given: bytes | None = None) -> tuple[int, bytes, bytes]:
    output, errors = process.communicate(given, timeout=60)
    return process.returncode, output, errors


def manage(*words: str) -> tuple[int, bytes, bytes]:
    return ended(started(*words))


def both(*words: str, given: bytes | None = None) -> tuple[tuple[int, bytes, bytes], tuple[int, bytes, bytes]]:
    """Return how the plain command ends, and how it does after `launch`, with what each writes."""
    stdin = subprocess.DEVNULL if given is None else subprocess.PIPE
    launched, plain = started("launch", *words, stdin=stdin), started(*words, stdin=stdin)
    return ended(plain, given), ended(launched, given)


def waiting(gate: Path, *words: str) -> tuple[subprocess.Popen[bytes], Run]:
    """Launch a command that waits for the gate, and return once it has said so."""
    process = started("launch", "run_waits", str(gate), *words)
    assert process.stdout is not None
    while process.stdout.readline() != b"waiting\n":
        assert process.poll() is None
    return process, Run.objects.get()


@pytest.mark.parametrize(
    "how",
    ["well", "command-error", "returncode", "sys-exit", "sys-exit-text", "os-exit", "signal", "real-time-signal"],
)
def test_exit_code_and_output_are_the_plain_commands(how: str) -> None:
    (code, output, errors), launched = both("run_ends", how)
    if code < 0:  # Popen's word for what a shell calls 128 and more; a shell also says which signal it was
        code, errors = 128 - code, f"Run {Run.objects.get().pk}: {Run.objects.get().reason}\n".encode()
    assert launched == (code, output, errors)


def test_an_exception_ends_with_its_traceback_on_stderr() -> None:
    (code, output, errors), launched = both("run_ends", "exception")
    assert launched[:2] == (code, output) == (1, b"before the end\n")
    assert launched[2].startswith(b"Traceback (most recent call last):\n")
    assert launched[2].splitlines()[-3:] == errors.splitlines()[-3:]


def test_redirected_streams_are_told_apart_and_are_the_plain_commands_to_the_byte() -> None:
    plain, launched = both("run_speaks")
    assert launched == plain
    assert b"by self.stderr\n" in launched[2]
    assert launched[1].endswith(b"without a newline")


def test_colours_can_be_forced_through_a_pipe() -> None:
    plain, launched = both("run_speaks", "--force-color")
    assert launched[:2] == plain[:2]
    assert b"\x1b[32;1mby self.stdout\x1b[0m\n" in launched[1]


def test_the_run_is_in_the_history_under_the_systems_user() -> None:
    assert manage("launch", "run_ends", "secret", "--password=hidden")[0] == 1
    run = Run.objects.get()
    assert (run.via, run.user, run.user_name) == (Via.SHELL, None, pwd.getpwuid(os.getuid()).pw_name)
    assert (run.argv, run.status) == (["secret", "--password=********"], Status.FAILED)


@pytest.mark.parametrize("word", ["badly", "--help"])
def test_the_commands_own_parser_speaks_and_nothing_is_started(word: str) -> None:
    plain, launched = both("run_ends", word)
    assert launched == plain
    assert b"usage: manage.py run_ends" in b"".join(launched[1:])
    assert not Run.objects.exists()


def refusal(*words: str) -> str:
    with pytest.raises(CommandError) as caught:
        call_command("launch", *words)
    assert not Run.objects.exists()
    return str(caught.value)


def test_what_is_no_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal("no_such_command") == "There is no command 'no_such_command'."
    assert refusal("launch", "run_ends", "well") == "“launch” can't launch itself."
    assert "no_such_package" in refusal("broken_import")
    assert "Traceback" in capsys.readouterr().err


def test_a_user_is_asked_for_the_right_to_it(owner: User, operator: User) -> None:
    assert refusal("--user=nobody", "run_ends", "well") == "There is no user “nobody”."
    assert refusal("--user=operator", "run_ends", "well") == "You have no right to use this command."
    assert "server" in refusal("--user=owner", "runserver")


def test_with_a_user_the_run_is_in_his_or_her_name(operator: User) -> None:
    code, _, errors = manage("launch", "--user", "operator", "--detach", "args_kinds", "1")
    run = wait_until_finished(Run.objects.get())
    assert (code, errors) == (0, b"")
    assert (run.user, run.user_name) == (operator, "operator")


def test_busy_is_said(gate: Path, settings: Any) -> None:
    process, run = waiting(gate)
    settings.LAUNCHER = {**settings.LAUNCHER, "COMMANDS": {"run_waits": {"max_concurrent": 1, "when_busy": "refuse"}}}
    with pytest.raises(CommandError, match=f"#{run.pk}"):
        call_command("launch", "run_waits", str(gate))
    gate.touch()
    assert ended(process)[0] == 0


def test_detached_it_says_the_runs_number_and_ends(gate: Path) -> None:
    code, output, errors = manage("launch", "--detach", "run_waits", str(gate))
    run = Run.objects.get()
    assert (code, output.decode(), errors) == (0, f"{run.pk} run_waits {gate}\n", b"")
    assert not run.is_finished


def test_what_follows_the_commands_name_is_the_commands() -> None:
    parser = Command().create_parser("manage.py", "launch")
    found = parser.parse_args(["--detach", "x", "--user", "a", "--detach", "--", "-v", "3", "--", "--settings=s"])
    assert (found.detach, found.user, found.verbosity) == (True, None, 1)
    assert found.words == ["x", "--user", "a", "--detach", "--", "-v", "3", "--", "--settings=s"]


def test_what_django_has_taken_from_the_line_is_not_given_on() -> None:
    words = ["--settings", "a", "b", "--settings=c", "--pythonpath=d", "--set", "--", "--settings", "e"]
    assert _without_djangos(words) == ["b", "--set", "--", "--settings", "e"]
    assert manage("launch", "run_ends", "well", "--settings=tests.settings") == (0, b"before the end\n", b"")


def test_it_is_not_offered_on_the_page() -> None:
    assert "start that command itself" in catalogue.obstacle("launch")


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [(signal.SIGINT, 130, []), (signal.SIGTERM, 143, []), (signal.SIGINT, 130, ["--calm"])],
)
def test_a_signal_stops_the_run(gate: Path, number: int, code: int, words: list[str]) -> None:
    process, run = waiting(gate, *words)
    process.send_signal(number)
    assert ended(process)[0] == code
    run.refresh_from_db()
    assert (run.status, run.stopped_by_name) == (Status.STOPPED, pwd.getpwuid(os.getuid()).pw_name)


def test_the_second_signal_leaves(gate: Path) -> None:
    process, run = waiting(gate, "--deaf")
    process.send_signal(signal.SIGINT)
    wait_for(lambda: Run.objects.exclude(stop_requested_at=None).exists())
    process.send_signal(signal.SIGINT)
    code, _, errors = ended(process)
    assert (code, errors.decode()) == (130, f"Run {run.pk} is being stopped, but has not ended yet.\n")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_a_run_outlives_what_launched_it(gate: Path, number: int) -> None:
    process, run = waiting(gate)
    process.send_signal(number)
    assert ended(process)[0] == -number
    gate.touch()
    assert wait_until_finished(run).status == Status.SUCCEEDED


def test_a_run_whose_output_nobody_takes_any_more_is_stopped(gate: Path) -> None:
    with started("launch", "run_waits", str(gate), "--lines=20000") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"line 0 ")
        process.stdout.close()
        assert process.wait(60) == 141
    assert Run.objects.get().status == Status.STOPPED


def test_a_signal_is_heeded_while_nobody_takes_the_output(gate: Path) -> None:
    process = started("launch", "run_waits", str(gate), "--lines=20000")
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"line 0 ")
    process.send_signal(signal.SIGTERM)
    wait_for(lambda: Run.objects.filter(status=Status.STOPPED).exists())
    assert ended(process)[0] == 143


def test_a_lost_run_ends_with_the_reason(gate: Path) -> None:
    process, run = waiting(gate)
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    code, _, errors = ended(process)
    assert (code, errors.decode()) == (1, f"Run {run.pk}: Its process is gone.\n")


def test_a_command_that_holds_the_only_write_lock_is_shown_and_stopped(gate: Path) -> None:
    process, _ = waiting(gate, "--lock")
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130


@pytest.mark.parametrize(
    ("status", "code", "stopped_by", "expected"),
    [
        (Status.SUCCEEDED, 0, 0, 0),
        (Status.FAILED, 7, 0, 7),
        (Status.FAILED, -11, 0, 139),
        (Status.FAILED, None, 0, 1),
        (Status.LOST, None, 0, 1),
        (Status.TIMED_OUT, -2, 0, 124),
        (Status.STOPPED, None, 0, 130),
        (Status.STOPPED, 0, 0, 130),
        (Status.STOPPED, -9, 0, 137),
        (Status.STOPPED, 3, 0, 3),
        (Status.STOPPED, 3, signal.SIGINT, 3),
        (Status.STOPPED, -2, signal.SIGTERM, 143),
        (Status.SUCCEEDED, 0, signal.SIGINT, 0),
    ],
)
def test_each_end_has_the_exit_code_of_a_shell(
    status: Status, code: int | None, stopped_by: int, expected: int
) -> None:
    assert exit_code(Run(status=status, exit_code=code), stopped_by) == expected


# Prompts


def without_newlines(data: bytes) -> bytes:
    """Leave them out, since a terminal's own may come a moment after what the command prints next."""
    return data.replace(b"\r", b"").replace(b"\n", b"")


def test_a_pipe_answers_prompts_in_order() -> None:
    process = started("launch", "run_talks", stdin=subprocess.PIPE)
    code, output, errors = ended(process, b"Ada\ns3cret")
    assert (code, errors) == (0, b"")
    assert without_newlines(output) == b"Name: Hello Ada.Password: Your password has 6 characters."
    assert "Ada\n" in output_of(Run.objects.get())


def test_a_pipe_that_ends_ends_the_input_as_on_the_shell() -> None:
    (code, _, errors), launched = both("run_asks", given=b"")
    assert launched[0] == code == 1
    assert [text.splitlines()[-1].split(b":")[0] for text in (launched[2], errors)] == [b"EOFError", b"EOFError"]


def test_a_line_that_no_terminal_takes_stops_the_run_instead_of_being_left_out() -> None:
    code, _, errors = ended(started("launch", "run_asks", stdin=subprocess.PIPE), b"x" * 5000 + b"\nyes\n")
    assert (code, Run.objects.get().status) == (141, Status.STOPPED)
    assert b"a line of 5000 bytes" in errors


def test_cron_never_waits_for_an_answer() -> None:
    names = ("LAUNCHER_TEST_DATABASE", "PATH")
    env = {"DJANGO_SETTINGS_MODULE": "tests.settings", **{name: os.environ[name] for name in names}}
    code, output, errors = ended(started("launch", "run_asks", env=env))
    assert (code, output) == (1, b"Are you sure? "), errors
    assert b"\nEOFError" in errors


def test_without_any_streams_it_runs_all_the_same() -> None:
    shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "manage.py", "launch", "run_asks"]
    process = subprocess.Popen(shell, cwd=ROOT, env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"})
    assert process.wait(60) == 1
    assert Run.objects.get().reason.startswith("EOFError")


class Screen:
    """A terminal with somebody before it."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self.descriptor = descriptor
        self.process = process
        self.shown = b""

    def wait_for(self, text: bytes) -> None:
        while text not in self.shown:
            self.shown += os.read(self.descriptor, 4096)

    def type(self, text: bytes) -> None:
        os.write(self.descriptor, text)

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.descriptor)[3] & termios.ECHO)

    def end(self) -> int:
        with suppress(OSError):  # EIO: nobody has the other end any more
            while data := os.read(self.descriptor, 4096):
                self.shown += data
        return self.process.wait(60)


@contextmanager
def screen(*words: str, **options: Any) -> Iterator[Screen]:
    """Run manage.py on a terminal of its own."""
    master, end = pty.openpty()
    try:
        streams = {"stdin": end, "stdout": end, "stderr": end, **options}
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "TERM": "xterm"}
        command = [sys.executable, "-c", ON_A_TERMINAL, *words]
        process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True, **streams)
        os.close(end)
        yield Screen(master, process)
        process.wait(60)
    finally:
        os.close(master)


def test_a_terminal_gets_the_colours_and_no_marks() -> None:
    with screen("launch", "run_speaks") as terminal:
        assert terminal.end() == 0
    assert b"\x1b[32;1mby self.stdout\x1b[0m\r\n" in terminal.shown
    assert b"by self.stderr" in terminal.shown
    assert ERROR_ON not in terminal.shown
    assert ERROR_OFF not in terminal.shown


def test_a_stream_that_is_no_terminal_has_no_colours_though_the_other_is_one() -> None:
    with screen("launch", "run_speaks", stdout=subprocess.PIPE) as terminal:
        assert terminal.process.stdout is not None
        with terminal.process.stdout as stream:
            output = stream.read()
        assert terminal.end() == 0
    assert b"by self.stdout\n" in output
    assert b"\x1b[" not in output
    assert b"by print to stderr" in terminal.shown


def test_prompts_are_answered_at_the_terminal_and_secrets_not_shown() -> None:
    with screen("launch", "run_talks") as terminal:
        terminal.wait_for(b"Name: ")
        wait_for(terminal.echoes)
        terminal.type(b"Ada\n")
        terminal.wait_for(b"Password: ")
        assert not terminal.echoes()
        terminal.type(b"s3cret\n")
        assert terminal.process.wait(60) == 0
        assert terminal.echoes()
        terminal.end()
    assert without_newlines(terminal.shown) == b"Name: AdaHello Ada.Password: Your password has 6 characters."


def test_the_terminals_own_ctrl_c_stops_the_run(gate: Path) -> None:
    with screen("launch", "run_waits", str(gate)) as terminal:
        terminal.wait_for(b"waiting")
        terminal.type(b"\x03")
        assert terminal.end() == 130
    assert Run.objects.get().status == Status.STOPPED


def test_another_hand_may_answer_on_the_page_and_ctrl_d_ends_the_input() -> None:
    with screen("launch", "run_talks") as terminal:
        terminal.wait_for(b"Name: ")
        run = Run.objects.get()
        prompt = wait_for(lambda: prompt_of(run))
        assert prompt is not None
        assert runs.answer(run, prompt.number, "Grace", user=None) == ""
        terminal.wait_for(b"Password: ")
        terminal.type(b"\x04")
        assert terminal.end() == 1
    assert b"Hello Grace.\r\n" in terminal.shown
    assert b"EOFError" in terminal.shown
