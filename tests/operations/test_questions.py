"""Questions as JSON: what a job stores is equal to what was asked, whatever the protocol."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.config.settings import read_settings
from mapsos.operations.context import Context
from mapsos.operations.errors import ServiceError
from mapsos.operations.host import Host
from mapsos.operations.observe import plan_observations
from mapsos.operations.questions import (
    Aggregation,
    AvailabilityQuestion,
    FeatureOfInterest,
    FeatureQuestion,
    ObservationQuestion,
    Question,
    SensorQuestion,
    read_question,
    write_question,
)
from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest
from mapsos.rest.errors import RestError
from mapsos.rest.resources.layers import list_layers
from mapsos.rest.resources.observation_query import read_query
from mapsos.sos.v1 import describe_sensor, get_data_availability, get_feature_of_interest, get_observation
from mapsos.sos.v1.operations import OPERATIONS
from mapsos.sos.v1.request import SosRequest
from mapsos.terms import predicates as p
from mapsos.terms.crs import SrsName
from mapsos.terms.times import Duration, EventTime, Interval

from .conftest import ROWS, World, write_stations

NOW = 1_700_000_000_000_000
NUMBERS = st.floats(allow_nan=False)
INTERVALS = st.builds(Interval, st.integers(), st.integers())
LEAVES = st.one_of(
    *(st.builds(kind) for kind in (p.Everything, p.Nothing, p.Compare, p.Between, p.Matches, p.IsNull, p.OneOf)),
    st.builds(p.Like, parts=st.lists(st.text(max_size=3) | st.sampled_from(p.Wildcard), max_size=3).map(tuple)),
    st.builds(p.Time, intervals=st.lists(INTERVALS, max_size=2).map(tuple)),
    st.builds(p.BBox, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.builds(p.Spatial, distance=NUMBERS),
)
PREDICATES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(p.Not, inner),
        *(st.builds(kind, st.lists(inner, max_size=3).map(tuple)) for kind in (p.And, p.Or)),
    ),
    max_leaves=5,
)
NAMES = st.lists(st.text(max_size=4), max_size=3).map(tuple)
SOME = st.none() | NAMES
TIMES = st.lists(st.builds(EventTime, interval=st.none() | INTERVALS), max_size=3).map(tuple)
BOXES = st.none() | st.builds(p.BBox, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
FEATURES = st.none() | st.builds(FeatureOfInterest, st.none() | PREDICATES, NAMES)
ZONES = st.one_of(
    st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")]),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
AGGREGATIONS = st.none() | st.builds(Aggregation, st.builds(Duration), NAMES, ZONES)
QUESTIONS = st.one_of(
    st.builds(
        ObservationQuestion,
        SOME, SOME, SOME, TIMES, FEATURES, BOXES, st.none() | PREDICATES, st.none() | st.builds(SrsName),
        AGGREGATIONS, NAMES,
    ),
    st.builds(AvailabilityQuestion, SOME, SOME, SOME, TIMES, FEATURES, BOXES),
    st.builds(FeatureQuestion, NAMES, st.none() | PREDICATES, SOME, TIMES),
    st.builds(SensorQuestion),
)  # fmt: skip


def check_question(question: Question) -> None:
    back = read_question(write_question(question))
    assert back == question
    # What equality leaves out, such as the spelling of a CRS.
    assert repr(back) == repr(question)


@given(QUESTIONS)
def test_questions_come_back_from_json(question: Question) -> None:
    check_question(question)


FORMAT = 'text/xml; subtype="om/1.0.0"'
EVENT_TIMES = [
    "2001-01-01T00:00:00Z",
    "2001-01-01/2001-02-01,latest",
    "../2001,first",
    "PT6H/now",
    "<gml:TimePeriod><gml:beginPosition>2001</gml:beginPosition><gml:endPosition indeterminatePosition='now'/>"
    "</gml:TimePeriod>",
    "<ogc:TM_After><gml:TimeInstant><gml:timePosition>2001</gml:timePosition></gml:TimeInstant></ogc:TM_After>",
]
PLACES = [
    "A,urn:ogc:def:procedure:B",
    "<gml:Envelope srsName='urn:ogc:def:crs:EPSG::4326'><gml:lowerCorner>50 10</gml:lowerCorner>"
    "<gml:upperCorner>51 11</gml:upperCorner></gml:Envelope>",
    "<ogc:BBOX><gml:Envelope><gml:lowerCorner>1 2</gml:lowerCorner><gml:upperCorner>3 4</gml:upperCorner>"
    "</gml:Envelope></ogc:BBOX>",
    "<gml:Point srsName='EPSG:4326'><gml:pos>10 50</gml:pos></gml:Point>",
]
RESULTS = [
    "<ogc:Filter><ogc:PropertyIsGreaterThan><ogc:PropertyName>value</ogc:PropertyName><ogc:Literal>2</ogc:Literal>"
    "</ogc:PropertyIsGreaterThan></ogc:Filter>",
    "<ogc:Filter><ogc:Not><ogc:Or><ogc:PropertyIsNull><ogc:PropertyName>value</ogc:PropertyName></ogc:PropertyIsNull>"
    "<ogc:PropertyIsLike wildCard='*' singleChar='.' escapeChar='!'><ogc:PropertyName>stn</ogc:PropertyName>"
    "<ogc:Literal>A*.</ogc:Literal></ogc:PropertyIsLike></ogc:Or></ogc:Not></ogc:Filter>",
]


def choose(*texts: str) -> st.SearchStrategy[tuple[str, ...] | None]:
    """A parameter that is missing, or has one of the values."""
    return st.none() | st.sampled_from(texts).map(lambda text: (text,))


PLACE = choose(*PLACES)
EVENT_TIME = choose(*EVENT_TIMES)
PROCEDURE = choose("A", "urn:ogc:def:procedure:A,B")
SOS = st.fixed_dictionaries(
    {
        "offering": st.just(("off",)),
        "observedproperty": st.just(("op",)),
        "responseformat": st.just((FORMAT,)),
        "outputformat": st.just(('text/xml;subtype="sensorML/1.0.1"',)),
        "eventtime": EVENT_TIME,
        "procedure": PROCEDURE,
        "featureofinterest": PLACE,
        "location": PLACE,
        "featureofinterestid": choose("A", "A,B"),
        "result": choose(*RESULTS),
        "srsname": choose("EPSG:4326", "urn:ogc:def:crs:EPSG::4326", "http://www.opengis.net/gml/srs/epsg.xml#3857"),
        "bbox": choose("1,2,3,4", "1,2,3,4,EPSG:4326"),
        "aggregateinterval": choose("P1D", "PT10M", "P1M"),
        "aggregatefunction": choose("avg", "min,max,first"),
        "timezone": choose("UTC", "Europe/Berlin", "+05:30", "-03:00"),
    }
)
REST = st.fixed_dictionaries(
    {
        "offering": choose("off", "OFF,off"),
        "observedproperty": choose("op", ","),
        "procedure": choose("A", "A,urn:ogc:def:procedure:B"),
        "featureofinterest": choose("A", ","),
        "spatialfilter": choose(
            "{xmin:1,ymin:2,xmax:3,ymax:4}",
            '{"x":1,"y":2,"spatialReference":{"wkid":4326}}',
            "1,2,3,4",
        ),
        "temporalfilter": choose(
            "during:2001-01-01T00:00:00+02:00,2001-02-01", "last:3600000,+02:00", "before:2001", "equals:2001-01-01"
        ),
        "where": choose("numeric_value > 2 AND NOT procedure LIKE 'A%_'", "result_time < '2001' OR uom IS NULL", "1=1"),
    }
)
READERS: tuple[Callable[[SosRequest], Question], ...] = (
    lambda request: get_observation.read_question(request)[0],
    lambda request: get_data_availability.read_question(request.raw, request.context),
    lambda request: get_feature_of_interest.read_question(request.raw, request.context),
    describe_sensor.read_question,
)


def make_raw(values: dict[str, tuple[str, ...] | None]) -> RawRequest:
    return RawRequest({name: found for name, found in values.items() if found is not None})


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    world = World(tmp_path_factory.mktemp("questions"))
    write_stations(world.folder / "obs.gpkg", ROWS)
    world.write_map()
    path = str(world.folder / "service.map")
    host = Host(read_settings({"MS_MAPFILE": path, "MAPSOS_CACHE": "off"}))
    return Context(host, host.find_service(path), None, NOW, "http://h/?")


@given(values=SOS, reader=st.sampled_from(READERS), strict=st.booleans())
def test_what_sos_reads_comes_back(
    context: Context, values: dict[str, tuple[str, ...] | None], reader: Callable[[SosRequest], Question], strict: bool
) -> None:
    request = SosRequest(context, make_raw(values), strict, OPERATIONS)
    try:
        question = reader(request)
    except (OwsException, ServiceError):
        return
    check_question(question)


@given(values=REST)
def test_what_rest_reads_comes_back(context: Context, values: dict[str, tuple[str, ...] | None]) -> None:
    try:
        query = read_query(make_raw(values), NOW, list_layers(context))
    except RestError:
        return
    check_question(query.question)


@pytest.mark.parametrize("event_time", EVENT_TIMES)
@pytest.mark.parametrize("place", PLACES)
def test_each_text_of_sos_can_be_read(context: Context, event_time: str, place: str) -> None:
    values = {
        "offering": ("off",),
        "observedproperty": ("op",),
        "responseformat": (FORMAT,),
        "eventtime": (event_time,),
        "featureofinterest": (place,),
    }
    question, _, _ = get_observation.read_question(SosRequest(context, RawRequest(values), False, OPERATIONS))
    assert question.times
    assert question.feature
    check_question(question)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "1",
        '["Crs",{"definition":"EPSG:4326"}]',
        '["SensorQuestion",{}]',
        '["SensorQuestion",{"procedure":"A","further":1}]',
        '["posix.system",["true"]]',
        "[" * 100_000,
    ],
)
def test_other_texts_are_not_questions(text: str) -> None:
    with pytest.raises(ValueError, match="not a question"):
        read_question(text)


def test_a_question_reads_well() -> None:
    text = write_question(SensorQuestion("A"))
    assert json.loads(text) == ["SensorQuestion", {"procedure": "A", "strict": False}]


def test_a_question_without_names_is_for_everything_in_the_offering(context: Context) -> None:
    """What no protocol has asked yet, and a job may."""
    every = plan_observations(context, ObservationQuestion(("off",)))
    assert [selection.meaning.layer.name for selection in every.selections] == ["l1"]
    with pytest.raises(ServiceError, match="RESULT"):
        plan_observations(context, ObservationQuestion(("off",), ids=("1",), result=p.IsNull("nothing")))


@pytest.mark.parametrize("offerings", [None, (), ("off", "off")])
def test_a_question_names_one_offering(context: Context, offerings: tuple[str, ...] | None) -> None:
    with pytest.raises(ServiceError, match="exactly one offering"):
        plan_observations(context, ObservationQuestion(offerings, ("op",)))
