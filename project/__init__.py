"""The demo project: a small shop with Launcher in its admin. Nothing here is part of the wheel."""
