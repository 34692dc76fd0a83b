from __future__ import annotations

import pytest

from mapsos.encodings.encoder import Needs
from mapsos.encodings.markup import DataBlockMarkup, DataField, MeasurementMarkup, Phenomenon
from mapsos.encodings.registry import MEASUREMENT, OBSERVATION, OM_XML, XML_CONTENT_TYPE, find_encoder

PHENOMENON = Phenomenon("air", None, ())


@pytest.mark.parametrize("result_model", [MEASUREMENT, "OM:MEASUREMENT"])
def test_measurements(result_model: str) -> None:
    encoder = find_encoder(OM_XML.upper(), result_model)
    assert (encoder.markup, encoder.content_type) == (MeasurementMarkup, XML_CONTENT_TYPE)
    markup = MeasurementMarkup("l", "ms", PHENOMENON, "u", "point", None, time_column="t", values=(("a", "v"),))
    assert encoder.needs(markup) == Needs(texts=("v", "t"), geometry=True)


def test_observations() -> None:
    encoder = find_encoder(OM_XML, OBSERVATION)
    assert (encoder.markup, encoder.content_type) == (DataBlockMarkup, XML_CONTENT_TYPE)
    markup = DataBlockMarkup(PHENOMENON, None, (DataField("a", "v"),), ",", "\n")
    assert encoder.needs(markup) == Needs(texts=("v",))


@pytest.mark.parametrize(("response_format", "result_model"), [("text/plain", MEASUREMENT), (OM_XML, "om:Other")])
def test_no_such_encoder(response_format: str, result_model: str) -> None:
    with pytest.raises(KeyError):
        find_encoder(response_format, result_model)
