"""Open the data source of a LAYER read-only, and convert errors of GDAL to `SourceError`."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from html import escape
from typing import Any

from osgeo import gdal, ogr

from mapsos.sources.errors import unreadable
from mapsos.terms.deadlines import current_deadline
from mapsos.terms.layer_source import LayerSource

for _module in (gdal, ogr):
    # Since GDAL 3.7 the public function is for all modules, and imports numpy with one of them: 0.1 s.
    getattr(_module, "_UseExceptions", _module.UseExceptions)()


@contextmanager
def guarded(source: LayerSource) -> Iterator[list[str]]:
    """Run GDAL calls: nothing is printed, a failure becomes `SourceError`. Yields the list of messages.

    The handler belongs to the thread and must not outlive the block: no generator may ``yield`` within it.
    """
    messages: list[str] = []

    def keep(level: int, _number: int, message: str) -> None:
        if level >= gdal.CE_Failure:
            messages.append(message)

    gdal.PushErrorHandler(keep)
    try:
        yield messages
    except (RuntimeError, OSError, UnicodeDecodeError) as error:
        raise unreadable(source, "\n".join(dict.fromkeys([*messages, str(error)]))) from error
    finally:
        gdal.PopErrorHandler()


_JOINING = threading.RLock()


def turn_of(source: LayerSource) -> AbstractContextManager[object]:
    """Return what a reading holds while GDAL works for it: a lock for statements that may join another data source.

    GDAL opens that one once for all statements whose results the same thread asked for, and reads it in each thread
    without a lock. Each row is joined within one call, so that readings may take turns by batches.
    """
    joins = re.search(r"\bjoin\b", f"{source.data} {source.connection}", re.I) and not source.is_postgresql
    return _JOINING if joins else nullcontext()


_DEFAULTS = "fallback_application_name=mapsos keepalives_idle=30 keepalives_interval=10 keepalives_count=3"
"""Defaults of a connection to PostgreSQL, with which a dead server becomes an error instead of blocking."""

_CONNECT_SECONDS = 2, 10
"""Least and most seconds for connecting to an address of a server; libpq takes 1 for 2."""


def _name_server(connection: str) -> str:
    """Return the connection string for GDAL, preceded by the defaults: of two values libpq uses the last."""
    stated = re.sub("^pgb?:", "", connection, flags=re.I)
    if "://" in stated.split(" ", 1)[0]:
        return f"PG:{stated}"
    left = current_deadline().left
    least, most = _CONNECT_SECONDS
    seconds = most if left is None else max(least, min(most, math.ceil(left)))
    return f"PG:{_DEFAULTS} connect_timeout={seconds:d} {stated}"


def open_dataset(source: LayerSource) -> Any:
    """Open a new dataset handle. Raises `SourceError`."""
    connection = source.connection
    if source.is_postgresql:
        connection = _name_server(connection)
    with guarded(source):
        flags = gdal.OF_VECTOR | gdal.OF_READONLY | gdal.OF_VERBOSE_ERROR
        dataset = gdal.OpenEx(connection, flags, open_options=list(source.open_options))
        if dataset is None:
            raise RuntimeError("GDAL opened nothing")
        return dataset


def open_as_layer(source: LayerSource) -> Any:
    """Open the SELECT of OGR SQL that a source has as a layer ``selected``, from which others can select."""
    pairs = (option.partition("=") for option in source.open_options)
    options = "".join(f'<OOI key="{escape(key)}">{escape(value, quote=False)}</OOI>' for key, _, value in pairs)
    return gdal.OpenEx(
        '<OGRVRTDataSource><OGRVRTLayer name="selected">'
        f'<SrcDataSource shared="0">{escape(source.connection, quote=False)}</SrcDataSource>'
        + (f"<OpenOptions>{options}</OpenOptions>" if options else "")
        + f"<SrcSQL>{escape(source.data.strip(), quote=False)}</SrcSQL>"
        "</OGRVRTLayer></OGRVRTDataSource>",
        gdal.OF_VECTOR | gdal.OF_READONLY,
    )
