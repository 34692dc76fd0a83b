"""Metrics for Prometheus, counted by all processes of a server together with the library prometheus-client.

Imported only where the settings switch /metrics on: the library costs 70 ms of a process's start.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from mapsos.terms.values import dataclass
from mapsos.web.metrics_folder import MetricsFolder

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the buckets of seconds; one without a bound comes after them."""

STATUSES = (200, 204, 302, 304, 400, 403, 404, 405, 413, 415, 500, 501, 503)
OUTCOMES = ("complete", "unfinished", "broken")
_OTHER = "other"


@dataclass(frozen=True)
class _Families:
    """The families of metrics of this process. ``server`` is a label of each that `Metrics.write` takes off again."""

    requests: Counter
    answers: Counter
    seconds: Histogram
    rows: Counter
    sent: Counter
    in_flight: Gauge
    processes: Gauge
    source: Collector

    def in_order(self) -> tuple[Counter | Gauge | Histogram, ...]:
        return self.requests, self.answers, self.seconds, self.rows, self.sent, self.in_flight, self.processes


class Metrics:
    """The counters of one server in all of its processes. Safe for threads and for forked processes.

    Parameters
    ----------
    operations
        The operations by which requests are counted; all others count as ``other``.
    version
        The version in ``mapsos_info``, None to omit it.
    folder
        Where all processes of the server count, None if this one counts alone. The library allows one in a process.
    server
        The name of the server, where several count in one folder.

    Raises
    ------
    OSError
        The folder cannot be written to.
    """

    content_type = "text/plain; version=0.0.4; charset=utf-8"
    """The media type of the page that `write` returns."""

    def __init__(
        self,
        operations: Sequence[str],
        version: str | None = None,
        folder: MetricsFolder | None = None,
        server: str = "",
    ) -> None:
        self._version = version
        self._folder = folder
        self._server = server
        self._started = time.time() if folder is None else folder.created
        self._families = families = _open_families(folder)
        # Counters begin at zero: Prometheus cannot distinguish a first request from a gap otherwise.
        self._operations = frozenset((*operations, _OTHER))
        for name in (*operations, _OTHER):
            for family in (families.seconds, families.rows, families.sent):
                family.labels(server, name)
        for outcome in OUTCOMES:
            families.answers.labels(server, outcome)
        self._in_flight = families.in_flight.labels(server)
        self._processes = families.processes.labels(server)

    def begin(self) -> None:
        """Count a request that has come in."""
        self._processes.set(1)
        self._in_flight.inc()

    def forget(self) -> None:
        """Take back a request that `begin` counted: it begins again later."""
        self._in_flight.dec()

    def finish(self, operation: str, status: int, seconds: float, rows: int, sent: int, outcome: str) -> None:
        """Count what became of a request that `begin` counted: ``sent`` is in bytes, ``outcome`` one of `OUTCOMES`."""
        families, server = self._families, self._server
        name = operation if operation in self._operations else _OTHER
        families.answers.labels(server, outcome).inc()
        families.requests.labels(server, name, status if status in STATUSES else _OTHER).inc()
        families.seconds.labels(server, name).observe(seconds)
        families.rows.labels(server, name).inc(rows)
        families.sent.labels(server, name).inc(sent)
        # Last: what is no longer in flight has been counted, whichever process looks.
        self._in_flight.dec()

    def write(self) -> str:
        """Return the page of metrics of all processes of the server, in Prometheus's text format 0.0.4."""
        self._processes.set(1)
        if self._folder is not None:
            self._folder.forget_dead()
        return generate_latest(self).decode()

    def collect(self) -> Iterator[Metric]:
        """Yield each metric with the samples of this server: what the library calls a collector."""
        found = {metric.name: metric.samples for metric in self._families.source.collect()}
        for family in self._families.in_order():
            for metric in family.describe():
                for name, labels, value, *_ in found.get(metric.name, ()):
                    # The library adds when each counter was made, where processes do not count together.
                    if labels["server"] == self._server and not name.endswith("_created"):
                        metric.add_sample(name, {key: text for key, text in labels.items() if key != "server"}, value)
                yield metric
        yield GaugeMetricFamily(
            "mapsos_start_time_seconds", "When counting began, in seconds since 1970 UTC.", self._started
        )
        if self._version is not None:
            info = GaugeMetricFamily("mapsos_info", "The version of the program.", labels=["version"])
            info.add_metric([self._version], 1)
            yield info


@functools.cache
def _open_families(folder: MetricsFolder | None) -> _Families:
    """Make the families once in a process: two of one name would count in the same places of a file."""
    alone: CollectorRegistry | None = None
    source: Collector
    if folder is None:
        source = alone = CollectorRegistry()
        values.ValueClass = values.MutexValue
    else:
        # Taking the slot fails before anything is changed that other users of the library could notice.
        value_class = values.MultiProcessValue(folder.hold_slot)  # type: ignore[no-untyped-call]
        values.ValueClass = value_class
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder.path)
        source = MultiProcessCollector(None, str(folder.path))  # type: ignore[no-untyped-call]
    by_operation = ("server", "operation")
    return _Families(
        requests=Counter(
            "mapsos_requests", "Requests by operation and HTTP status.", (*by_operation, "status"), registry=alone
        ),
        answers=Counter(
            "mapsos_answers", "Answers by whether the client got all of them.", ("server", "outcome"), registry=alone
        ),
        seconds=Histogram(
            "mapsos_request_seconds",
            "Seconds from a request to the end of its answer.",
            by_operation,
            buckets=BOUNDS,
            registry=alone,
        ),
        rows=Counter("mapsos_rows", "Observations in answers.", by_operation, registry=alone),
        sent=Counter(
            "mapsos_response_bytes", "Bytes of answers, as sent, without headers.", by_operation, registry=alone
        ),
        in_flight=_live_gauge("mapsos_requests_in_flight", "Requests that are being answered.", alone),
        processes=_live_gauge("mapsos_processes", "Processes that have answered requests and live.", alone),
        source=source,
    )


def _live_gauge(name: str, meaning: str, registry: CollectorRegistry | None) -> Gauge:
    """Make a gauge that is the sum over living processes."""
    return Gauge(name, meaning, ("server",), multiprocess_mode="livesum", registry=registry)
