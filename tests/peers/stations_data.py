"""The data that the maps of the suite show, written once per run in every format.

See docs/mapserver-sos.md, "Maps and data of the comparison".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Column:
    """A column: name, OGR type (Integer, String, Real, DateTime, Date), width and precision for shapefiles."""

    name: str
    type: str = "String"
    width: int = 0
    precision: int = 0


@dataclass(frozen=True)
class Table:
    """Rows with a geometry (WKT) first and one value for each column; None is NULL."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    geometry: str = "Point"
    epsg: int = 4326


FIVE = Table(
    (
        Column("ID", "Integer", 6),
        Column("STN", "String", 20),
        Column("TISO", "String", 30),
        Column("TDT", "DateTime"),
        Column("TD", "Date"),
        Column("VAL", "Real", 28, 15),
        Column("TXT", "String", 60),
    ),
    (
        (
            "POINT (-75 45)",
            1,
            "S1",
            "2001-10-30T14:24:55Z",
            "2001/10/30 14:24:55+00",
            "2001/10/30",
            89.9,
            "café & <b> \"q\" 'a'",
        ),
        ("POINT (-74.5 46.25)", 2, "S1", "2001-10-31T00:00:00Z", "2001/10/31 00:00:00+00", "2001/10/31", 0.3, "漢字"),
        ("POINT (-73.123456789 47)", 3, "S2", "2002-01-01T00:00:00Z", "2002/01/01 00:00:00+00", "2002/01/01", None, ""),
        (
            "POINT (-72.5 48.25)",
            4,
            "S2",
            "2003-06-15T12:30:00Z",
            "2003/06/15 12:30:00+00",
            "2003/06/15",
            1 / 3,
            "plain text",
        ),
        (
            "POINT (10 -20)",
            5,
            "S3",
            "2005-12-31T23:59:59Z",
            "2005/12/31 23:59:59+00",
            "2005/12/31",
            123456789.1234567,
            "a,b",
        ),
    ),
)

TWELVE = Table(
    (Column("N", "Integer", 6), Column("T", "String", 40)),
    tuple(
        (f"POINT ({n} {n})", n, text)
        for n, text in enumerate(
            (
                "2001-10-30T14:24:55Z",
                "2001-10-30T14:24:55",
                "2001-10-30 14:24:55",
                "2001-10-30T14:24",
                "2001-10-30",
                "2001-10",
                "2001",
                "20011030",
                "2002-01-01T00:00:00Z",
                "2003-12-31T23:59:59Z",
                "",
                "bogus",
            )
        )
    ),
)

NUMBERS = Table(
    (Column("ID", "Integer", 6), Column("X", "Real", 32, 8), Column("S", "String", 20)),
    (
        ("POINT (1 1)", 1, 1e-07, "a*b"),
        ("POINT (2 2)", 2, 1e20, "a\\b"),
        ("POINT (3 3)", 3, -0.0, "a.b"),
        ("POINT (4 4)", 4, 100.0, "axb"),
        ("POINT (5 5)", 5, None, None),
        ("POINT (6 6)", 6, 0.0, "it's"),
        ("POINT (7 7)", 7, -17.25, "0"),
    ),
)
"""Numbers whose text is not their shortest form, and texts that matter to patterns."""

ZONES = Table(
    (Column("ID", "Integer", 6), Column("WHEN_", "DateTime")),
    (
        ("POINT (1 1)", 1, "2001/06/01 00:00:00+00"),
        ("POINT (2 2)", 2, "2001/06/01 02:00:00+02"),
        ("POINT (3 3)", 3, "2001/06/01 00:00:00+02"),
        ("POINT (4 4)", 4, "2001/06/01 00:00:00"),
        ("POINT (5 5)", 5, None),
    ),
)
"""The same instant in several time zones (rows 1 and 2), and a time without a zone."""

FRACTIONS = Table(
    (Column("ID", "Integer", 6), Column("WHEN_", "DateTime")),
    (
        ("POINT (1 1)", 1, "2001/06/01 00:00:00.250+00"),
        ("POINT (2 2)", 2, "2001/06/01 00:00:00.5+00"),
        ("POINT (3 3)", 3, "2001/06/01 00:00:10+00"),
    ),
)
"""Two times within a second, and one without a fraction."""

