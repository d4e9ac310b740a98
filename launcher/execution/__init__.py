"""One run on one machine, whoever asked: `python -m launcher.execution` is its supervisor and forks the child."""
