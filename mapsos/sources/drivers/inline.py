"""The FEATURE blocks of a LAYER as rows."""

from __future__ import annotations

from collections.abc import Generator

from mapsos.columns.geometries import GeometryColumn
from mapsos.sources.filtering.sql import Dialect
from mapsos.sources.reader import ReadPlan
from mapsos.sources.rows import Rows
from mapsos.sources.source_columns import SourceColumn, TextColumn
from mapsos.terms.columns import Column, ColumnKind
from mapsos.terms.layer_source import InlineFeature, LayerSource, ShapeType


class InlineReader:
    """The features of a mapfile: their ITEMS are columns of strings, a missing item is NULL."""

    def __init__(self, source: LayerSource) -> None:
        self.source = source
        self.columns: dict[str, SourceColumn] = {
            name: TextColumn(Column(name, ColumnKind.TEXT)) for name in source.item_names
        }
        self.has_geometry = True

    def rows(self, plan: ReadPlan) -> Generator[Rows]:
        """Deliver the features in their order."""
        import numpy as np
        import pyarrow as pa

        features = self.source.features
        for start in range(0, len(features), plan.batch_rows):
            some = features[start : start + plan.batch_rows]
            raw = {
                name: pa.array(
                    [feature.items[place] if place < len(feature.items) else None for feature in some],
                    pa.large_string(),
                )
                for place, name in enumerate(self.source.item_names)
                if name in plan.columns
            }
            geometry = None
            if plan.geometry:
                shapes = np.empty(len(some), dtype=object)
                shapes[:] = [_shape(feature, self.source.shape) for feature in some]
                geometry = GeometryColumn.from_shapes(shapes)
            yield Rows(len(some), self.columns, raw, geometry)

    def condition_dialect(self, name: str) -> Dialect | None:
        """Return None: without a driver no conditions are pushed down."""
        return None

    def adopt(self, source: LayerSource) -> bool:
        """Return False: each layer is opened by itself."""
        return False

    def is_fresh(self) -> bool:
        """Return False: no open file is worth caching."""
        return False

    def index_keys(self) -> tuple[tuple[str, ...], ...]:
        """Return no keys: these data have no index."""
        return ()

    def finds_few(self, condition: str) -> bool:
        """Return False: these data have no index."""
        return False

    def close(self) -> None:
        """Do nothing: no file is open."""


def _shape(feature: InlineFeature, shape: ShapeType) -> object:
    """Build one geometry of the LAYER's TYPE from the feature's parts; a ring within another one is a hole of it."""
    import shapely

    parts = [part for part in feature.parts if part]
    if not parts:
        return None
    if shape is ShapeType.POINT:
        vertices = [vertex for part in parts for vertex in part]
        return shapely.points(vertices[0]) if len(vertices) == 1 else shapely.multipoints(shapely.points(vertices))
    if shape is ShapeType.LINE:
        lines = [shapely.linestrings(part) for part in parts if len(part) > 1]
        return None if not lines else lines[0] if len(lines) == 1 else shapely.multilinestrings(lines)
    rings = [shapely.linearrings(part) for part in parts if len(part) > 2]
    return _polygon(rings)


def _polygon(rings: list[object]) -> object:
    import shapely

    whole = [shapely.polygons(ring) for ring in rings]
    depth = [
        sum(outer is not inner and bool(shapely.contains_properly(outer, inner)) for outer in whole) for inner in whole
    ]
    polygons = []
    for place, outer in enumerate(whole):
        if depth[place] % 2:
            continue
        holes = [
            rings[other]
            for other, inner in enumerate(whole)
            if depth[other] == depth[place] + 1 and shapely.contains_properly(outer, inner)
        ]
        polygons.append(shapely.polygons(rings[place], holes=holes or None))
    return None if not polygons else polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)
