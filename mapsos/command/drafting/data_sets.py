"""Read what a mapfile has to state about data sets: layers, columns, CRS and bounds, and a sample of their rows."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Literal

from mapsos.sources.errors import mask_passwords
from mapsos.terms.values import dataclass

ENDINGS = (
    ".gpkg", ".shp", ".fgb", ".geojson", ".geojsonl", ".json", ".csv", ".tsv", ".vrt", ".sqlite", ".db", ".gml",
    ".parquet",
)  # fmt: skip
"""The endings of files that are data sets."""

_DATABASE = re.compile(r"(PG:|postgres(ql)?://)", re.I)
_SYSTEM_TABLES = frozenset("layer_styles qgis_projects spatial_ref_sys data_licenses sqlite_sequence".split())
_SAMPLE = 2000
_PIECES = 8
_LONGEST_WAY = 20_000
"""Rows that are read of a data set whose rows cannot be reached by their position."""
_BY_POSITION = ("GPKG", "ESRI Shapefile", "SQLite")

ColumnKind = Literal["text", "integer", "real", "date", "datetime", "other"]
Rectangle = tuple[float, float, float, float]


class DraftError(Exception):
    """A data set cannot be read, or is not one; the message is for the admin."""


class DataRow(dict[str, object]):
    """The values of a row by column, and its place: the coordinates of a point, None without one."""

    place: tuple[float, float] | None = None


@dataclass(frozen=True)
class DataColumn:
    """A column and the kind of its values."""

    name: str
    kind: ColumnKind


@dataclass(frozen=True)
class DataSet:
    """One layer of a data set.

    Attributes
    ----------
    source
        The absolute path of its file, or the connection of its database.
    driver
        GDAL's name of its format.
    layer
        Its name in the data set.
    title
        What an admin calls it: the name of the file where that has a single layer, else that of the layer.
    shape
        POINT, LINE or POLYGON; None without geometries.
    crs
        Its CRS as WKT, empty if it states none.
    bounds
        minx, miny, maxx, maxy in that CRS; None without geometries.
    rows
        A sample of its rows, from all parts of the data set.
    inline
        The VRT that makes a layer with positions of a table, to be written instead of ``source``; None if that is one.
    remarks
        What the admin should know about reading it.
    """

    source: str
    driver: str
    layer: str
    title: str
    columns: tuple[DataColumn, ...]
    shape: str | None = None
    crs: str = ""
    bounds: Rectangle | None = None
    rows: tuple[DataRow, ...] = ()
    inline: str | None = None
    remarks: tuple[str, ...] = field(default=())


def is_data_source(text: str) -> bool:
    """Return whether an argument is a database, a folder, or a file of a known ending, rather than a mapfile."""
    return is_database(text) or os.path.isdir(text) or text.lower().endswith(ENDINGS)


def is_database(text: str) -> bool:
    """Return whether a source is the connection of a PostgreSQL database."""
    return _DATABASE.match(text) is not None


def list_sources(words: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the sources among the words of a command line, each with the tables that follow a database.

    A folder stands for the data sets in it. Raises DraftError for a file that is missing, and an empty folder.
    """
    found: list[tuple[str, list[str]]] = []
    for word in words:
        if is_database(word):
            found.append((word, []))
        elif os.path.isdir(word):
            inside = list_folder(Path(word))
            if not inside:
                raise DraftError(f"no data set in {word}; expected files that end in {', '.join(ENDINGS)}")
            found += [(str(path), []) for path in inside]
        elif os.path.exists(word):
            found.append((word, []))
        elif found and is_database(found[-1][0]):
            found[-1][1].append(word)
        else:
            raise DraftError(f"data set not found: {word}")
    return [(source if is_database(source) else os.path.abspath(source), tuple(tables)) for source, tables in found]


