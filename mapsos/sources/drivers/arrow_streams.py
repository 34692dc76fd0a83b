"""GDAL's Arrow streams: imported into pyarrow, and tried for what they deliver wrongly in some versions of GDAL."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from osgeo import gdal, ogr

if TYPE_CHECKING:
    import pyarrow as pa

_DAYS = ("1969-12-31", "1899-01-01", "1970-01-01")


def import_schema(stream: Any) -> pa.StructType:
    """Return the columns of a stream."""
    import pyarrow as pa

    # Released with the last reference to it.
    schema = stream.GetSchema()
    return pa.DataType._import_from_c(schema._getPtr())


def import_batch(array: Any, kind: pa.StructType) -> pa.StructArray:
    """Return a batch of a stream whose columns are ``kind``."""
    import pyarrow as pa

    return pa.Array._import_from_c(array._getPtr(), kind)


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
    stream = layer.GetArrowStream(["INCLUDE_FID=NO"])
    days = import_batch(stream.GetNextRecordBatch(), import_schema(stream)).field(0)
    return tuple(map(str, days.to_pylist())) == _DAYS
