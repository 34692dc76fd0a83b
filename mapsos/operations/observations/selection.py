"""Which rows of a layer a GetObservation asks for: its parameters as one predicate per layer.

Compare docs/mapserver-sos.md, "Layers of a request".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mapsos.mapfile.model import Service
from mapsos.operations.errors import Kind, ServiceError, Subject
from mapsos.operations.layers.extents import read_time_limits
from mapsos.operations.layers.facts import has_geometry, list_values, read_layer
from mapsos.operations.layers.meaning import (
    LayerMeaning,
    UnknownName,
    list_spellings,
)
from mapsos.operations.questions import FeatureOfInterest
from mapsos.terms.crs import Crs
from mapsos.terms.event_times import EventTime
from mapsos.terms.predicates import (
    EVERYTHING,
    NOTHING,
    And,
    BBox,
    Everything,
    Not,
    Nothing,
    OneOf,
    Or,
    Predicate,
    Spatial,
    Time,
    all_of,
    any_of,
)
from mapsos.terms.times import FOREVER, Interval
from mapsos.terms.urns import TRANSIENT_FEATURE, strip_procedure

Asked = tuple[tuple[LayerMeaning, Predicate], ...]
"""The layers that still take part in an answer, in map order, each with what is asked of its rows so far."""


@dataclass(frozen=True)
class LayerSelection:
    """A layer that takes part in an answer, and which of its rows."""

    meaning: LayerMeaning
    predicate: Predicate


def select_rows(
    service: Service,
    asked: Asked,
    event_times: tuple[EventTime, ...],
    feature: FeatureOfInterest | None,
    bbox: BBox | None,
    now: int,
) -> tuple[LayerSelection, ...]:
    """Place and time for each layer: which layers take part in the end, in map order, with their whole predicate.

    A layer that nothing can be selected from is left out. ``now`` is in microseconds since 1970 UTC. Raises
    ServiceError for ids of features that no layer has.
    """
    rectangle = _select_rectangle(service, feature, bbox)
    chosen = []
    for meaning, predicate in _select_features(asked, feature):
        whole = all_of(predicate, _place(service, meaning, rectangle))
        whole = all_of(whole, _select_times(meaning, event_times, whole, now))
        if not isinstance(whole, Nothing):
            chosen.append(LayerSelection(meaning, whole))
    return tuple(chosen)


def select_procedures(meanings: tuple[LayerMeaning, ...], procedures: tuple[str, ...] | None) -> Asked:
    """The layers that have one of the procedures, with the predicate that picks their rows.

    See docs/mapserver-sos.md, "Procedure".

    Ids are met without regard to case and with or without URN. ``None`` asks for all.
    """
    if procedures is None:
        return tuple((meaning, EVERYTHING) for meaning in meanings)
    picked = ((meaning, pick_procedures(meaning, procedures)) for meaning in meanings)
    found = [(meaning, predicate) for meaning, predicate in picked if predicate is not None]
    if not found and meanings:
        stated = any(meaning.layer.procedures for meaning in meanings)
        message = f"Procedure {','.join(procedures)} not found."
        subject: Subject = "procedure" if stated else "procedure of the data"
        raise ServiceError(Kind.UNKNOWN_NAME, subject, message, names=procedures)
    return tuple(found)


def pick_procedures(meaning: LayerMeaning, procedures: tuple[str, ...]) -> Predicate | None:
    """Which rows of a layer belong to the procedures, None if the layer has none of them."""
    layer = meaning.layer
    wanted = set().union(*map(list_spellings, procedures))
    spelled: tuple[str, ...] = ()
    if layer.procedures:
        spelled = tuple(word for word in layer.procedures if word.casefold() in wanted)
        if not spelled:
            return None
    if layer.procedure_item is None:
        return EVERYTHING
    column = meaning.procedure_column
    if column is None:
        message = f"sos_procedure_item {layer.procedure_item} could not be found on the layer {layer.name}"
        raise ServiceError(Kind.MISCONFIGURED, "procedure column", message)
    if not spelled:
        present = list_values(layer.source, column.name)
        spelled = tuple(value for value in present if value.casefold() in wanted)
        if not spelled:
            return EVERYTHING if not present else None
    return OneOf(column.name, tuple(dict.fromkeys((*spelled, *map(strip_procedure, procedures)))))


def _select_features(asked: Asked, feature: FeatureOfInterest | None) -> Asked:
    """Narrow to features of interest that are named by id: a station (procedure), or a feature's own id."""
    if feature is None or not feature.ids:
        return asked
    if any(name.casefold() == TRANSIENT_FEATURE.casefold() for name in feature.ids):
        return asked
    found: list[tuple[LayerMeaning, Predicate]] = []
    for meaning, predicate in asked:
        has_stations = meaning.layer.procedures or meaning.procedure_column
        of_station = pick_procedures(meaning, feature.ids) if has_stations else None
        if of_station is not None:
            found.append((meaning, all_of(predicate, of_station)))
        elif (column := meaning.feature_id_column) is not None:
            ids = tuple(dict.fromkeys(part for name in feature.ids for part in (name, name.removeprefix("o_"))))
            named = OneOf(column.name, ids)
            if list_values(meaning.layer.source, column.name, named):
                found.append((meaning, all_of(predicate, named)))
    if not found and asked:
        message = f"FeatureOfInterest {','.join(feature.ids)} not found."
        raise ServiceError(Kind.UNKNOWN_NAME, "feature", message, names=feature.ids)
    return tuple(found)


