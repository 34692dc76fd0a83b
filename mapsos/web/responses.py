"""Build the HTTP response of an answer: its headers, its entity tag, its compression, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from mapsos.web.compression import compress_response
from mapsos.web.downloads import write_disposition
from mapsos.web.entity_tags import tag_response
from mapsos.web.messages import Chunk, Request, Response, close_body, is_over_http, read_condition


class Facts(Protocol):
    """Facts about the observations in a response."""

    @property
    def count_rows(self) -> Callable[[], int]:
        """Returns the number of observations in the chunks so far."""

    @property
    def max_rows(self) -> int | None:
        """The maximum number of observations, None without a limit."""


class Document(Protocol):
    """The content of a response (`mapsos.operations.answers.Answer`)."""

    @property
    def media_type(self) -> str:
        """The value of Content-Type."""

    @property
    def chunks(self) -> Iterable[Chunk]:
        """The body."""

    @property
    def file_name(self) -> str | None:
        """The name under which a browser saves it."""

    @property
    def location(self) -> str | None:
        """The URL of a redirect."""

    @property
    def compressible(self) -> bool:
        """Whether compressing it is worth it."""

    @property
    def is_tagged(self) -> bool:
        """Whether it has an entity tag."""

    @property
    def facts(self) -> Facts:
        """Facts about its observations."""


def build_response(answer: Document, request: Request) -> Response:
    """Return the response of an answer; 304 if the client has the same document already.

    On the command line the entity tag and all headers but MapServer's are omitted.
    """
    if answer.location is not None:
        return Response(status=302, headers=(("Location", answer.location),))
    headers: tuple[tuple[str, str], ...] = (("Content-Type", answer.media_type),)
    if answer.file_name is not None:
        headers = (*headers, write_disposition(answer.file_name))
    if answer.facts.max_rows is not None and is_over_http(request.environ):
        headers = (*headers, ("Mapsos-Max-Features", str(answer.facts.max_rows)))
    response = Response(
        headers=headers, body=answer.chunks, count_rows=answer.facts.count_rows, compressible=answer.compressible
    )
    if answer.is_tagged and is_over_http(request.environ):
        return tag_response(response, read_condition(request))
    return response


def finish_response(response: Response, request: Request) -> Response:
    """Return the response as it is sent: compressed where that is worth it, without a body for HEAD."""
    if response.compressible and response.status == 200 and is_over_http(request.environ):
        response = compress_response(response, request.environ.get("HTTP_ACCEPT_ENCODING", ""))
    if request.method != "HEAD":
        return response
    close_body(response.body)
    return replace(response, body=())
