"""Too many rows, and too much time: refused with what to do instead before anything is sent, never cut."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mapsos.app import Application
from mapsos.columns.batches import Column, ColumnKind
from mapsos.config.settings import Settings
from mapsos.sources.passes.densities import TimeDensity
from mapsos.sources.query import BATCH_ROWS
from mapsos.sources.rows import Rows
from mapsos.sources.source_columns import OgrColumn
from mapsos.terms import deadlines
from mapsos.terms.deadlines import DeadlineError
from mapsos.terms.times import SECOND, parse_period
from mapsos.web.messages import Request, Response
from tests.support.datasets import provide_dataset
from tests.support.maps import MapLayer, write_map

from .conftest import LAYER, NS, WEB, World, layer_text, read_xml, refusal, write_stations

ROWS = 40_000
REFUSAL = re.compile(
    r"msSOSGetObservation\(\): SOS server error\. The response would contain (\d+) observations; the limit is (\d+)\."
    r" (?:Request a shorter period, for example eventTime=(\S+), which has (\d+)\.|Request fewer .*)"
)


@dataclass(frozen=True)
class Service:
    """A map with two hundred stations, and how many rows it sends."""

    mapfile: Path
    settings: dict[str, object] = field(default_factory=dict)

    def send(self, limit: int | None, method: str = "GET", **parameters: str) -> Response:
        query = {
            "service": "SOS",
            "version": "1.0.0",
            "request": "GetObservation",
            "offering": "stations",
            "observedProperty": "weather",
            "responseFormat": 'text/xml; subtype="om/1.0.0"',
            **parameters,
        }
        settings = Settings(mapfile=str(self.mapfile), max_rows=limit, http_status=True, **self.settings)  # type: ignore[arg-type]
        environ = {"SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1"}
        return Application(settings).answer(Request(method, urlencode(query), environ=environ))

    def count(self, limit: int | None, **parameters: str) -> int:
        root = read_xml(self.send(limit, **parameters))
        assert root.tag.endswith("ObservationCollection"), etree.tostring(root)[:2000]
        return len(root.findall("om:member", NS))

    def refuse(self, limit: int | None, **parameters: str) -> tuple[int, int, str | None, int | None]:
        """How many rows there are, the limit, and the time that is proposed with its number of rows."""
        response = self.send(limit, **parameters)
        assert response.status == 400
        code, locator, text = refusal(read_xml(response))
        assert (code, locator) == ("ResponseExceedsSizeLimit", "eventTime")
        match = REFUSAL.fullmatch(text)
        assert match, text
        return int(match[1]), int(match[2]), match[3], int(match[4]) if match[4] else None


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    folder = tmp_path_factory.mktemp("limits")
    provide_dataset("points", ROWS, folder)
    return Service(write_map(MapLayer("points", ROWS), folder))


@pytest.mark.parametrize("limit", [1000, 3000, 12_345, BATCH_ROWS + 1, ROWS - 1])
def test_the_proposed_time_fits(service: Service, limit: int) -> None:
    there, told, window, rows = service.refuse(limit)
    assert (there, told) == (ROWS, limit)
    assert window is not None
    assert rows is not None
    # 200 stations are heard each hour: nothing nearer to the limit can be had than that.
    assert limit - 200 < rows <= limit
    assert service.count(limit, eventTime=window) == rows


def test_it_goes_on_from_what_was_asked_for(service: Service) -> None:
    asked = {"procedure": "S007,S008", "eventTime": "2001-01-02/2001-01-04"}
    assert service.count(200, **asked) == 144
    there, _, window, rows = service.refuse(100, **asked)
    assert there == 144
    assert window is not None
    assert window.startswith("2001-01-02T00:00:00Z/")
    assert service.count(100, **asked | {"eventTime": window}) == rows


@pytest.mark.parametrize("limit", [ROWS, ROWS + 1, 10**9])
def test_what_fits_is_sent_whole(service: Service, limit: int) -> None:
    assert service.count(limit) == ROWS


def test_the_limit_is_of_the_rows_and_of_no_result_model(service: Service) -> None:
    assert service.refuse(500, resultModel="om:Observation")[0] == ROWS
    assert service.refuse(500, eventTime="2001-01-01")[0] == 4800


def test_summaries_count_and_not_what_they_are_made_of(service: Service) -> None:
    asked = {"aggregateInterval": "P1D", "eventTime": "2001-01-01/2001-01-03", "procedure": "S007,S008"}
    assert service.count(6, **asked) == 6
    response = service.send(5, **asked)
    assert response.status == 400
    code, locator, text = refusal(read_xml(response))
    assert (code, locator) == ("ResponseExceedsSizeLimit", "aggregateinterval")
    assert "would contain 6 observations, which are summaries; the limit is 5. Request longer" in text


def test_summaries_of_all_layers_count_together(world: World) -> None:
    world.write_map(layer_text("l1"), layer_text("l2"))
    service = Service(world.folder / "service.map")
    asked = {"offering": "off", "observedProperty": "op", "aggregateInterval": "P1D"}
    there = service.count(None, **asked)
    assert service.count(there, **asked) == there
    assert refusal(read_xml(service.send(there - 1, **asked)))[0] == "ResponseExceedsSizeLimit"


def test_without_rows_there_is_nothing_to_refuse(service: Service) -> None:
    assert service.count(1, eventTime="1990") == 0


def test_head_reads_nothing(service: Service) -> None:
    assert service.send(1, "HEAD").status == 200


def test_rows_of_all_layers_count_together(world: World) -> None:
    world.write_map(layer_text("l1"), layer_text("l2"))
    service = Service(world.folder / "service.map")
    asked = {"offering": "off", "observedProperty": "op"}
    assert service.count(10, **asked) == 10
    there, _, window, rows = service.refuse(9, **asked)
    assert there == 10
    assert window is not None
    assert service.count(9, **asked, eventTime=window) == rows == 8


def test_many_rows_of_one_second_have_no_shorter_time(world: World) -> None:
    write_stations(world.folder / "obs.gpkg", [("A", "2001-01-01T00:00:00Z", 1.0, 10.0, 50.0)] * 20)
    service = Service(world.folder / "service.map")
    assert service.refuse(19, offering="off", observedProperty="op")[2] is None


def test_a_dense_moment_in_a_long_time_is_looked_into(world: World) -> None:
    minutes = [f"1990-01-01T00:{minute:02d}:00Z" for minute in range(50)]
    times = ["1990-01-01T00:00:00Z", *minutes, "2020-01-01T00:00:00Z"]
    write_stations(world.folder / "obs.gpkg", [("A", time, 1.0, 10.0, 50.0) for time in times])
    service = Service(world.folder / "service.map")
    there, _, window, rows = service.refuse(10, offering="off", observedProperty="op")
    assert there == 52
    assert window is not None
    assert rows == 10
    assert service.count(10, offering="off", observedProperty="op", eventTime=window) == 10


def test_rows_without_a_time_are_told_of_without_a_time(world: World) -> None:
    world.write_map(layer_text(metadata=LAYER.replace('"sos_timeitem" "t" ', "")))
    service = Service(world.folder / "service.map")
    assert service.refuse(4, offering="off", observedProperty="op") == (5, 4, None, None)


@pytest.mark.parametrize(("most", "limit", "sent"), [("2", 3, 2), ("2", 2, 2), ("2", None, 2), ("0", None, 5)])
def test_max_features_cuts_and_says_so(world: World, most: str, limit: int | None, sent: int) -> None:
    world.write_map(web=WEB + f' "sos_maxfeatures" "{most}"')
    service = Service(world.folder / "service.map")
    asked = {"offering": "off", "observedProperty": "op"}
    assert service.count(limit, **asked) == sent
    for method in ("GET", "HEAD"):
        response = service.send(limit, method, **asked)
        assert dict(response.headers).get("Mapsos-Max-Features") == (most if most != "0" else None)
        getattr(response.body, "close", lambda: None)()


def test_max_features_above_the_limit_does_not_turn_it_off(world: World) -> None:
    world.write_map(web=WEB + ' "sos_maxfeatures" "4"')
    assert Service(world.folder / "service.map").refuse(3, offering="off", observedProperty="op")[:2] == (4, 3)


@pytest.mark.parametrize(
    ("own", "limit", "told"), [("3", None, 3), ("3", 4, 3), ("4", 3, 3), ("5", None, None), ("5", 3, 3)]
)
def test_the_lower_of_setting_and_map_counts(world: World, own: str, limit: int | None, told: int | None) -> None:
    world.write_map(web=WEB + f' "sos_maxrows" "{own}"')
    service = Service(world.folder / "service.map")
    asked = {"offering": "off", "observedProperty": "op"}
    if told is None:
        assert service.count(limit, **asked) == 5
    else:
        assert service.refuse(limit, **asked)[:2] == (5, told)


def test_max_features_within_the_limit_of_the_map_cuts(world: World) -> None:
    world.write_map(web=WEB + ' "sos_maxrows" "3" "sos_maxfeatures" "2"')
    assert Service(world.folder / "service.map").count(None, offering="off", observedProperty="op") == 2


@pytest.mark.parametrize("own", ["0", "-1", "many", "", "1.5"])
def test_a_limit_that_is_no_number_is_not_left_out(world: World, own: str) -> None:
    world.write_map(web=WEB + f' "sos_maxrows" "{own}"')
    response = Service(world.folder / "service.map").send(None, offering="off", observedProperty="op")
    assert response.status == 500
    assert refusal(read_xml(response))[:2] == ("NoApplicableCode", "sos_maxrows")


def test_the_command_line_keeps_its_headers(world: World) -> None:
    world.write_map(web=WEB + ' "sos_maxfeatures" "2"')
    response = world.send(
        "service=SOS&version=1.0.0&request=GetObservation&offering=off&observedProperty=op"
        "&responseFormat=text/xml;%20subtype=%22om/1.0.0%22"
    )
    assert [name for name, _ in response.headers] == ["Content-Type"]
    getattr(response.body, "close", lambda: None)()


class Clock:
    """A clock that tests set."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(deadlines, "time", made)
    return made


