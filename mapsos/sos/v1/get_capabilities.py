"""GetCapabilities (docs/mapserver-sos.md, "GetCapabilities"; OGC 06-009r6, clause 8.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from mapsos.encodings.documents.capabilities import write_capabilities
from mapsos.encodings.documents.capabilities_parts import (
    CapabilitiesMarkup,
    OfferingDescription,
    OperationDescription,
)
from mapsos.encodings.documents.strict_capabilities import write_strict_capabilities
from mapsos.encodings.markup import Phenomenon
from mapsos.encodings.registry import list_availability_formats, list_response_formats, list_result_models
from mapsos.encodings.strict.identifiers import write_procedure_urn
from mapsos.mapfile.model import ObservationLayer, Offering, group_offerings
from mapsos.operations.answers import Answer
from mapsos.operations.context import Context
from mapsos.operations.layers.extents import complete_time_extent, describe_extent, describe_time_extent
from mapsos.operations.layers.facts import DistinctValues
from mapsos.operations.layers.meaning import read_meaning, write_property_uri
from mapsos.operations.layers.open_layers import hold_layers
from mapsos.operations.layers.procedures import require_procedures
from mapsos.operations.layers.surveys import survey_layers
from mapsos.operations.own_url import find_own_url
from mapsos.ows.negotiation import SECTIONS
from mapsos.ows.operation import Operation
from mapsos.sos.v1.conformance import admits_parameter
from mapsos.sos.v1.reading.negotiation import check_update_sequence, negotiate_version, parse_sections
from mapsos.sos.v1.request import Handler, SosRequest, is_enabled
from mapsos.terms.urns import TRANSIENT_FEATURE

CONTENT_TYPE = "text/xml; charset=UTF-8"


def get_capabilities(request: SosRequest) -> Answer:
    """Describe the service. Facts from the data are read once and cached while the data are unchanged.

    Raises OwsException, and ServiceError if the metadata or the data are faulty.
    """
    context, raw, strict = request.context, request.raw, request.strict
    service = context.service
    negotiate_version(raw)
    check_update_sequence(raw, service.update_sequence, strict=strict)
    sections = parse_sections(raw)
    wanted = frozenset(SECTIONS) if sections is None or "All" in sections else sections
    offerings = group_offerings(context.enabled("GetCapabilities")) if "Contents" in wanted else ()
    response_formats, result_models = list_response_formats(), list_result_models()
    with hold_layers():
        survey_layers(service, offerings)
        described = tuple(_describe(context, offering, strict=strict) for offering in offerings)
    markup = CapabilitiesMarkup(
        identification=service.identification,
        provider=service.provider,
        online_resource=find_own_url(context),
        schemas=service.schemas_location,
        operations=tuple(_list_operations(request, response_formats + list_availability_formats() + result_models)),
        offerings=described,
        sections=wanted,
        update_sequence=service.update_sequence,
        max_features=service.max_features,
        conformances=service.conformance if admits_parameter(service) else (),
        response_formats=response_formats,
        result_models=result_models,
    )
    return Answer(CONTENT_TYPE, (_write_document(markup, strict=strict),), is_tagged=True)


def _list_operations(request: SosRequest, formats: tuple[str, ...]) -> Iterator[OperationDescription]:
    """Yield the operations that the client may use; in strict documents only those of the standard."""
    for operation in request.operations:
        if operation.name != "GetCapabilities" and not is_enabled(request.context, operation):
            continue
        if operation.is_standard or not request.strict:
            yield _describe_operation(operation, request.strict, formats)


@lru_cache(maxsize=64)
def _describe_operation(operation: Operation[Handler], strict: bool, _formats: tuple[str, ...]) -> OperationDescription:
    """Describe an operation. ``_formats`` are all formats: when one is added, the operation is described again."""
    described = (parameter.describe(strict=strict) for parameter in operation.parameters)
    return OperationDescription(operation.name, tuple(filter(None, described)))


def _write_document(markup: CapabilitiesMarkup, *, strict: bool) -> bytes:
    if strict:
        return write_strict_capabilities(markup)
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
        procedures=_list_procedures(context, offering),
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


def _list_procedures(context: Context, offering: Offering) -> tuple[str, ...]:
    """Return each distinct procedure of the layers of an offering, in the spelling of the first layer that has it."""
    stated = [require_procedures(context, layer) for layer in offering.layers]
    if len(stated) == 1 and isinstance(stated[0], DistinctValues):
        return stated[0].case_folded
    found: dict[str, str] = {}
    for names in stated:
        for name in names:
            found.setdefault(name.casefold(), name)
    return tuple(found.values())


def _names_station(layer: ObservationLayer) -> bool:
    """Return whether each row of a layer has exactly one procedure, which is its feature of interest."""
    return layer.procedure_item is not None or len(layer.procedures or ()) == 1


def _list_phenomena(offering: Offering) -> tuple[Phenomenon, ...]:
    """Return each distinct observed property, described by the first layer that has it."""
    found: dict[str, Phenomenon] = {}
    for layer in offering.layers:
        observed = layer.observed_property
        if observed is None or observed.id.casefold() in found:
            continue
        found[observed.id.casefold()] = Phenomenon(observed.id, observed.name, read_meaning(layer).components)
    return tuple(found.values())
