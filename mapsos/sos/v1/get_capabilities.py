"""GetCapabilities (reference sections 2.5, 2.6 and 6; OGC 06-009r6, clause 8.2)."""

from __future__ import annotations

from dataclasses import replace

from mapsos.encodings.documents.capabilities_parts import SECTIONS, CapabilitiesMarkup, OfferingDescription
from mapsos.encodings.markup import Phenomenon
from mapsos.encodings.registry import list_availability_formats, list_response_formats, list_result_models
from mapsos.encodings.strict.markup import write_procedure_urn
from mapsos.mapfile.model import ObservationLayer, Offering, group_offerings
from mapsos.operations.context import Context
from mapsos.operations.layers.extents import (
    complete_time_extent,
    describe_extent,
    describe_time_extent,
    find_map_rectangle,
)
from mapsos.operations.layers.facts import list_values
from mapsos.operations.layers.meaning import read_meaning, refuse_source, write_property_uri
from mapsos.operations.own_url import find_online_resource
from mapsos.ows.exceptions import OwsException
from mapsos.ows.sections import parse_sections
from mapsos.ows.update_sequences import check_update_sequence
from mapsos.ows.versions import negotiate_version
from mapsos.sos.v1.conformance import admits_parameter, is_strict
from mapsos.sources.errors import SourceError
from mapsos.terms.urns import TRANSIENT_FEATURE
from mapsos.web.messages import Response

CONTENT_TYPE = "text/xml; charset=UTF-8"
OPERATIONS = (
    "DescribeSensor",
    "DescribeObservationType",
    "DescribeFeatureType",
    "GetFeatureOfInterest",
    "GetObservation",
    "GetObservationById",
    "GetDataAvailability",
)


def get_capabilities(context: Context) -> Response:
    """Describe the service. What only the data can tell is read once and remembered while they are unchanged.

    Raises OwsException 6 to 11 and 13 to 15 of the reference's table.
    """
    service = context.service
    negotiate_version(context.raw)
    strict = is_strict(context)
    check_update_sequence(context.raw, service.update_sequence, strict=strict)
    sections = parse_sections(context.raw)
    wanted = frozenset(SECTIONS) if sections is None or "All" in sections else sections
    offerings = group_offerings(context.enabled("GetCapabilities")) if "Contents" in wanted else ()
    markup = CapabilitiesMarkup(
        identification=service.identification,
        provider=service.provider,
        online_resource=find_online_resource(context),
        schemas=service.schemas_location,
        operations=("GetCapabilities", *(name for name in OPERATIONS if context.enabled(name))),
        offerings=tuple(_describe(context, offering, strict=strict) for offering in offerings),
        sections=wanted,
        update_sequence=service.update_sequence,
        max_features=service.max_features,
        conformances=service.conformance if admits_parameter(service) else (),
        response_formats=list_response_formats(),
        result_models=list_result_models(),
        availability_formats=list_availability_formats(),
    )
    headers = (("Content-Type", CONTENT_TYPE),)
    return Response(headers=headers, body=(_write_document(markup, strict=strict),), compressible=True)


def _write_document(markup: CapabilitiesMarkup, *, strict: bool) -> bytes:
    if strict:
        from mapsos.encodings.documents.strict_capabilities import write_strict_capabilities

        return write_strict_capabilities(markup)
    from mapsos.encodings.documents.capabilities import write_capabilities

    return write_capabilities(markup)


def _describe(context: Context, offering: Offering, *, strict: bool) -> OfferingDescription:
    first = offering.first
    described = OfferingDescription(
        id=offering.id,
        description=first.offering_description,
        name=first.offering_name,
        srs=context.service.srs,
        envelope=describe_extent(offering),
        intended_application=first.intended_application,
        time_extent=describe_time_extent(offering),
        procedures=tuple(name for layer in offering.layers for name in list_procedures(context, layer)),
        phenomena=_list_phenomena(offering),
    )
    if not strict:
        return described
    properties = {
        layer.observed_property.id: write_property_uri(layer.observed_property)
        for layer in offering.layers
        if layer.observed_property is not None
    }
    procedures = tuple(dict.fromkeys(write_procedure_urn(name) for name in described.procedures))
    known = any(_names_station(layer) for layer in offering.layers)
    return replace(
        described,
        time_extent=complete_time_extent(described.time_extent),
        procedures=procedures,
        phenomena=tuple(replace(each, id=properties[each.id]) for each in described.phenomena),
        features=procedures if known else (TRANSIENT_FEATURE,),
    )


def _names_station(layer: ObservationLayer) -> bool:
    """Whether each row of a layer has one procedure, which is its feature of interest."""
    return layer.procedure_item is not None or len(layer.procedures or ()) == 1


def list_procedures(context: Context, layer: ObservationLayer) -> tuple[str, ...]:
    """The procedures of a layer: its sos_procedure words, else the distinct values of sos_procedure_item.

    Values are those of rows within the MAP EXTENT, in order of first appearance. Raises OwsException 13 to 15.
    """
    if layer.procedures is not None:
        return layer.procedures
    if layer.procedure_item is None:
        raise _refuse_procedure_item(f"Mandatory metadata procedure_item could not be found on the layer {layer.name}")
    column = read_meaning(layer).procedure_column
    if column is None:
        raise _refuse_procedure_item(
            f"procedure_item {layer.procedure_item} could not be found on the layer {layer.name}"
        )
    try:
        found = list_values(layer.source, column.name, find_map_rectangle(context.service, layer))
    except SourceError as error:
        raise refuse_source(error) from error
    if not found:
        raise OwsException(
            "InvalidParameterValue",
            "procedure",
            "msSOSGetCapabilities",
            f"Invalid procedure {layer.procedure_item}",
            status=500,
        )
    return found


def _refuse_procedure_item(message: str) -> OwsException:
    return OwsException("NoApplicableCode", "mapserv", "msSOSGetCapabilities", message, status=500)


def _list_phenomena(offering: Offering) -> tuple[Phenomenon, ...]:
    """Each distinct observed property, described by the first layer that has it."""
    found: dict[str, Phenomenon] = {}
    for layer in offering.layers:
        observed = layer.observed_property
        if observed is None or observed.id.casefold() in found:
            continue
        found[observed.id.casefold()] = Phenomenon(observed.id, observed.name, read_meaning(layer).components)
    return tuple(found.values())
