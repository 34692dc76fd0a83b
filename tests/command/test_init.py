"""mapsos init and mapsos serve SOURCE: drafts that check finds nothing in, and that are served at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import fiona
import pytest

from mapsos.app import Application
from mapsos.check.report import check_mapfile
from mapsos.command.drafting.draft import draft_map
from mapsos.config.settings import Settings
from mapsos.mapfile.model import ObservationLayer
from mapsos.mapfile.reader import read_service
from mapsos.servers.routes import name_mapfiles, serve_only
from mapsos.web.messages import Request
from tests.support.serve_command import serving

COMMAND = Path(sys.executable).parent / "mapsos"
DATA = Path(__file__).parents[2] / "data"
STATIONS = {
    "Köln": (6.96, 50.94), "東京": (139.7, 35.7), "Basel/Rheinhalle": (7.6, 47.5), "O'Brien <Weir>": (-6.5, 53.3),
}  # fmt: skip
QUERY = "service=SOS&version=1.0.0&request=GetObservation&responseFormat=text/csv"


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MS_", "MAPSOS_", "MAPSERVER"))}
    return subprocess.run(
        [COMMAND, *map(str, arguments)], cwd=cwd, env=kept, capture_output=True, text=True, timeout=60, check=False
    )


def write(path: Path, driver: str, properties: Mapping[str, str], rows: Sequence[tuple[Any, ...]], **more: Any) -> Path:
    """A data set; the last value of a row is its place, None for none."""
    kind = "Point" if rows[0][-1] is not None else "None"
    schema = {"geometry": kind, "properties": dict(properties)}
    with fiona.open(path, "w", driver=driver, schema=schema, **({"crs": "EPSG:4326"} | more)) as collection:
        for *values, place in rows:
            geometry = None if place is None else {"type": "Point", "coordinates": place}
            named = dict(zip(properties, values, strict=True))
            collection.write({"type": "Feature", "geometry": geometry, "properties": named})
    return path


@pytest.fixture
def gauges(tmp_path: Path) -> Path:
    """A GeoPackage as QGIS writes it: names of people, a table of styles, and one of master data."""
    path = tmp_path / "pegel.gpkg"
    rows: list[tuple[Any, ...]] = []
    for hour in range(24):
        time = (datetime(2021, 1, 1) + timedelta(hours=hour)).isoformat()
        rows += [(name, "Rhein", time, hour * 0.5, 12.5, hour / 100, f"a{hour % 7}", place)
                 for name, place in STATIONS.items()]  # fmt: skip
    columns = {
        "Messstelle": "str", "Gewässer": "str", "Zeitpunkt": "datetime", "Abfluss [m³/s]": "float", "Temp °C": "float",
        "level_m": "float", 'Bemerkung "x"': "str",
    }  # fmt: skip
    write(path, "GPKG", columns, rows, layer="Pegel [alle] (2021)")
    write(path, "GPKG", {"name": "str"}, [("Köln", (1.0, 2.0))], layer="stammdaten", crs="EPSG:25832")
    write(path, "GPKG", {"styleName": "str", "update_time": "datetime"}, [("x", "2024-01-01T00:00:00", None)],
          layer="layer_styles")  # fmt: skip
    return path


def draft(source: Path, path: Path, *, has_companions: bool = True) -> str:
    """The text of the draft of a data set, which is written to the path."""
    drafted = draft_map([str(source)], folder=path.parent, url="http://h", has_companions=has_companions)
    drafted.write(path)
    return drafted.text


def ask(mapfile: Path, query: str) -> str:
    maps = name_mapfiles([str(mapfile)])
    application = Application(serve_only(Settings(), maps, mapfile.stem))
    response = application.answer(Request("GET", quote(query, "&=/:,"), environ={"SCRIPT_NAME": "/x"}))
    return b"".join(response.body).decode()


def find_problems(mapfile: Path) -> list[str]:
    return [f"{found.key}: {found.message}" for found in check_mapfile(str(mapfile)) if found.level != "info"]


def read_layer(mapfile: Path) -> ObservationLayer:
    (layer,) = read_service(str(mapfile)).layers
    return layer


def test_the_example_data(tmp_path: Path) -> None:
    """A whole folder: GeoPackages, a shapefile, GeoJSON, and a VRT in place of its CSV."""
    shutil.copytree(DATA, tmp_path / "data")
    done = run("init", "data", "-o", "draft.map", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    strict = run("check", "--strict", "draft.map", cwd=tmp_path)
    assert strict.returncode == 0, strict.stdout
    service = read_service(str(tmp_path / "draft.map"))
    roles = {layer.name: (layer.procedure_item, layer.procedures, layer.time_item) for layer in service.layers}
    assert roles == {
        "co2": (None, ("co2",), "week"),
        "elnino": ("region", None, "month"),
        "nile": (None, ("nile",), "year"),
        "seattle_weather": (None, ("seattle_weather",), "date"),
        "temperatures": ("station", None, "time"),
    }
    # What is below the map is named as seen from it.
    assert 'CONNECTION "data/nile.gpkg"' in (tmp_path / "draft.map").read_text()


@pytest.mark.parametrize("name", ["nile.gpkg", "co2.csv", "co2.vrt", "elnino.geojson", "seattle_weather.shp"])
def test_each_of_them_alone(tmp_path: Path, name: str) -> None:
    draft(DATA / name, tmp_path / "draft.map")
    assert find_problems(tmp_path / "draft.map") == []


def test_what_qgis_writes(gauges: Path) -> None:
    done = run("init", gauges.name, cwd=gauges.parent)
    assert done.returncode == 0, done.stderr
    assert "left out: stammdaten of pegel.gpkg: no column has times" in done.stderr
    written = gauges.with_name("draft.map")
    written.write_text(done.stdout, "utf-8")
    assert find_problems(written) == []
    layer = read_layer(written)
    assert (layer.name, layer.source.data) == ("Pegel [alle] (2021)", "Pegel [alle] (2021)")
    assert (layer.procedure_item, layer.time_item) == ("Messstelle", "Zeitpunkt")
    assert {field.item: (field.alias, field.uom) for field in layer.fields.values()} == {
        "Abfluss [m³/s]": ("Abfluss", "m3/s"),
        "Temp °C": ("Temp", "Cel"),
        "level_m": ("level", "m"),
        'Bemerkung "x"': ("Bemerkung_x", None),
    }
    text = done.stdout
    assert '"sos_timeitem" "Zeitpunkt" # dates and times without a time zone: taken as UTC' in text
    assert '"sos_procedure_item" "Messstelle" # the sensor of each row: Köln, 東京, Basel/Rheinhalle ...;' in text
    assert '"urn:ogc:def:property:OGC::Discharge" # decide' in text


def test_mapserver_reads_the_draft(gauges: Path, tmp_path: Path) -> None:
    mapserv = shutil.which("mapserv")
    if mapserv is None:
        pytest.skip("mapserv is not installed here")
    (tmp_path / "werte.csv").write_text("station;datum;wert;lat;lon\n" + "".join(
        f"{name};{day:02}.03.2024 06:15;{day},5;50,{day};7,5\n" for name in "AB" for day in range(1, 20)
    ))  # fmt: skip
    (tmp_path / "ms.conf").write_text('CONFIG ENV MS_MAP_PATTERN "." END END')
    for source, offering in ((gauges, "Pegel_alle_2021"), (tmp_path / "werte.csv", "werte")):
        written = tmp_path / f"{source.stem}.map"
        draft(source, written)
        environ = {
            "REQUEST_METHOD": "GET", "MAPSERVER_CONFIG_FILE": str(tmp_path / "ms.conf"),
            "QUERY_STRING": f"map={written}&service=SOS&request=GetCapabilities",
        }  # fmt: skip
        done = subprocess.run(
            [mapserv], env=os.environ | environ, capture_output=True, text=True, timeout=60, check=True
        )
        assert f'<sos:ObservationOffering gml:id="{offering}"' in done.stdout, done.stdout


TABLES = {
    "degrees": (
        "station,time,level,x,y\nupper,2024-03-01T06:00:00Z,1.20,10.50,47.60\nlower,2024-03-01T06:00:00Z,,10.91,48.31\n"
        "lower,2024-03-02T06:00:00Z,n/a,10.91,48.31\nupper,2024-03-02T06:00:00Z,0,10.50,47.60\n",
        ["2024-03-01T06:00:00Z,upper,1.2,10.5,47.6", "2024-03-01T06:00:00Z,lower,,10.91,48.31",
         "2024-03-02T06:00:00Z,lower,,10.91,48.31", "2024-03-02T06:00:00Z,upper,0,10.5,47.6"],
    ),
    "german": (
        "Messstelle;Datum;Wasserstand [cm];Breite;Länge\nKöln;01.03.2024 06:15;101,5;50,9;6,9\n"
        "Köln;13.03.2024;-0,25;50,9;6,9\n",
        ["2024-03-01T06:15:00Z,Köln,101.5,6.9,50.9", "2024-03-13T00:00:00Z,Köln,-0.25,6.9,50.9"],
    ),
    "american": (
        "site_no,date,flow_cfs,latitude,longitude\n01,01/31/2024,5,40.5,-100.5\n01,02/01/2024 13:00:01,6,40.5,-100.5\n",
        ["2024-01-31T00:00:00Z,01,5,-100.5,40.5", "2024-02-01T13:00:01Z,01,6,-100.5,40.5"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("inline", [True, False])
def test_tables_with_coordinates(tmp_path: Path, name: str, inline: bool) -> None:
    """Decimal commas, times as people write them, and no false zeros for what is empty or not a number."""
    text, rows = TABLES[name]
    (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    written = tmp_path / "draft.map"
    draft(tmp_path / f"{name}.csv", written, has_companions=not inline)
    assert (tmp_path / f"{name}.vrt").exists() != inline
    assert find_problems(written) == []
    layer = read_layer(written)
    assert layer.observed_property is not None
    query = f"{QUERY}&offering={layer.offering_id}&observedProperty={layer.observed_property.id}"
    assert ask(written, query).splitlines()[1:] == rows
    one = ask(written, f"{query}&eventTime={rows[0].partition(',')[0]}")
    assert rows[0] in one
    assert rows[-1] not in one


def test_a_crs_that_only_the_admin_knows(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("pegel,zeit,wert,rechtswert,hochwert\nA,2024-01-01,1,356000,5645000\n")
    assert "# decide: the data state no CRS" in draft(tmp_path / "w.csv", tmp_path / "w.map")
    (problem,) = find_problems(tmp_path / "w.map")
    assert problem.startswith("PROJECTION: ")
    assert ask(tmp_path / "w.map", f"{QUERY}&offering=w&observedProperty=wert").count("\n") == 2


def test_another_crs_and_another_format(tmp_path: Path) -> None:
    rows = [("A", 1_700_000_000 + step, float(step), (356000.0 + step, 5645000.0)) for step in range(3)]
    columns = {"sensor": "str", "timestamp": "int", "pH": "float"}
    write(tmp_path / "probe.fgb", "FlatGeobuf", columns, rows, crs="EPSG:25832")
    text = draft(tmp_path / "probe.fgb", tmp_path / "p.map")
    assert find_problems(tmp_path / "p.map") == []
    assert '"epsg:25832"' in text
    assert '"sos_timeitem" "timestamp" # seconds since 1970-01-01T00:00:00Z' in text
    assert '"sos_srs" "EPSG:4326 EPSG:25832"' in text


def test_decisions_are_not_overwritten(gauges: Path) -> None:
    mapfile = gauges.with_name("d.map")
    mapfile.write_text("MAP END")
    done = run("init", gauges, "-o", mapfile)
    assert (done.returncode, mapfile.read_text()) == (2, "MAP END")
    assert "--force" in done.stderr
    assert run("init", gauges, "-o", mapfile, "--force").returncode == 0
    assert "LAYER" in mapfile.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.gpkg",), "data set not found: none.gpkg"),
        (("text.txt",), "cannot read"),
        (("empty",), "no data set in empty"),
        (("pegel.gpkg", "--layer", "nothing"), "has no layer nothing; its layers: Pegel [alle] (2021), stammdaten"),
        (("pegel.gpkg", "--layer", "stammdaten"), "no column has times that can be read"),
        (("pegel.gpkg", "-o", "nowhere/x.map"), "cannot write nowhere/x.map"),
        (("PG:dbname=nothing password=secret host=127.0.0.1 port=1",), "password=***"),
        (("PG:dbname=nothing password='a\\'secret' host=127.0.0.1 port=1",), "password=***"),
    ],
)
def test_what_cannot_be_drafted(gauges: Path, arguments: tuple[str, ...], message: str) -> None:
    (gauges.parent / "text.txt").write_text("nothing")
    (gauges.parent / "empty").mkdir()
    done = run("init", *arguments, cwd=gauges.parent)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_data_are_served_without_a_mapfile(gauges: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("mapsos-*/pegel.map"))
    with serving(gauges, lines=3) as server:
        (drafted,) = set(Path(tempfile.gettempdir()).glob("mapsos-*/pegel.map")) - before
        assert drafted.parent.stat().st_mode & 0o077 == 0
        capabilities = server.ask("/pegel?service=SOS&request=GetCapabilities")[1].decode()
        assert f'xlink:href="http://127.0.0.1:{server.port}/pegel?"' in capabilities
        assert "urn:ogc:def:procedure:東京" in capabilities
        assert server.ask("/pegel/exts/SosSOE", Accept="text/html")[0] == 200
    assert not drafted.parent.exists()


def test_what_cannot_be_served(tmp_path: Path) -> None:
    done = run("serve", tmp_path / "none.gpkg", "--port", "0")
    assert done.returncode == 2
    assert "data set not found" in done.stderr
