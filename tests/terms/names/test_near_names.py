"""Which names are misspellings of parameters, and which are other words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.rest.parameters import PARAMETERS
from mapsos.sos.v1.operations import OPERATIONS
from mapsos.terms.names.near_names import MAX_UNKNOWN, NearMissError, TooManyNamesError, find_near_name, ignore_names

SOS = tuple(parameter.name for row in OPERATIONS for parameter in row.parameters) + ("map", "mode")
REST = tuple(name for names in PARAMETERS.values() for name in names) + ("f",)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("evenTime", "eventTime"),
        ("eventTimes", "eventTime"),
        ("evnetTime", "eventTime"),
        ("event_time", "eventTime"),
        ("EVENT-TIME", "eventTime"),
        ("procedures", "procedure"),
        ("procedrue", "procedure"),
        ("prosedures", "procedure"),
        ("offring", "offering"),
        ("offerings", "offering"),
        ("observedProperties", "observedProperty"),
        ("observed_property", "observedProperty"),
        ("observedPropery", "observedProperty"),
        ("feature_of_interest", "featureOfInterest"),
        ("reponseFormat", "responseFormat"),
        ("results", "result"),
        ("reslut", "result"),
        ("services", "service"),
        ("verison", "version"),
        ("section", "Sections"),
        ("amp;procedure", "procedure"),
        ("box", "bbox"),
        ("bboxes", None),
        ("bboxs", "bbox"),
        ("bobx", "bbox"),
        ("mapp", "map"),
        ("maps", "map"),
        ("srs_name", "srsName"),
    ],
)
def test_misspellings_are_near(name: str, meant: str | None) -> None:
    assert find_near_name(name, SOS) == meant


@pytest.mark.parametrize(
    "name",
    [
        *("_", "t", "v", "f", "key", "token", "apikey", "api_key", "access_token", "ts", "rnd", "random", "nocache"),
        *("cachebuster", "requestid", "request_id", "session", "sessionid", "sid", "jsessionid", "user", "lang"),
        *("language", "locale", "format", "layers", "srs", "crs", "width", "height", "time", "code", "node", "app"),
        *("cap", "amp", "utm_source", "utm_medium", "fbclid", "gclid", "ticket", "timestamp", "nonsense", "colour"),
        *("language", "namespaces", "maxfeatures", "count", "callback", "crossdomain", "", "x" * 10_000),
    ],
)
def test_other_words_are_not(name: str) -> None:
    assert find_near_name(name, SOS + REST) is None


@pytest.mark.parametrize("name", ["map", "f", "feature", "procedure", "where", "spatialFilter"])
def test_known_names_are_nearest_to_themselves(name: str) -> None:
    assert find_near_name(name, (*REST, "map")) == (name if name != "f" else None)


@given(st.text(max_size=80))
def test_any_text_can_be_compared(name: str) -> None:
    found = find_near_name(name, SOS)
    assert found is None or found in SOS


def test_unknown_names_are_ignored_once() -> None:
    names = ("OFFERING", "_", "token", "_", "featureid")
    assert ignore_names(names, ("offering", "featureOfInterest"), ("FeatureId",)) == ("_", "token", "featureid")


def test_names_of_other_requests_are_no_near_misses() -> None:
    assert ignore_names(("features",), ("feature",), ("features",)) == ("features",)
    with pytest.raises(NearMissError, match=r"unknown name features\. Did you mean feature\?"):
        ignore_names(("features",), ("feature",))


def test_the_number_of_unknown_names_is_limited() -> None:
    names = [f"x{number}" for number in range(MAX_UNKNOWN)]
    assert ignore_names(names, ("offering",)) == tuple(names)
    with pytest.raises(TooManyNamesError):
        ignore_names([*names, "y"], ("offering",))
