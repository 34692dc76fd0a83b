"""GeoPackages written by the batch: prepared geometry blobs through sqlite3, and an R-tree packed in one go."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

APPLICATION_ID = 0x47504B47  # "GPKG"
USER_VERSION = 10300  # GeoPackage 1.3
CELLS = 51  # of an R-tree node: what SQLite itself uses for pages of 4096 bytes
WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]'
)
WEB_MERCATOR = (
    'PROJCS["WGS 84 / Pseudo-Mercator",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Mercator_1SP"],'
    'PARAMETER["central_meridian",0],PARAMETER["scale_factor",1],PARAMETER["false_easting",0],'
    'PARAMETER["false_northing",0],UNIT["metre",1],AUTHORITY["EPSG","3857"]]'
)
METADATA_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT '2001-01-01T00:00:00.000Z',
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER);
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  PRIMARY KEY (table_name, column_name));
CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,
  definition TEXT NOT NULL, scope TEXT NOT NULL, UNIQUE (table_name, column_name, extension_name));
"""


class Geopackage:
    """A new file with one table: open it, add batches of rows, finish it.

    Parameters
    ----------
    path
        The file to make; it must not be there yet.
    table
        Name of the table.
    columns
        Name and SQL type of each column, without the identifier and the geometry.
    geometry_type
        POINT, LINESTRING or POLYGON.
    epsg
        4326 or 3857.
    """

    def __init__(
        self, path: Path, table: str, columns: Sequence[tuple[str, str]], geometry_type: str, epsg: int
    ) -> None:
        self._table = table
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {USER_VERSION};" + METADATA_TABLES
        )
        definitions = ", ".join(f'"{name}" {kind}' for name, kind in columns)
        self._database.execute(
            f'CREATE TABLE "{table}" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom {geometry_type}, '
            f"{definitions})"
        )
        self._insert = f'INSERT INTO "{table}" VALUES (NULL, {", ".join("?" * (len(columns) + 1))})'
        self._database.executemany(
            "INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, NULL)",
            [
                ("Undefined Cartesian", -1, "NONE", -1, "undefined"),
                ("Undefined geographic", 0, "NONE", 0, "undefined"),
                ("WGS 84", 4326, "EPSG", 4326, WGS84),
                ("WGS 84 / Pseudo-Mercator", 3857, "EPSG", 3857, WEB_MERCATOR),
            ],
        )
        self._database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, 'features', ?, ?)",
            (table, table, epsg),
        )
        self._database.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, ?, 0, 0)", (table, geometry_type, epsg)
        )
        self._boxes: list[np.ndarray] = []

    def add(self, geometries: Sequence[bytes], columns: Sequence[Iterable[Any]], boxes: np.ndarray) -> None:
        """Append rows: blobs, one iterable a column, and their boxes (rows, 4) as min x, max x, min y, max y."""
        self._database.execute("BEGIN")
        self._database.executemany(self._insert, zip(geometries, *columns, strict=True))
        self._database.execute("COMMIT")
        self._boxes.append(boxes)

    def finish(self, indexed: Sequence[str] = ()) -> None:
        """Write the R-tree, the extent and an index on the named columns; close the file."""
        import numpy as np

        boxes = np.concatenate(self._boxes)
        self._boxes = []
        low, high = boxes.min(axis=0), boxes.max(axis=0)
        self._database.execute(
            "UPDATE gpkg_contents SET min_x = ?, max_x = ?, min_y = ?, max_y = ?",
            (float(low[0]), float(high[1]), float(low[2]), float(high[3])),
        )
        pack_rtree(self._database, f"rtree_{self._table}_geom", boxes)
        self._database.execute(
            "INSERT INTO gpkg_extensions VALUES (?, 'geom', 'gpkg_rtree_index', "
            "'http://www.geopackage.org/spec120/#extension_rtree', 'write-only')",
            (self._table,),
        )
        if indexed:
            names = ", ".join(f'"{name}"' for name in indexed)
            self._database.execute(f'CREATE INDEX "{self._table}_by_{"_".join(indexed)}" ON "{self._table}" ({names})')
        self._database.execute("ANALYZE")
        self._database.close()


def pack_rtree(database: sqlite3.Connection, name: str, boxes: np.ndarray) -> None:
    """Make an R-tree of boxes (rows, 4), row n having id n + 1, by sort-tile-recursive packing of full nodes.

    Inserting ten million boxes one by one through SQLite takes many minutes; this takes seconds.
    """
    import numpy as np

    database.execute(f'CREATE VIRTUAL TABLE "{name}" USING rtree(id, minx, maxx, miny, maxy)')
    with np.errstate(over="ignore"):
        single = boxes.astype(np.float32)
        # Single precision must not shrink a box.
        for column, towards in ((0, -np.inf), (1, np.inf), (2, -np.inf), (3, np.inf)):
            outside = single[:, column] > boxes[:, column] if towards < 0 else single[:, column] < boxes[:, column]
            single[outside, column] = np.nextafter(single[outside, column], np.float32(towards))
    levels: list[tuple[np.ndarray, np.ndarray]] = [(np.arange(1, len(boxes) + 1), single)]
    packed = []
    while True:
        ids, rectangles = levels[-1]
        order = _tile(rectangles)
        ids, rectangles = ids[order], rectangles[order]
        starts = np.arange(0, len(ids), CELLS)
        packed.append((ids, rectangles, starts))
        if len(starts) <= 1:
            break
        parents = np.stack(
            [
                np.minimum.reduceat(rectangles[:, 0], starts),
                np.maximum.reduceat(rectangles[:, 1], starts),
                np.minimum.reduceat(rectangles[:, 2], starts),
                np.maximum.reduceat(rectangles[:, 3], starts),
            ],
            axis=1,
        )
        levels.append((np.arange(len(starts)), parents))
    _write_nodes(database, name, packed)


