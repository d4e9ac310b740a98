"""Measurements: every figure that the documentation gives, as a command that prints it (`make bench`)."""
