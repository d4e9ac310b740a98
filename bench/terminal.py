"""What drawing output costs: from bytes to styled lines, and from those to HTML, beside ansi2html, rich and pyte.

All get the same bytes, a log without colours and one with four coloured words in each line, in turns and in one
process without Django. Launcher draws them in windows of 256 KB, as pages read them: to styled lines (`draw_lines`), to
rows with their numbers and times (`lines_rows`), to HTML (`rows_html`), and by a screen, as output is that moves the
cursor up. rich makes texts of lines, pyte feeds a screen of the same size which keeps none that scroll off, ansi2html
writes HTML. They do not do the same, and each does something that another does not.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec

from launcher.output.pen import COLUMNS, ROWS
from launcher.output.rows import Cursor, Row, lines_rows
from launcher.output.rows_html import rows_html
from launcher.output.screen import Screen
from launcher.output.terminal import PLAIN, Span, draw_line, draw_lines

ROUNDS = 7
LINES = 12_000
SLOW_LINES = 1_500
"""Of them for what takes a second for a megabyte, so that a round ends; speeds are per byte."""
WINDOW_BYTES = 256 * 1024
PAGE_LINES = 200
PLAIN_TARGET_MB = 100.0
COLOURED_TARGET_MB = 15.0
PAGE_TARGET_SECONDS = 0.003
OTHERS = ("ansi2html", "rich", "pyte")


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A way to draw a log, and how long each round took."""

    title: str
    draw: Callable[[bytes], None]
    is_slow: bool = False
    target: float | None = None
    """MB/s, at least."""
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    """Draw both logs in turns, compare, and print."""
    print(
        f"{LINES:,} lines, medians of {ROUNDS} with their ranges; Python {platform.python_version()}, "
        f"{platform.system()}, {os.cpu_count()} cores with a load of {os.getloadavg()[0]:.1f}"
    )
    for name in OTHERS:
        if find_spec(name) is None:
            print(f"NOTE: {name} is not installed here (requirements/bench.txt), so it is not measured")
    _check()
    _measure("plain", plain_log(LINES), PLAIN_TARGET_MB)
    _measure("coloured", coloured_log(LINES), COLOURED_TARGET_MB)
    _measure_page()


