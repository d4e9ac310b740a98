"""Progress bars: those that tqdm, rich, pip and click really drew are read, and whatever else holds figures is none."""

import random
import time
from pathlib import Path

import pytest

from launcher.output.bars import Bar, LastLines, bar_of

RECORDINGS = Path(__file__).parent.parent / "recordings" / "bars"
"""What each wrote to a terminal of 120 columns, byte by byte."""


def bars_in(name: str, *, seed: int = 1) -> list[Bar]:
    """Return the bars that are seen in a recording, looked at after each few redraws."""
    chance = random.Random(seed)
    text = (RECORDINGS / f"{name}.txt").read_bytes().decode()
    lines, found = LastLines(), []
    while text:
        size = chance.randrange(400, 1200)
        end = min((place for place in (text.find("\r", size), text.find("\n", size)) if place >= 0), default=len(text))
        lines.feed(text[:end])
        text = text[end:]
        if bar := lines.bar():
            found.append(bar)
    return found


def test_tqdm_says_all_there_is_to_say() -> None:
    first, *_, last = bars_in("tqdm")
    assert (first.label, first.total, first.unit) == ("Rows", 30, "")
    assert first.rate is not None
    assert (last.done, last.percent, last.is_full) == (30, 100, True)


def test_of_nested_bars_the_outer_one_counts() -> None:
    assert {bar.label for bar in bars_in("tqdm-nested")} == {"Files"}
    assert [bar.done for bar in bars_in("tqdm-nested")][-1] == 3
    outer = [bar for bar in bars_in("rich") if bar.label in ("Outer", "Inner")]
    assert {bar.label for bar in outer[:-1]} == {"Outer"}


def test_units_and_their_multiples_are_understood() -> None:
    bars = bars_in("tqdm-units")
    sizes = [bar for bar in bars if bar.label == "big.csv"]
    assert {(bar.total, bar.unit) for bar in sizes} == {(5_000_000, "B")}
    endless = [bar for bar in bars if bar.unit == "rows"]
    assert endless
    assert {(bar.total, bar.percent) for bar in endless} == {(None, None)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["tqdm", "tqdm-nested", "tqdm-units", "rich", "rich-columns", "click", "pip-23.2"])
def test_each_goes_on_to_its_end_however_it_is_cut(name: str, seed: int) -> None:
    bars = bars_in(name, seed=seed)
    assert len(bars) >= 2
    assert bars[0].percent != 100
    assert bars[-1].percent == 100


def test_columns_of_richs_are_told_apart() -> None:
    bars = {bar.label: bar for bar in bars_in("rich-columns") if bar.percent and bar.percent < 100}
    assert (bars["Copy"].total, bars["Copy"].left_seconds) == (1200, None)
    assert (bars["fetch"].total, bars["fetch"].unit, bars["fetch"].left_seconds) == (50, "MB", 1)
    assert bars["fetch"].rate


def test_pip_and_click() -> None:
    first = bars_in("pip-26.3")[0]
    assert (first.total, first.unit, first.left_seconds) == (12, "MB", 2)
    assert {bar.label for bar in bars_in("click")} == {"Importing", "Rows", "T"}
    assert {bar.total for bar in bars_in("click") if bar.label == "Rows"} == {300}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  3%|▎  | 3/100 [00:03<?, ?it/s]", Bar(percent=3, done=3, total=100)),
        (
            "Epoch: 50%|█████     | 5/10 [01:00<1:01:00, 12.00s/it, loss=0.3, lr=1e-4]",
            Bar(label="Epoch", percent=50, done=5, total=10, rate=1 / 12, left_seconds=3660),
        ),
        ("1234it [00:10, 56.0it/s]", Bar(done=1234, rate=56)),
        ("Importing  [####----]   55%  1d 00:00:01", Bar(label="Importing", percent=55, left_seconds=86401)),
        ("██████████░░░░░░░░░░  50 %  2020-01-01", Bar(percent=50)),
        ("123/500 ━━━━━━━━━━━━━━━ 4s 12ms/step - loss: 0.3", Bar(percent=24.6, done=123, total=500)),
        ("file.bin  42%[=======>         ] 1.2M 3.1MB/s", Bar(label="file.bin", percent=42)),
    ],
)
def test_other_bars(line: str, expected: Bar) -> None:
    assert bar_of(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "50% done",
        "Imported 3/10 files (30%)",
        "[INFO] 50% of the rows are wrong [see above]",
        "[----------] no percentage, 3 of 10",
        "[##########] 20%",
        "┏━━━━━━━━━━━━┳━━━━━━━━━━━━┓ 50%",
        "━━━━━━━━━━━━━ 50% of the tests ━━━━━━━━━━━━━",
        "━━━━━━━━━━━━━ Coverage: 50%",
        "==================== 3 passed, 50% in 1.2s ====================",
        "────────────────────── 50%",
        "| name       | share |",
        "| ---------- | 50%   |",
        '127.0.0.1 - - [28/Nov/2026 10:00:00] "GET /a/b HTTP/1.1" 200 100% [00:01, 1/s',
        "12:00:01 rows 100 [0.1]",
        "████████████████ 250%",
        "███████████████ 12/10",
        "███████████████ 1/0",
        "███████████████ 1.2.3/10",
        "  3%|▎  | 30/10 [00:03<00:01, 1it/s]",
        "█" * 600 + " 50%",
    ],
)
def test_what_is_no_bar(line: str) -> None:
    assert bar_of(line) is None


def test_bars_that_were_left_above_do_not_count() -> None:
    lines = LastLines()
    lines.feed("One:  30%|███       | 3/10 [00:03<00:07, 1.00it/s]\n")
    lines.feed("\rTwo:  10%|█         | 1/10 [00:01<00:09, 1.00it/s]")
    bar = lines.bar()
    assert bar is not None
    assert bar.label == "Two"
    lines.feed("\nsomething else\n")
    assert lines.bar() is None
    assert lines.last_text() == "something else"


def test_a_bar_that_became_full_before_other_lines_is_full() -> None:
    lines = LastLines()
    lines.feed("\r[####----] 50%")
    assert lines.bar() == Bar(percent=50)
    lines.feed("\r[########] 100%\nDone.\nMore.\n")
    assert lines.bar() == Bar(percent=100)


def test_garbage_is_read_in_no_time() -> None:
    chance = random.Random(1)
    parts = [
        "%|",
        "1",
        "/",
        "[",
        "]",
        " ",
        "0:00",
        "█" * 9,
        "\x1b[3A",
        "\x1b[K",
        "\x1b[999999999999D",
        "\n",
        "\r",
        "\b",
    ]
    started = time.perf_counter()
    for _ in range(200):
        lines = LastLines()
        lines.feed("".join(chance.choices(parts, k=400)))
        lines.bar()
        lines.last_text()
    for line in (" " * 490 + "/]", "1" * 490 + "%/]", "1/" * 240 + "%]", "1 1/ [" * 80 + "]", "0:00" * 120 + "/]%"):
        bar_of(line)
    assert time.perf_counter() - started < 3
