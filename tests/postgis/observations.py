"""A partitioned table of observations, as docs/postgis.md advises, the maps over it, and requests to them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.web.messages import Request, Response
from tests.support.postgis_table import MAP
from tests.support.postgresql import Cluster

STATIONS = 100
DAYS = 365
A_DAY = 8
TABLE = f"""
CREATE TABLE observations (station text NOT NULL, time timestamptz NOT NULL, plain timestamp, day date, written text,
  sorted text COLLATE "de-x-icu", air_temp double precision, humidity integer, value numeric(8, 2),
  geom geometry(Point, 4326)) PARTITION BY RANGE (time);
DO $$ BEGIN FOR month IN 0..11 LOOP EXECUTE format('CREATE TABLE observations_%s PARTITION OF observations
  FOR VALUES FROM (%L) TO (%L)', to_char(month + 1, 'FM00'), '2001-01-01+00'::timestamptz + month * interval '1 month',
  '2001-01-01+00'::timestamptz + (month + 1) * interval '1 month'); END LOOP; END $$;
INSERT INTO observations SELECT 'S' || to_char(n % {STATIONS}, 'FM000'), t, u, u::date, w, w,
  n % 400 / 10.0, n % 101, n % 777 / 100.0, ST_SetSRID(ST_MakePoint(n % {STATIONS} - 10, n % {STATIONS} * 0.5), 4326)
  FROM generate_series(0, {STATIONS * DAYS * A_DAY - 1}) AS n,
  LATERAL (SELECT '2001-01-01 00:00+00'::timestamptz + n / {STATIONS} * interval '3 hours') AS x (t),
  LATERAL (SELECT t AT TIME ZONE 'UTC') AS y (u),
  LATERAL (SELECT to_char(u, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS z (w);
CREATE INDEX ON observations (station, time);
CREATE INDEX ON observations (station, plain);
CREATE INDEX ON observations (station, day);
CREATE INDEX ON observations (written);
CREATE INDEX ON observations (sorted COLLATE "C");
CREATE INDEX ON observations (time);
CREATE INDEX ON observations USING gist (geom);
ANALYZE observations;
GRANT SELECT ON observations TO reader;
"""
QUERY = (
    "service=SOS&version=1.0.0&request=GetObservation&offering=stations&observedProperty=weather"
    '&responseFormat=text/xml; subtype="om/1.0.0"'
)


def write_map(path: Path, connection: str, data: str, ogr: bool, time: str = "time") -> Path:
    """A map over ``data``: a table or subquery."""
    if ogr:
        source = f"CONNECTIONTYPE OGR CONNECTION \"PG:{connection}\" DATA '{data}'"
    else:
        source = f"CONNECTIONTYPE POSTGIS CONNECTION \"{connection}\" DATA 'geom FROM {data} USING SRID=4326'"
    path.write_text(MAP.format(source=source).replace('"sos_timeitem" "time"', f'"sos_timeitem" "{time}"'))
    return path


def ask(mapfile: Path, query: str, **settings: str) -> Response:
    """The response to a GET request, of whose body nothing has been read that is not needed to begin it."""
    options = {"MS_MAPFILE": str(mapfile), "MAPSOS_CACHE": "off", "MAPSOS_HTTP_STATUS": "on", **settings}
    return Application(read_settings(options)).answer(Request("GET", quote(query, safe="=&:;,/<>")))


def read(response: Response) -> bytes:
    """All of its body."""
    return b"".join(response.body)


class Log:
    """What the server did since this was made: statements with their plans."""

    def __init__(self, cluster: Cluster) -> None:
        self._path = cluster.log
        self._start = self._path.stat().st_size

    def text(self) -> str:
        """All lines."""
        with self._path.open("rb") as file:
            file.seek(self._start)
            return file.read().decode()

    def plans(self) -> list[str]:
        """The plan of each statement that read observations, with the statement before it."""
        parts = self.text().split("Query Text: ")[1:]
        plans = [part.split("\n20")[0] for part in parts]
        return [plan for plan in plans if "OGRPGLayerReader" in plan.splitlines()[0]]
