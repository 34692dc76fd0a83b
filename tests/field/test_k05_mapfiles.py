"""K5: a mapfile that mapserv reads is read: old keywords, and anything after the END of MAP."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from .conftest import Field

POINTS = '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"station":"S"},"geometry":null}]}'


@pytest.mark.parametrize(
    ("head", "more", "after"),
    [
        ("", "SYMBOLSCALE 25000", ""),
        ('LATLON "x" SCALE 1', "", ""),
        ("", "", "That's all: { ( \" it isn't closed\n"),
        ("", "", "INCLUDE 'missing.map'"),
    ],
)
def test_what_mapserv_reads_is_read(field: Field, head: str, more: str, after: str) -> None:
    field.write("data.geojson", POINTS)
    field.publish("data.geojson", head=head, more=more)
    with field.mapfile.open("a") as file:
        file.write(after)
    assert b"<ows:Title>T</ows:Title>" in field.ask("GetCapabilities")
    mapserv = shutil.which("mapserv")
    if mapserv is None:
        pytest.skip("mapserv is not installed here")
    conf = field.write("mapserv.conf", 'CONFIG ENV MS_MAP_PATTERN "." END END\n')
    query = f"map={field.mapfile}&service=SOS&request=GetCapabilities"
    environ = {**os.environ, "MAPSERVER_CONFIG_FILE": str(conf), "REQUEST_METHOD": "GET", "QUERY_STRING": query}
    document = subprocess.run([mapserv], env=environ, capture_output=True, check=False).stdout
    # The layer has no rows with a time; what matters is that the map was read.
    assert b"msLoadMap" not in document
    assert b"Parsing error" not in document
