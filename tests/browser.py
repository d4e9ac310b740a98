"""What a browser sends for a form as it stands, by the rules of HTML: the way from a page back to a POST."""

import re
from html.parser import HTMLParser
from typing import Any

from django.http import QueryDict

# https://html.spec.whatwg.org/#value-sanitization-algorithm: what an input of that type can't hold, it drops.
_VALID = {
    "number": re.compile(r"-?(\d+(\.\d+)?|\.\d+)([eE][-+]?\d+)?"),
    "date": re.compile(r"\d{4,}-\d{2}-\d{2}"),
    "time": re.compile(r"\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?"),
    "datetime-local": re.compile(r"\d{4,}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?"),
}
_ONE_LINE = ("text", "search", "password", "hidden")


class FormData(HTMLParser):
    """Collects the pairs that a browser would send for the form of that id, or for all fields of a page."""

    def __init__(self, page: str, form_id: str = "") -> None:
        super().__init__(convert_charrefs=True)
        self.pairs: list[tuple[str, str]] = []
        self._form_id = form_id
        self._is_inside = not form_id
        self._inert = 0  # depth in <template> and <noscript>
        self._area: list[Any] | None = None
        self._select: list[Any] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found: dict[str, str | None] = dict(attrs)
        if tag in ("template", "noscript"):
            self._inert += 1
        if tag == "form" and self._form_id:
            self._is_inside = found.get("id") == self._form_id
        if self._inert or not self._is_inside or "disabled" in found:
            return
        if tag == "input":
            self._input(found)
        elif tag == "textarea":
            self._area = [found.get("name"), ""]
        elif tag == "select":
            self._select = [found.get("name"), "multiple" in found, []]
        elif tag == "option" and self._select is not None:
            self._select[2].append((found.get("value") or "", "selected" in found))

    def _input(self, found: dict[str, str | None]) -> None:
        name, kind, value = found.get("name"), found.get("type") or "text", found.get("value")
        if not name or kind in ("submit", "button", "image", "reset", "file"):
            return
        if kind in ("checkbox", "radio"):
            if "checked" in found:
                self.pairs.append((name, "on" if value is None else value))
            return
        text = value or ""
        if kind in _ONE_LINE:
            text = text.replace("\r", "").replace("\n", "")
        elif kind in _VALID and not _VALID[kind].fullmatch(text):
            text = ""
        self.pairs.append((name, text))

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area[1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("template", "noscript"):
            self._inert -= 1
        elif tag == "form" and self._form_id:
            self._is_inside = False
        elif tag == "textarea" and self._area is not None:
            name, text = self._area
            text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\n")
            self.pairs.append((name, text.replace("\n", "\r\n")))
            self._area = None
        elif tag == "select" and self._select is not None:
            name, is_multiple, options = self._select
            chosen = [value for value, is_selected in options if is_selected]
            if not is_multiple:
                chosen = chosen[-1:] or [value for value, _ in options[:1]]
            self.pairs += [(name, value) for value in chosen]
            self._select = None

    @property
    def post(self) -> QueryDict:
        """Return it as Django gets it."""
        data = QueryDict(mutable=True)
        for name, value in self.pairs:
            data.appendlist(name, value)
        return data