LINES = Table(
    (Column("ID", "Integer", 6), Column("T", "String", 30)),
    (
        ("LINESTRING (-75 45,-74.5 45.25,-74 46)", 1, "2001-10-30T14:24:55Z"),
        ("MULTILINESTRING ((0 0,1 1),(2 2,3 3,4 2))", 2, "2002-01-01T00:00:00Z"),
        ("LINESTRING (10 10,20 20)", 3, ""),
    ),
    geometry="MultiLineString",
)

POLYGONS = Table(
    (Column("ID", "Integer", 6), Column("T", "String", 30)),
    (
        ("POLYGON ((0 0,0 10,10 10,10 0,0 0))", 1, "2001-10-30T14:24:55Z"),
        ("POLYGON ((20 0,20 10,30 10,30 0,20 0),(22 2,24 2,24 4,22 4,22 2))", 2, "2002-01-01T00:00:00Z"),
        ("MULTIPOLYGON (((40 0,40 10,50 10,50 0,40 0)),((60 0,60 10,70 10,70 0,60 0)))", 3, "2003"),
    ),
    geometry="MultiPolygon",
)

MULTIPOINTS = Table(
    (Column("ID", "Integer", 6), Column("T", "String", 30)),
    (
        ("MULTIPOINT ((1 1),(2 2),(3 3.5))", 1, "2001-10-30T14:24:55Z"),
        ("MULTIPOINT ((4 4))", 2, "2002-01-01T00:00:00Z"),
    ),
    geometry="MultiPoint",
)

MERCATOR = Table(
    (Column("ID", "Integer", 6), Column("VAL", "Real", 24, 4)),
    (
        ("POINT (-8348961.809495 5621521.486192)", 1, 1.5),
        ("POINT (0 0)", 2, 2.5),
    ),
    epsg=3857,
)
"""-75 45 and 0 0 in EPSG:3857."""

ZONE18 = Table(
    (Column("ID", "Integer", 6), Column("VAL", "Real", 24, 4)),
    (("POINT (500000 4982950.400226)", 1, 1.5), ("POINT (600000 4982950.4)", 2, 2.5)),
    epsg=32618,
)
"""-75 45 and a point east of it in EPSG:32618."""

OTHER = Table(
    (
        Column("VAL", "Real", 24, 4),
        Column("STN", "String", 20),
        Column("DEPTH", "Integer", 8),
        Column("TISO", "String", 30),
    ),
    (
        ("POINT (-70 40)", 7.5, "T1", 11, "2001-10-30T14:24:55Z"),
        ("POINT (-71 41)", 8.5, "T2", 12, "2002-10-30T14:24:55Z"),
    ),
)
"""The same kind of observations as FIVE in other columns and another order."""

EMPTY = Table((Column("ID", "Integer", 6), Column("STN", "String", 20), Column("TISO", "String", 30)), ())

BARE = Table(
    (Column("ID", "Integer", 6), Column("STN", "String", 20)),
    ((None, 1, "S1"), ("POINT (5 5)", 2, "S2")),
)
"""A row without a geometry."""

LATIN = Table((Column("ID", "Integer", 6), Column("TXT", "String", 20)), (("POINT (1 2)", 1, "café"),))

BLANKS = Table(
    (
        Column("ID", "Integer", 6),
        Column("D", "Date"),
        Column("R", "Real", 12, 3),
        Column("I", "Integer", 5),
        Column("C", "String", 8),
    ),
    (("POINT (1 2)", 1, "2001/02/03", 1.25, 7, "x"), ("POINT (3 4)", 2, None, None, None, None)),
)

OGR_FORMATS = {
    "shp": "ESRI Shapefile",
    "gpkg": "GPKG",
    "geojson": "GeoJSON",
    "fgb": "FlatGeobuf",
    "sqlite": "SQLite",
}


