"""Select rows of layers: a question becomes one predicate per layer.

Compare docs/mapserver-sos.md, "Layers of a request".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mapsos.mapfile.model import Service
from mapsos.operations.errors import Kind, ServiceError, reject_names
from mapsos.operations.layers.extents import read_time_limits
from mapsos.operations.layers.facts import has_geometry, list_values
from mapsos.operations.layers.meaning import LayerMeaning, UnknownName
from mapsos.operations.layers.open_layers import read_layer
from mapsos.operations.layers.procedures import require_column, spell_procedures
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
    TemporalRelation,
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
        No layer has one of the procedures, although a layer states its procedures.
    """
    if procedures is None:
        return tuple((meaning, EVERYTHING) for meaning in meanings)
    spelled = [spell_procedures(meaning, procedures) for meaning in meanings]
    stated = [found for found in spelled if found is not None]
    unknown = tuple(name for name in procedures if not any(name in found for found in stated)) if stated else ()
    picked = [(meaning, _match_stations(meaning, found)) for meaning, found in zip(meanings, spelled, strict=True)]
    asked = tuple((meaning, predicate) for meaning, predicate in picked if predicate is not None)
    if unknown or (meanings and not asked):
        in_map = any(meaning.layer.procedures for meaning in meanings)
        raise reject_names("procedure" if in_map else "procedure of the data", unknown or procedures, "procedure")
    return asked


def pick_procedures(meaning: LayerMeaning, procedures: tuple[str, ...]) -> Predicate | None:
    """Return the predicate for the rows of the procedures; None if the layer has none of these procedures."""
    return _match_stations(meaning, spell_procedures(meaning, procedures))


def _match_stations(meaning: LayerMeaning, spelled: Mapping[str, tuple[str, ...]] | None) -> Predicate | None:
    """Return the predicate for the rows of procedures as of `spell_procedures`; None without any."""
    if spelled is None:
        return EVERYTHING
    if not spelled:
        return None
    if meaning.layer.procedure_item is None:
        return EVERYTHING
    spellings = (spelling for found in spelled.values() for spelling in found)
    return OneOf(require_column(meaning), tuple(dict.fromkeys((*spellings, *map(strip_procedure, spelled)))))


@dataclass(frozen=True)
class NamedFeatures:
    """The rows of a layer that belong to features named by id; None where the layer has no such feature.

    ``stations`` are rows of procedures, ``others`` rows with one of the ids in the column of feature ids.
    """

    stations: Predicate | None = None
    others: Predicate | None = None

    @property
    def rows(self) -> Predicate | None:
        """Return the predicate for both; None if the layer has none of the features."""
        parts = [part for part in (self.stations, self.others) if part is not None]
        return any_of(*parts) if parts else None


def name_features(meanings: tuple[LayerMeaning, ...], ids: tuple[str, ...]) -> tuple[NamedFeatures, ...]:
    """Return what each layer has of the features of interest: of stations (procedures), else of other features.

    An id that is a station of one of the layers is looked up in the column of feature ids only in layers that have none
    of the stations: a look-up may read all rows.

    Raises
    ------
    ServiceError
        No layer has one of the ids.
    """
    stations = [_spell_stations(meaning, ids) for meaning in meanings]
    of_stations = {name for spelled in stations if spelled for name in spelled}
    known = set(of_stations)
    named = []
    for meaning, spelled in zip(meanings, stations, strict=True):
        others = () if spelled is None else tuple(name for name in ids if not spelled or name not in of_stations)
        found = find_feature_ids(meaning, others)
        known |= found
        matched = _match_feature_ids(meaning, tuple(sorted(found))) if found else None
        named.append(NamedFeatures(_match_stations(meaning, spelled), matched))
    unknown = tuple(name for name in ids if name not in known)
    # Layers without rows accept any station, unless another layer has a say.
    if unknown and any(spelled is not None for spelled in stations):
        raise reject_names("feature", unknown)
    return tuple(named)


def find_features(meanings: tuple[LayerMeaning, ...], names: tuple[str, ...]) -> set[str]:
    """Return those of the names that are stations or other features of one of the layers. Raises ServiceError."""
    stations = (_spell_stations(meaning, names) or {} for meaning in meanings)
    return set().union(*stations, *(find_feature_ids(meaning, names) for meaning in meanings))


def _spell_stations(meaning: LayerMeaning, ids: tuple[str, ...]) -> dict[str, tuple[str, ...]] | None:
    """Return the stations among the ids as of `spell_procedures`; None if they are unknown since it has no rows."""
    has_stations = meaning.layer.procedures or meaning.procedure_column is not None
    return spell_procedures(meaning, ids) if has_stations else {}


def find_feature_ids(meaning: LayerMeaning, names: tuple[str, ...]) -> set[str]:
    """Return those of the names that are in the column of feature ids, with or without ``o_``. Raises ServiceError."""
    column = meaning.feature_id_column
    if column is None or not names:
        return set()
    present = frozenset(list_values(meaning.layer.source, column.name, _match_feature_ids(meaning, names)))
    return {name for name in names if not present.isdisjoint((name, name.removeprefix("o_")))}


def _match_feature_ids(meaning: LayerMeaning, names: tuple[str, ...]) -> Predicate:
    column = meaning.feature_id_column
    assert column is not None
    return OneOf(column.name, tuple(dict.fromkeys(part for name in names for part in (name, name.removeprefix("o_")))))


def is_any_feature(ids: tuple[str, ...]) -> bool:
    """Return whether one of the ids is the transient feature in capabilities, which stands for all."""
    return any(name.casefold() == TRANSIENT_FEATURE.casefold() for name in ids)


def _select_features(asked: Asked, feature: FeatureOfInterest | None) -> Asked:
    """Narrow to features of interest by id."""
    if feature is None or not feature.ids or is_any_feature(feature.ids):
        return asked
    named = name_features(tuple(meaning for meaning, _ in asked), feature.ids)
    return tuple(
        (meaning, all_of(predicate, rows))
        for (meaning, predicate), features in zip(asked, named, strict=True)
        if (rows := features.rows) is not None
    )


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
    extremes = []
    intervals: dict[TemporalRelation, list[Interval]] = {}
    for event_time in event_times:
        if event_time.interval is None:
            extremes.append(_pick_extreme(meaning, column.name, predicate, newest=event_time.relation == "latest"))
        elif limits is None or any(_may_meet(event_time, limit) for limit in limits):
            time = match_time(column.name, event_time)
            intervals.setdefault(time.relation, []).extend(time.intervals)
    # One condition with all intervals, whatever their number.
    times = (Time(column.name, tuple(dict.fromkeys(found)), relation) for relation, found in intervals.items())
    return any_of(*extremes, *times)


def match_time(column: str, event_time: EventTime) -> Time:
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
