"""Writes static/launcher/ansi.css: a class for each colour of the 256-colour palette, and the text attributes.

The 16 basic colours are chosen for contrast on the admin's light and dark backgrounds; where a program sets text and
background, both are a terminal's own, since its author chose the pair. The other 240 colours are xterm's.
`--check` fails if the shipped file differs.
"""

import sys
from pathlib import Path

TARGET = Path(__file__).parent.parent / "static" / "launcher" / "ansi.css"
# Black, red, green, yellow, blue, magenta, cyan, white, then the bright ones.
LIGHT = (
    "#1f2328 #b3261e #166b2e #7a5200 #1b57c2 #8a2fa8 #0b6675 #5d636b "
    "#4a5058 #c6322a #1d7a37 #855a00 #2563d4 #9a3bb8 #0d7182 #24292f"
)
DARK = (
    "#a3abb5 #ff7b72 #56d364 #e3b341 #79b8ff #d2a8ff #56d4dd #e6edf3 "
    "#b6bec8 #ffa198 #7ee787 #f2cc60 #a5d0ff #e2c5ff #8be9f0 #ffffff"
)
PAIRED = (
    "#000000 #cd0000 #00cd00 #cdcd00 #0000ee #cd00cd #00cdcd #e5e5e5 "
    "#7f7f7f #ff0000 #00ff00 #ffff00 #5c5cff #ff00ff #00ffff #ffffff"
)
LEVELS = (0, 95, 135, 175, 215, 255)

HEAD = """\
/* Written by tools/make_ansi_css.py. */
:root, html[data-theme="light"] {{ {light} }}
@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
html[data-theme="dark"] {{ {dark} }}
[class*="ansi-fg-"][class*="ansi-bg-"] {{ {paired} }}
.ansi-bold {{ font-weight: 700; }}
.ansi-dim {{ opacity: 0.75; }}
.ansi-italic {{ font-style: italic; }}
.ansi-underline {{ text-decoration: underline; }}
.ansi-strike {{ text-decoration: line-through; }}
.ansi-underline.ansi-strike {{ text-decoration: underline line-through; }}
.ansi-reverse {{ background: var(--body-fg, #333); color: var(--body-bg, #fff); }}
"""


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.1)."""
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.1)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def palette() -> list[tuple[int, str]]:
    """Return index and colour of all but the basic 16: the 6x6x6 cube and the grey ramp."""
    cube = [(red, green, blue) for red in LEVELS for green in LEVELS for blue in LEVELS]
    ramp = [(8 + 10 * step,) * 3 for step in range(24)]
    return [(16 + index, "#{:02x}{:02x}{:02x}".format(*colour)) for index, colour in enumerate([*cube, *ramp])]


def text_on(ground: str) -> str:
    """Return black or white, whichever reads better on a ground."""
    return "#000" if contrast(ground, "#000000") > contrast(ground, "#ffffff") else "#fff"


def css() -> str:
    """Return the whole stylesheet. Text colours come last: they win over what a background says about its text."""
    sets = {"light": LIGHT, "dark": DARK, "paired": PAIRED}
    variables = {
        name: " ".join(f"--ansi-{index}: {colour};" for index, colour in enumerate(colours.split()))
        for name, colours in sets.items()
    }
    named = [(index, f"var(--ansi-{index})", "var(--body-bg, #fff)") for index in range(16)]
    colours = [*named, *((index, colour, text_on(colour)) for index, colour in palette())]
    rules = [f".ansi-bg-{index} {{ background: {colour}; color: {text}; }}" for index, colour, text in colours]
    rules += [f".ansi-fg-{index} {{ color: {colour}; }}" for index, colour, _ in colours]
    return HEAD.format(**variables) + "\n".join(rules) + "\n"


def main() -> int:
    """Write the file, or compare it."""
    if "--check" in sys.argv:
        is_same = TARGET.read_text() == css()
        print("ansi.css is up to date." if is_same else "ansi.css differs: run python -m tools.make_ansi_css")
        return 0 if is_same else 1
    TARGET.write_text(css())
    return 0


if __name__ == "__main__":
    sys.exit(main())
