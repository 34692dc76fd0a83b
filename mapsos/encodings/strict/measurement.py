"""Observations as valid om:Measurement: a member for every observed value (OGC 07-022r1, clause 7.4).

Values other than numbers have separate kinds of observations: an integer without a unit is an om:CountObservation, a
truth value an om:TruthObservation, a date an om:TemporalObservation, any other text an om:CategoryObservation. A null
has no member.

The feature of interest is named by the URN of the station. It contains the place of the observation, as the
gml:location of a gml:FeatureCollection without members: parsers accept this without knowing the schema of sampling
features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.batches import Batch, ColumnKind, map_batches
from mapsos.columns.value_texts import instant_texts
from mapsos.columns.xml_text import escape_attribute, escape_text_column, without_nulls
from mapsos.encodings.encoder import Encoder, Needs
from mapsos.encodings.joining import Pieces, join_rows
from mapsos.encodings.markup import name_columns
from mapsos.encodings.strict.collection import write_strict_members
from mapsos.encodings.strict.geometry import StrictGeometryMarkup
from mapsos.encodings.strict.identifiers import UNKNOWN, write_procedure_urn, write_uom_attribute
from mapsos.encodings.strict.markup import StrictField, StrictMarkup, describe_strict
from mapsos.encodings.strict.text_columns import fit_numbers, map_texts
from mapsos.encodings.template import Optional, Part, Slot, Template, find_filled
from mapsos.terms.urns import TRANSIENT_FEATURE
from mapsos.web.messages import Chunk


def need_strict_measurements(markup: StrictMarkup) -> Needs:
    """Return what the batches of a layer must contain: texts, times, and geometries if the layer has them."""
    roles = (markup.procedure_column, markup.feature_id_column)
    texts = name_columns(*(field.column for field in markup.fields), *roles)
    return Needs(texts=texts, times=markup.times, geometry=markup.geometry)


def encode_strict_measurements(ids: str, markup: StrictMarkup, batches: Iterable[Batch]) -> Iterator[Chunk]:
    """Yield the members of one layer, row by row, value by value, in chunks of about half a megabyte.

    ``ids`` begins every gml:id; the index of the value in its row, and that of the row, follow. A row without a valid
    time has an unknown time. If the layer has feature ids, the gml:name of each observation is the id by which
    GetObservationById finds its row.
    """
    if not markup.fields:
        return
    template = Template(*(_lay_out_value(ids, number, field) for number, field in enumerate(markup.fields)))
    geometries = StrictGeometryMarkup(markup.crs, northing_first=markup.northing_first)
    rows = 0

    def encode_batch(batch: Batch) -> Iterator[Chunk]:
        """Return the chunks of a batch: their pieces are made at once, and joined by the caller that iterates."""
        nonlocal rows
        slots, present = _fill(markup, geometries, batch, rows)
        rows += batch.rows
        return template.fill(batch.rows, slots, present)

    for chunks in map_batches(batches, encode_batch):
        yield from chunks


def _lay_out_value(ids: str, number: int, field: StrictField) -> Part:
    name, opening, closing = _choose_element(field)
    parts: tuple[Part, ...] = (
        f'  <om:member><{name} gml:id="{ids}{number + 1}_',
        Slot("row, when and by what"),
        f' xlink:role="{escape_attribute(field.definition)}" xlink:title="{escape_attribute(field.alias)}"/>',
        Slot("feature"),
        opening,
        Slot(f"value {number}"),
        f"{closing}</{name}></om:member>\n",
    )
    return Optional(f"value {number}", parts)


def _choose_element(field: StrictField) -> tuple[str, str, str]:
    """Return the kind of observation, and the markup before and after its value."""
    closing = "</om:result>"
    if field.is_count:
        return "om:CountObservation", '<om:result xsi:type="xs:integer">', closing
    if field.is_number:
        uom = escape_attribute(write_uom_attribute(field.uom))
        return "om:Measurement", f'<om:result xsi:type="gml:MeasureType" uom="{uom}">', closing
    if field.kind is ColumnKind.BOOLEAN:
        return "om:TruthObservation", '<om:result xsi:type="xs:boolean">', closing
    if field.kind in (ColumnKind.DATE, ColumnKind.DATETIME):
        opening, end = "<gml:TimeInstant><gml:timePosition>", "</gml:timePosition></gml:TimeInstant>"
        return "om:TemporalObservation", f"<om:result>{opening}", f"{end}{closing}"
    space = escape_attribute(field.definition)
    return "om:CategoryObservation", f'<om:result xsi:type="swe:ScopedNameType" codeSpace="{space}">', closing


def _fill(
    markup: StrictMarkup, geometries: StrictGeometryMarkup, batch: Batch, rows: int
) -> tuple[dict[str, Pieces | pa.Array], dict[str, pa.Array | bool]]:
    procedures = _write_procedures(markup, batch)
    before = (
        pa.array(np.arange(rows + 1, rows + 1 + batch.rows)).cast(pa.large_string()),
        '">',
        *_write_name(markup, batch),
        "<om:samplingTime>",
        *_write_time(markup, batch),
        '</om:samplingTime><om:procedure xlink:href="',
        procedures,
        f'"/><om:observedProperty xlink:href="{escape_attribute(markup.observed_property)}"',
    )
    slots: dict[str, Pieces | pa.Array] = {
        "row, when and by what": before,
        "feature": _write_feature(geometries, procedures, batch),
    }
    present: dict[str, pa.Array | bool] = {}
    for number, field in enumerate(markup.fields):
        texts = batch.texts[field.column]
        texts = fit_numbers(texts, loose=field.loose) if field.is_number else escape_text_column(texts)
        slots[f"value {number}"] = texts
        present[f"value {number}"] = find_filled(texts)
    return slots, present


def _write_name(markup: StrictMarkup, batch: Batch) -> Pieces:
    if markup.feature_id_column is None:
        return ()
    return ("<gml:name>o_", escape_text_column(batch.texts[markup.feature_id_column]), "</gml:name>")


def _write_time(markup: StrictMarkup, batch: Batch) -> Pieces:
    if markup.end_time_column is None:
        instant = _write_instants(batch, markup.time_column, "timePosition")
        return ("<gml:TimeInstant>", *instant, "</gml:TimeInstant>")
    begin = _write_instants(batch, markup.time_column, "beginPosition")
    end = _write_instants(batch, markup.end_time_column, "endPosition")
    return ("<gml:TimePeriod>", *begin, *end, "</gml:TimePeriod>")


def _write_instants(batch: Batch, column: str | None, element: str) -> Pieces:
    """Return the element with the time of each row."""
    unknown = f'<gml:{element} indeterminatePosition="unknown"/>'
    if column is None:
        return (unknown,)
    texts = instant_texts(batch.times[column])
    known: Pieces = (f"<gml:{element}>", without_nulls(texts), f"</gml:{element}>")
    return (pc.if_else(texts.is_valid(), join_rows(batch.rows, known), unknown),) if texts.null_count else known


def _write_procedures(markup: StrictMarkup, batch: Batch) -> str | pa.Array:
    if markup.procedure_column is not None:
        return map_texts(batch.texts[markup.procedure_column], write_procedure_urn)
    return escape_attribute(UNKNOWN if markup.procedure is None else write_procedure_urn(markup.procedure))


def _write_feature(geometries: StrictGeometryMarkup, procedures: str | pa.Array, batch: Batch) -> Pieces:
    station = procedures if procedures != UNKNOWN else TRANSIENT_FEATURE
    named: Pieces = ('<om:featureOfInterest xlink:href="', station, '"')
    found = geometries.write(batch.geometry)
    if found is None:
        return (*named, "/>")
    place: Pieces = (
        "><gml:FeatureCollection><gml:location>",
        *found.element,
        "</gml:location></gml:FeatureCollection></om:featureOfInterest>",
    )
    if found.present is True:
        return (*named, *place)
    return (*named, pc.if_else(found.present, join_rows(batch.rows, place), "/>"))


ENCODER = Encoder(
    describe_strict,
    need_strict_measurements,
    write_strict_members(encode_strict_measurements, "extensions/om_extended.xsd"),
)
