"""eventTime: everything that is a time, and nothing else."""

# ruff: noqa: E501  (a row of a table is a line)

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.ows.exceptions import OwsException
from mapsos.ows.kvp import decode_kvp
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.interface import read_body
from mapsos.sos.v1.reading.event_times import parse_event_times
from mapsos.terms.times import FOREVER, EventTime, Interval, parse_period, parse_time

NOW = 1_004_452_195_000_000
PERIOD = "<gml:TimePeriod><gml:beginPosition>2001</gml:beginPosition><gml:endPosition>2002</gml:endPosition></gml:TimePeriod>"
INSTANT = "<gml:TimeInstant><gml:timePosition>2001-10-30</gml:timePosition></gml:TimeInstant>"
AFTERWARDS = INSTANT.replace("Position>2", 'Position indeterminatePosition="after">2', 1)
YEARS, DATE = parse_period("2001/2002"), parse_time("2001-10-30")


def parse(*values: str) -> list[tuple[str, Interval | None]]:
    found = parse_event_times(RawRequest({"eventtime": values}), NOW)
    return [(time.relation, time.interval) for time in found]


def period(begin: str, end: str) -> str:
    return f"<TimePeriod>{begin}{end}</TimePeriod>"


def begin(text: str, attributes: str = "") -> str:
    return f"<beginPosition {attributes}>{text}</beginPosition>"


def end(text: str, attributes: str = "") -> str:
    return f"<endPosition {attributes}>{text}</endPosition>"


def test_no_event_time() -> None:
    assert parse_event_times(RawRequest({})) == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2001-10-30", [("equals", DATE)]),
        (" 2001/2002 ", [("during", YEARS)]),
        ("2001/2002,2001-10-30", [("during", YEARS), ("equals", DATE)]),
        ("2001,2001", [("equals", parse_time("2001"))]),
        ("2001-10-30T14:24:55,5Z", [("equals", parse_time("2001-10-30T14:24:55.5Z"))]),
        ("2001-10-30T14:24:55,5Z,2001", [("equals", parse_time("2001-10-30T14:24:55.5Z")), ("equals", parse_time("2001"))]),
        ("P1DT1,5H/2001-10-30", [("during", parse_period("P1DT1.5H/2001-10-30"))]),
        ("2001-10-30T14:24:55 02:00", [("equals", parse_time("2001-10-30T12:24:55Z"))]),
        ("2001/", [("during", Interval(YEARS.begin, FOREVER))]),
        ("../2002", [("during", Interval(-FOREVER, YEARS.end))]),
        ("2001/now", [("during", Interval(YEARS.begin, NOW + 1))]),
        ("PT1H/now", [("during", Interval(NOW - 3_600_000_000, NOW + 1))]),
        ("now", [("equals", Interval(NOW, NOW + 1))]),
        ("latest", [("latest", None)]),
        ("First", [("first", None)]),
        ("getFirst,latest", [("first", None), ("latest", None)]),
        (PERIOD, [("during", YEARS)]),
        (INSTANT, [("equals", DATE)]),
        (f"<ogc:TM_Equals>{PERIOD}</ogc:TM_Equals>", [("during", YEARS)]),
        (f"<TM_Equals>{INSTANT}</TM_Equals>", [("equals", DATE)]),
        (f"<ogc:TM_During>{INSTANT}</ogc:TM_During>", [("during", DATE)]),
        (f"<ogc:TM_After>{INSTANT}</ogc:TM_After>", [("after", DATE)]),
        (f"<ogc:TM_Before>{PERIOD}</ogc:TM_Before>", [("before", YEARS)]),
        (f"<fes:During><fes:ValueReference>t</fes:ValueReference>{PERIOD}</fes:During>", [("during", YEARS)]),
        (f"<ogc:TM_Equals x='1'><ogc:PropertyName>om:samplingTime</ogc:PropertyName>{INSTANT}</ogc:TM_Equals>", [("equals", DATE)]),
        (f"{PERIOD},{INSTANT}", [("during", YEARS), ("equals", DATE)]),
        (f"<TM_Equals>{PERIOD}</TM_Equals> <TM_After>{INSTANT}</TM_After>", [("during", YEARS), ("after", DATE)]),
        (PERIOD.replace("<gml:TimePeriod", '<gml:TimePeriod gml:id="t1" xmlns:gml="http://www.opengis.net/gml/3.2"'), [("during", YEARS)]),
        (PERIOD.replace("gml:", ""), [("during", YEARS)]),
        (PERIOD.replace("gml:", "foo:"), [("during", YEARS)]),
        (period(end("2002"), begin("2001")), [("during", YEARS)]),
        (period(begin("2001", 'frame="#ISO-8601"'), end("2002")), [("during", YEARS)]),
        (period("<name>x</name>" + begin("2001"), end("2002")), [("during", YEARS)]),
        (f"<TimePeriod><begin>{INSTANT.replace('2001-10-30', '2001')}</begin>{end('2002')}</TimePeriod>", [("during", YEARS)]),
        (period(begin("2001"), end("", 'indeterminatePosition="now"')), [("during", Interval(YEARS.begin, NOW + 1))]),
        (period(begin("", 'indeterminatePosition="unknown"'), end("2002")), [("during", Interval(-FOREVER, YEARS.end))]),
        (period(begin("2001"), end("")), [("during", Interval(YEARS.begin, FOREVER))]),
        (period(begin("2001"), end("2002", 'indeterminatePosition="after"')), [("during", Interval(YEARS.begin, FOREVER))]),
        (period(begin("2001", 'indeterminatePosition="before"'), end("2002")), [("during", Interval(-FOREVER, YEARS.end))]),
        (period(begin("2001"), end("2003", 'indeterminatePosition="before"')), [("during", YEARS)]),
        (period(begin("2000", 'indeterminatePosition="after"'), end("2002")), [("during", YEARS)]),
        (AFTERWARDS, [("after", DATE)]),
        (f"<TM_After>{AFTERWARDS}</TM_After>", [("after", DATE)]),
        (INSTANT.replace("2001-10-30", "latest"), [("latest", None)]),
        ('<TimeInstant><timePosition indeterminatePosition="now"/></TimeInstant>', [("equals", Interval(NOW, NOW + 1))]),
    ],
)  # fmt: skip
def test_times_that_are_taken(value: str, expected: list[tuple[str, Interval | None]]) -> None:
    assert parse(value) == expected