def write_all(folder: Path) -> None:
    """Write every table in every format it is used in."""
    for name, table in (("five", FIVE), ("twelve", TWELVE), ("numbers", NUMBERS)):
        for extension in OGR_FORMATS:
            write_table(folder / f"{name}.{extension}", name, table)
        write_csv(folder, name, table)
    for name, table in (("lines", LINES), ("polygons", POLYGONS), ("multipoints", MULTIPOINTS)):
        for extension in ("shp", "gpkg", "geojson"):
            write_table(folder / f"{name}.{extension}", name, table)
    for name, table in (("mercator", MERCATOR), ("zone18", ZONE18), ("other", OTHER), ("empty", EMPTY)):
        for extension in ("shp", "gpkg"):
            write_table(folder / f"{name}.{extension}", name, table)
    for extension in ("gpkg", "fgb", "geojson"):
        write_table(folder / f"zones.{extension}", "zones", ZONES)
        write_table(folder / f"fractions.{extension}", "fractions", FRACTIONS)
    write_table(folder / "bare.gpkg", "bare", BARE)
    write_table(folder / "blanks.shp", "blanks", BLANKS)
    write_table(folder / "latin.shp", "latin", LATIN, options=["ENCODING=ISO-8859-1"])
    (folder / "latin.cpg").unlink(missing_ok=True)
    (folder / "broken.gpkg").write_bytes(b"SQLite format 3\0" + b"not really" * 50)
    (folder / "broken.shp").write_bytes(b"\0" * 60)


def write_table(path: Path, layer_name: str, table: Table, options: Iterable[str] = ()) -> None:
    """Write a table feature by feature with OGR, in the format that the file name says."""
    from osgeo import ogr, osr

    reference = osr.SpatialReference()
    reference.ImportFromEPSG(table.epsg)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    driver = ogr.GetDriverByName(OGR_FORMATS[path.suffix[1:]])
    dataset = driver.CreateDataSource(str(path))
    kind = getattr(ogr, f"wkb{table.geometry}")
    if path.suffix == ".shp":
        kind = {"MultiLineString": ogr.wkbLineString, "MultiPolygon": ogr.wkbPolygon}.get(table.geometry, kind)
    if path.suffix == ".fgb":
        options = [*options, "SPATIAL_INDEX=NO"]
    if path.suffix == ".shp" and not options:
        options = ["ENCODING=UTF-8"]
    layer = dataset.CreateLayer(layer_name, reference, kind, options=list(options))
    columns = table.columns
    for column in columns:
        datetime_as_text = path.suffix == ".shp" and column.type == "DateTime"
        definition = ogr.FieldDefn(
            column.name, ogr.OFTString if datetime_as_text else getattr(ogr, f"OFT{column.type}")
        )
        if path.suffix == ".shp":
            definition.SetWidth(30 if datetime_as_text else column.width)
            definition.SetPrecision(column.precision)
        layer.CreateField(definition)
    for geometry, *values in table.rows:
        feature = ogr.Feature(layer.GetLayerDefn())
        if geometry is not None:
            shape = ogr.CreateGeometryFromWkt(geometry)
            if path.suffix in (".gpkg", ".fgb") and table.geometry == "MultiLineString":
                shape = ogr.ForceToMultiLineString(shape)
            if path.suffix in (".gpkg", ".fgb") and table.geometry == "MultiPolygon":
                shape = ogr.ForceToMultiPolygon(shape)
            feature.SetGeometry(shape)
        for index, value in enumerate(values):
            if value is None:
                feature.SetFieldNull(index)
            else:
                feature.SetField(index, value)
        layer.CreateFeature(feature)
    layer = dataset = None  # closes the file


def write_csv(folder: Path, name: str, table: Table) -> None:
    """Write a point table as CSV with x and y columns, and the VRT that makes points of them."""
    lines = [",".join(["lon", "lat", *(column.name for column in table.columns)])]
    for geometry, *values in table.rows:
        x, y = geometry.removeprefix("POINT (").removesuffix(")").split()
        cells = ["" if value is None else str(value) for value in values]
        lines.append(",".join([x, y, *('"' + cell.replace('"', '""') + '"' for cell in cells)]))
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / f"{name}.vrt").write_text(
        f"""<OGRVRTDataSource>
  <OGRVRTLayer name="{name}">
    <SrcDataSource relativeToVRT="1">{name}.csv</SrcDataSource>
    <GeometryType>wkbPoint</GeometryType>
    <LayerSRS>EPSG:4326</LayerSRS>
    <GeometryField encoding="PointFromColumns" x="lon" y="lat"/>
  </OGRVRTLayer>
</OGRVRTDataSource>
""",
        encoding="utf-8",
    )
