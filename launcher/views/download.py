"""A run's output as a file."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Self

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _

from launcher.models import Run
from launcher.output.pattern import SearchRefusedError
from launcher.output.search import matcher
from launcher.output.selected import Choice, selected
from launcher.output.store import open_output, read_all
from launcher.output.terminal import whole_length, without_marks
from launcher.output.text import shown
from launcher.views.base import NOT_LISTED, Admin, refusal
from launcher.views.head import get_run
from launcher.views.search import query_of, refusal_said

LONGEST_LINE_BYTES = 1024 * 1024
"""More of a line is drawn in parts."""


def run_download(admin: Admin, request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send the output as a file: as text, or with `?ansi` the very bytes that were written.

    Of it all, or with `?q=` and its flags the lines that match, with `?only=errors` those of stderr.
    """
    run = get_run(admin, request, pk, without=NOT_LISTED)
    choice = Choice(query=query_of(request.GET), has_colours="ansi" in request.GET)
    pieces: Iterator[bytes] | Iterator[str]
    if choice:
        try:
            if choice.query:
                matcher(choice.query).close()  # while there still is a page to say it on
        except SearchRefusedError as error:
            return refusal(admin, request, status=400, title=_("No search"), message=refusal_said(error))
        pieces = _selected(run, choice)
    else:
        raw = without_marks(read_all(open_output(run)))
        pieces = raw if choice.has_colours else plain_pieces(raw)
    response = text_response(request, pieces)
    name = get_valid_filename(f"{run.command}-{run.pk}{'-part' if choice else ''}.txt")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def text_response(request: HttpRequest, pieces: Iterator[bytes] | Iterator[str]) -> StreamingHttpResponse:
    """Return an answer of plain text, sent piece by piece."""
    content = AsyncPieces(pieces) if isinstance(request, ASGIRequest) else pieces
    response = StreamingHttpResponse(content, content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Accel-Buffering"] = "no"  # a proxy need not collect a gigabyte before it passes on the first byte
    return response


def _selected(run: Run, choice: Choice) -> Iterator[bytes]:
    try:
        yield from selected(open_output(run), choice, is_finished=run.is_finished)
    except SearchRefusedError as error:
        yield f"… {refusal_said(error)} …\n".encode()


class AsyncPieces:
    """Pieces for ASGI, where Django would collect an ordinary iterator's before it sends the first.

    Each is fetched in the request's own thread, and `close`, which the response calls there, waits its turn.
    """

    def __init__(self, pieces: Iterator[bytes] | Iterator[str]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes | str:
        piece = await sync_to_async(self._next)()
        if piece is None:
            raise StopAsyncIteration
        return piece

    def _next(self) -> bytes | str | None:
        return next(self._pieces, None)

    def close(self) -> None:
        if isinstance(self._pieces, Generator):
            self._pieces.close()


def plain_pieces(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield what pieces of an output show, without escapes."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        end = data.rfind(b"\n") + 1
        if not end and len(data) > LONGEST_LINE_BYTES:
            end = whole_length(data)
        rest = data[end:]
        if end:
            yield _text(data[:end])
    if rest:
        yield _text(rest)


def _text(data: bytes) -> str:
    return shown(data).decode("utf-8", "replace")
