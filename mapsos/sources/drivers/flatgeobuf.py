"""FlatGeobuf with date-times, streamed by GDAL with their zones.

A date-time is stored in the file as a string with its zone. GDAL 3.6 drops the zone where it streams columns, and its
other way is fifteen times slower. So GDAL reads the file with one difference: a header that declares those columns as
strings. Only the header is copied; the rest, with the spatial index, is the file itself. Where GDAL does not see those
columns as strings, the other way is taken.
"""

from __future__ import annotations

import itertools
import os
import struct
from html import escape
from typing import TYPE_CHECKING, Any

from osgeo import gdal, ogr

from mapsos.columns.texts import utf8_texts
from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.drivers.opening import guarded
from mapsos.sources.errors import unreadable
from mapsos.sources.source_columns import OgrColumn
from mapsos.terms.columns import Column, ColumnKind
from mapsos.terms.layer_source import LayerSource

if TYPE_CHECKING:
    import pyarrow as pa

_MAGIC = b"fgb\x03fgb"
_START = 12
"""Bytes before the header: the magic ones and the header's length."""

_LONGEST_HEADER = 1 << 24
_COLUMNS, _FEATURES, _NODE_SIZE = 7, 8, 9
_USUAL_NODE_SIZE = 16
_NODE_BYTES = 40
_NAME, _TYPE = 0, 1
_STRING, _DATETIME = 11, 13

_PLAIN_TIME = (
    r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]+)?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?$"
)

_numbers = itertools.count()


def open_flatgeobuf(source: LayerSource) -> OgrReader:
    """Open a reader of a FlatGeobuf file. Raises `SourceError`.

    It is an `OgrReader` where the admin's own SQL may use the columns by their types, and for files without date-times.
    A file that ends before its last feature is rejected: GDAL may read such a file without end.
    """
    start = _read_start(source.connection)
    if start is None:
        return OgrReader(source)
    if _is_cut_off(source.connection, start):
        raise unreadable(source, "the file ends before its last feature")
    selected = source.data.strip()[:6].upper() == "SELECT"
    found = None if selected or source.native_filter or source.open_options else _declare_texts(start)
    if found:
        reader = FlatGeobufReader(source, *found)
        if reader.is_as_declared:
            return reader
        reader.close()
    return OgrReader(source)


class FlatGeobufReader(OgrReader):
    """A FlatGeobuf file whose date-times GDAL reads as strings.

    Parameters
    ----------
    source
        The layer.
    header
        The bytes of the file up to the end of its header, with the type of those columns changed.
    times
        Names of the columns.
    """

    def __init__(self, source: LayerSource, header: bytes, times: tuple[str, ...]) -> None:
        self._header = header
        self._times = times
        self._folder = f"/vsimem/mapsos-{next(_numbers)}"
        self._made: list[str] = []
        super().__init__(source)

    def _open(self, source: LayerSource) -> Any:
        path = source.connection
        head, whole = f"{self._folder}/header", f"{self._folder}/{os.path.basename(path)}"
        with guarded(source):
            regions = ((head, 0, len(self._header)), (path, len(self._header), os.stat(path).st_size))
            parts = "".join(
                f"<SubfileRegion><Filename>{escape(name, quote=False)}</Filename>"
                f"<DestinationOffset>{start}</DestinationOffset>"
                f"<SourceOffset>{start}</SourceOffset><RegionLength>{end - start}</RegionLength></SubfileRegion>"
                for name, start, end in regions
            )
            text = f"<VSISparseFile><Length>{regions[1][2]}</Length>{parts}</VSISparseFile>"
            for name, content in ((head, self._header), (whole, text.encode())):
                gdal.FileFromMemBuffer(name, content)
                self._made.append(name)
            flags = gdal.OF_VECTOR | gdal.OF_READONLY | gdal.OF_VERBOSE_ERROR
            dataset = gdal.OpenEx(f"/vsisparse/{whole}", flags, allowed_drivers=["FlatGeobuf"])
            if dataset is None:
                raise RuntimeError("GDAL opened nothing")
            return dataset

    def _find_layer(self) -> None:
        super()._find_layer()
        self.is_as_declared = all(self._is_text(name) for name in self._times)
        self.columns = {
            name: OgrColumn(Column(name, ColumnKind.DATETIME)) if name in self._times else column
            for name, column in self.columns.items()
        }

    def _is_text(self, name: str) -> bool:
        return name in self.columns and self.columns[name].column.kind is ColumnKind.TEXT

    def _casts(self, names: list[str]) -> dict[str, str]:
        return {name: kind for name, kind in super()._casts(names).items() if name not in self._times}

    def _deliver(self, name: str, raw: pa.Array) -> pa.Array:
        return plain_times(raw) if name in self._times else raw

    def close(self) -> None:
        """Close the dataset and delete the header."""
        super().close()
        while self._made:
            gdal.Unlink(self._made.pop())


