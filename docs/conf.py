"""Sphinx configuration: the pages are Markdown, the version is the package's."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from launcher import __version__

project = "Launcher"
copyright = "2026, the Launcher authors"
author = "the Launcher authors"
release = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "furo"
html_title = f"Launcher {release}"
