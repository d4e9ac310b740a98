"""Can't be imported: a SyntaxError. Its cause is compiled, so that linters can read the rest."""

exec("def handle(:")  # noqa: S102
