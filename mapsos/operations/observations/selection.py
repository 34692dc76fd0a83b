"""Select rows of layers: a question becomes one predicate per layer.

Compare docs/mapserver-sos.md, "Layers of a request".
"""

from __future__ import annotations

from dataclasses import replace

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
from mapsos.terms.times import FOREVER, EventTime, Interval
from mapsos.terms.urns import TRANSIENT_FEATURE, strip_procedure
from mapsos.terms.values import dataclass

Asked = tuple[tuple[LayerMeaning, Predicate], ...]
"""The remaining layers of an answer in map order, each with the predicate for its rows so far."""


@dataclass(frozen=True)
class LayerSelection:
    """A layer of an answer, and the predicate for its rows."""

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
    """Return the layers of an answer in map order, each with its complete predicate.

    Parameters
    ----------
    service
        The map.
    asked
        The layers so far.
    event_times, feature, bbox
        Times and places of the question.
    now
        The current time in microseconds since 1970 UTC.

    Raises
    ------
    ServiceError
        No layer has one of the ids of features, or the metadata name a column that does not exist.
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
    """Return the layers that have one of the procedures, with the predicate for their rows.

    See docs/mapserver-sos.md, "Procedure". Ids match case-insensitively, with or without URN; None stands for all.

    Raises
    ------
    ServiceError
        No layer has one of the procedures.
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
    """Return the predicate for the rows of the procedures; None if the layer has none of these procedures."""
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
    """Narrow to features of interest by id: that of a station (procedure), or of a feature."""
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
    """Return the layers that have all names of a filter, with the filter added to their predicates (D-07).

    Raises
    ------
    ServiceError
        No layer has all names.
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
    """Return the requested place, or the MAP EXTENT; a place without CRS is in map coordinates."""
    place = feature.predicate if feature is not None else None
    if place is None and bbox is None:
        if service.extent is None:
            return EVERYTHING
        extent = service.extent
        return BBox(extent.minx, extent.miny, extent.maxx, extent.maxy)
    return all_of(place or EVERYTHING, bbox or EVERYTHING)


def _place(service: Service, meaning: LayerMeaning, rectangle: Predicate) -> Predicate:
    """Add the CRS of the map to a place without CRS. Sources without geometries match every place."""
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
    """Return which rows match one of the times. All rows of a layer without time item match, as in MapServer."""
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
    """Return whether rows within the offering's time extent can match an eventTime."""
    assert event_time.interval is not None
    begin, end = event_time.interval.begin, event_time.interval.end
    if event_time.relation == "before":
        begin, end = -FOREVER, begin
    elif event_time.relation == "after":
        begin, end = end, FOREVER
    return begin < limit.end and limit.begin < end


def _pick_extreme(meaning: LayerMeaning, column: str, predicate: Predicate, *, newest: bool) -> Predicate:
    """Return which rows are the newest or oldest of each procedure among those that match the rest of the question."""
    group = meaning.procedure_column
    with read_layer(meaning.layer.source) as layer:
        found = layer.extreme_times(column, group.name if group else None, predicate, newest=newest)
    if not found:
        return NOTHING
    if group is None:
        return Time(column, tuple(found.values()))
    # The source narrows by the union of all times; the times of each procedure are compared afterwards.
    return And(
        (
            Time(column, tuple(dict.fromkeys(found.values()))),
            any_of(*(And((OneOf(group.name, (name,)), Time(column, (time,)))) for name, time in found.items())),
        )
    )
