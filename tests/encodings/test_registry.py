from __future__ import annotations

import pytest

from mapsos.encodings.datablock import encode_datablocks
from mapsos.encodings.markup import DataBlockMarkup, MeasurementMarkup
from mapsos.encodings.measurement import encode_measurements
from mapsos.encodings.registry import MEASUREMENT, OBSERVATION, OM_XML, find_encoder


@pytest.mark.parametrize("result_model", [MEASUREMENT, "OM:MEASUREMENT"])
def test_measurements(result_model: str) -> None:
    encoder = find_encoder(OM_XML.upper(), result_model)
    assert (encoder.markup, encoder.encode_layer) == (MeasurementMarkup, encode_measurements)
    assert encoder.needs_geometry


def test_observations() -> None:
    encoder = find_encoder(OM_XML, OBSERVATION)
    assert (encoder.markup, encoder.encode_layer) == (DataBlockMarkup, encode_datablocks)
    assert not encoder.needs_geometry


@pytest.mark.parametrize(("response_format", "result_model"), [("text/csv", MEASUREMENT), (OM_XML, "om:Other")])
def test_no_such_encoder(response_format: str, result_model: str) -> None:
    with pytest.raises(KeyError):
        find_encoder(response_format, result_model)
