"""Launcher: every management command of a Django project, in its admin."""

__version__ = "0.1.0"
