"""Report the number and the first and last time of observations by offering, procedure and observed property."""

from __future__ import annotations

from dataclasses import replace

from mapsos.encodings.documents.availability import Availability
from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.layers.facts import find_availability
from mapsos.operations.layers.meaning import read_meaning
from mapsos.operations.layers.offerings import name_offering, name_property, pick_layers
from mapsos.operations.observations.selection import LayerSelection, select_procedures, select_rows
from mapsos.operations.questions import AvailabilityQuestion
from mapsos.terms.times import Interval


def tell_availability(context: Context, question: AvailabilityQuestion) -> list[Availability]:
    """Return one member for each offering, procedure and observed property that has observations.

    Costs one grouped query for each layer; a layer whose source cannot group is read once. Results are cached while the
    data are unchanged. Raises ServiceError.
    """
    layers = pick_offerings(context, question.offerings)
    layers = pick_layers(layers, question.observed_properties, name_property, "observed property")
    asked = select_procedures(tuple(map(read_meaning, layers)), question.procedures)
    selections = select_rows(
        context.service, asked, question.times, question.feature, question.place, context.now
    )
    return _merge([member for selection in selections for member in _ask(selection)])


def pick_offerings(context: Context, offerings: tuple[str, ...] | None = None) -> tuple[ObservationLayer, ...]:
    """Return the layers of offerings whose availability the client may request; None for all. Raises ServiceError."""
    layers = tuple(layer for layer in context.enabled("GetDataAvailability") if layer.observed_property is not None)
    return pick_layers(layers, offerings, name_offering, "offering")


def _ask(selection: LayerSelection) -> list[Availability]:
    meaning = selection.meaning
    layer, time, procedure = meaning.layer, meaning.time_column, meaning.procedure_column
    groups = find_availability(
        layer.source,
        None if procedure is None else procedure.name,
        None if time is None else time.name,
        selection.predicate,
    )
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
    """Merge members of layers that share offering, procedure and property, as GetObservation does."""
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
