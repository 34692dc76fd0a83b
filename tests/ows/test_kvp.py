"""Key-value pairs."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsos.ows.exceptions import DecodingError
from mapsos.ows.kvp import MAX_PAIRS, decode_kvp


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("&&=x&=", {}),
        ("SeRvIcE=SOS", {"service": ("SOS",)}),
        ("a=1&A=2", {"a": ("1", "2")}),
        ("a", {"a": ("",)}),
        ("a=b=c", {"a": ("b=c",)}),
        ("a=x+y%20z%2Bw", {"a": ("x y z+w",)}),
        ("a=%zz%4&b=50%", {"a": ("%zz%4",), "b": ("50%",)}),
        ("a=caf%C3%A9", {"a": ("café",)}),
        ("a=café", {"a": ("café",)}),
        ("%61=1", {"a": ("1",)}),
        ("a=1;b=2", {"a": ("1;b=2",)}),
        ("request~GetCapabilities!service~!SOS", {"request~getcapabilities!service~!sos": ("",)}),
    ],
)
def test_pairs_are_decoded(query: str, expected: dict[str, tuple[str, ...]]) -> None:
    assert decode_kvp(query).values == expected
    assert decode_kvp(query.encode()).values == expected


def test_the_last_value_counts_and_the_first_detects() -> None:
    raw = decode_kvp("request=GetCapabilities&REQUEST=GetObservation")
    assert (raw.first("Request"), raw.last("Request")) == ("GetCapabilities", "GetObservation")
    assert (raw.first("x"), raw.last("x"), raw.all("x")) == (None, None, ())


@pytest.mark.parametrize("query", ["offering=%ff", "offering=\udcff", b"offering=\xff", "offering=%ED%A0%80"])
def test_text_that_is_not_utf_8_is_refused_by_name(query: str | bytes) -> None:
    with pytest.raises(DecodingError) as refusal:
        decode_kvp(query)
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", "offering")


@given(st.binary() | st.text())
def test_any_query_is_decoded_or_refused(query: str | bytes) -> None:
    with contextlib.suppress(DecodingError):
        raw = decode_kvp(query.encode("utf-8", "surrogatepass") if isinstance(query, str) else query)
        assert all(raw.values.values())


def test_more_pairs_than_the_most_are_refused() -> None:
    assert decode_kvp("a=1&" * (MAX_PAIRS - 1)).all("a") == ("1",) * (MAX_PAIRS - 1)
    with pytest.raises(DecodingError) as refusal:
        decode_kvp("a=1&" * MAX_PAIRS)
    assert (refusal.value.code, refusal.value.locator) == ("InvalidParameterValue", "request")


@pytest.mark.parametrize("value", ["%ED%A0%80", "\ud800", "a\udfff%41", "%ED%B2%80"])
def test_a_lone_surrogate_is_refused_by_name(value: str) -> None:
    with pytest.raises(DecodingError, match="result is not valid UTF-8") as refused:
        decode_kvp(f"service=SOS&result={value}")
    assert refused.value.locator == "result"
