"""Programs that search for inputs which break what must never break."""