def plain_log(lines: int) -> bytes:
    """Return a log of lines of some 100 bytes."""
    return b"".join(
        b"2026-02-03 12:%02d:%02d,%03d INFO shop.orders: order %d of 3 articles was sent to warehouse %d in %d ms\n"
        % (number // 60 % 60, number % 60, number % 1000, number, number % 7, number % 911)
        for number in range(lines)
    )


def coloured_log(lines: int) -> bytes:
    """Return the same with colours: eight sequences in each line."""
    return b"".join(
        b"\x1b[90m2026-02-03 12:%02d:%02d,%03d\x1b[0m \x1b[32mINFO\x1b[0m \x1b[1;34mshop.orders\x1b[0m: order "
        b"\x1b[36m%d\x1b[0m of 3 articles was sent to warehouse %d in %d ms\n"
        % (number // 60 % 60, number % 60, number % 1000, number, number % 7, number % 911)
        for number in range(lines)
    )


def _measure(title: str, data: bytes, target: float) -> None:
    cut = len(data) // LINES * SLOW_LINES
    few = data[: data.rfind(b"\n", 0, cut) + 1]
    measures = list(_measures(target))
    for measure in measures:  # not counted: fills caches
        measure.draw(few)
    for _ in range(ROUNDS):
        for measure in measures:
            part = few if measure.is_slow else data
            started = time.perf_counter()
            measure.draw(part)
            measure.seconds.append((time.perf_counter() - started) / len(part))
    print(f"{title} lines, {len(data) / LINES:.0f} bytes each")
    own = statistics.median(measures[0].seconds)
    for measure in measures:
        speeds = sorted(1 / (seconds * 1e6) for seconds in measure.seconds)
        text = f"  {measure.title:<34}{statistics.median(speeds):8.1f} MB/s ({speeds[0]:.1f} to {speeds[-1]:.1f})"
        text += f", time / draw_lines {statistics.median(measure.seconds) / own:8.2f}"
        if measure.target is not None:
            text += f"  [target: at least {measure.target:.0f} MB/s]"
        print(text, flush=True)


def _measures(target: float) -> Iterator[Measure]:
    yield Measure(title="draw_lines", draw=_by_window, target=target)
    yield Measure(title="rows of a page", draw=_to_rows)
    yield Measure(title="rows of a page, and their HTML", draw=_to_html)
    yield Measure(title="Screen.feed", draw=_by_screen, is_slow=True)
    if find_spec("rich") is not None:
        yield Measure(title="rich, Text.from_ansi", draw=_by_rich, is_slow=True)
    if find_spec("pyte") is not None:
        yield Measure(title="pyte, ByteStream.feed", draw=_by_pyte, is_slow=True)
    if find_spec("ansi2html") is not None:
        yield Measure(title="ansi2html, to HTML", draw=_by_ansi2html, is_slow=True)


def _windows(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + WINDOW_BYTES) + 1
        yield data[start:end]
        start = end


def _by_window(data: bytes) -> None:
    style = PLAIN
    for window in _windows(data):
        _, style = draw_lines(window, style)


def _to_rows(data: bytes) -> None:
    cursor = Cursor()
    for window in _windows(data):
        _, cursor = lines_rows(window, cursor, [(cursor.mark.offset, 0.0)])


def _to_html(data: bytes) -> None:
    cursor = Cursor()
    for window in _windows(data):
        rows, cursor = lines_rows(window, cursor, [(cursor.mark.offset, 0.0)])
        _page(rows)


def _page(rows: list[Row]) -> str:
    return rows_html(rows, line_label="Line %d", cut_label=str)


def _by_screen(data: bytes) -> None:
    screen = Screen()
    for window in _windows(data):
        screen.feed(window)
        screen.take_settled()


def _by_rich(data: bytes) -> None:
    from rich.text import Text

    for window in _windows(data):
        Text.from_ansi(window.decode())


def _by_pyte(data: bytes) -> None:
    import pyte

    screen = pyte.Screen(COLUMNS, ROWS)
    screen.set_mode(pyte.modes.LNM)
    stream = pyte.ByteStream(screen)
    for window in _windows(data):
        stream.feed(window)


def _by_ansi2html(data: bytes) -> None:
    from ansi2html import Ansi2HTMLConverter

    converter = Ansi2HTMLConverter()
    for window in _windows(data):
        converter.convert(window.decode(), full=False)


def _check() -> None:
    """Assert that lines are the same by all of our ways, and that nothing of them is lost."""
    data = coloured_log(30)
    lines, style = draw_lines(data, PLAIN)
    assert style == PLAIN
    assert lines == [draw_line(line, PLAIN)[0] for line in data.splitlines()]
    assert lines == [list(row.spans) for row in lines_rows(data, Cursor(), [])[0]]
    screen = Screen()
    screen.feed(data)
    assert lines == [list(line.spans) for line in screen.lines()]
    assert [_text(spans) for spans in lines] == plain_log(30).decode().splitlines()


def _text(spans: list[Span]) -> str:
    return "".join(text for text, _ in spans)


def _measure_page() -> None:
    rows, _ = lines_rows(coloured_log(PAGE_LINES), Cursor(), [(0, 0.0)])
    seconds = []
    for _ in range(ROUNDS * 7):
        started = time.perf_counter()
        html = _page(rows)
        seconds.append(time.perf_counter() - started)
    assert html.count("<span") == 4 * PAGE_LINES
    print(
        f"HTML of {PAGE_LINES} coloured lines {1000 * statistics.median(seconds):.2f} ms "
        f"({1000 * min(seconds):.2f} to {1000 * max(seconds):.2f})  "
        f"[target: at most {1000 * PAGE_TARGET_SECONDS:.0f} ms]"
    )


if __name__ == "__main__":
    main()
