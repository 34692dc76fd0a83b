"""The product on one screen: its interfaces, and how a failure in any of them is reported."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from mapsos.config.settings import Settings
from mapsos.mapfile.catalog import ServiceCatalog
from mapsos.operations.host import Host
from mapsos.operations.layers.open_layers import source_errors
from mapsos.pages.interface import open_exchange as open_pages
from mapsos.rest.interface import open_exchange as open_rest
from mapsos.sos.v1.interface import open_exchange as open_sos
from mapsos.terms.deadlines import BusyError, ClientGoneError, DeadlineError, limit_seconds
from mapsos.terms.failures import MOST_OF_LINE, AccessError, Failure, ReportedError, shorten
from mapsos.web.cors import admit_origin, answer_preflight
from mapsos.web.messages import Request, Response, is_over_http
from mapsos.web.request_ids import current_request_id
from mapsos.web.responses import finish_response

if TYPE_CHECKING:
    from mapsos.access.gate import Requester

log = logging.getLogger("mapsos")


class Exchange(Protocol):
    """One request in one protocol, and its state."""

    def answer(self) -> Response:
        """Answer the request. Raises any exception."""

    def report(self, failure: Failure) -> Response:
        """Report a failure in the protocol's own form, with the right status. Never raises."""


Interface = Callable[[Request, Host, "Requester | None"], Exchange | None]
"""Opens the exchange of a request of its protocol; returns None for any other request."""

INTERFACES: tuple[Interface, ...] = (open_pages, open_rest, open_sos)
"""In the order in which they are tried; the last accepts any request."""


class Application:
    """Answers requests from the maps that its settings allow. Safe for threads.

    Parameters
    ----------
    settings
        The settings of the admin.
    catalog
        Parsed maps that several applications share, None for a separate catalog.
    has_map_paths
        Whether the server has a separate path for each map.
    """

    def __init__(
        self, settings: Settings, catalog: ServiceCatalog | None = None, *, has_map_paths: bool = False
    ) -> None:
        self.settings = settings
        self.host = Host(settings, catalog, has_map_paths=has_map_paths)

    def answer(self, request: Request, failure: Exception | None = None) -> Response:
        """Answer a request. Never raises, whatever the request, the map or the data contain.

        With ``failure``, which the server has found, report that instead of an answer.
        """
        current_request_id.set(request.id)
        requester: Requester | None = None
        gate = self.host.gate
        # A command line has no client, and needs no key.
        if gate is not None and "REMOTE_ADDR" in request.environ:
            request, requester = gate.receive(request)
        response = answer_preflight(request, self.settings.cors, self.settings.methods, has_keys=gate is not None)
        if response is None:
            with limit_seconds(self.settings.max_seconds):
                response = self._answer(request, requester, failure)
        response = finish_response(response, request)
        if requester is not None:
            response = requester.finish(response)
        if is_over_http(request.environ):
            response = admit_origin(response, request, self.settings.cors)
            if request.id:
                response = replace(response, headers=(*response.headers, ("X-Request-Id", request.id)))
        return response

    def _answer(self, request: Request, requester: Requester | None, found: Exception | None) -> Response:
        exchange: Exchange | None = None
        try:
            exchange = self._open(request, requester)
            if found is not None:
                with source_errors():
                    raise found
            return exchange.answer()
        except ReportedError as error:
            if requester is not None and isinstance(error, AccessError):
                requester.note_rejection()
            level = logging.WARNING if error.is_for_admin else logging.INFO
            log.log(level, "%s", shorten(error.log_line, MOST_OF_LINE))
            failure = Failure(error)
        except (DeadlineError, BusyError) as error:
            log.log(logging.DEBUG if isinstance(error, ClientGoneError) else logging.WARNING, "%s", error)
            failure = Failure(error)
        except Exception as error:
            failure = Failure(error, os.urandom(6).hex())
            log.exception("request failed, reference %s", failure.reference)
        reference = failure.reference
        try:
            if exchange is not None:
                # A report is short, and must come also when the time is over.
                with limit_seconds(None):
                    return _complete_report(exchange.report(failure), failure.error)
        except Exception:
            # Even a page or a report can fail; the client still gets an answer.
            reference = os.urandom(6).hex()
            log.exception("a failure cannot be reported, reference %s", reference)
        text = f"The request failed for a reason that is in the server's log under reference {reference}.\n"
        headers = (("Content-Type", "text/plain; charset=UTF-8"),)
        return Response(500, headers, (text.encode(),), error=True)

    def _open(self, request: Request, requester: Requester | None) -> Exchange:
        opened = (interface(request, self.host, requester) for interface in INTERFACES)
        return next(found for found in opened if found is not None)


def _complete_report(response: Response, error: Exception) -> Response:
    """Add the real status and the headers of a busy server, and of a rejected key: proxies and programs act on them."""
    if isinstance(error, AccessError):
        return replace(response, status=error.status, headers=(*response.headers, *error.headers))
    if not isinstance(error, BusyError):
        return response
    return replace(response, status=503, headers=(*response.headers, ("Retry-After", str(error.seconds))))
