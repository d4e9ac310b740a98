"""Can be imported, but has no Command."""