def select_result(asked: Asked, result: Predicate | None) -> Asked:
    """The layers that have the names of a filter, with it as part of their predicate.

    A layer that lacks one is left out (D-07). Raises ServiceError if none has them all.
    """
    if result is None:
        return asked
    found: list[tuple[LayerMeaning, Predicate]] = []
    for meaning, predicate in asked:
        try:
            found.append((meaning, all_of(predicate, meaning.resolve(result))))
        except UnknownName:
            continue
    if not found and asked:
        raise ServiceError(Kind.UNKNOWN_NAME, "result", "Invalid component name in RESULT statement")
    return tuple(found)


def _select_rectangle(service: Service, feature: FeatureOfInterest | None, bbox: BBox | None) -> Predicate:
    """The place asked for, in map coordinates where it names no CRS; the MAP EXTENT if none is asked for."""
    place = feature.predicate if feature is not None else None
    if place is None and bbox is None:
        if service.extent is None:
            return EVERYTHING
        extent = service.extent
        return BBox(extent.minx, extent.miny, extent.maxx, extent.maxy)
    return all_of(place or EVERYTHING, bbox or EVERYTHING)


def _place(service: Service, meaning: LayerMeaning, rectangle: Predicate) -> Predicate:
    """Say in which CRS a place without one is meant: the map's. A source without geometries has no place at all."""
    if isinstance(rectangle, Everything):
        return rectangle
    if not has_geometry(meaning.layer.source):
        return EVERYTHING
    return locate(rectangle, service.crs)


def locate(predicate: Predicate, crs: Crs | None) -> Predicate:
    """Return a predicate in which each place without a CRS has this one; None leaves it to mean that of the layer."""
    if crs is None:
        return predicate
    if isinstance(predicate, And | Or):
        return type(predicate)(tuple(locate(operand, crs) for operand in predicate.operands))
    if isinstance(predicate, Not):
        return Not(locate(predicate.operand, crs))
    if isinstance(predicate, BBox | Spatial) and predicate.crs is None:
        return replace(predicate, crs=crs.definition)
    return predicate


def _select_times(
    meaning: LayerMeaning, event_times: tuple[EventTime, ...], predicate: Predicate, now: int
) -> Predicate:
    """eventTime for one layer: any of the times. All rows of a layer that has no time item pass, as in MapServer."""
    layer = meaning.layer
    if not event_times or layer.time_item is None:
        return EVERYTHING
    column = meaning.time_column
    if column is None:
        message = f"sos_timeitem {layer.time_item} could not be found on the layer {layer.name}"
        raise ServiceError(Kind.MISCONFIGURED, "time column", message)
    limits = read_time_limits(layer, now)
    parts = []
    for event_time in event_times:
        if event_time.interval is None:
            parts.append(_pick_extreme(meaning, column.name, predicate, newest=event_time.relation == "latest"))
        elif limits is None or any(_may_meet(event_time, limit) for limit in limits):
            parts.append(match_time(column.name, event_time))
    return any_of(*parts)


def match_time(column: str, event_time: EventTime) -> Predicate:
    """Return which values of a column match a time other than ``latest`` and ``first``, which depend on the data."""
    relation = event_time.relation
    assert event_time.interval is not None
    assert relation != "latest"
    assert relation != "first"
    return Time(column, (event_time.interval,), relation)


def _may_meet(event_time: EventTime, limit: Interval) -> bool:
    """Whether rows within the offering's time extent can satisfy an eventTime at all."""
    assert event_time.interval is not None
    begin, end = event_time.interval.begin, event_time.interval.end
    if event_time.relation == "before":
        begin, end = -FOREVER, begin
    elif event_time.relation == "after":
        begin, end = end, FOREVER
    return begin < limit.end and limit.begin < end


def _pick_extreme(meaning: LayerMeaning, column: str, predicate: Predicate, *, newest: bool) -> Predicate:
    """The newest or oldest observations of each procedure among the rows that the rest of the question selects."""
    group = meaning.procedure_column
    with read_layer(meaning.layer.source) as layer:
        found = layer.extreme_times(column, group.name if group else None, predicate, newest=newest)
    if not found:
        return NOTHING
    if group is None:
        return Time(column, tuple(found.values()))
    # The union of all times narrows at the source; which procedure has which is decided after it.
    return And(
        (
            Time(column, tuple(dict.fromkeys(found.values()))),
            any_of(*(And((OneOf(group.name, (name,)), Time(column, (time,)))) for name, time in found.items())),
        )
    )
