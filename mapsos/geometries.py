"""A column of geometries: WKB from a source, decoded once per batch into coordinates, bounds or shapely geometries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class GeometryColumn:
    """Geometries of a batch: WKB (any dimension and byte order) in x y order, None for a row without geometry."""

    def __init__(self, wkb: pa.Array) -> None:
        self.wkb = wkb

    def point_coordinates(self) -> np.ndarray | None:
        """Array (rows, 2) of float64 x y if every row is a Point (NaN where there is no geometry), else None."""
        raise NotImplementedError

    def shapes(self) -> np.ndarray:
        """Array (rows,) of shapely geometries, None where there is none."""
        raise NotImplementedError

    def bounds(self) -> np.ndarray:
        """Array (rows, 4) of float64 minx miny maxx maxy, NaN where there is no geometry."""
        raise NotImplementedError
