"""``/healthz`` and ``/metrics``: what programs that watch a server ask it, where the settings switch them on."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from mapsos.web.messages import Response

if TYPE_CHECKING:
    from mapsos.app import Application
    from mapsos.config.settings import Settings
    from mapsos.web.metrics import Metrics

log = logging.getLogger("mapsos")

HEALTH = "/healthz"


def open_metrics(settings: Settings) -> Metrics | None:
    """Return what counts the requests of this process and of the other children of its parent; None if that is off.

    Where they cannot count together, the log tells why, and this process counts by itself.
    """
    if not settings.metrics:
        return None
    from mapsos.command.versions import tell_version
    from mapsos.web.metrics import Metrics
    from mapsos.web.metrics_folder import share_folder

    open_in = functools.partial(
        Metrics, list_operations(settings), tell_version(settings.no_version), server=settings.config_file or ""
    )
    try:
        return open_in(folder=share_folder(os.getppid()))
    except OSError as error:
        log.warning("metrics: each process counts by itself: %s", error)
        return open_in(folder=None)


def list_operations(settings: Settings) -> tuple[str, ...]:
    """Return the names that answers under these settings can have as their operation: no client adds one."""
    from mapsos.pages.paths import PAGE_OPERATION
    from mapsos.rest.paths import REST_OPERATIONS
    from mapsos.sos.v1.operations import OPERATIONS

    names = tuple(operation.name for operation in OPERATIONS)
    return (*names, *REST_OPERATIONS, PAGE_OPERATION) if settings.rest else names


def answer_status(
    path: str, method: str, settings: Settings, applications: Collection[Application], metrics: Metrics | None
) -> Response:
    """The page of ``/healthz`` or ``/metrics``: 404 where it is switched off, 405 for another method than GET and HEAD.

    ``/healthz`` is 200 and ``ok`` if every map can be read, else 503 and how many cannot: a map that requests need
    not name is parsed, of the others the file is looked for. Neither page is logged or counted.
    """
    switched_on = settings.health if path == HEALTH else settings.metrics and metrics is not None
    if not switched_on:
        return _page(404, "There is nothing here.\n")
    if method not in ("GET", "HEAD"):
        return _page(405, "This page is there for GET and HEAD.\n", ("Allow", "GET, HEAD"))
    if path == HEALTH:
        return _check_health(applications)
    assert metrics is not None
    from mapsos.web.metrics import CONTENT_TYPE

    return _page(200, metrics.write(), content_type=CONTENT_TYPE)


def _check_health(applications: Collection[Application]) -> Response:
    found = [readable for application in applications for readable in application.host.check_maps()]
    faulty = found.count(False)
    if faulty:
        return _page(503, f"{faulty} of {len(found)} maps cannot be read; the log says why\n")
    return _page(200, "ok\n")


def _page(
    status: int, text: str, *headers: tuple[str, str], content_type: str = "text/plain; charset=UTF-8"
) -> Response:
    return Response(
        status=status,
        headers=(("Content-Type", content_type), ("Cache-Control", "no-store"), *headers),
        body=(text.encode(),),
    )