def test_too_much_time_before_the_first_byte_is_an_exception(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mapsos.sources.layer import Layer

    init = Layer.__init__

    def open_slowly(layer: Layer, *arguments: object) -> None:
        init(layer, *arguments)  # type: ignore[arg-type]
        clock.now += 2.0

    monkeypatch.setattr(Layer, "__init__", open_slowly)
    response = Service(service.mapfile, {"max_seconds": 1.5}).send(None)
    assert response.status == 503
    code, locator, text = refusal(read_xml(response))
    assert (code, locator) == ("NoApplicableCode", "mapserv")
    assert "exceeded the time limit of 1.5 seconds" in text


def test_too_much_time_after_it_breaks_the_answer_off(service: Service, clock: Clock) -> None:
    response = Service(service.mapfile, {"max_seconds": 1.5}).send(None)
    chunks = iter(response.body)
    next(chunks)
    clock.now = 2.0
    with pytest.raises(DeadlineError):
        b"".join(chunks)


def test_there_is_no_limit_unless_one_is_set(service: Service, clock: Clock) -> None:
    response = service.send(None)
    clock.now = 1e9
    assert sum(chunk.count(b"<om:member>") for chunk in map(bytes, response.body)) == ROWS


def count_rows(times: list[int], batch: int) -> TimeDensity:
    """A density of times in seconds, given so many at once."""
    density = TimeDensity()
    column = OgrColumn(Column("t", ColumnKind.REAL), None, None)
    for start in range(0, len(times), batch):
        part = pa.array([float(value) for value in times[start : start + batch]])
        density.add([Rows(len(part), {"t": column}, {"t": part})], "t")
    return density


@given(
    st.lists(st.integers(-(10**8), 10**7 - 1).filter(lambda value: not 1000 <= value <= 9999), min_size=1, max_size=60),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_a_window_never_has_more_than_was_asked_for(times: list[int], batch: int, most: int) -> None:
    density = count_rows(times, batch)
    assert density.total == len(times)
    window = density.find_window(most)
    moments = np.array(times) * SECOND
    if window is not None:
        assert window.begin <= moments.min()
        assert ((moments >= window.begin) & (moments < window.end)).sum() <= most
    elif (first := density.find_first()) is not None:
        assert ((moments >= first.begin) & (moments < first.end)).sum() > most
    else:
        assert (moments == moments.min()).sum() > most


def test_the_message_can_be_asked_for(service: Service) -> None:
    window = service.refuse(1000)[2]
    assert window is not None
    assert parse_period(window).end % SECOND == 0
