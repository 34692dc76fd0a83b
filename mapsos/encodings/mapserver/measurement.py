"""Observations as om:Measurement: a member for every row (docs/mapserver-sos.md, "om:Measurement")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from mapsos.columns.batches import Batch, map_batches
from mapsos.columns.xml_text import encode_name, escape_attribute, escape_attribute_column, escape_text_column
from mapsos.encodings.encoder import Encoder, Needs
from mapsos.encodings.joining import Pieces
from mapsos.encodings.layer_description import LayerDescription
from mapsos.encodings.mapserver.collection import write_members
from mapsos.encodings.mapserver.geometry_markup import GeometryMarkup
from mapsos.encodings.mapserver.member_markup import (
    MISSING_PROCEDURE_ITEM,
    crs_attributes,
    describe_phenomenon,
    encode_prefix,
    indent,
    write_phenomenon,
    write_procedure,
)
from mapsos.encodings.markup import MeasurementMarkup
from mapsos.encodings.template import Optional, Part, Slot, Template, find_filled
from mapsos.terms.urns import PROCEDURE_URN
from mapsos.web.messages import Chunk


def describe_measurements(layer: LayerDescription) -> MeasurementMarkup:
    """Describe the members of one layer: values by its own aliases, in its own column order (D-09)."""
    return MeasurementMarkup(
        layer_name=layer.layer_name,
        namespace_prefix=layer.namespace_prefix,
        phenomenon=describe_phenomenon(layer.observed_property),
        feature_type_url=layer.feature_type_url,
        shape="any" if layer.mixed_shapes else layer.shape.value,
        label=layer.mapserver_label,
        time_column=layer.time_column,
        end_time_column=layer.end_time_column,
        procedure_column=layer.procedure_column,
        procedure=layer.procedure,
        missing_procedure_item=layer.procedure is not None,
        feature_id_column=layer.feature_id_column,
        values=tuple((field.alias, field.column) for field in layer.fields),
    )


def need_measurements(markup: MeasurementMarkup) -> Needs:
    """Return what the batches of a layer must contain: texts, and geometries."""
    return Needs(texts=markup.columns, geometry=True)


def encode_measurements(markup: MeasurementMarkup, batches: Iterable[Batch]) -> Iterator[Chunk]:
    """Yield the members of one layer, row by row, in chunks of about half a megabyte.

    om:samplingTime is omitted if the time is empty; gml:boundedBy and geometry if the geometry is missing. The comment
    about a missing procedure item precedes the om:procedure that it refers to (D-27). Layer name and aliases become XML
    names (D-18); ids stay as they are, escaped once (D-16b).
    """
    template = Template(*_lay_out_member(markup))
    geometries = GeometryMarkup(markup.shape, markup.label, encode_prefix(markup.namespace_prefix))
    for chunks in map_batches(batches, lambda batch: _encode_batch(markup, template, geometries, batch)):
        yield from chunks


def _lay_out_member(markup: MeasurementMarkup) -> list[Part]:
    feature_id: tuple[Part, ...] = (Slot("feature id"),) if markup.feature_id_column is not None else ()
    before_id, after_id = write_phenomenon(markup.phenomenon)
    prefix = encode_prefix(markup.namespace_prefix)
    layer = f"{prefix}:{encode_name(markup.layer_name)}"
    parts: list[Part] = [indent(1, "<om:member>") + "    <om:Observation"]
    if feature_id:
        parts += [' gml:id="o_', *feature_id, '"']
    parts += [">\n"]
    if markup.time_column is not None:
        lasting = markup.end_time_column is not None
        parts.append(Optional("time", _lay_out_period() if lasting else _lay_out_time()))
    if markup.missing_procedure_item:
        parts.append(indent(3, MISSING_PROCEDURE_ITEM))
    if markup.procedure_column is not None:
        parts += [f'      <om:procedure xlink:href="{PROCEDURE_URN}', Slot("procedure"), '"/>\n']
    elif markup.procedure is not None:
        parts.append(write_procedure(markup.procedure))
    parts.append(before_id)
    if feature_id:
        parts += ["_o_", *feature_id]
    parts += [
        after_id,
        indent(3, f'<om:featureOfInterest xlink:href="{escape_attribute(markup.feature_type_url)}"/>', "<om:result>"),
        indent(4, "<gml:featureMember>") + indent(5, f"<{layer}>"),
        Optional("geometry", (*_lay_out_bounds(markup.label), Slot("geometry"))),
    ]
    for number, (alias, _) in enumerate(markup.values):
        name = f"{prefix}:{encode_name(alias)}"
        value = (f"{'  ' * 6}<{name}>", Slot(f"value {number}"), f"</{name}>\n")
        parts.append(Optional(f"value {number}", value, otherwise=indent(6, f"<{name}/>")))
    parts += [
        indent(5, f"</{layer}>") + indent(4, "</gml:featureMember>") + indent(3, "</om:result>"),
        indent(2, "</om:Observation>") + indent(1, "</om:member>"),
    ]
    return parts


def _lay_out_time() -> tuple[Part, ...]:
    return (
        indent(3, "<om:samplingTime>") + indent(4, "<gml:TimeInstant>") + "          <gml:timePosition>",
        Slot("time"),
        "</gml:timePosition>\n" + indent(4, "</gml:TimeInstant>") + indent(3, "</om:samplingTime>"),
    )


def _lay_out_period() -> tuple[Part, ...]:
    return (
        indent(3, "<om:samplingTime>") + indent(4, "<gml:TimePeriod>") + "          <gml:beginPosition>",
        Slot("time"),
        "</gml:beginPosition>\n          <gml:endPosition>",
        Slot("end time"),
        "</gml:endPosition>\n" + indent(4, "</gml:TimePeriod>") + indent(3, "</om:samplingTime>"),
    )


def _lay_out_bounds(label: str | None) -> tuple[Part, ...]:
    corner = "  " * 8
    return (
        indent(6, "<gml:boundedBy>") + indent(7, f"<gml:Envelope{crs_attributes(label)}>"),
        f"{corner}<gml:lowerCorner>",
        Slot("lower corner"),
        f"</gml:lowerCorner>\n{corner}<gml:upperCorner>",
        Slot("upper corner"),
        "</gml:upperCorner>\n" + indent(7, "</gml:Envelope>") + indent(6, "</gml:boundedBy>"),
    )


def _encode_batch(
    markup: MeasurementMarkup, template: Template, geometries: GeometryMarkup, batch: Batch
) -> Iterator[Chunk]:
    """Return the chunks of a batch: their pieces are made at once, and joined by the caller that iterates."""
    slots: dict[str, Pieces | pa.Array] = {}
    present: dict[str, pa.Array | bool] = {"geometry": False}
    if markup.time_column is not None:
        slots["time"] = escape_text_column(batch.texts[markup.time_column])
        present["time"] = find_filled(slots["time"])
    if markup.end_time_column is not None:
        slots["end time"] = escape_text_column(batch.texts[markup.end_time_column])
    if markup.procedure_column is not None:
        slots["procedure"] = escape_attribute_column(batch.texts[markup.procedure_column])
    if markup.feature_id_column is not None:
        slots["feature id"] = escape_attribute_column(batch.texts[markup.feature_id_column])
    for number, (_, column) in enumerate(markup.values):
        name = f"value {number}"
        slots[name] = escape_text_column(batch.texts[column])
        present[name] = find_filled(slots[name])
    if (texts := geometries.write(batch.geometry)) is not None:
        present["geometry"] = texts.present
        slots |= {"lower corner": texts.lower, "upper corner": texts.upper, "geometry": texts.element}
    return template.fill(batch.rows, slots, present)


ENCODER = Encoder(describe_measurements, need_measurements, write_members(encode_measurements))
