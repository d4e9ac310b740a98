"""Secrets are masked however a message spells them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from launcher.masking import MASK, mask


def test_a_secret_is_masked_wherever_it_stands() -> None:
    assert mask("password hunter2, again: hunter2", ["hunter2"]) == f"password {MASK}, again: {MASK}"


def test_a_secret_that_holds_another_is_masked_whole() -> None:
    assert mask("abcdef", ["abc", "abcdef"]) == MASK


def test_an_empty_secret_masks_nothing() -> None:
    assert mask("text", [""]) == "text"


@given(st.text(min_size=6))
def test_python_and_json_spellings_are_masked_too(secret: str) -> None:
    for spelled in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]):
        assert mask(f"<{spelled}>", [secret]) == f"<{MASK}>"
