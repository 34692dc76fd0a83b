"""Rows as a driver delivered them: each column is converted at first use, and once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mapsos.columns.geometries import GeometryColumn
from mapsos.sources.source_columns import OgrColumn, SourceColumn
from mapsos.terms.columns import ColumnKind

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class Rows:
    """Rows of a source.

    Parameters
    ----------
    count
        Number of rows.
    columns
        The columns by name, spelled as the source does.
    raw
        Their arrays as the driver delivered them.
    geometry
        The geometries if the plan requests them, in the CRS of the layer.
    ids
        The driver's feature ids (int64), where the plan requests no columns. For readers only.
    """

    def __init__(
        self,
        count: int,
        columns: Mapping[str, SourceColumn],
        raw: Mapping[str, pa.Array],
        geometry: GeometryColumn | None = None,
        ids: pa.Array | None = None,
    ) -> None:
        self.count = count
        self.columns = columns
        self.raw = raw
        self.geometry = geometry
        self.ids = ids
        self.times: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        """Times of columns, cached by `mapsos.sources.filtering.row_times.times_of`."""
        self._values: dict[str, pa.Array] = {}
        self._texts: dict[str, pa.Array] = {}

    def kind(self, name: str) -> ColumnKind:
        """Return the kind of a column."""
        return self.columns[name].column.kind

    def values(self, name: str) -> pa.Array:
        """Return typed values, in the Arrow type of the column's kind."""
        if name not in self._values:
            self._values[name] = self.columns[name].values(self.raw[name])
        return self._values[name]

    def texts(self, name: str) -> pa.Array:
        """Return value texts as MapServer writes them (docs/mapserver-sos.md, "Value text")."""
        if name not in self._texts:
            self._texts[name] = self.columns[name].texts(self.raw[name])
        return self._texts[name]

    def known_texts(self, name: str) -> pa.Array:
        """Return value texts for comparisons: null where a value is missing, even if MapServer writes one for it.

        Where the format cannot distinguish a missing string from an empty one, it is empty
        (`SourceColumn.blank_is_text`).
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        texts = self.texts(name)
        raw = self.raw[name]
        if raw.null_count == 0:
            return texts
        if self.columns[name].blank_is_text:
            return pc.fill_null(texts, "")
        return pc.if_else(raw.is_valid(), texts, pa.scalar(None, pa.large_string()))

    def time_texts(self, name: str) -> pa.Array:
        """Return ISO 8601 strings with their fractions, for a column of strings or date-times."""
        column = self.columns[name]
        if isinstance(column, OgrColumn) and column.column.kind is ColumnKind.DATETIME:
            return column.iso_texts(self.raw[name])
        return self.known_texts(name)

    def take(self, mask: np.ndarray) -> Rows:
        """Return the rows where ``mask``, an array (count,) of bool, is true. Converted columns stay converted."""
        import pyarrow as pa

        chosen = pa.array(mask)
        rows = Rows(
            int(mask.sum()),
            self.columns,
            {name: array.filter(chosen) for name, array in self.raw.items()},
            None if self.geometry is None else self.geometry.take(mask),
        )
        rows.times = {name: (begin[mask], end[mask], valid[mask]) for name, (begin, end, valid) in self.times.items()}
        rows._values = {name: array.filter(chosen) for name, array in self._values.items()}
        rows._texts = {name: array.filter(chosen) for name, array in self._texts.items()}
        return rows

    def head(self, count: int) -> Rows:
        """Return the first ``count`` rows."""
        import numpy as np

        return self if count >= self.count else self.take(np.arange(self.count) < count)
