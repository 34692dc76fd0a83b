"""The columns of an OGR layer definition."""

from __future__ import annotations

from typing import Any

from osgeo import ogr

from mapsos.sources.source_columns import OgrColumn
from mapsos.terms.columns import Column, ColumnKind

_KINDS = {
    ogr.OFTString: ColumnKind.TEXT,
    ogr.OFTInteger: ColumnKind.INTEGER,
    ogr.OFTInteger64: ColumnKind.INTEGER,
    ogr.OFTReal: ColumnKind.REAL,
    ogr.OFTDate: ColumnKind.DATE,
    ogr.OFTTime: ColumnKind.TIME,
    ogr.OFTDateTime: ColumnKind.DATETIME,
    ogr.OFTBinary: ColumnKind.BINARY,
    ogr.OFTIntegerList: ColumnKind.LIST,
    ogr.OFTInteger64List: ColumnKind.LIST,
    ogr.OFTRealList: ColumnKind.LIST,
    ogr.OFTStringList: ColumnKind.LIST,
}


def read_columns(definition: Any, encoding: str | None) -> dict[str, OgrColumn]:
    """Return the columns of an OGR layer definition by name, in their order."""
    columns: dict[str, OgrColumn] = {}
    for index in range(definition.GetFieldCount()):
        field = definition.GetFieldDefn(index)
        kind = _KINDS.get(field.GetType(), ColumnKind.TEXT)
        if kind is ColumnKind.INTEGER and field.GetSubType() == ogr.OFSTBoolean:
            kind = ColumnKind.BOOLEAN
        decimals = field.GetPrecision() if kind is ColumnKind.REAL and field.GetWidth() else None
        columns.setdefault(field.GetName(), OgrColumn(Column(field.GetName(), kind), decimals, encoding))
    return columns
