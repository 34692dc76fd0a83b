"""Which operation a request is for: those that are not there are refused by their names."""

from __future__ import annotations

import pytest

from mapsos.config.settings import Settings
from mapsos.mapfile.model import AccessRules, ObservationLayer, Service
from mapsos.operations.context import Context
from mapsos.operations.host import Host
from mapsos.ows.exceptions import OwsException
from mapsos.ows.kvp import decode_kvp
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.dispatch import asks_feature_type, check_service, find_operation
from mapsos.sos.v1.interface import read_body
from mapsos.sos.v1.operations import UNSUPPORTED
from mapsos.terms.layer_source import LayerSource, SourceKind


def make_context(any_enabled: bool) -> Context:
    access = AccessRules(("*" if any_enabled else None, None))
    layer = ObservationLayer("l", LayerSource("l", SourceKind.INLINE), "off")
    return Context(Host(Settings()), Service("m", access=access, layers=(layer,)), None, 0)


def ask_by_body(operation: str) -> RawRequest:
    return read_body(f'<{operation} xmlns="http://www.opengis.net/sos/1.0" version="1.0.0"><x/></{operation}>'.encode())


@pytest.mark.parametrize("operation", UNSUPPORTED)
@pytest.mark.parametrize("by_body", [False, True])
@pytest.mark.parametrize("any_enabled", [False, True])
def test_optional_operations_are_not_supported(operation: str, by_body: bool, any_enabled: bool) -> None:
    raw = ask_by_body(operation) if by_body else decode_kvp(f"service=SOS&request={operation.lower()}")
    check_service(raw, None, has_sos=True)
    with pytest.raises(OwsException) as refusal:
        find_operation(raw, make_context(any_enabled))
    assert (refusal.value.code, refusal.value.locator) == ("OperationNotSupported", operation)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("service=WFS&request=DescribeFeatureType", True),
        ("SERVICE=wfs&REQUEST=describefeaturetype", True),
        ("service=WFS&request=GetFeature", False),
        ("service=WFS&service=SOS&request=DescribeFeatureType", False),
        ("service=WFS&request=GetFeature&request=DescribeFeatureType", False),
        ("service=SOS&request=DescribeFeatureType", False),
        ("request=DescribeFeatureType", False),
    ],
)
def test_one_request_of_wfs_is_answered(query: str, expected: bool) -> None:
    assert asks_feature_type(decode_kvp(query)) is expected


def test_the_request_of_wfs_is_found_whatever_blanks_surround_it() -> None:
    raw = decode_kvp("service=WFS&version=1.1.0&request=DescribeFeatureType%20")
    assert find_operation(raw, make_context(True)).name == "DescribeFeatureType"


def test_a_map_without_sos_answers_no_wfs() -> None:
    with pytest.raises(Exception, match="BROWSE mode"):
        check_service(decode_kvp("service=WFS&request=DescribeFeatureType"), None, has_sos=False)
