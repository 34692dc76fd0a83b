"""Attacks on a PostgreSQL behind the service: what is no statement, what ends, and what is bounded."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from mapsos.app import Application
from mapsos.config.settings import read_settings
from mapsos.operations.layers.facts import forget_facts
from mapsos.sources.drivers.postgres.connections import places
from mapsos.sources.pool import close_idle_readers
from mapsos.web.messages import Request, Response, close_body
from tests.attacks.many_parts import CONDITIONS, FILTERS, QUESTIONS, ROWS, count
from tests.support.postgresql import Cluster, require_cluster
from tests.support.station_service import StationService, write_layer

from .bounds import bounded
from .injections import INJECTIONS

READER = "reader"
SETTINGS = {"log_statement": "all", "max_connections": "40"}
MORE_INJECTIONS = (
    "E'\\'' OR 1=1", "\\'; SELECT pg_sleep(60); --", "\u00bf' OR 1=1 --", "$$; SELECT 1; $$", "'::text) OR (true",
    "S1'||(SELECT usename FROM pg_user LIMIT 1)||'", "current_user", "ctid", "xmin", "tableoid::regclass", "a" * 5000,
    "\u2028'", "\U0001f4a7'", "S1\u0000' OR 1=1", "%c0%27", "\ud800'", "(SELECT 1)", "*", "o.*", "\"; DROP TABLE x; --",
)  # fmt: skip
TEXTS = ("fine", "it's", 'say "so"', "50\\", "\\'; --", "E'x'", "$$", "ünï", "\u2028", "{a,b}", "%", "_", "NULL", " ")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A server with three databases: an ordinary one, one whose constants have escapes, and one in LATIN1."""
    with require_cluster(SETTINGS) as server:
        server.run(f"CREATE ROLE {READER} LOGIN; CREATE DATABASE escaping")
        server.run("ALTER DATABASE escaping SET standard_conforming_strings = off")
        server.run("ALTER DATABASE escaping SET backslash_quote = on")
        server.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        for database in ("postgres", "escaping", "latin"):
            fill(server, database)
        yield server


def fill(server: Cluster, database: str) -> None:
    """Write the rows of the other drivers and awkward texts, each table for itself, and views that take their time."""
    texts = [text for text in TEXTS if database != "latin" or text.isascii() or text == "ünï"]
    quoted = ", ".join(f"({number}, $q${text}$q$)" for number, text in enumerate(texts))
    rows = ", ".join(f"({n}, '{a}', '{b}', {c})" for n, (a, b, c) in enumerate(ROWS))
    server.run(
        f"""SET standard_conforming_strings = on;
        CREATE EXTENSION postgis;
        CREATE TABLE levels (id int, station text, time timestamptz, value float8, geom geometry(Point, 4326));
        INSERT INTO levels SELECT n, s, t::timestamptz, v, ST_SetSRID(ST_MakePoint(n % 90, n % 80), 4326)
          FROM (VALUES {rows}) AS r (n, s, t, v);
        CREATE INDEX ON levels (station, time);
        CREATE TABLE texts (id int, station text, time timestamptz, value float8, geom geometry(Point, 4326));
        INSERT INTO texts SELECT n, s, '2001-01-01Z', n, ST_SetSRID(ST_MakePoint(1, 2), 4326)
          FROM (VALUES {quoted}) AS r (n, s);
        CREATE VIEW slow AS SELECT id, station, time,
          value + CASE WHEN pg_sleep(0.02 + id * 0) IS NULL THEN 1 ELSE 0 END AS value, geom FROM levels;
        GRANT SELECT ON levels, texts, slow TO {READER}""",
        database,
    )


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    yield
    close_idle_readers()
    forget_facts()


def name_table(cluster: Cluster, way: str, table: str, database: str = "postgres") -> str:
    connection = cluster.connection(READER, database)
    if way == "ogr":
        return f'CONNECTIONTYPE OGR CONNECTION "PG:{connection}" DATA "{table}"'
    data = f"geom FROM {table} USING UNIQUE id USING SRID=4326"
    return f'CONNECTIONTYPE POSTGIS CONNECTION "{connection}" DATA "{data}"'


def serve(cluster: Cluster, folder: Path, way: str, table: str, database: str = "postgres") -> StationService:
    return StationService(folder, write_layer(name_table(cluster, way, table, database), sos_featureid="station"))


