"""Rounds of real runs to which something happens at a random moment, and what has to be true after each.

Everything random comes from the seed and the round's number, so that a round can be played again, as far as real
processes do the same again.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from django.db import OperationalError

from launcher import runs
from launcher.conf import options
from launcher.execution.evidence import owner_of
from launcher.models import Run, Status
from launcher.output.store import Spool
from tests.chaos.seen import ROLES, Found, Notes, processes, processes_of, warm_processes, zombies_below
from tests.waiting import bytes_of

SEED = os.environ.get("LAUNCHER_CHAOS_SEED") or str(random.SystemRandom().randrange(10**6))
ROUNDS = int(os.environ.get("LAUNCHER_CHAOS_ROUNDS", "3"))
END_SECONDS = 10
"""How long after the first look everything has to be right."""
SOURCE = Path(__file__).parent.parent / "zoo" / "kinds.py"
"""A module that every warm process has loaded, and that does nothing."""


class Starter:
    """A process that starts runs as a web server would; see `tests.chaos.starter`."""

    def __init__(self) -> None:
        words = [sys.executable, "-m", "tests.chaos.starter"]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._is_ready = False

    def wait_until_ready(self) -> None:
        """Wait until it can start runs."""
        assert self._process.stdout is not None
        if not self._is_ready:
            assert self._process.stdout.readline() == b"ready\n"
            self._is_ready = True

    def start(self, targets: "list[Target]", dies: str = "") -> None:
        """Have it start runs; it may die of it."""
        assert self._process.stdin is not None
        self.wait_until_ready()
        said = [{"uid": target.uid.hex, "command": "run_writes", "argv": target.argv} for target in targets]
        self._process.stdin.write(json.dumps({"runs": said, "dies": dies}).encode() + b"\n")
        self._process.stdin.flush()

    def wait(self) -> None:
        """Wait until it has started everything, or is gone."""
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def kill(self) -> None:
        """Kill it, and have it leave no zombie."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@dataclass(kw_only=True)
class Target:
    """One run, and what was done to it: each at a time of the monotonic clock in nanoseconds, 0 if it was not done."""

    uid: UUID
    folder: Path
    argv: list[str]
    fails: bool
    child_killed: int = 0
    supervisor_killed: int = 0
    stopped: int = 0
    deleted: int = 0
    may_be_lost: bool = False
    """Nobody may have had it when what was to start it was killed."""
    must_be_lost: bool = False
    may_be_unknown: bool = False
    """It may never have been stored."""
    supervisors: set[int] = field(default_factory=set)

    @property
    def notes(self) -> dict[str, Notes]:
        """What its processes have noted, by role."""
        return {role: Notes.read(self.folder / role) for role in ROLES}

    def run(self) -> Run | None:
        """Return the run as it is recorded now."""
        return Run.objects.filter(uid=self.uid).first()

    def supervisor(self) -> int:
        """Return the id of its living supervisor, or 0."""
        owner = owner_of(Run(uid=self.uid))
        if owner is None or not owner.is_supervisor or not owner.is_alive:
            return 0
        self.supervisors.add(owner.pid)
        return owner.pid

    def child(self) -> int:
        """Return the id of its living child, or 0."""
        supervisor = self.supervisor()
        found = processes().values() if supervisor else ()
        return next((p.pid for p in found if p.parent == supervisor and p.is_child and not p.is_zombie), 0)

    def allowed(self) -> set[Status]:
        """Return the states that are right for what happened."""
        own_end = Status.FAILED if self.fails else Status.SUCCEEDED
        ends = set()
        if self.must_be_lost:
            return {Status.STOPPED if self.stopped else Status.LOST}
        if self.child_killed:
            ends.add(Status.FAILED)
        if self.supervisor_killed:
            ends.add(Status.LOST)
        if self.stopped:
            ends.add(Status.STOPPED)
        # Whoever is hit when he had noted the end may just have got away; and nothing has hit one that may be lost.
        if not ends or self.notes["m"].ended_at:
            ends.add(own_end)
        if self.may_be_lost:
            ends |= {Status.LOST, own_end}
        return ends

    def is_nobodys(self) -> bool:
        """Tell whether nobody can know of it any more: without its record and its supervisor nobody clears up."""
        return self.may_be_unknown or bool(self.deleted and self.supervisor_killed)

    def helpers_may_live(self) -> bool:
        """Tell whether what the command left behind may go on: nobody stopped it, and its supervisor saw its end."""
        return self.is_nobodys() or not (self.stopped or self.supervisor_killed or self.deleted)

    def written_until(self, role: str) -> int:
        """Return the time up to which what was written counts."""
        hits = [self.supervisor_killed, self.deleted]
        if role != "m":  # it is heard only as long as the child lives
            hits += [self.child_killed, self.stopped, self.notes["m"].ended_at]
        return min(filter(None, hits), default=time.monotonic_ns())

    def certain_until(self, role: str) -> int:
        """Return the time up to which all that was written has to be stored.

        What is in the kernel's terminal when a supervisor is killed goes with it: nobody else has its other end.
        """
        written = self.written_until(role)
        if not self.supervisor_killed:
            return written
        return min(written, self.notes["m"].direct_at or written) if role == "m" else 0


