"""Opening what a LAYER names, read-only, and turning whatever GDAL complains of into `SourceError`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from osgeo import gdal, ogr

from mapsos.layer_source import LayerSource, SourceKind
from mapsos.sources.errors import unreadable

gdal.UseExceptions()
ogr.UseExceptions()


@contextmanager
def guarded(source: LayerSource) -> Iterator[list[str]]:
    """Run GDAL calls: nothing is printed, a failure becomes `SourceError`. Gives the list that messages go to.

    The handler belongs to the thread and must not outlive the block: no ``yield`` of a generator inside of it.
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


def open_dataset(source: LayerSource) -> Any:
    """A dataset handle of the reader's own. Raises `SourceError`."""
    connection = source.connection
    if source.kind is SourceKind.POSTGIS:
        connection = connection if connection.upper().startswith("PG:") else f"PG:{connection}"
    with guarded(source):
        dataset = gdal.OpenEx(connection, gdal.OF_VECTOR | gdal.OF_READONLY | gdal.OF_VERBOSE_ERROR)
        if dataset is None:
            raise RuntimeError("nothing was opened")
        return dataset
