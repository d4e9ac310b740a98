"""Reads the HTML of lines as a browser would, and refuses whatever is not ours."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_CLASS = re.compile(r"ansi-(?:bold|dim|italic|underline|strike|reverse|[fb]g-\d{1,3})")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_ADDRESS = re.compile(r"(?:https?://|mailto:)[!-~]{1,2000}", re.IGNORECASE)


class Reader(HTMLParser):
    """Collects text, classes, other attributes of spans, and links; raises AssertionError for any other markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.classes: list[str] = []
        self.colours: list[tuple[str, str]] = []
        self.links: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        assert len(found) == len(attrs)
        if tag == "a":
            assert not self._open
            assert list(found) == ["href", "rel", "target"]
            assert (found["rel"], found["target"]) == ("noopener noreferrer nofollow", "_blank")
            assert _ADDRESS.fullmatch(found["href"]), found["href"]
            self.links.append(found["href"])
        else:
            assert tag == "span"
            assert "span" not in self._open
            names = found.pop("class").split(" ")
            assert all(_CLASS.fullmatch(name) for name in names), names
            self.classes += names
            assert all(name in ("data-fg", "data-bg") and _COLOUR.fullmatch(value) for name, value in found.items())
            self.colours += found.items()
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    def close(self) -> None:
        super().close()
        assert not self._open


def read(html: str) -> Reader:
    """Return what is in the HTML."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader
