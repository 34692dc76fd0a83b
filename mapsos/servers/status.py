"""Answer ``/healthz`` and ``/metrics``, which monitoring programs request, where the settings enable them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from mapsos.config.settings import Settings
from mapsos.web.messages import Response

if TYPE_CHECKING:
    from mapsos.app import Application
    from mapsos.web.metrics import Metrics

log = logging.getLogger("mapsos")

HEALTH, METRICS = "/healthz", "/metrics"
STATUS_PATHS = (HEALTH, METRICS)
"""The paths of the status pages: below a WSGI application, at the root of `mapsos serve`."""


def open_metrics(settings: Settings) -> Metrics | None:
    """Return the counters of this process, None where MAPSOS_METRICS is off."""
    if not settings.metrics:
        return None
    from mapsos.servers import counting

    return counting.open_metrics(settings)


def answer_status(
    path: str, method: str, settings: Settings, applications: Collection[Application], metrics: Metrics | None
) -> Response:
    """Answer ``/healthz`` or ``/metrics``: 404 where it is switched off, 405 for methods other than GET and HEAD.

    ``/healthz`` is 200 and ``ok`` if every map can be read, else 503 with the number of those that cannot: the default
    map is parsed, the files of the others are checked to exist. Neither page is logged or counted.
    """
    switched_on = settings.health if path == HEALTH else settings.metrics and metrics is not None
    if not switched_on:
        return _page(404, "Not found\n")
    if method not in ("GET", "HEAD"):
        return _page(405, "Method not allowed. Allowed: GET, HEAD\n", ("Allow", "GET, HEAD"))
    if path == HEALTH:
        return _check_health(applications)
    assert metrics is not None
    return _page(200, metrics.write(), content_type=metrics.content_type)


def _check_health(applications: Collection[Application]) -> Response:
    # Each application of `mapsos serve` knows all maps, and reads its own.
    found: dict[str, bool] = {}
    for application in applications:
        for path, readable in application.host.check_maps().items():
            found[path] = found.get(path, True) and readable
    faulty = list(found.values()).count(False)
    if faulty:
        return _page(503, f"{faulty} of {len(found)} maps cannot be read; see the log for the reasons\n")
    return _page(200, "ok\n")


def _page(
    status: int, text: str, *headers: tuple[str, str], content_type: str = "text/plain; charset=UTF-8"
) -> Response:
    return Response(
        status=status,
        headers=(("Content-Type", content_type), ("Cache-Control", "no-store"), *headers),
        body=(text.encode(),),
    )
