"""The patterns of the OpenAPI document match whatever the readers of the filters accept."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsos.rest.errors import RestError
from mapsos.rest.filters.filter_patterns import SPATIAL_FILTER, TEMPORAL_FILTER, WHERE
from mapsos.rest.filters.spatial_filters import parse_spatial_filter
from mapsos.rest.filters.temporal_filters import parse_temporal_filter
from mapsos.rest.filters.where import NAMES, parse_where
from tests.geoservices import test_spatial_filters, test_temporal_filters, test_where

_JOINTS = ["", " ", "  ", "\n", ","]
_MARKS = ["{", "}", "[[", "]]", "x:", "'y':", '"points":']
_NUMBERS = ["0", "1", "-40.5", "+2.", ".5", "1e3", "99E-1"]
_TIMES = ["2011", "2011-10-19", "2011-W44-2", "20111019T15", "2011-10-19T15:00:00.5+02:00", "2011-10-19 15:00Z", "NOW"]
READERS: dict[str, tuple[str, Callable[[str], object], list[str]]] = {
    "spatialFilter": (SPATIAL_FILTER, parse_spatial_filter, [*_NUMBERS, *_MARKS]),
    "temporalFilter": (
        TEMPORAL_FILTER,
        lambda text: parse_temporal_filter(text, 0),
        [*_TIMES, "{", "}", "equals:", "During :", "after:", "BEFORE:", "last:", "3600000", "-09:30", "Z"],
    ),
    "where": (
        WHERE,
        parse_where,
        [*_NUMBERS, *sorted(NAMES), '"UoM"', "'it''s'", "DATE '2011-10-19'", "timestamp", "=", "<>", "!=", "<=", ">",
         "is", "Null", "NOT", "in", "(", ")", "like", "between", "and", "OR", "escape"],
    ),
}  # fmt: skip
ACCEPTED = {
    "spatialFilter": (test_spatial_filters.test_reads_envelopes, test_spatial_filters.test_reads_geometries),
    "temporalFilter": (test_temporal_filters.test_reads_each_operator,),
    "where": (test_where.test_reads_conditions,),
}


def _list_texts(test: Callable[..., None]) -> list[str]:
    """The first column of a test's table."""
    (table,) = test.pytestmark  # type: ignore[attr-defined]
    return [row[0] for row in table.args[1]]


@pytest.mark.parametrize("name", READERS)
def test_texts_that_are_known_to_be_read_match(name: str) -> None:
    texts = [text for test in ACCEPTED[name] for text in _list_texts(test)]
    assert len(texts) > 5
    assert [text for text in texts if not re.search(READERS[name][0], text)] == []


@pytest.mark.parametrize("name", READERS)
def test_texts_of_known_words_match_where_they_are_read(name: str) -> None:
    pattern, read, words = READERS[name]
    pieces = st.lists(st.tuples(st.sampled_from(words), st.sampled_from(_JOINTS)).map("".join), max_size=6)

    @settings(max_examples=1500, deadline=None, derandomize=True)
    @given(pieces.map("".join))
    def check(text: str) -> None:
        try:
            read(text)
        except RestError:
            return
        assert re.search(pattern, text), text

    check()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("spatialFilter", "a,b"),
        ("spatialFilter", "1,2,3"),
        ("spatialFilter", "[1,2]"),
        ("temporalFilter", "2011-10-19"),
        ("temporalFilter", "around:2011-10-19"),
        ("temporalFilter", "{equals:2011-10-19"),
        ("temporalFilter", "during:2011-10-19"),
        ("temporalFilter", "last:P1D,+02:00"),
        ("where", "numeric_value"),
        ("where", "speed = 5"),
        ("where", "text_value = 'a' --"),
        ("where", "numeric_value <"),
        ("where", "abs(numeric_value) = 2"),
    ],
)
def test_what_is_no_such_text_does_not_match(name: str, text: str) -> None:
    pattern, read, _ = READERS[name]
    assert not re.search(pattern, text)
    with pytest.raises(RestError):
        read(text)


@pytest.mark.parametrize("name", READERS)
def test_an_empty_text_is_one_that_is_absent(name: str) -> None:
    assert re.search(READERS[name][0], "")
    assert re.search(READERS[name][0], " ")