def read_errors(cluster: Cluster, start: int) -> list[str]:
    """Return what the server called an error since its log had that length: a statement that was not meant so."""
    with cluster.log.open("rb") as file:
        file.seek(start)
        return [line for line in file.read().decode(errors="replace").splitlines() if "ERROR:" in line]


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def compare(name: str, literal: str) -> str:
    parts = f"<PropertyName>{escape(name)}</PropertyName><Literal>{escape(literal)}</Literal>"
    return f"<Filter><PropertyIsEqualTo>{parts}</PropertyIsEqualTo></Filter>"


DATABASES = ["postgres", "escaping", "latin"]


@pytest.mark.parametrize("way", ["postgis", "ogr"])
@pytest.mark.parametrize("database", DATABASES)
def test_values_and_names_are_never_sql(cluster: Cluster, tmp_path: Path, way: str, database: str) -> None:
    """Nothing is an error to the server, no row is found that was not asked for, and nothing takes its time."""
    service = serve(cluster, tmp_path, way, "texts", database)
    assert count(service.observe()) > 0
    start = cluster.log.stat().st_size
    end = time.monotonic() + 60
    for value in (*INJECTIONS, *MORE_INJECTIONS):
        try:
            value.encode()
        except UnicodeEncodeError:
            # What a client sends is decoded from UTF-8; a surrogate is in no query string.
            value = value.encode("utf-8", "replace").decode()
        text = compare("station", value)
        literal = service.observe(result=text)
        assert literal.text.startswith("time,") or "Exception" in literal.text
        assert literal.text.count("\r\n") <= 1 + (value.strip() in TEXTS or value in TEXTS), value
        named = service.observe(result=compare(value, "fine"))
        assert not named.text.startswith("time,") or count(named) == 0, value
        for parameter in ("procedure", "featureOfInterest", "eventTime", "bbox", "srsName", "observedProperty",
                          "offering", "aggregateInterval", "sortBy", "resultModel"):  # fmt: skip
            answer = service.observe(**{parameter: value})
            assert answer.status == 200
        quoted = value.replace("'", "''")
        for parameters in (
            {"where": f"procedure = '{quoted}'"}, {"where": value}, {"where": f"feature_id LIKE '{quoted}'"},
            {"procedure": value}, {"featureOfInterest": value}, {"temporalFilter": f"equals:{value}"},
            {"observedProperty": value}, {"offering": value}, {"orderByFields": value}, {"outFields": value},
        ):  # fmt: skip
            assert service.query(**parameters).status in (200, 400, 404)
        service.query("features", text=value)
        service.query("procedures/" + value.replace("/", ""))
    assert read_errors(cluster, start) == []
    assert time.monotonic() < end
    assert cluster.run("SELECT count(*) > 0 FROM texts", database) == "t"


@pytest.mark.parametrize("way", ["postgis", "ogr"])
@pytest.mark.parametrize("database", DATABASES)
def test_each_text_equals_itself_alone(cluster: Cluster, tmp_path: Path, way: str, database: str) -> None:
    service = serve(cluster, tmp_path, way, "texts", database)
    there = cluster.run("SELECT count(DISTINCT station) FROM texts", database)
    found = 0
    for text in TEXTS:
        rows = count(service.observe(result=compare("station", text)))
        quoted = text.replace("'", "''")
        answer = service.query(where=f"procedure in ('{quoted}', 'no such')")
        assert len(answer.value["observationData"]) == rows <= 1
        found += rows
    # White space around a literal of XML is no part of it.
    assert found in (int(there), int(there) - 1)


@pytest.mark.parametrize("way", ["postgis", "ogr"])
@pytest.mark.parametrize("name", [*FILTERS, *CONDITIONS, *QUESTIONS])
def test_questions_of_many_parts_select_their_rows(cluster: Cluster, tmp_path: Path, way: str, name: str) -> None:
    service = serve(cluster, tmp_path, way, "levels")
    start = cluster.log.stat().st_size
    with bounded(5, 200):
        end = time.monotonic() + 10
        if name in FILTERS:
            text, expected = FILTERS[name]
            found = count(service.observe(result=f"<Filter>{text}</Filter>"))
        elif name in CONDITIONS:
            where, expected = CONDITIONS[name]
            found = len(service.query(where=where, resultRecordCount="5000").value["observationData"])
        else:
            parameters, expected = QUESTIONS[name]
            found = count(service.observe(**parameters))
    assert found == expected
    assert time.monotonic() < end
    assert read_errors(cluster, start) == []
    sent = max(map(len, cluster.log.read_bytes()[start:].splitlines()), default=0)
    assert sent < 100_000


