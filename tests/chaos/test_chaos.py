"""Whatever is killed, stopped, frozen or removed: every run gets its true end, keeps its output and leaves nothing.

LAUNCHER_CHAOS_SEED and LAUNCHER_CHAOS_ROUNDS choose what happens and how often; LAUNCHER_CHAOS_ONLY plays one round.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.rounds import ROUNDS, SEED, Round, choose_kinds, left_zombies, starters, table
from tests.chaos.seen import zombies_below

pytestmark = pytest.mark.django_db(transaction=True)

ONLY = os.environ.get("LAUNCHER_CHAOS_ONLY")


def test_every_run_ends_right_whatever_happens(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("LAUNCHER_TEST_STOP_GRACE_SECONDS", "0.5")
    played: list[Round] = []
    trouble: list[str] = []
    earlier = set(zombies_below({os.getpid()}))  # another test's
    with starters() as new_starter:
        for number, kinds in enumerate(choose_kinds(SEED, ROUNDS)):
            if ONLY not in (None, str(number)):
                continue
            one = Round(SEED, number, kinds, tmp_path, new_starter)
            played.append(one)
            if wrong := one.play():
                found = [f"  wrong: {sentence}" for sentence in wrong]
                trouble.append("\n".join([str(one), *found, f"  kept: {one.keep()}"]))
                with capsys.disabled():
                    print(f"\n{trouble[-1]}")
            one.clear_up()
        trouble += left_zombies(earlier)
    with capsys.disabled():
        print(f"\nLAUNCHER_CHAOS_SEED={SEED}\n{table(played)}")
    assert not trouble, "\n\n".join(trouble)
