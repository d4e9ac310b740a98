"""Types for the commands' arguments: text in, value out, or an `ArgumentTypeError` that says what would be right."""

from argparse import ArgumentTypeError

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

_DELIMITER_WORDS = {"comma": ",", "semicolon": ";", "\t": "tab", "\\t": "tab", "pipe": "|"}


def non_negative_int(text: str) -> int:
    """A whole number of 0 or more."""
    try:
        number = int(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a whole number") from None
    if number < 0:
        raise ArgumentTypeError(f"{number} is negative; give 0 or more")
    return number


def email_address(text: str) -> str:
    """One e-mail address, without a name."""
    try:
        validate_email(text)
    except ValidationError:
        raise ArgumentTypeError(f"{text!r} is not an e-mail address") from None
    return text


def one_line(text: str) -> str:
    """Text without a line break: a mail header can hold no other."""
    if "\n" in text or "\r" in text:
        raise ArgumentTypeError("must be one line")
    return text


def delimiter(text: str) -> str:
    """A CSV delimiter by its sign or its word: `;` and `semicolon` are the same. A tab is the word `tab`."""
    return _DELIMITER_WORDS.get(text, text)


def text_encoding(text: str) -> str:
    """The name of an encoding that Python can read text with."""
    try:
        "".encode(text)
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        raise ArgumentTypeError(f"{text!r} is not a text encoding") from None
    return text
