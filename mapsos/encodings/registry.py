"""The registry of response formats: one row for each, with everything that other modules need. New formats go here.

A row names the module of its encoder, which is imported when observations are requested in the format: the libraries of
a format cost a new process more than most responses.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from mapsos.encodings.encoder import Encoder

OM_XML = 'text/xml; subtype="om/1.0.0"'
GDA_XML = 'text/xml; subtype="gda/1.0.0"'
CSV = "text/csv"

MEASUREMENT = "om:Measurement"
OBSERVATION = "om:Observation"

XML_CONTENT_TYPE = "text/xml; charset=UTF-8"


@dataclass(frozen=True)
class ResponseFormat:
    """One format, or one variant of a format by result model and conformance.

    Attributes
    ----------
    name
        The value of responseFormat, as capabilities list it.
    content_type
        The Content-Type of the response.
    module
        The module whose ``ENCODER`` writes the format.
    result_model
        The resultModel of the variant, None if the format is the same for all.
    strict
        Whether it writes valid documents or those of MapServer, None if the format is the same for both.
    tabular
        Whether its encoder takes `mapsos.encodings.tables.table.TableMarkup`, so that it can write any table.
    compressible
        Whether gzip or zstd make the response smaller.
    extension
        The extension of a downloaded file, without the dot; None if the response is not for download.
    label
        Its name in the request builder, None if it is not listed there. Pages translate it if it is not a proper name;
        `gettext_noop` marks such a label for translators.
    place
        Its position in that list, in ascending order; pages preselect the first.
    """

    name: str
    content_type: str
    module: str
    result_model: str | None = None
    strict: bool | None = None
    tabular: bool = False
    compressible: bool = False
    extension: str | None = None
    label: str | None = None
    place: int = 100

    def load(self) -> Encoder[Any]:
        """Import the module of the encoder and return it."""
        encoder: Encoder[Any] = import_module(self.module).ENCODER
        return encoder


def gettext_noop(text: str) -> str:
    """Return a text as it is, marked as one that pages translate."""
    return text


def _list_om_rows() -> Iterator[ResponseFormat]:
    """List O&M 1.0.0: two result models, each as MapServer writes it and as the OGC schemas require."""
    variants = (
        ("mapsos.encodings.mapserver.measurement", MEASUREMENT, False),
        ("mapsos.encodings.mapserver.datablock", OBSERVATION, False),
        ("mapsos.encodings.strict.measurement", MEASUREMENT, True),
        ("mapsos.encodings.strict.observation", OBSERVATION, True),
    )
    label = "Observations & Measurements (XML)"
    for module, model, strict in variants:
        yield ResponseFormat(
            OM_XML, XML_CONTENT_TYPE, module, model, strict=strict, compressible=True, label=label, place=3
        )


FORMATS: tuple[ResponseFormat, ...] = (
    *_list_om_rows(),
    ResponseFormat(
        CSV,
        "text/csv; charset=UTF-8; header=present",
        "mapsos.encodings.tables.csv_table",
        tabular=True,
        compressible=True,
        extension="csv",
        label=gettext_noop("Table: CSV"),
        place=2,
    ),
    ResponseFormat(
        "application/json",
        "application/json",
        "mapsos.encodings.tables.json_table",
        tabular=True,
        compressible=True,
        extension="json",
        label=gettext_noop("Table: JSON"),
        place=1,
    ),
    ResponseFormat(
        "application/geo+json",
        "application/geo+json",
        "mapsos.encodings.tables.geojson",
        tabular=True,
        compressible=True,
        extension="geojson",
        label="GeoJSON",
        place=4,
    ),
    ResponseFormat(
        "application/vnd.apache.parquet",
        "application/vnd.apache.parquet",
        "mapsos.encodings.tables.parquet",
        tabular=True,
        extension="parquet",
        label="Parquet",
        place=5,
    ),
    ResponseFormat(
        "application/vnd.apache.arrow.stream",
        "application/vnd.apache.arrow.stream",
        "mapsos.encodings.tables.arrow_stream",
        tabular=True,
        extension="arrows",
    ),
)
"""The rows, in the order of capabilities and exceptions."""


def list_response_formats(*, tabular: bool = False) -> tuple[str, ...]:
    """Return the values of responseFormat, in the order of the rows; with ``tabular`` only those of tables."""
    return tuple(dict.fromkeys(row.name for row in FORMATS if row.tabular or not tabular))


def list_availability_formats() -> tuple[str, ...]:
    """Return the values of responseFormat in GetDataAvailability: its own XML, and the formats of tables."""
    return (GDA_XML, *list_response_formats(tabular=True))


def list_result_models(response_format: str | None = None) -> tuple[str, ...]:
    """Return the values of resultModel, for all formats or for one. A format without variants accepts them all."""
    rows = [row for row in FORMATS if response_format is None or row.name.lower() == response_format.lower()]
    if response_format is not None and any(row.result_model is None for row in rows):
        return list_result_models()
    return tuple(dict.fromkeys(row.result_model for row in rows if row.result_model is not None))


def list_builder_formats() -> tuple[ResponseFormat, ...]:
    """Return a row of each format that the request builder lists, in its order."""
    labelled = {row.name: row for row in reversed(FORMATS) if row.label is not None}
    order = list_response_formats()
    return tuple(sorted(labelled.values(), key=lambda row: (row.place, order.index(row.name))))


def find_format(response_format: str, result_model: str = MEASUREMENT, *, strict: bool = False) -> ResponseFormat:
    """Return the row of a response format and result model, both case-insensitive.

    Parameters
    ----------
    strict
        Whether documents must be valid.

    Raises
    ------
    KeyError
        No row matches.
    """
    for row in FORMATS:
        fits = row.result_model is None or row.result_model.lower() == result_model.lower()
        if fits and row.name.lower() == response_format.lower() and row.strict in (None, strict):
            return row
    raise KeyError(response_format, result_model)
