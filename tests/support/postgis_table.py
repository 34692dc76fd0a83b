"""Observations in PostgreSQL, partitioned by month and indexed as docs/postgis.md advises, and the map over them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from tests.support.postgresql import Cluster

STATIONS = 400
MINUTES = 10
START = date(2001, 1, 1)
READER = "reader"
TABLE = "observations"

MAP = """MAP
  NAME "benchmark"
  SIZE 100 100
  EXTENT -180 -90 180 90
  PROJECTION "init=epsg:4326" END
  WEB
    METADATA
      "sos_onlineresource" "http://127.0.0.1/sos?"
      "sos_srs" "EPSG:4326"
      "sos_title" "Benchmark"
      "sos_enable_request" "*"
    END
  END
  LAYER
    NAME "observations"
    TYPE POINT
    STATUS ON
    {source}
    PROJECTION "init=epsg:4326" END
    METADATA
      "sos_offering_id" "stations"
      "sos_observedproperty_id" "weather"
      "sos_procedure_item" "station"
      "sos_describesensor_url" "http://127.0.0.1/sensors/%procedure%.xml"
      "sos_timeitem" "time"
      "sos_station_alias" "station"
      "sos_air_temp_alias" "air_temp"
      "sos_humidity_alias" "humidity"
      "sos_value_alias" "value"
    END
  END
END
"""


def make_table(
    cluster: Cluster, rows: int, table: str = TABLE, stations: int = STATIONS, minutes: int = MINUTES
) -> None:
    """Fill the table, in the order of time: a row of each station every so many minutes from 2001-01-01 on.

    There can be a thousand stations. Fifty million rows take some minutes and 7 GB. `READER` may connect and select,
    nothing else.
    """
    steps_a_day = 24 * 60 // minutes
    days = -(-rows // (stations * steps_a_day))
    cluster.run(
        f"""CREATE EXTENSION IF NOT EXISTS postgis;
        CREATE TABLE {table} (station text NOT NULL, time timestamptz NOT NULL, air_temp double precision,
          humidity integer, value numeric(8, 2), geom geometry(Point, 4326)) PARTITION BY RANGE (time);
        DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}') THEN
          CREATE ROLE {READER} LOGIN; END IF; END $$;
        GRANT SELECT ON {table} TO {READER}"""
    )
    left = rows
    for first, following in _months(days):
        steps = (following - first).days * steps_a_day
        part = min(left, steps * stations)
        left -= part
        name = f"{table}_{first:%Y_%m}"
        cluster.run(
            f"""SET timezone = 'UTC';
            CREATE UNLOGGED TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{first}') TO ('{following}');
            INSERT INTO {name} SELECT 'S' || to_char(n % {stations}, 'FM000'),
              '{first} 00:00+00'::timestamptz + n / {stations} * interval '{minutes} min',
              (n * 7919 % 601 - 200) / 10.0, n * 31 % 101, (n % 77777) / 100.0,
              ST_SetSRID(ST_MakePoint(n % {stations} * 320.0 / {stations} - 160,
                n % {stations} * 160.0 / {stations} - 80), 4326)
              FROM generate_series(0::bigint, {part - 1}) AS n"""
        )
    cluster.run(f"CREATE INDEX ON {table} (station, time); CREATE INDEX ON {table} (time); ANALYZE {table}")


def write_postgis_map(cluster: Cluster, path: Path, ogr: bool = False, table: str = TABLE) -> Path:
    """The mapfile over the table, by CONNECTIONTYPE POSTGIS or by OGR; extents are left to be found."""
    connection = cluster.connection(READER)
    if ogr:
        source = f'CONNECTIONTYPE OGR CONNECTION "PG:{connection}" DATA "{table}"'
    else:
        source = f'CONNECTIONTYPE POSTGIS CONNECTION "{connection}" DATA "geom FROM {table} USING SRID=4326"'
    path.write_text(MAP.format(source=source))
    return path


def _months(days: int) -> Iterator[tuple[date, date]]:
    last = date.fromordinal(START.toordinal() + days)
    first = START
    while first < last:
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        yield first, following
        first = following
