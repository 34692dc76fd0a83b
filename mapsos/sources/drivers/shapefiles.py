"""Shapefiles: the strings of the table as they are, points by position, other geometries through OGR."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from mapsos.columns.geometries import GeometryColumn
from mapsos.sources.drivers.dbf import Table, TableError
from mapsos.sources.errors import unreadable
from mapsos.sources.filtering.sql import Dialect
from mapsos.sources.identity import find_part, find_stem, identity
from mapsos.sources.reader import Narrowing, Reader, ReadPlan
from mapsos.sources.rows import Rows
from mapsos.sources.source_columns import SourceColumn, foreign_encoding
from mapsos.terms.layer_source import LayerSource

if TYPE_CHECKING:
    import numpy as np

_HEADER = 100
_POINT_RECORD = 28
_FILE_CODE = b"\x00\x00\x27\x0a"


class ShapefileReader:
    """A shapefile without the records marked as deleted. Raises `SourceError` where a part cannot be read.

    ``open_ogr`` opens a reader of GDAL for geometries that are not points; points do not need GDAL.
    """

    def __init__(self, source: LayerSource, open_ogr: Callable[[LayerSource], Reader]) -> None:
        self.source = source
        self._open_ogr = open_ogr
        self._identity = identity(source)
        self._stem = stem = find_stem(source)
        self._table: Any = None
        self._main: BinaryIO | None = None
        self._index: BinaryIO | None = None
        try:
            self._table = Table(find_part(stem, ".dbf"), foreign_encoding(source) or _utf8_if_asked(source))
            self._main = open(find_part(stem, ".shp"), "rb")  # noqa: SIM115
            self._index = open(find_part(stem, ".shx"), "rb")  # noqa: SIM115
            self._read_headers()
        except (OSError, TableError) as error:
            self.close()
            raise unreadable(source, str(error)) from error
        self.columns: Mapping[str, SourceColumn] = self._table.columns
        self.has_geometry = True

    def _read_headers(self) -> None:
        assert self._main is not None
        assert self._index is not None
        head = self._main.read(_HEADER)
        index = self._index.read(_HEADER)
        if head[:4] != _FILE_CODE or index[:4] != _FILE_CODE or len(head) < _HEADER or len(index) < _HEADER:
            raise TableError("not a shapefile header")
        shapes = (os.fstat(self._index.fileno()).st_size - _HEADER) // 8
        if shapes > self._table.rows:
            raise TableError("the table has fewer rows than the file has shapes")
        self.rows_in_file = shapes
        size = os.fstat(self._main.fileno()).st_size
        self._all_points = head[32] == 1 and size == _HEADER + shapes * _POINT_RECORD

    def rows(self, plan: ReadPlan) -> Generator[Rows]:
        """Deliver the rows of the plan in the order of the file."""
        native = self.source.native_filter
        if native or (plan.geometry and not self._all_points):
            yield from self._rows_through_ogr(plan, native)
            return
        for first in range(0, self.rows_in_file, plan.batch_rows):
            count = min(plan.batch_rows, self.rows_in_file - first)
            try:
                records = self._table.records(first, count)
                points = self._points(first, count) if plan.geometry else None
            except (OSError, TableError) as error:
                raise unreadable(self.source, str(error)) from error
            if plan.geometry and points is None:
                yield from self._rows_through_ogr(plan, None, first)
                return
            yield from self._made(plan, records, points)

    def _made(
        self, plan: ReadPlan, records: np.ndarray, geometry: GeometryColumn | np.ndarray | None
    ) -> Generator[Rows]:
        import numpy as np

        kept = records[:, 0] != ord("*")
        if isinstance(geometry, np.ndarray):
            geometry = GeometryColumn.from_points(geometry)
        if not kept.all():
            records = records[kept]
            geometry = None if geometry is None else geometry.take(kept)
        if len(records):
            raw = {name: self._table.columns[name].read(records) for name in plan.columns}
            yield Rows(len(records), self.columns, raw, geometry)

    def _points(self, first: int, count: int) -> np.ndarray | None:
        """Return an array (count, 2) of x y, None unless the records are all points one after the other."""
        import numpy as np

        assert self._main is not None
        assert self._index is not None
        self._index.seek(_HEADER + first * 8)
        entries = np.frombuffer(self._index.read(count * 8), ">i4").reshape(-1, 2)
        expected = (_HEADER + np.arange(first, first + count, dtype=np.int64) * _POINT_RECORD) // 2
        if len(entries) != count or not (entries[:, 0] == expected).all() or not (entries[:, 1] == 10).all():
            return None
        self._main.seek(_HEADER + first * _POINT_RECORD)
        layout = np.dtype([("number", ">i4"), ("length", ">i4"), ("type", "<i4"), ("x", "<f8"), ("y", "<f8")])
        records = np.frombuffer(self._main.read(count * _POINT_RECORD), layout)
        if len(records) != count or not (records["type"] == 1).all():
            return None
        return np.column_stack((records["x"], records["y"]))

    def _rows_through_ogr(self, plan: ReadPlan, native: str | None, first: int = 0) -> Generator[Rows]:
        """Deliver rows with the geometries of OGR and the strings of the table, joined by feature id."""
        import dataclasses

        import numpy as np

        path = find_part(self._stem, ".shp")
        source = dataclasses.replace(self.source, connection=path, data="", native_filter=native)
        reader = self._open_ogr(source)
        try:
            narrowing = Narrowing("", plan.narrowing.rectangle if plan.narrowing else None)
            inner = ReadPlan((), plan.geometry, narrowing, plan.batch_rows, plan.first_rows)
            stream = reader.rows(inner)
            try:
                for rows in stream:
                    assert rows.ids is not None
                    ids = rows.ids.to_numpy(zero_copy_only=False)
                    geometry = rows.geometry
                    if first and ids[0] < first:
                        kept = ids >= first
                        ids = ids[kept]
                        geometry = None if geometry is None else geometry.take(kept)
                    if len(ids) == 0:
                        continue
                    try:
                        records = self._table.pick(np.asarray(ids))
                    except (OSError, TableError) as error:
                        raise unreadable(self.source, str(error)) from error
                    yield from self._made(plan, records, geometry)
            finally:
                stream.close()
        finally:
            reader.close()

    def condition_dialect(self, name: str) -> Dialect | None:
        """Return None: the table is read by position, which is faster than OGR's filter."""
        return None

    def adopt(self, source: LayerSource) -> bool:
        """Return False: each layer is opened by itself."""
        return False

    def is_fresh(self) -> bool:
        """Return whether the files are still those that were opened."""
        return self._identity is not None and self._identity == identity(self.source)

    def index_keys(self) -> tuple[tuple[str, ...], ...]:
        """Return no keys: these data have no index."""
        return ()

    def finds_few(self, condition: str) -> bool:
        """Return False: these data have no index."""
        return False

    def close(self) -> None:
        """Close the files."""
        if self._table is not None:
            self._table.close()
        for file in (self._main, self._index):
            if file is not None:
                file.close()


def _utf8_if_asked(source: LayerSource) -> str | None:
    return "utf-8" if source.encoding else None
