"""One job from its arrival to its record: turn, channel, child, claim, supervisor. The same wherever it began."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from launcher.execution.capture import Capture
from launcher.execution.channel import GO, Channel
from launcher.execution.job import Job
from launcher.execution.parents import adopt_orphans
from launcher.execution.stopping import forget_stops, is_stop_wanted, pause, take_stops
from launcher.execution.turn import Refused, Turn
from launcher.reporting import RUN_VARIABLE


def carry_out(job: Job, capture: Capture, set_up: Callable[[], None]) -> int:
    """Carry out one run in this process, which becomes its supervisor; `set_up` sets Django up, if it is not.

    Returns in the forked child, with the command's exit code. The supervisor leaves when all is recorded.
    """
    lead_session()
    take_stops()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    turn = job.turn
    try:
        is_its_turn = turn.wait(lambda seconds: pause(seconds) or job.is_gone)
    except Refused:
        is_its_turn = False
    if job.is_gone:  # stopped or deleted, by somebody who did not know of this process yet
        _leave()
    set_up()
    if not is_its_turn:
        from launcher.execution.claim import end_unstarted

        end_unstarted(job, is_stopped=is_stop_wanted())
        _leave()
    return _start(job, capture, turn)


def lead_session() -> None:
    """Make this process the leader of a session, which has no terminal yet."""
    if os.getsid(0) != os.getpid():
        os.setsid()


def _start(job: Job, capture: Capture, turn: Turn) -> int:
    """Fork the child, or spawn it where forking is not safe; then claim the run and watch over the child."""
    from launcher.conf import command_options

    adopt_orphans()
    os.environ.setdefault("TERM", "xterm-256color")
    channel = Channel.open(job.folder / "ring", has_terminal=command_options(job.command).terminal)
    supervisor = os.getpid()
    os.environ[RUN_VARIABLE] = job.uid
    if not why_fork_is_unsafe():
        child = os.fork()
        if child == 0:
            return _become_child(job, capture, channel, turn, supervisor)
    else:
        child = _spawn_child(job, channel)
    del os.environ[RUN_VARIABLE]
    capture.pass_on()
    _supervise(job, channel, turn, child)


def _become_child(job: Job, capture: Capture, channel: Channel, turn: Turn, supervisor: int) -> int:
    from launcher.execution.child import enter, prepare, run_command, wait_for_go

    forget_stops()
    turn.forget()
    channel.close_own_ends()
    link = enter(
        link=channel.childs_link.detach(),
        output=channel.childs_output,
        has_terminal=bool(channel.terminal_name),
        ring_path=channel.ring.path,
        capture=capture,
        supervisor=supervisor,
    )
    run = prepare(job)
    wait_for_go(link)
    return run_command(job, link, run)


def _spawn_child(job: Job, channel: Channel) -> int:
    """Start the child in a fresh interpreter, which does not depend on this one's threads; return its process id."""
    link, output = channel.childs_link.fileno(), channel.childs_output
    process = job.start(
        sys.executable,
        "launcher.execution.child",
        str(link),
        str(output),
        str(int(bool(channel.terminal_name))),
        str(channel.ring.path),
        str(os.getpid()),
        stdout=output,
        stderr=output,
        pass_fds=[link, output],
    )
    process.returncode = 0  # the supervisor waits for it by its id
    return process.pid


def _supervise(job: Job, channel: Channel, turn: Turn, child: int) -> NoReturn:
    from launcher.execution.claim import claim
    from launcher.execution.supervisor import Supervisor

    channel.close_childs_ends()
    with suppress(OSError):  # it may have ended
        os.setpgid(child, child)
    channel.give_foreground(child)
    run = claim(job)
    if run is None:  # stopped meanwhile, or deleted; without a word to go on the child leaves
        channel.link.close()
        os.waitpid(child, 0)
    else:
        with suppress(OSError):
            channel.link.send(GO)
        Supervisor(run, child=child, channel=channel).watch()
    turn.release()
    _leave()


def _leave() -> NoReturn:
    """End the supervisor without what the project does when a process ends: it is neither command nor warm process."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def why_fork_is_unsafe() -> str:
    """Return why a fork of this process would not be safe, or an empty string: a lock that a thread holds would stay
    locked in the child for ever, and a connection would be used by two.
    """
    if sys.platform == "darwin":
        return "macOS does not support forking a process that has loaded system libraries"
    try:
        threads = len(os.listdir("/proc/self/task"))
    except OSError:
        import threading

        threads = threading.active_count()
    if threads > 1:
        return f"an app has started a thread when the project was loaded ({threads - 1} running)"
    return ""
