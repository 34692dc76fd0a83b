"""Value texts beside those that MapServer itself prints for the same rows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms import predicates as p
from mapsos.terms.layer_source import LayerSource, SourceKind

from .conftest import ROWS

MAPSERV = shutil.which("mapserv")

MAPFILE = """MAP
  NAME "peer" SIZE 10 10 EXTENT -180 -90 180 90
  PROJECTION "init=epsg:4326" END
  WEB METADATA
    "sos_onlineresource" "http://localhost/" "sos_srs" "EPSG:4326" "sos_enable_request" "*"
  END END
  LAYER
    NAME "peer" TYPE POINT STATUS ON {connection}
    PROJECTION "init=epsg:4326" END
    METADATA
      "sos_offering_id" "o" "sos_observedproperty_id" "p" "sos_procedure" "s"
      {aliases}
    END
  END
END
"""

REQUEST = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=o&observedproperty=p"
    "&responseformat=text/xml;%20subtype=%22om/1.0.0%22&resultmodel=om:Measurement&map="
)

COLUMNS = ("id", "name", "count", "big", "value", "flag", "day", "at", "written")


def ask_mapserver(source: LayerSource, directory: Path) -> list[dict[str, str | None]]:
    """What MapServer prints of each column, row by row."""
    if source.kind is SourceKind.SHAPEFILE:
        connection = f'DATA "{source.connection}"'
    else:
        data = f'DATA "{source.data}"' if source.data else ""
        connection = f'CONNECTIONTYPE OGR CONNECTION "{source.connection}" {data}'
    aliases = " ".join(f'"sos_{name}_alias" "{name}"' for name in COLUMNS)
    (directory / "peer.map").write_text(MAPFILE.format(connection=connection, aliases=aliases))
    (directory / "mapserver.conf").write_text('CONFIG\n ENV\n  MS_MAP_PATTERN "."\n END\nEND\n')
    environment = {
        **{key: value for key, value in os.environ.items() if key != "QUERY_STRING"},
        "MAPSERVER_CONFIG_FILE": str(directory / "mapserver.conf"),
    }
    answer = subprocess.run(
        [str(MAPSERV), "-nh", f"QUERY_STRING={REQUEST}{directory}/peer.map"],
        env=environment,
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    rows = etree.fromstring(answer).iterfind(".//{*}featureMember/{*}peer")
    return [{name: row.findtext(f"{{*}}{name}") for name in COLUMNS} for row in rows]


@pytest.mark.skipif(MAPSERV is None, reason="mapserv is not installed")
def test_mapserver_prints_the_same_texts(source: LayerSource, driver: str, tmp_path: Path) -> None:
    theirs = ask_mapserver(source, tmp_path)
    with open_layer(source) as layer:
        query = LayerQuery(source, texts=COLUMNS, predicate=p.BBox(-180, -90, 180, 90))
        ours = [
            {name: text or "" for name, text in row.items()}
            for batch in layer.read(query)
            for row in (
                dict(zip(COLUMNS, texts, strict=True))
                for texts in zip(*(batch.texts[name].to_pylist() for name in COLUMNS), strict=True)
            )
        ]
    assert len(theirs) == len(ours) > 7
    for their, our in zip(*(sorted(rows, key=lambda row: row["id"] or "") for rows in (theirs, ours)), strict=True):
        if driver in ("shp", "vrt"):
            # A missing number is 0 for MapServer (D-14b).
            row = next(row for row in ROWS if str(row.id) == their["id"])
            their |= {name: "" for name in COLUMNS if their[name] == "0" and getattr(row, name) is None}
        if driver not in ("shp", "shp-ogr"):
            # MapServer drops fractions of a second (B-37). In a shapefile the time is a text.
            our["at"] = re.sub(r"\.[0-9]+", "", our["at"])
        assert their == our