def list_folder(folder: Path) -> list[Path]:
    """Return the data sets in a folder; a VRT stands for the file of its name that it reads."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
    virtual = {path.stem for path in files if path.suffix.lower() == ".vrt"}
    return [path for path in files if path.suffix.lower() == ".vrt" or path.stem not in virtual]


def read_data_sets(source: str, layers: Sequence[str] = ()) -> Iterator[DataSet]:
    """Yield the layers of a data set or database; ``layers`` are the names of those that are wanted, empty for all.

    Names without a schema stand for tables in public. Raises DraftError if the source cannot be read, or lacks one.
    """
    try:
        import fiona
        from fiona.errors import FionaError
    except ImportError as error:
        raise DraftError("drafting needs Fiona, which reads schemas: apt-get install python3-fiona") from error

    connection = connect(source)
    try:
        names = fiona.listlayers(connection)
    except (FionaError, ValueError, OSError) as error:
        raise DraftError(f"cannot read {mask_passwords(source)}: {_tell(error)}") from error
    lowered = {name.lower(): name for name in names}
    wanted = [name for name in names if name.lower() not in _SYSTEM_TABLES]
    if layers:
        asked = [name.lower() for name in layers]
        found = [lowered.get(name) or lowered.get(name.removeprefix("public.")) for name in asked]
        if is_database(source):
            # GDAL lists the tables with geometries, and opens the others too.
            found = [known or name for known, name in zip(found, layers, strict=True)]
        if None in found:
            missing, known = layers[found.index(None)], ", ".join(names) or "none"
            raise DraftError(f"{mask_passwords(source)} has no layer {missing}; its layers: {known}")
        wanted = [name for name in found if name is not None]
    for name in wanted:
        try:
            with fiona.open(connection, layer=name, allow_unsupported_drivers=True) as collection:
                yield _read_layer(source, name, collection, single=len(wanted) == 1 and not is_database(source))
        except (FionaError, ValueError, OSError) as error:
            known = f"; its layers: {', '.join(names)}" if name not in names and names else ""
            raise DraftError(f"cannot read layer {name} of {mask_passwords(source)}: {_tell(error)}{known}") from error


def connect(source: str) -> str:
    """Return the source as GDAL opens it."""
    return source if not _DATABASE.match(source) or source[:3].upper() == "PG:" else f"PG:{source}"


def _read_layer(source: str, name: str, collection: Any, *, single: bool) -> DataSet:
    schema = collection.schema
    columns = tuple(DataColumn(column, _read_kind(kind)) for column, kind in schema["properties"].items())
    rows = tuple(_sample(collection))
    geometry = schema["geometry"] if isinstance(schema["geometry"], str) else "Unknown"
    if geometry == "Unknown":
        geometry = next((str(row["__geometry__"]) for row in rows if row.get("__geometry__")), "None")
    for row in rows:
        row.pop("__geometry__", None)
    bounds = None
    if geometry != "None":
        try:
            found = collection.bounds
            bounds = found if any(found) or rows else None
        except Exception:
            # Fiona's errors here are of several kinds: the layer is empty, or has only rows without a geometry.
            bounds = None
    title = Path(source).stem if single else name.rpartition(".")[2]
    crs = collection.crs_wkt or "" if geometry != "None" else ""
    driver = collection.driver or ""
    remarks = _name_skipped(source, name, schema["properties"])
    shape = _read_shape(geometry)
    return DataSet(source, driver, name, title, columns, shape, crs, bounds, rows, remarks=remarks)


def _name_skipped(source: str, layer: str, properties: Container[str]) -> tuple[str, ...]:
    """Return a remark about the columns that Fiona skips: 1.10 does not read numbers of single precision."""
    from osgeo import gdal

    gdal.UseExceptions()
    try:
        dataset = gdal.OpenEx(connect(source), gdal.OF_VECTOR)
        found = dataset.GetLayerByName(layer)
    except RuntimeError:
        return ()
    if found is None:
        return ()
    # The definition belongs to the layer, and that to the dataset.
    definition = found.GetLayerDefn()
    names = [definition.GetFieldDefn(index).GetName() for index in range(definition.GetFieldCount())]
    skipped = [name for name in names if name not in properties]
    return (f"not read by Fiona, add them yourself: {', '.join(skipped)}",) if skipped else ()


def _read_kind(kind: str) -> ColumnKind:
    name = kind.partition(":")[0]
    if name == "str":
        return "text"
    # With the size since Fiona 1.10: int32, float32.
    if name.startswith("int"):
        return "integer"
    if name.startswith("float"):
        return "real"
    return {"date": "date", "datetime": "datetime"}.get(name, "other")  # type: ignore[return-value]


def _read_shape(geometry: str) -> str | None:
    lowered = geometry.lower()
    if lowered == "none":
        return None
    return "POLYGON" if "polygon" in lowered else "LINE" if "line" in lowered else "POINT"


def _sample(collection: Any) -> Iterator[DataRow]:
    """Yield rows of all parts of a layer, so that those of more than one sensor are among them."""
    try:
        count = len(collection)
    except (TypeError, ValueError):
        count = -1
    if count > _SAMPLE and collection.driver in _BY_POSITION:
        length = _SAMPLE // _PIECES
        starts = [piece * (count - length) // (_PIECES - 1) for piece in range(_PIECES)]
        for start in starts:
            for feature in collection.filter(start, start + length):
                yield _read_row(feature)
        return
    step = 1 if count <= _SAMPLE else max(min(count, _LONGEST_WAY) // _SAMPLE, 1)
    for position, feature in enumerate(collection):
        if position >= _LONGEST_WAY:
            break
        if position % step == 0:
            yield _read_row(feature)


def _read_row(feature: Any) -> DataRow:
    row = DataRow(feature["properties"])
    geometry = feature["geometry"]
    if geometry is not None:
        row["__geometry__"] = geometry["type"]
        if geometry["type"] == "Point":
            x, y, *_ = geometry["coordinates"]
            row.place = x, y
    return row


def _tell(error: Exception) -> str:
    # GDAL 3.10 repeats the connection.
    return mask_passwords(" ".join(str(error).split())) or type(error).__name__
