"""Writes static/launcher/ansi.css: a class for each colour of the 256-colour palette, and the text attributes.

The 16 basic colours are chosen for contrast on the admin's light and dark backgrounds; the others are xterm's.
`--check` fails if the shipped file differs.
"""

import sys
from pathlib import Path

TARGET = Path(__file__).parent.parent / "static" / "launcher" / "ansi.css"
# black red green yellow blue magenta cyan white, then the bright ones
LIGHT = [
    "#1f2328",
    "#b3261e",
    "#166b2e",
    "#7a5200",
    "#1b57c2",
    "#8a2fa8",
    "#0b6675",
    "#5d636b",
    "#4a5058",
    "#c6322a",
    "#1d7a37",
    "#855a00",
    "#2563d4",
    "#9a3bb8",
    "#0d7182",
    "#24292f",
]
DARK = [
    "#a3abb5",
    "#ff7b72",
    "#56d364",
    "#e3b341",
    "#79b8ff",
    "#d2a8ff",
    "#56d4dd",
    "#e6edf3",
    "#b6bec8",
    "#ffa198",
    "#7ee787",
    "#f2cc60",
    "#a5d0ff",
    "#e2c5ff",
    "#8be9f0",
    "#ffffff",
]
LEVELS = (0, 95, 135, 175, 215, 255)


def palette() -> list[tuple[int, str]]:
    """Return index and colour of all but the basic 16: the 6x6x6 cube and the grey ramp."""
    cube = [(red, green, blue) for red in LEVELS for green in LEVELS for blue in LEVELS]
    ramp = [(8 + 10 * step,) * 3 for step in range(24)]
    return [(16 + index, "#{:02x}{:02x}{:02x}".format(*colour)) for index, colour in enumerate([*cube, *ramp])]


def basic(colours: list[str], indent: str = "  ") -> str:
    """Return the custom properties of the basic colours."""
    return "\n".join(f"{indent}--ansi-{index}: {colour};" for index, colour in enumerate(colours))


def css() -> str:
    """Return the whole stylesheet."""
    dark = basic(DARK)
    parts = [
        "/* Written by tools/make_ansi_css.py. */",
        f":root {{\n{basic(LIGHT)}\n}}",
        f"@media (prefers-color-scheme: dark) {{\n  :root {{\n{basic(DARK, '    ')}\n  }}\n}}",
        f'html[data-theme="dark"] {{\n{dark}\n}}',
        f'html[data-theme="light"] {{\n{basic(LIGHT)}\n}}',
        ".ansi-bold { font-weight: 700; }\n.ansi-dim { opacity: 0.75; }\n.ansi-italic { font-style: italic; }",
        ".ansi-underline { text-decoration: underline; }\n.ansi-strike { text-decoration: line-through; }",
        ".ansi-underline.ansi-strike { text-decoration: underline line-through; }",
    ]
    for index in range(16):
        parts.append(f".ansi-fg-{index} {{ color: var(--ansi-{index}); }}")
        parts.append(f".ansi-bg-{index} {{ background-color: var(--ansi-{index}); color: var(--body-bg, #fff); }}")
    for index, colour in palette():
        parts.append(f".ansi-fg-{index} {{ color: {colour}; }}")
        parts.append(f".ansi-bg-{index} {{ background-color: {colour}; }}")
    for index in range(16):  # text on a coloured ground, where both were said
        parts.append(f".ansi-fg-{index}[class*='ansi-bg-'] {{ color: var(--ansi-{index}); }}")
    parts.append(".ansi-reverse { color: var(--body-bg, #fff); background-color: var(--body-fg, #333); }")
    parts.append(
        "@media (forced-colors: active) {\n  [class*='ansi-'] { color: CanvasText; background-color: Canvas; }\n}"
    )
    return "\n".join(parts) + "\n"


def main() -> int:
    """Write the file, or compare it."""
    if "--check" in sys.argv:
        same = TARGET.read_text() == css()
        print("ansi.css is up to date." if same else "ansi.css differs: run python -m tools.make_ansi_css")
        return 0 if same else 1
    TARGET.write_text(css())
    return 0


if __name__ == "__main__":
    sys.exit(main())
