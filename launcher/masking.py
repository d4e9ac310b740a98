"""Hiding secrets in texts that are kept or shown. One rule for all of them, so that none is forgotten somewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable

MASK = "********"


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return the text with every secret masked, as it is and as Python's `repr` and JSON quote it in messages."""
    spelled = {form for secret in secrets for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]) if form}
    for form in sorted(spelled, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text
