"""The services under test: the example, and one with every geometry type, nulls, letters of any script and markup."""

from __future__ import annotations

import shutil
from pathlib import Path

from osgeo import ogr, osr

EXAMPLES = Path(__file__).parents[2] / "examples" / "mapfiles"
DATA = Path(__file__).parents[2] / "data"

ODD = "Łódź <b> & \"q\" 'a' ]]>"
STATIONS = ("S1", "S 2", "Żar", "a&b<c")
SHAPES = {
    "points": ("POINT", "POINT ({x} {y})"),
    "multipoints": ("POINT", "MULTIPOINT ({x} {y}, {x} 1.5)"),
    "lines": ("LINE", "LINESTRING ({x} {y}, {x} 1.5, 3 4)"),
    "multilines": ("LINE", "MULTILINESTRING (({x} {y}, 1 2), (3 4, 5 6))"),
    "polygons": (
        "POLYGON",
        "POLYGON (({x} {y}, 20 {y}, 20 30, {x} 30, {x} {y}), (16 26, 17 26, 17 27, 16 26))",
    ),
    "multipolygons": ("POLYGON", "MULTIPOLYGON ((({x} {y}, 20 {y}, 20 30, {x} {y})), ((40 40, 41 40, 41 41, 40 40)))"),
}
"""By the name of a layer: the TYPE of the LAYER and the geometry of a row."""

_FIELDS = (
    ("stn", ogr.OFTString, None),
    ("t", ogr.OFTDateTime, None),
    ("v", ogr.OFTReal, None),
    ("n", ogr.OFTInteger, None),
    ("ok", ogr.OFTInteger, ogr.OFSTBoolean),
    ("day", ogr.OFTDate, None),
    ("txt", ogr.OFTString, None),
    ("oid", ogr.OFTString, None),
)


def write_weather(folder: Path, conformance: str | None, online_resource: str | None = None) -> Path:
    """A copy of the example service, with another sos_conformance."""
    text = (EXAMPLES / "weather.map").read_text().replace('SHAPEPATH "../../data"', f'SHAPEPATH "{DATA}"')
    added = f'"sos_conformance" "{conformance}"' if conformance else ""
    if online_resource:
        added += f' "sos_onlineresource" "{online_resource}"'
    shutil.copy(EXAMPLES / "MLO.xml", folder)
    path = folder / "weather.map"
    path.write_text(text.replace('"sos_enable_request" "*"', f'"sos_enable_request" "*" {added}', 1))
    return path


def write_many(folder: Path, conformance: str | None, online_resource: str | None = None) -> Path:
    """A service with an offering for each geometry type, of three layers with an observed property each."""
    for name, (_, shape) in SHAPES.items():
        _write_rows(folder / f"{name}.gpkg", shape)
    layers = [
        _layer(f"{name} {number}", name, shape[0], property_, columns)
        for name, shape in SHAPES.items()
        for number, (property_, columns) in enumerate(_PROPERTIES.items())
    ]
    added = f'"sos_conformance" "{conformance}"' if conformance else ""
    if online_resource:
        added += f' "sos_onlineresource" "{online_resource}"'
    path = folder / "many.map"
    path.write_text(
        f"""MAP NAME "many" SIZE 10 10 EXTENT -180 -90 180 90 PROJECTION "init=epsg:4326" END
  WEB METADATA "sos_enable_request" "*" "sos_srs" "EPSG:4326 EPSG:3857" "sos_title" "Many & <more>" {added}
    "sos_updatesequence" "7" "sos_contactorganization" "{ODD.replace('"', "")}" END END
  {"".join(layers)}
END
"""
    )
    return path


_PROPERTIES = {
    "level": '"sos_v_alias" "level" "sos_v_uom" "m" "sos_v_definition" "urn:ogc:def:property:OGC::Level"',
    "http://example.org/p?a=1&b=[2]": '"sos_n_alias" "1 n&m" "sos_ok_alias" "fine" "sos_day_alias" "day"',
    "quality grade": '"sos_txt_alias" "grade" "sos_oid_alias" "id" "sos_v_alias" "v" "sos_v_uom" "[ft_i] x" '
    '"sos_featureid" "oid"',
}


def _layer(name: str, data: str, shape: str, property_: str, columns: str) -> str:
    return f"""
  LAYER NAME "{name}" TYPE {shape} STATUS ON CONNECTIONTYPE OGR CONNECTION "{data}.gpkg" DATA "obs"
    PROJECTION "init=epsg:4326" END
    METADATA "sos_offering_id" "1 {data}" "sos_offering_name" "All {data} & <more>"
      "sos_offering_description" '{ODD.replace("'", "")}'
      "sos_offering_timeextent" "2001/2002-06" "sos_observedproperty_id" "{property_}" "sos_procedure_item" "stn"
      "sos_timeitem" "t" {columns} END
  END
"""


def _write_rows(path: Path, shape: str) -> None:
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    layer = dataset.CreateLayer("obs", reference, ogr.wkbUnknown)
    for name, kind, subtype in _FIELDS:
        field = ogr.FieldDefn(name, kind)
        if subtype is not None:
            field.SetSubType(subtype)
        layer.CreateField(field)
    for row in range(24):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["stn"] = STATIONS[row % 4]
        feature["t"] = f"{2001 + row // 16}-{1 + row % 6:02d}-15T{row:02d}:00:00Z"
        feature["oid"] = f"{row} {ODD}"
        if row % 5:
            feature["v"] = row * 1e-7 if row % 2 else row * 1e20
            feature["n"], feature["ok"], feature["day"] = row, row % 2, f"2001-02-{1 + row:02d}"
            feature["txt"] = f"{ODD}, {row}\nnext"
        if row != 7:
            feature.SetGeometry(ogr.CreateGeometryFromWkt(shape.format(x=row % 4, y=10 + row % 4)))
        layer.CreateFeature(feature)
    dataset = layer = None