def _tile(rectangles: np.ndarray) -> np.ndarray:
    import numpy as np

    nodes = -(-len(rectangles) // CELLS)
    slice_rows = max(1, int(np.ceil(np.sqrt(nodes)))) * CELLS
    by_x = np.argsort(rectangles[:, 0], kind="stable")
    column = np.empty(len(rectangles), dtype=np.int64)
    column[by_x] = np.arange(len(rectangles)) // slice_rows
    return np.lexsort((rectangles[:, 2], column))


def _write_nodes(
    database: sqlite3.Connection, name: str, packed: list[tuple[np.ndarray, np.ndarray, np.ndarray]]
) -> None:
    import numpy as np

    # The root is node 1; the levels below it follow, so that a node's number is its level's first plus its place.
    first = {len(packed) - 1: 1}
    for level in range(len(packed) - 2, -1, -1):
        first[level] = first[level + 1] + len(packed[level + 1][2])
    cell = np.dtype([("id", ">i8"), ("box", ">f4", 4)])
    node = np.dtype([("depth", ">u2"), ("cells", ">u2"), ("cell", cell, CELLS)])
    database.execute("BEGIN")
    database.execute(f'DELETE FROM "{name}_node"')
    for level, (ids, rectangles, starts) in enumerate(packed):
        written = ids if level == 0 else ids + first[level - 1]
        nodes = np.zeros(len(starts), dtype=node)
        nodes["cells"] = np.diff(np.append(starts, len(ids)))
        if level == len(packed) - 1:
            nodes["depth"] = level
        cells = np.zeros(len(starts) * CELLS, dtype=cell)
        cells["id"][: len(ids)], cells["box"][: len(ids)] = written, rectangles
        nodes["cell"] = cells.reshape(len(starts), CELLS)
        numbers = np.arange(first[level], first[level] + len(starts))
        database.executemany(
            f'INSERT INTO "{name}_node" VALUES (?, ?)', zip(numbers.tolist(), map(bytes, nodes), strict=True)
        )
        owners = np.repeat(numbers, np.diff(np.append(starts, len(ids))))
        order = np.argsort(written, kind="stable")
        table = f"{name}_rowid" if level == 0 else f"{name}_parent"
        database.executemany(
            f'INSERT INTO "{table}" VALUES (?, ?)', zip(written[order].tolist(), owners[order].tolist(), strict=True)
        )
    database.execute("COMMIT")


def point_blobs(x: np.ndarray, y: np.ndarray, epsg: int) -> list[bytes]:
    """GeoPackage geometries of points."""
    import numpy as np

    kind = np.dtype(
        [("magic", "S2"), ("version", "u1"), ("flags", "u1"), ("srs", "<i4"), ("order", "u1"), ("type", "<u4")]
        + [("x", "<f8"), ("y", "<f8")]
    )
    blobs = np.zeros(len(x), dtype=kind)
    blobs["magic"], blobs["flags"], blobs["srs"], blobs["order"], blobs["type"] = b"GP", 1, epsg, 1, 1
    blobs["x"], blobs["y"] = x, y
    return list(map(bytes, blobs))


def path_blobs(vertices: np.ndarray, polygon: bool, epsg: int) -> list[bytes]:
    """GeoPackage geometries, with envelopes, of lines or of one-ring polygons from vertices (features, vertices, 2)."""
    import numpy as np

    ring = [("rings", "<u4")] if polygon else []
    kind = np.dtype(
        [("magic", "S2"), ("version", "u1"), ("flags", "u1"), ("srs", "<i4"), ("box", "<f8", 4)]
        + [("order", "u1"), ("type", "<u4"), *ring, ("count", "<u4"), ("points", "<f8", vertices.shape[1:])]
    )
    blobs = np.zeros(len(vertices), dtype=kind)
    blobs["magic"], blobs["flags"], blobs["srs"], blobs["box"] = b"GP", 3, epsg, box_vertices(vertices)
    blobs["order"], blobs["type"], blobs["count"] = 1, 3 if polygon else 2, vertices.shape[1]
    blobs["points"] = vertices
    if polygon:
        blobs["rings"] = 1
    return list(map(bytes, blobs))


def box_vertices(vertices: np.ndarray) -> np.ndarray:
    """The boxes (features, 4) as min x, max x, min y, max y."""
    import numpy as np

    low, high = vertices.min(axis=1), vertices.max(axis=1)
    return np.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]], axis=1)