def plain_times(raw: pa.Array) -> pa.Array:
    """Return date-times as large_string; forms other than ISO 8601 as GDAL reads them, null if it cannot."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = utf8_texts(raw)
    unique = texts.unique()
    odd = unique.filter(pc.invert(pc.match_substring_regex(unique, _PLAIN_TIME)))
    if len(odd) == 0:
        return texts
    values = odd.to_pylist()
    read = pa.array(_read_by_gdal(values), pa.large_string())
    places = pc.index_in(texts, value_set=odd, skip_nulls=True)
    return pc.if_else(places.is_valid(), read.take(places), texts)


def _read_by_gdal(texts: list[str]) -> list[str | None]:
    definition = ogr.FeatureDefn("times")
    definition.AddFieldDefn(ogr.FieldDefn("time", ogr.OFTDateTime))
    read: list[str | None] = []
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        for text in texts:
            feature = ogr.Feature(definition)
            feature.SetField("time", text)
            read.append(feature.GetFieldAsString("time") if feature.IsFieldSetAndNotNull("time") else None)
    finally:
        gdal.PopErrorHandler()
    return read


def _read_start(path: str) -> bytes | None:
    """Return the file up to the end of its header (less if it is cut off or too long), None for another format."""
    try:
        with open(path, "rb") as file:
            start = file.read(_START)
            if not start.startswith(_MAGIC):
                return None
            (length,) = struct.unpack_from("<I", start, 8)
            return start + file.read(length) if length <= _LONGEST_HEADER else start
    except (OSError, struct.error):
        return None


def _declare_texts(start: bytes) -> tuple[bytes, tuple[str, ...]] | None:
    """Return the same with its date-times declared as strings, and their names; None without any."""
    header = bytearray(start[_START:])
    names = []
    try:
        for column in _list_tables(header, _field(header, _root(header), _COLUMNS)):
            kind = _field(header, column, _TYPE)
            if kind is not None and header[kind] == _DATETIME:
                header[kind] = _STRING
                names.append(_read_text(header, _field(header, column, _NAME)))
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    return (start[:_START] + bytes(header), tuple(names)) if names else None


def _is_cut_off(path: str, start: bytes) -> bool:
    """Return whether the file is shorter than its header and index state; False where that is unknown."""
    (length,) = struct.unpack_from("<I", start, 8)
    if len(start) < _START + length:
        return True
    header = start[_START:]
    try:
        found = _field(header, _root(header), _FEATURES)
        features = 0 if found is None else struct.unpack_from("<Q", header, found)[0]
        found = _field(header, _root(header), _NODE_SIZE)
        fan = _USUAL_NODE_SIZE if found is None else struct.unpack_from("<H", header, found)[0]
        if features == 0 or fan < 2:
            return False
        data = len(start) + _NODE_BYTES * _count_nodes(features, fan)
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if data > size:
                return True
            # Features are in the order of the leaves, which come last.
            file.seek(data - 8)
            (last,) = struct.unpack("<Q", file.read(8))
            file.seek(data + last)
            prefix = file.read(4)
        return len(prefix) < 4 or data + last + 4 + struct.unpack("<I", prefix)[0] > size
    except (OSError, OverflowError, struct.error, IndexError):
        return False


def _count_nodes(features: int, fan: int) -> int:
    """Return the number of nodes of the packed tree, leaves included."""
    total = level = features
    while level > 1:
        level = -(-level // fan)
        total += level
    return total


def _root(buffer: bytes | bytearray) -> int:
    return int(struct.unpack_from("<I", buffer, 0)[0])


def _field(buffer: bytes | bytearray, table: int, number: int) -> int | None:
    """Return the offset of a field of a FlatBuffers table, None if it is left out."""
    directory = table - struct.unpack_from("<i", buffer, table)[0]
    (size,) = struct.unpack_from("<H", buffer, directory)
    place = 4 + 2 * number
    offset = struct.unpack_from("<H", buffer, directory + place)[0] if place < size else 0
    return table + int(offset) if offset else None


def _follow(buffer: bytes | bytearray, place: int) -> int:
    return place + int(struct.unpack_from("<I", buffer, place)[0])


def _list_tables(buffer: bytes | bytearray, place: int | None) -> list[int]:
    if place is None:
        return []
    vector = _follow(buffer, place)
    (count,) = struct.unpack_from("<I", buffer, vector)
    return [_follow(buffer, vector + 4 + 4 * number) for number in range(count)]


def _read_text(buffer: bytes | bytearray, place: int | None) -> str:
    if place is None:
        return ""
    start = _follow(buffer, place)
    (length,) = struct.unpack_from("<I", buffer, start)
    return buffer[start + 4 : start + 4 + length].decode()