class Round:
    """One round: `play` returns what was wrong, each in a sentence."""

    def __init__(self, seed: str, number: int, kinds: list[str], folder: Path, new_starter: Callable[[], Starter]):
        self._random = random.Random(f"{seed}/{number}")
        self._seed = seed
        self._number = number
        self.kinds = kinds
        self._folder = folder / f"round-{number}"
        self._new_starter = new_starter
        self.happened: list[str] = []
        self.targets: list[Target] = []
        self.lost_bytes = 0
        self.bytes_lost_in_terminal = 0
        self.left: dict[int, str] = {}
        self.wrong_states: list[str] = []
        self.seconds = 0.0

    # What is started

    def _make_target(self) -> Target:
        choose = self._random
        uid = UUID(int=choose.getrandbits(128), version=4)
        folder = self._folder / uid.hex
        folder.mkdir(parents=True)
        fails = choose.random() < 0.15
        argv = [str(folder), f"--seed={choose.random()}", f"--seconds={choose.uniform(0.1, 0.8):.2f}"]
        ways = choose.choice((["line"], ["line", "halves"], ["line", "burst"], ["burst"], ["line", "os"]))
        ways = [*ways, "huge"] if choose.random() < 0.06 else ways
        helpers = [role for role in ROLES[1:] if choose.random() < 0.15]
        if helpers:  # another process may write between two halves, as on any terminal
            ways = [way.replace("halves", "line") for way in ways]
        argv += [f"--way={way}" for way in ways]
        argv += [f"--helper={role}" for role in helpers]
        argv += [f"--helper-seconds={choose.choice((0.1, 0.4, 1.5))}", f"--helper-after={choose.uniform(0, 0.5):.2f}"]
        argv += [
            word for word, share in (("--lock", 0.15), ("--deaf", 0.1), ("--draws", 0.3)) if choose.random() < share
        ]
        argv += ["--fails"] if fails else []
        return Target(uid=uid, folder=folder, argv=argv, fails=fails)

    def _say(self, what: str) -> None:
        self.happened.append(f"{(time.monotonic() - self._began) * 1000:.0f} ms: {what}")

    def _start(self, target: Target) -> None:
        runs.start_run("run_writes", target.argv, user=None, uid=target.uid, who="chaos")
        self.targets.append(target)

    # What happens

    def _kill(self, pid: int, what: str) -> int:
        """Kill a process, and return when that was begun, or 0 if it was not there."""
        now = time.monotonic_ns()
        if not pid:
            return 0
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return 0
        self._say(f"{what} {pid} is killed")
        return now

    def _kill_child(self, target: Target) -> None:
        target.child_killed = self._kill(target.child(), "child") or target.child_killed

    def _kill_supervisor(self, target: Target) -> None:
        pid = target.supervisor()
        if not pid:  # it is just being started, or is gone
            return
        target.supervisor_killed = self._kill(pid, "supervisor") or target.supervisor_killed

    def _kill_zygote(self, target: Target) -> None:
        for pid in warm_processes():
            # Those of whom it was told, and that have no supervisor yet, may be lost with it.
            orphans = [other for other in self.targets if not other.supervisor()]
            if self._kill(pid, "zygote"):
                for other in orphans:
                    other.may_be_lost = True

    def _kill_all(self, target: Target) -> None:
        events = [self._kill_child, self._kill_supervisor, self._kill_zygote]
        self._random.shuffle(events)
        for event in events:
            event(target)

    def _stop(self, target: Target) -> None:
        run = target.run()
        if run is None:
            return
        target.stopped = target.stopped or time.monotonic_ns()
        was = run.status
        now = runs.stop_run(run, user=None, who="chaos")
        self._say(f"stop of a run that was {was}, then {now}")

    def _stop_twice(self, target: Target) -> None:
        self._stop(target)
        self._stop(target)

    def _freeze(self, target: Target) -> None:
        pid = target.supervisor()
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self._say(f"supervisor {pid} is frozen")
                time.sleep(self._random.uniform(0.05, 1.5))
                os.kill(pid, signal.SIGCONT)
                self._say("and goes on")

    def _touch(self, target: Target) -> None:
        SOURCE.touch()
        self._say("a source file changes")

    def _remove_socket(self, target: Target) -> None:
        for path in options().spool_dir.glob("zygote-*.sock"):
            path.unlink()
            self._say("the socket is removed")

    def _delete(self, target: Target) -> None:
        target.supervisor()
        target.deleted = time.monotonic_ns()
        Run.objects.filter(uid=target.uid).delete()
        self._say("the record is deleted")

    def _start_more(self, target: Target) -> None:
        self._start(self._make_target())
        self._say("one more is started")

    def _nothing(self, target: Target) -> None:
        return

    # The round

    def play(self) -> list[str]:
        """Start runs, have things happen to them, and return what was wrong after all."""
        self._began = time.monotonic()
        events = {
            "none": self._nothing,
            "kill child": self._kill_child,
            "kill supervisor": self._kill_supervisor,
            "kill zygote": self._kill_zygote,
            "kill all": self._kill_all,
            "stop": self._stop,
            "stop twice": self._stop_twice,
            "freeze": self._freeze,
            "stale": self._touch,
            "no socket": self._remove_socket,
            "delete": self._delete,
            "start more": self._start_more,
        }
        kinds = list(self.kinds)
        starters = [kind for kind in kinds if kind.startswith("starter")]
        for kind in starters:
            kinds.remove(kind)
            self._start_elsewhere(kind)
        for _ in range(self._random.randint(0 if starters else 1, 1 if starters else 3)):
            self._start(self._make_target())
        self._say(f"{len(self.targets)} runs are started")
        for kind in kinds:
            time.sleep(self._random.choice((0, self._random.uniform(0, 0.1), self._random.uniform(0.05, 0.8))))
            events[kind](self._random.choice(self.targets))
        wrong = self._look()
        self.seconds = time.monotonic() - self._began
        return wrong

    def _start_elsewhere(self, kind: str) -> None:
        starter = self._new_starter()
        targets = [self._make_target() for _ in range(self._random.randint(1, 3))]
        self.targets += targets
        if kind == "starter killed":
            starter.start(targets)
            time.sleep(self._random.uniform(0, 0.12))
            starter.kill()
            self._say("the starter is killed")
            for target in targets:
                target.may_be_unknown = target.run() is None
                target.may_be_lost = not target.supervisor()
            return
        dies = kind.removeprefix("starter dies ")
        starter.start(targets[:1] if dies else targets, dies if dies in ("before", "after") else "")
        del self.targets[len(self.targets) - len(targets) + 1 :]
        starter.wait()
        starter.kill()
        self._say(f"the starter has died {dies} a submission")
        targets[0].must_be_lost = dies == "before"

    # What has to be true then

    def _look(self) -> list[str]:
        wrong = [
            *_until_right(self._states),
            *_until_right(self._processes),
            *self._outputs(),
            *_until_right(self._spools),
            *self._next_run(),
        ]
        for target in self.targets:
            for pid in processes_of(target.uid.hex, set(), target.notes):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return wrong

    def _states(self) -> list[str]:
        wrong = []
        for target in self.targets:
            target.supervisor()
            run = target.run()
            if run is None:
                if not (target.deleted or target.may_be_unknown):
                    wrong.append(f"{target.uid.hex}: there is no record")
                continue
            runs.reconcile([run])
            if run.status not in target.allowed():
                wrong.append(
                    f"{target.uid.hex}: is {run.status} ({run.reason!r}, exit code {run.exit_code}), "
                    f"right were {sorted(target.allowed())}"
                )
            elif target.allowed() == {Status.FAILED} and target.child_killed and run.exit_code != -signal.SIGKILL:
                wrong.append(f"{target.uid.hex}: exit code {run.exit_code} for a killed child")
        self.wrong_states = wrong
        return wrong

    def _processes(self) -> list[str]:
        wrong = []
        self.left = {}
        for target in self.targets:
            found = processes_of(target.uid.hex, target.supervisors, target.notes)
            if target.helpers_may_live():
                found = {pid: how for pid, how in found.items() if how[:2] not in ("s:", "d:", "f:")}
            self.left |= found
            wrong += [f"{target.uid.hex}: process {pid} is left ({how})" for pid, how in found.items()]
        return wrong

    def _outputs(self) -> list[str]:
        wrong = []
        for target in self.targets:
            run = target.run()
            if run is None:
                continue
            found = Found.read(bytes_of(run))
            for role, notes in target.notes.items():
                certain = notes.certain(target.certain_until(role))
                there = len(found.numbers[role])
                lost = notes.bytes_between(there, notes.certain(target.written_until(role)))
                if trouble := found.trouble(role, certain):
                    wrong.append(f"{target.uid.hex}: {trouble}")
                if there < certain:
                    self.lost_bytes += lost
                else:
                    self.bytes_lost_in_terminal += lost
        return wrong

    def _spools(self) -> list[str]:
        kept = [target for target in self.targets if Spool(target.uid).folder.exists()]
        return [f"{target.uid.hex}: its spool is left" for target in kept if not target.is_nobodys()]

    def _next_run(self) -> list[str]:
        run = runs.start_run("run_ends", ["well"], user=None, who="chaos")

        def state() -> list[str]:
            run.refresh_from_db()
            runs.reconcile([run])
            return [] if run.status == Status.SUCCEEDED else [f"the next run is {run.status}: {run.reason!r}"]

        return _until_right(state)

    def keep(self) -> Path:
        """Copy what there is to look at to a folder that stays, and return it."""
        kept = Path(tempfile.mkdtemp(prefix=f"launcher-chaos-{self._number}-"))
        shutil.copytree(self._folder, kept / "notes")
        ignored = shutil.ignore_patterns("*.sock", "control")
        with suppress(shutil.Error):
            shutil.copytree(options().spool_dir, kept / "spool", ignore=ignored)
        for target in self.targets:
            if run := target.run():
                (kept / f"{target.uid.hex}.output").write_bytes(bytes_of(run))
                fields = {name: str(text) for name, text in vars(run).items()}
                (kept / f"{target.uid.hex}.json").write_text(json.dumps(fields, indent=1))
        return kept

    def clear_up(self) -> None:
        """Forget the notes."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def __str__(self) -> str:
        words = [f"seed {self._seed}, round {self._number}: {', '.join(self.kinds)}"]
        words += [f"  {entry}" for entry in self.happened]
        words += [f"  {target.uid.hex}: {' '.join(target.argv[1:])}" for target in self.targets]
        return "\n".join(words)


def left_zombies(earlier: set[int]) -> list[str]:
    """Return the zombies below this process and the warm ones after the time that those take to look, less some ids."""

    def look() -> list[str]:
        found = zombies_below({os.getpid(), *warm_processes()})
        return [f"zombie {pid}: {name}" for pid, name in found.items() if pid not in earlier]

    return _until_right(look)


def _until_right(look: Callable[[], list[str]]) -> list[str]:
    """Look until nothing is wrong any more, and return what still is after the time for it."""
    end = time.monotonic() + END_SECONDS
    while True:
        try:
            wrong = look()
        except OperationalError as error:  # a command holds the lock
            wrong = [f"the database: {error}"]
        if not wrong or time.monotonic() > end:
            return wrong
        time.sleep(0.05)


KINDS = (
    "none",
    "kill child",
    "kill supervisor",
    "kill zygote",
    "kill all",
    "stop",
    "stop twice",
    "freeze",
    "stale",
    "no socket",
    "delete",
    "starter killed",
    "starter dies after",
    "starter dies before",
)
SLOW = "starter dies before"
"""It takes as long as a run may be without a process."""


def choose_kinds(seed: str, count: int) -> list[list[str]]:
    """Return what is to happen in each round: every kind as often as the others, some together with another."""
    choose = random.Random(seed)
    names = [kind for kind in KINDS if count >= 50 or kind != SLOW]
    chosen: list[list[str]] = []
    while len(chosen) < count:
        choose.shuffle(names)
        chosen += [[name] for name in names]
    more = [name for name in names if not name.startswith("starter")] + ["start more"] * 3
    for kinds in chosen:
        kinds += choose.sample(more, choose.choice((0, 0, 1, 1, 2)))
    return chosen[:count]


@contextmanager
def starters() -> Iterator[Callable[[], Starter]]:
    """Give a function that returns a starter; the next one is always getting ready meanwhile."""
    ready = [Starter()]

    def take() -> Starter:
        ready.append(Starter())
        return ready.pop(0)

    try:
        yield take
    finally:
        for starter in ready:
            starter.kill()


def table(rounds: list[Round]) -> str:
    """Return what is printed at the end: by kind of event, how often it happened and what was wrong in those rounds."""
    names = ("rounds", "wrong states", "lost bytes", "(in terminal)", "left processes")
    rows = ["".join([f"{'event':<22}", *(f"{name:>16}" for name in names)])]
    for kind in [*sorted({kind for one in rounds for kind in one.kinds}), "all"]:
        those = [one for one in rounds if kind == "all" or kind in one.kinds]
        figures = (
            len(those),
            sum(len(one.wrong_states) for one in those),
            sum(one.lost_bytes for one in those),
            sum(one.bytes_lost_in_terminal for one in those),
            sum(len(one.left) for one in those),
        )
        rows.append("".join([f"{kind:<22}", *(f"{figure:>16}" for figure in figures)]))
    runs_played = sum(len(one.targets) for one in rounds)
    rows.append(f"{runs_played} runs in {sum(one.seconds for one in rounds):.0f} s")
    return "\n".join(rows)
