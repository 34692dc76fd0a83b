"""Which encoder answers which response format and result model: where another format plugs in.

An encoder is handed the markup of the whole answer and, for each layer, its markup and its batches. It writes the whole
document, so that a format may keep what it likes over all layers.
"""

from __future__ import annotations

import importlib
from typing import Any

from mapsos.encodings.encoder import Encoder, Needs

OM_XML = 'text/xml; subtype="om/1.0.0"'

MEASUREMENT = "om:Measurement"
OBSERVATION = "om:Observation"

_TABLES = {
    "text/csv": "mapsos.encodings.tables.csv_table",
    "application/json": "mapsos.encodings.tables.json_table",
    "application/geo+json": "mapsos.encodings.tables.geojson",
    "application/vnd.apache.parquet": "mapsos.encodings.tables.parquet",
    "application/vnd.apache.arrow.stream": "mapsos.encodings.tables.arrow_stream",
}
"""Response formats of tables, with the module that has the ENCODER: imported when it is asked for."""

TABLE_FORMATS = tuple(_TABLES)
RESPONSE_FORMATS = (OM_XML, *TABLE_FORMATS)
"""What responseFormat may be, in the order in which capabilities and exceptions list them."""

XML_CONTENT_TYPE = "text/xml; charset=UTF-8"


def find_encoder(response_format: str, result_model: str, *, strict: bool = False) -> Encoder[Any]:
    """The encoder of a response format and result model, compared without regard to case. KeyError if there is none.

    ``strict`` asks for XML that is valid O&M 1.0.0. A table is the same for both result models, and either way. Each
    format's own module is imported when it is asked for.
    """
    wanted = response_format.lower()
    if wanted == OM_XML.lower() and strict:
        return _find_strict_encoder(result_model.lower())
    if wanted == OM_XML.lower():
        return _find_xml_encoder(result_model.lower())
    encoder: Encoder[Any] = importlib.import_module(_TABLES[wanted]).ENCODER
    return encoder


def _find_xml_encoder(result_model: str) -> Encoder[Any]:
    if result_model == MEASUREMENT.lower():
        from mapsos.encodings.mapserver.collection import write_members
        from mapsos.encodings.mapserver.measurement import encode_measurements
        from mapsos.encodings.markup import MeasurementMarkup

        return Encoder(
            OM_XML,
            XML_CONTENT_TYPE,
            MeasurementMarkup,
            lambda markup: Needs(texts=markup.columns, geometry=True),
            write_members(encode_measurements),
        )
    if result_model == OBSERVATION.lower():
        from mapsos.encodings.mapserver.collection import write_members
        from mapsos.encodings.mapserver.datablock import encode_datablocks
        from mapsos.encodings.markup import DataBlockMarkup

        return Encoder(
            OM_XML,
            XML_CONTENT_TYPE,
            DataBlockMarkup,
            lambda markup: Needs(texts=markup.columns),
            write_members(encode_datablocks),
        )
    raise KeyError(result_model)


def _find_strict_encoder(result_model: str) -> Encoder[Any]:
    from mapsos.encodings.strict.collection import write_strict_members
    from mapsos.encodings.strict.markup import StrictMarkup

    if result_model == MEASUREMENT.lower():
        from mapsos.encodings.strict.measurement import encode_strict_measurements

        return Encoder(
            OM_XML,
            XML_CONTENT_TYPE,
            StrictMarkup,
            lambda markup: Needs(texts=markup.texts, times=markup.times, geometry=markup.geometry),
            write_strict_members(encode_strict_measurements, "extensions/om_extended.xsd"),
        )
    if result_model == OBSERVATION.lower():
        from mapsos.encodings.strict.observation import encode_strict_observations

        return Encoder(
            OM_XML,
            XML_CONTENT_TYPE,
            StrictMarkup,
            lambda markup: Needs(texts=markup.texts, times=markup.times),
            write_strict_members(encode_strict_observations, "om.xsd"),
        )
    raise KeyError(result_model)
