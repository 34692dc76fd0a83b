"""The response formats: one row for each, and all that other modules know of them. Where another format plugs in.

Nothing else lists formats. A row loads the module of its encoder when observations are asked for in it, since the
libraries of a format cost a new process more than most answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

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
        The header of the answer.
    load
        Returns the encoder; imports its module.
    result_model
        The resultModel that it is for, None if it is the same for all.
    strict
        Whether it is for valid documents or for those of MapServer, None if it is the same for both.
    tabular
        Whether its encoder takes `mapsos.encodings.tables.table.TableMarkup`, so that it can write any table.
    compressible
        Whether the answer gets smaller by gzip or zstd.
    extension
        How the name of a downloaded file ends, without the dot; None where the answer is not for download.
    label
        Its name in the list of the request builder, None where it is not listed. Pages translate it if it is not a
        proper name; `gettext_noop` marks such a text for translators.
    place
        Where it stands in that list: the smallest number first, which is what a page preselects.
    """

    name: str
    content_type: str
    load: Callable[[], Encoder[Any]]
    result_model: str | None = None
    strict: bool | None = None
    tabular: bool = False
    compressible: bool = False
    extension: str | None = None
    label: str | None = None
    place: int = 100


def gettext_noop(text: str) -> str:
    """Return a text as it is, marked as one that pages translate."""
    return text


def _load_measurement() -> Encoder[Any]:
    from mapsos.encodings.mapserver.measurement import ENCODER

    return ENCODER


def _load_observation() -> Encoder[Any]:
    from mapsos.encodings.mapserver.datablock import ENCODER

    return ENCODER


def _load_strict_measurement() -> Encoder[Any]:
    from mapsos.encodings.strict.measurement import ENCODER

    return ENCODER


def _load_strict_observation() -> Encoder[Any]:
    from mapsos.encodings.strict.observation import ENCODER

    return ENCODER


def _load_csv() -> Encoder[Any]:
    from mapsos.encodings.tables.csv_table import ENCODER

    return ENCODER


def _load_json() -> Encoder[Any]:
    from mapsos.encodings.tables.json_table import ENCODER

    return ENCODER


def _load_geojson() -> Encoder[Any]:
    from mapsos.encodings.tables.geojson import ENCODER

    return ENCODER


def _load_parquet() -> Encoder[Any]:
    from mapsos.encodings.tables.parquet import ENCODER

    return ENCODER


def _load_arrow_stream() -> Encoder[Any]:
    from mapsos.encodings.tables.arrow_stream import ENCODER

    return ENCODER


def _list_om_rows() -> Iterator[ResponseFormat]:
    """O&M 1.0.0: two result models, each as MapServer writes it and as the schemas of OGC want it."""
    variants: tuple[tuple[Callable[[], Encoder[Any]], str, bool], ...] = (
        (_load_measurement, MEASUREMENT, False),
        (_load_observation, OBSERVATION, False),
        (_load_strict_measurement, MEASUREMENT, True),
        (_load_strict_observation, OBSERVATION, True),
    )
    label = "Observations & Measurements (XML)"
    for load, model, strict in variants:
        yield ResponseFormat(
            OM_XML, XML_CONTENT_TYPE, load, model, strict=strict, compressible=True, label=label, place=3
        )


FORMATS: tuple[ResponseFormat, ...] = (
    *_list_om_rows(),
    ResponseFormat(
        CSV,
        "text/csv; charset=UTF-8; header=present",
        _load_csv,
        tabular=True,
        compressible=True,
        extension="csv",
        label=gettext_noop("Table: CSV"),
        place=2,
    ),
    ResponseFormat(
        "application/json",
        "application/json",
        _load_json,
        tabular=True,
        compressible=True,
        extension="json",
        label=gettext_noop("Table: JSON"),
        place=1,
    ),
    ResponseFormat(
        "application/geo+json",
        "application/geo+json",
        _load_geojson,
        tabular=True,
        compressible=True,
        extension="geojson",
        label="GeoJSON",
        place=4,
    ),
    ResponseFormat(
        "application/vnd.apache.parquet",
        "application/vnd.apache.parquet",
        _load_parquet,
        tabular=True,
        extension="parquet",
        label="Parquet",
        place=5,
    ),
    ResponseFormat(
        "application/vnd.apache.arrow.stream",
        "application/vnd.apache.arrow.stream",
        _load_arrow_stream,
        tabular=True,
        extension="arrows",
    ),
)
"""In the order in which capabilities and exceptions list them."""


def list_response_formats(*, tabular: bool = False) -> tuple[str, ...]:
    """Return what responseFormat can be, in the order of the rows; with ``tabular`` the formats of tables alone."""
    return tuple(dict.fromkeys(row.name for row in FORMATS if row.tabular or not tabular))


def list_availability_formats() -> tuple[str, ...]:
    """Return what responseFormat of GetDataAvailability can be: its own XML, and the formats of tables."""
    return (GDA_XML, *list_response_formats(tabular=True))


def list_result_models(response_format: str | None = None) -> tuple[str, ...]:
    """Return what resultModel can be, for all formats or for one: any of all where it is the same for each."""
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
    """Return the row of a response format and result model, each compared case-insensitively.

    Parameters
    ----------
    strict
        Whether documents shall be valid.

    Raises
    ------
    KeyError
        If there is none.
    """
    for row in FORMATS:
        fits = row.result_model is None or row.result_model.lower() == result_model.lower()
        if fits and row.name.lower() == response_format.lower() and row.strict in (None, strict):
            return row
    raise KeyError(response_format, result_model)
