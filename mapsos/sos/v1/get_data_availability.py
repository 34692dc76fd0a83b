"""GetDataAvailability: which observations there are, by offering, procedure and observed property.

An operation of later profiles of SOS (sosgda 1.0) that SOS 1.0.0 does not have; its parameters are those of
GetObservation, and all of them are optional.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mapsos.encodings.documents.availability import Availability, tabulate_availability, write_availability
from mapsos.encodings.markup import CollectionMarkup
from mapsos.encodings.registry import GDA_XML, XML_CONTENT_TYPE, find_format, list_availability_formats
from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.downloads import name_download
from mapsos.operations.layers.facts import find_availability
from mapsos.operations.layers.meaning import read_meaning, refuse_source
from mapsos.operations.observations.selection import LayerSelection, select_procedures, select_rows
from mapsos.ows.exceptions import OwsException
from mapsos.sos.v1.reading.event_times import parse_event_times
from mapsos.sos.v1.reading.features_of_interest import parse_bbox, parse_feature_of_interest
from mapsos.sos.v1.reading.parameters import (
    parse_observed_properties,
    parse_procedures,
    parse_response_format,
    split_lists,
)
from mapsos.sources.errors import SourceError
from mapsos.terms.times import Interval
from mapsos.web.messages import Response


def get_data_availability(context: Context) -> Response:
    """First and last time and number of the observations that a GetObservation of the same parameters would give.

    Costs one grouped query for each layer; a layer whose source cannot group by itself is read once. What the data show
    is remembered while they are unchanged. Raises OwsException.
    """
    raw = context.raw
    wanted = GDA_XML
    if raw.last("responseformat") is not None:
        wanted = parse_response_format(raw, list_availability_formats())
    form = None if wanted == GDA_XML else find_format(wanted)
    found = [member for selection in _select(context) for member in _ask(selection)]
    members = _merge(found)
    if form is None:
        document = write_availability(members)
        return Response(headers=(("Content-Type", XML_CONTENT_TYPE),), body=(document,), compressible=True)
    download = name_download(("availability", *raw.all("offering"), *raw.all("procedure")), form.extension or "")
    service = context.service
    collection = CollectionMarkup("availability", "", service.namespace_uri, service.namespace_prefix, "")
    return Response(
        headers=(("Content-Type", form.content_type), download),
        body=form.load().write(collection, [tabulate_availability(members)]),
        compressible=form.compressible,
    )


def _select(context: Context) -> tuple[LayerSelection, ...]:
    """The layers asked for, and which of their rows."""
    raw = context.raw
    layers = tuple(layer for layer in context.enabled("GetDataAvailability") if layer.observed_property is not None)
    if raw.last("offering") is not None:
        layers = _keep(layers, split_lists(raw.all("offering")), _name_offering, "offering")
    if raw.last("observedproperty") is not None:
        layers = _keep(layers, parse_observed_properties(raw), _name_property, "observedProperty")
    asked = select_procedures(tuple(map(read_meaning, layers)), parse_procedures(raw))
    event_times = parse_event_times(raw, context.now)
    feature = parse_feature_of_interest(raw)
    return select_rows(context.service, asked, event_times, feature, parse_bbox(raw), context.now)


def _keep(
    layers: tuple[ObservationLayer, ...],
    wanted: tuple[str, ...],
    names_of: Callable[[ObservationLayer], tuple[str, ...]],
    parameter: str,
) -> tuple[ObservationLayer, ...]:
    """The layers that have one of the names, without regard to case. Raises OwsException for a name that none has."""
    known = {name.casefold() for layer in layers for name in names_of(layer)}
    for name in wanted:
        if name.casefold() not in known:
            message = f"{parameter} {name} not found."
            raise OwsException("InvalidParameterValue", parameter.lower(), "msSOSGetDataAvailability", message)
    folded = {name.casefold() for name in wanted}
    return tuple(layer for layer in layers if folded & {name.casefold() for name in names_of(layer)})


def _name_offering(layer: ObservationLayer) -> tuple[str, ...]:
    return (layer.offering_id, layer.offering_name or layer.offering_id)


def _name_property(layer: ObservationLayer) -> tuple[str, ...]:
    return () if layer.observed_property is None else (layer.observed_property.id,)


def _ask(selection: LayerSelection) -> list[Availability]:
    meaning = selection.meaning
    layer, time, procedure = meaning.layer, meaning.time_column, meaning.procedure_column
    try:
        groups = find_availability(
            layer.source,
            None if procedure is None else procedure.name,
            None if time is None else time.name,
            selection.predicate,
        )
    except SourceError as error:
        raise refuse_source(error) from error
    constant = layer.procedure_text if layer.procedure_item is None else None
    return [
        Availability(
            layer.offering_id,
            constant if procedure is None else name,
            meaning.observed_property.id,
            facts.times,
            facts.rows,
        )
        for name, facts in groups.items()
    ]


def _merge(members: list[Availability]) -> list[Availability]:
    """Layers that share offering, procedure and property count together, as they do in GetObservation."""
    merged: dict[tuple[str, str | None, str], Availability] = {}
    for member in members:
        key = (
            member.offering.casefold(),
            None if member.procedure is None else member.procedure.casefold(),
            member.observed_property.casefold(),
        )
        known = merged.get(key)
        if known is None:
            merged[key] = member
            continue
        times = [period for period in (known.times, member.times) if period is not None]
        whole = Interval(min(t.begin for t in times), max(t.end for t in times)) if times else None
        merged[key] = replace(known, times=whole, count=known.count + member.count)
    return list(merged.values())
