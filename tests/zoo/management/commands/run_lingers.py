"""Makes processes and threads, which end with it, after it, or not at all."""

import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

FOR_EVER_SECONDS = 600
NEW_PROGRAM = "print('from the new program')"


class Command(BaseCommand):
    help = "Makes processes and threads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        ways = ["fork", "fork-that-leaves", "exec", "daemon", "deaf-family", "thread", "daemon-thread"]
        parser.add_argument("what", choices=ways)
        parser.add_argument("--fail", action="store_true", help="Raise an exception in the end, in a fork as well.")

    def handle(self, *args: Any, what: str, fail: bool, **options: Any) -> None:
        print("at first")
        match what:
            case "fork":  # both processes return from here
                is_fork = fork_and_wait()
                print("from the fork" if is_fork else "from the parent")
            case "fork-that-leaves":
                if fork_and_wait():
                    print("from the fork")
                    os._exit(0)
                print("from the parent")
            case "exec":
                os.execv(sys.executable, [sys.executable, "-c", NEW_PROGRAM])
            case "daemon":
                print(f"daemon: {start_daemon()}")
            case "deaf-family":
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                who = "the parent" if os.fork() else "the fork"
                os.write(1, f"{who} is deaf\n".encode())
                wait_for_ever()
            case "thread":
                threading.Thread(target=outlive_main_thread).start()
            case "daemon-thread":
                threading.Thread(target=wait_for_ever, daemon=True).start()
        if fail:
            raise ZeroDivisionError("failed in the end")


def fork_and_wait() -> bool:
    """Fork; return True in the fork, and False in the parent once the fork is gone."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return child == 0


def wait_for_ever() -> None:
    """Cost nothing, for longer than any test takes; what a failed test leaves behind must end some time."""
    time.sleep(FOR_EVER_SECONDS)


def outlive_main_thread() -> None:
    """Wait until the main thread is through, say so, and go on for ever."""
    threading.main_thread().join()
    print("a thread is still here")
    wait_for_ever()


def start_daemon() -> int:
    """Fork twice with a new session between, as daemons do; return the id of the one that stays, which keeps fd 1."""
    told, telling = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.write(telling, str(os.getpid()).encode())
        os.close(telling)
        wait_for_ever()
        os._exit(0)
    os.close(telling)
    os.waitpid(child, 0)
    daemon = int(os.read(told, 20))
    os.close(told)
    return daemon
