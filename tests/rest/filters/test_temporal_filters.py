from __future__ import annotations

import pytest

from mapsos.rest.errors import RestError
from mapsos.rest.filters.temporal_filters import TemporalFilter, parse_temporal_filter
from mapsos.terms.times import DAY, HOUR, Interval, parse_period, parse_time

NOW = parse_time("2011-11-16T12:00:00Z").begin


@pytest.mark.parametrize(
    ("text", "relation", "interval", "offset"),
    [
        ("equals:2011-10-19T15:00:00+02:00", "equals", parse_time("2011-10-19T13:00:00Z"), 120),
        ("{equals:2011-10-19T15:00:00-03:30}", "equals", parse_time("2011-10-19T18:30:00Z"), -210),
        (
            "during:2011-10-19T15:00:00+02:00,2011-10-20T00:00:00+02:00",
            "during",
            parse_period("2011-10-19T13:00:00Z/2011-10-19T22:00:00Z"),
            120,
        ),
        ("{ During : 2011-10-19 , 2011-10-20 }", "during", parse_period("2011-10-19/2011-10-20"), 0),
        ("after:2011-10-19T15:00:00 02:00", "after", parse_time("2011-10-19T13:00:00Z"), 120),
        ("before:2011-10-19T15:00:00Z", "before", parse_time("2011-10-19T15:00:00Z"), 0),
        ("last:2419200000,+02:00", "during", Interval(NOW - 28 * DAY, NOW + 1), 120),
        ("{last:3600000, -09:30}", "during", Interval(NOW - HOUR, NOW + 1), -570),
        ("last:3600000, 02:00", "during", Interval(NOW - HOUR, NOW + 1), 120),
        ("last:3600000", "during", Interval(NOW - HOUR, NOW + 1), 0),
    ],
)
def test_reads_each_operator(text: str, relation: str, interval: Interval, offset: int) -> None:
    assert parse_temporal_filter(text, NOW) == TemporalFilter(relation, interval, offset)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2011-10-19",
        "{equals:2011-10-19",
        "equals:2011-10-19}",
        "equals:",
        "equals:2011-13-19",
        "equals:2011-10-19,2011-10-20",
        "during:2011-10-19",
        "during:2011-10-20,2011-10-19",
        "last:",
        "last:-5,+02:00",
        "last:P1D,+02:00",
        "last:5,+15:00",
        "last:5,CET",
        "last:5,+02:00,+02:00",
        "around:2011-10-19",
    ],
)
def test_refuses_everything_else_with_what_is_allowed(text: str) -> None:
    with pytest.raises(RestError, match="temporalFilter cannot be read: .+") as caught:
        parse_temporal_filter(text, NOW)
    assert "last:<milliseconds>,<offset>" in caught.value.details[0]
