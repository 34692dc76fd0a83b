"""GDAL's Arrow streams: imported into pyarrow, and tried for what they deliver wrongly in some versions of GDAL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

from osgeo import gdal, ogr

from mapsos.columns.texts import column_offsets

if TYPE_CHECKING:
    import pyarrow as pa

_DAYS = ("1969-12-31", "1899-01-01", "1970-01-01")


_BY_FEATURES = ("OGR_FLATGEOBUF_STREAM_BASE_IMPL", "OGR_GENSQL_STREAM_BASE_IMPL")
"""Options by which FlatGeobuf and OGR SQL read features and write them into columns, as most drivers do: slower."""


class ArrowStream:
    """The batches of a layer with its filters; ``columns`` is their type.

    Parameters
    ----------
    layer
        The layer, read from its first row on.
    options
        Options of ``GetArrowStream``.
    may_lack_geometries
        Whether this is FlatGeobuf with geometries, which its own stream misplaces after a feature without one. Such a
        batch and those after it are read again by features.
    by_features
        Whether to read by features from the beginning: filters of FlatGeobuf hide misplaced geometries, and the stream
        of GDAL 3.8 and later of a SELECT in OGR SQL ignores those that were set on the result.
    """

    def __init__(self, layer: Any, options: list[str], *, may_lack_geometries: bool, by_features: bool) -> None:
        self._layer = layer
        self._options = options
        self._is_watched = may_lack_geometries and not by_features
        self._by_features = by_features
        self._read = 0
        self._open()

    def _open(self) -> None:
        import pyarrow as pa

        with _reading(self._by_features):
            self._stream = self._layer.GetArrowStream(self._options)
            if self._stream is None:
                raise RuntimeError("no Arrow stream")
            # Released with the last reference to it.
            schema = self._stream.GetSchema()
        self.columns: pa.StructType = pa.DataType._import_from_c(schema._getPtr())

    def next_batch(self) -> pa.StructArray | None:
        """Return the next batch, None after the last one."""
        batch = self._next_batch()
        if batch is not None and self._is_watched and not _follow_each_other(batch.field(batch.type.num_fields - 1)):
            batch = self._read_again()
        self._read += 0 if batch is None else len(batch)
        return batch

    def _next_batch(self) -> pa.StructArray | None:
        import pyarrow as pa

        with _reading(self._by_features):
            array = self._stream.GetNextRecordBatch()
        return None if array is None else pa.Array._import_from_c(array._getPtr(), self.columns)

    def _read_again(self) -> pa.StructArray | None:
        """Return the batch at which the stream was, and go on behind it, by features."""
        self._by_features, self._is_watched = True, False
        self._stream = None
        self._layer.ResetReading()
        self._open()
        left = self._read
        while (batch := self._next_batch()) is not None and left >= len(batch):
            left -= len(batch)
        return None if batch is None else batch.slice(left)


def _reading(by_features: bool) -> AbstractContextManager[None]:
    return _reading_by_features() if by_features else nullcontext()


@contextmanager
def _reading_by_features() -> Iterator[None]:
    before = {name: gdal.GetThreadLocalConfigOption(name) for name in _BY_FEATURES}
    try:
        for name in before:
            gdal.SetThreadLocalConfigOption(name, "YES")
        yield
    finally:
        for name, value in before.items():
            gdal.SetThreadLocalConfigOption(name, value)


def _follow_each_other(wkb: pa.Array) -> bool:
    """Return whether each geometry begins where the one before it ends, and none is empty; missing ones aside."""
    if not len(wkb):
        return True
    offsets = column_offsets(wkb)
    grows = offsets[1:] > offsets[:-1]
    return bool(grows.all() or (grows | ~wkb.is_valid().to_numpy(zero_copy_only=False)).all())


@cache
def streams_old_days() -> bool:
    """Return whether the stream of most drivers, which is GDAL's own, delivers days before 1970 as they are.

    That of GDAL 3.6 delivers the day after each. Tried once per process, where a column of dates is read.
    """
    driver = gdal.GetDriverByName("Memory") or gdal.GetDriverByName("MEM")
    if driver is None:
        return False
    dataset = driver.Create("", 0, 0, 0, gdal.GDT_Unknown)
    layer = dataset.CreateLayer("days", None, ogr.wkbNone)
    layer.CreateField(ogr.FieldDefn("day", ogr.OFTDate))
    for day in _DAYS:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetField("day", day)
        layer.CreateFeature(feature)
    batch = ArrowStream(layer, ["INCLUDE_FID=NO"], may_lack_geometries=False, by_features=False).next_batch()
    return batch is not None and tuple(map(str, batch.field(0).to_pylist())) == _DAYS