def test_a_reversed_period_selects_nothing_whatever_the_operator() -> None:
    for value in ("2002/2001", period(begin("2002"), end("2001"))):
        ((relation, interval),) = parse(value)
        assert relation == "during"
        assert interval is not None
        assert interval.is_empty
    ((relation, _),) = parse(f"<TM_Before>{period(begin('2002'), end('2001'))}</TM_Before>")
    assert relation == "during"


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "x",
        "5",
        "2001-10-30Z`",
        "2001-10-30T14:24:55Z` or 1=1 or `[t]` = `2001",
        "2001/2002'",
        "2001/2002,x",
        "x,2001",
        ",",
        "2001,",
        "/",
        "2001/10/30 14:24:55",
        "om:phenomenonTime,2001/2002",
        PERIOD + "x",
        PERIOD + "`",
        PERIOD.replace("2002", "2002` or 1=1"),
        PERIOD.replace("2002", "scooby"),
        PERIOD.replace("2002", "<b/>"),
        PERIOD.replace("2002", "&b;"),
        PERIOD[:-1],
        period(begin("2001"), ""),
        period(begin("2001"), begin("2002")),
        period(begin("2001"), end("2002") + "<duration>P1D</duration>"),
        period(begin("2001"), end("2002", 'indeterminatePosition="soon"')),
        period(begin("2001"), end("2002", 'indeterminatePosition="now"')),
        period(begin("2001", 'frame="#other"'), end("2002")),
        period(begin("2001", 'calendarEraName="heisei"'), end("2002")),
        "<TimeInstant/>",
        "<TimeInstant><timePosition/></TimeInstant>",
        '<TimeInstant><timePosition indeterminatePosition="unknown"/></TimeInstant>',
        "<TM_Equals/>",
        f"<TM_Equals>{PERIOD}{PERIOD}</TM_Equals>",
        f"<TM_EndedBy>{INSTANT}</TM_EndedBy>",
        f"<TM_Equals><TM_During>{PERIOD}</TM_During></TM_Equals>",
        f"<TM_Before>{INSTANT.replace('2001-10-30', 'latest')}</TM_Before>",
        f"<TM_Before>{AFTERWARDS}</TM_Before>",
        "<!DOCTYPE a>" + PERIOD,
    ],
)
def test_anything_else_is_refused_never_everything(value: str) -> None:
    with pytest.raises(OwsException) as refusal:
        parse(value)
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", "eventtime")
    assert refusal.value.text.startswith(
        f"msSOSGetObservation(): SOS server error. Invalid time value given for the eventTime parameter {value}"[:1000]
    )


@pytest.mark.parametrize("values", [["," * 100_000], ["2001," * 1000 + "2001"], [INSTANT * 1001], ["2001"] * 1001])
def test_more_times_than_the_most_are_refused_by_name(values: list[str]) -> None:
    with pytest.raises(OwsException) as refusal:
        parse_event_times(RawRequest({"eventtime": tuple(values)}), NOW)
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", "eventtime")
    assert "more than 1000 times are not accepted" in refusal.value.text


def test_an_offset_survives_a_query_string() -> None:
    raw = decode_kvp("eventTime=2001-10-30T14:24:55+02:00/2001-10-30T14:24:56%2B02:00")
    assert parse_event_times(raw)[0].interval == parse_period("2001-10-30T12:24:55Z/2001-10-30T12:24:56Z")


def test_all_times_of_a_body_count() -> None:
    data = f"""<GetObservation xmlns="http://www.opengis.net/sos/1.0" xmlns:ogc="http://www.opengis.net/ogc"
        xmlns:gml="http://www.opengis.net/gml" service="SOS">
        <eventTime><ogc:TM_During><ogc:PropertyName>t</ogc:PropertyName>{PERIOD}</ogc:TM_During></eventTime>
        <eventTime>{INSTANT}</eventTime><eventTime>latest</eventTime></GetObservation>"""
    found = parse_event_times(read_body(data.encode()), NOW)
    assert found == (
        EventTime("during", YEARS, "2001/2002"),
        EventTime("equals", DATE, "2001-10-30"),
        EventTime("latest", None, "latest"),
    )


PIECES = st.sampled_from(
    [PERIOD, INSTANT, "<TM_After>", "</TM_After>", "2001", "/", ",", "P1D", "now", "latest", " ", "`"]
)


@given(st.text() | st.lists(PIECES, max_size=8).map("".join))
def test_any_value_is_times_or_refused(value: str) -> None:
    with contextlib.suppress(OwsException):
        assert parse(value)