def open_application(service: StationService, **settings: str) -> Application:
    return Application(read_settings({"MS_MAPFILE": str(service.map), "MAPSOS_CACHE": "off", **settings}))


def begin(application: Application, **parameters: str) -> Response:
    usual = {"service": "SOS", "version": "1.0.0", "request": "GetObservation", "offering": "all",
             "observedProperty": "level", "responseFormat": "text/csv"}  # fmt: skip
    return application.answer(Request("GET", urlencode(usual | parameters)))


def count_running(cluster: Cluster) -> int:
    """Return how many statements, or cursors that hold their tables, the sessions of the service have."""
    return int(cluster.run(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{READER}' AND state <> 'idle'"))


def wait_until_idle(cluster: Cluster, seconds: float) -> None:
    end = time.monotonic() + seconds
    while count_running(cluster):
        assert time.monotonic() < end
        time.sleep(0.05)


QUESTIONS_OF_A_SLOW_VIEW: dict[str, dict[str, str]] = {
    "rows": {},
    "few rows": {"result": compare("value", "-1")},
    "newest": {"eventTime": "latest"},
    "summary": {"aggregateInterval": "P1D", "aggregateFunction": "avg"},
    "JSON": {"responseFormat": "application/json"},
}


@pytest.mark.parametrize("way", ["postgis", "ogr"])
@pytest.mark.parametrize("name", QUESTIONS_OF_A_SLOW_VIEW)
def test_the_time_limit_of_a_request_ends_its_statements(cluster: Cluster, tmp_path: Path, way: str, name: str) -> None:
    """The view takes a minute for its rows."""
    service = serve(cluster, tmp_path, way, "slow")
    application = open_application(service, MAPSOS_MAX_SECONDS="1")
    end = time.monotonic() + 6
    response = begin(application, **QUESTIONS_OF_A_SLOW_VIEW[name])
    try:
        text = b"".join(bytes(chunk) for chunk in response.body)
    except Exception as error:
        text = str(error).encode()
    finally:
        close_body(response.body)
    assert b"time limit" in text or b"Exception" in text, text[:500]
    assert time.monotonic() < end
    wait_until_idle(cluster, 5)


@pytest.mark.parametrize("way", ["postgis", "ogr"])
def test_a_client_that_has_gone_ends_its_statement(cluster: Cluster, tmp_path: Path, way: str) -> None:
    service = serve(cluster, tmp_path, way, "levels")
    response = begin(open_application(service))
    next(iter(response.body))
    close_body(response.body)
    wait_until_idle(cluster, 5)


@pytest.mark.parametrize("way", ["postgis", "ogr"])
def test_many_questions_at_once_have_each_an_answer(cluster: Cluster, tmp_path: Path, way: str) -> None:
    """More than there are connections: some may be told to come back, none waits for ever, then all are answered."""
    service = serve(cluster, tmp_path, way, "levels")
    application = open_application(service, MAPSOS_MAX_SECONDS="20")
    texts: list[bytes] = []

    def ask() -> None:
        response = begin(application, procedure="S7")
        texts.append(b"".join(bytes(chunk) for chunk in response.body))
        close_body(response.body)

    threads = [threading.Thread(target=ask) for _ in range(80)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(texts) == 80
    assert all(text.startswith(b"time,") or b"The server is busy" in text for text in texts)
    assert not any(READER.encode() in text or b"connections" in text for text in texts)
    assert count(service.observe(procedure="S7")) == 2
    assert places.used == 0


@pytest.mark.parametrize("way", ["postgis", "ogr"])
def test_tables_of_the_server_itself_are_not_reached(cluster: Cluster, tmp_path: Path, way: str) -> None:
    """No name of a request becomes that of a table, a function or a column that the layer does not publish."""
    service = serve(cluster, tmp_path, way, "levels")
    service.observe(procedure="S7")
    start = cluster.log.stat().st_size
    for name in (
        "pg_shadow",
        "pg_catalog.pg_authid",
        "information_schema.tables",
        "pg_read_file('/etc/passwd')",
        "lo_import",
    ):
        for parameters in ({"offering": name}, {"observedProperty": name}, {"result": compare(name, "1")}):
            assert not service.observe(**parameters).text.startswith("time,")
        assert service.query(where=f"{name} = 1").status == 400
    with cluster.log.open("rb") as file:
        file.seek(start)
        said = file.read()
    assert not any(name in said for name in (b"pg_shadow", b"pg_authid", b"pg_read_file", b"lo_import"))
