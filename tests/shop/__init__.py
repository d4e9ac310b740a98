"""Tests of the demo project and its shop."""
