"""A browser of a few lines, for a site in another environment: cookies, redirects, forms sent as they were rendered."""

import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar


@dataclass(kw_only=True)
class Form:
    """One form of a page: where it goes and what an untouched one would send."""

    id: str
    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Page:
    url: str
    status: int
    text: str

    @property
    def post_form(self) -> Form:
        """The page's own form: the first that posts and is not the admin header's logout."""
        parser = FormParser()
        parser.feed(self.text)
        return next(form for form in parser.forms if form.method == "post" and form.id != "logout-form")


class WebClient:
    """Raises urllib.error.HTTPError for answers of 400 and above."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def get(self, path: str) -> Page:
        return self._open(urllib.request.Request(urllib.parse.urljoin(self.base_url, path)))

    def submit(self, page: Page, **changes: str) -> Page:
        """Send the page's form with the given fields changed, all others as rendered, and follow redirects."""
        form = page.post_form
        fields = [(name, value) for name, value in form.fields if name not in changes] + list(changes.items())
        url = urllib.parse.urljoin(page.url, form.action)
        return self._open(urllib.request.Request(url, urllib.parse.urlencode(fields).encode()))

    def _open(self, request: urllib.request.Request) -> Page:
        with self._opener.open(request, timeout=60) as response:
            return Page(url=response.url, status=response.status, text=response.read().decode())


class FormParser(HTMLParser):
    """Collects the forms of a page with the values that a browser would send if somebody just pressed Enter."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select: tuple[str, bool, list[tuple[str, bool]]] | None = None
        self._textarea: tuple[str, list[str]] | None = None
        self._has_submit = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self._form = Form(
                id=given.get("id", ""), method=given.get("method", "get").lower(), action=given.get("action", "")
            )
            self._has_submit = False
            self.forms.append(self._form)
        elif tag == "option" and self._select:
            self._select[2].append((given.get("value", ""), "selected" in given))
        elif "disabled" in given:
            return
        elif tag in ("input", "button"):
            self._add_input(name, given.get("type", "text" if tag == "input" else "submit").lower(), given)
        elif tag == "select" and name:
            self._select = (name, "multiple" in given, [])
        elif tag == "textarea" and name:
            self._textarea = (name, [])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._textarea[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select" and self._select:
            name, is_multiple, options = self._select
            chosen = [value for value, is_selected in options if is_selected]
            if not chosen and options and not is_multiple:
                chosen = [options[0][0]]
            for value in chosen:
                self._add(name, value)
            self._select = None
        elif tag == "textarea" and self._textarea:
            name, parts = self._textarea
            self._add(name, "".join(parts).removeprefix("\n"))  # HTML drops one newline after the tag
            self._textarea = None

    def _add_input(self, name: str, kind: str, given: dict[str, str]) -> None:
        if kind == "submit":
            # Enter presses the first submit button, and its name and value are sent too.
            if name and not self._has_submit:
                self._add(name, given.get("value", ""))
            self._has_submit = True
        elif kind in ("checkbox", "radio"):
            if name and "checked" in given:
                self._add(name, given.get("value", "on"))
        elif name and kind not in ("button", "reset", "image", "file"):
            self._add(name, given.get("value", ""))

    def _add(self, name: str, value: str) -> None:
        if self._form is not None:
            self._form.fields.append((name, value))
