"""Facts about a sensor: from the metadata of its layers, and from one query to the data of each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeAlias

from mapsos.columns.batches import Column, ColumnKind
from mapsos.encodings.documents.sensorml import FieldKind, ObservationLink, SensorField, SensorMarkup, SensorPlace
from mapsos.encodings.markup import Phenomenon, TimeExtent
from mapsos.encodings.registry import OM_XML
from mapsos.encodings.strict.identifiers import write_procedure_urn
from mapsos.mapfile.model import SENSOR_TEXTS, ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers.extents import find_map_rectangle
from mapsos.operations.layers.facts import find_group_facts
from mapsos.operations.layers.meaning import LayerMeaning, read_meaning
from mapsos.sources.facts import GroupFacts
from mapsos.terms.crs import Crs, parse_srs_name
from mapsos.terms.times import EARLIEST, LATEST, SECOND, Interval, format_instant, parse_period
from mapsos.terms.urns import PROCEDURE_URN

_WGS84 = Crs("EPSG:4326", "EPSG:4326")
_TIME_DEFINITION = "urn:ogc:phenomenon:time:iso8601"
_KINDS: dict[ColumnKind, FieldKind] = {
    ColumnKind.INTEGER: "Count",
    ColumnKind.REAL: "Quantity",
    ColumnKind.BOOLEAN: "Boolean",
    ColumnKind.DATE: "Time",
    ColumnKind.TIME: "Time",
    ColumnKind.DATETIME: "Time",
}


WriteLink: TypeAlias = Callable[[ObservationLayer, Literal["procedure", "feature"], str], str | None]
"""Returns the URL of a layer's observations of a procedure or feature; None if the client is not allowed them."""


def build_sensor(
    context: Context,
    layers: tuple[ObservationLayer, ...],
    procedure: str,
    write_link: WriteLink,
    *,
    strict: bool = False,
) -> SensorMarkup:
    """Return the facts about a sensor from its layers.

    The area, the period and the number of observations are those within the MAP EXTENT, over all the layers. Costs one
    pass over the rows of each layer for all its sensors together, which is cached while the data are unchanged.

    Parameters
    ----------
    context
        The request.
    layers
        The layers that have the sensor, at least one.
    procedure
        The id of the sensor as spelled by the first layer.
    write_link
        Returns the URL of observations.
    strict
        Whether the URN of the sensor must be a URI, whatever its id contains.

    Raises
    ------
    ServiceError
        The data cannot be read, or the metadata are faulty.
    """
    service = context.service
    meanings = tuple(map(read_meaning, layers))
    crs, label = choose_place_crs(layers[0])
    found = [(meaning, _find_facts(context, meaning, procedure, crs)) for meaning in meanings]
    texts = {name: _find_text(found, name) for name in SENSOR_TEXTS}
    groups = [facts for _, members in found for facts in members]
    period = _join_times(groups)
    bounds = [facts.bounds for facts in groups if facts.bounds is not None]
    keywords = texts["keywords"].split(",") if texts["keywords"] else service.identification.keyword_list or ()
    return SensorMarkup(
        procedure=procedure,
        urn=write_procedure_urn(procedure) if strict else f"{PROCEDURE_URN}{procedure}",
        name=texts["name"] or procedure,
        short_name=texts["shortname"] or procedure,
        schemas=service.schemas_location,
        provider=service.provider,
        description=texts["description"],
        keywords=tuple(word for keyword in keywords if (word := keyword.strip())),
        classification=texts["classification"],
        intended_application=texts["intendedapplication"]
        or next((layer.intended_application for layer in layers if layer.intended_application), None),
        valid_time=_find_valid_time(layers) or period,
        period=period,
        place=_join_bounds(bounds, label),
        observations=sum(facts.rows for facts in groups),
        inputs=_list_inputs(meanings),
        outputs=tuple({field.name: field for field in reversed([*_list_outputs(meanings)])}.values())[::-1],
        links=_list_links(layers, procedure, write_link),
    )


def choose_place_crs(layer: ObservationLayer) -> tuple[Crs | None, str | None]:
    """Return the CRS of places in answers (None: that of the layer) and its label; WGS 84 for a CRS without label."""
    crs = layer.source.crs
    if crs is None:
        named = parse_srs_name((layer.srs or "").split(" ")[0])
        return None, named.label if named is not None else None
    return (crs, crs.label) if crs.label is not None else (_WGS84, _WGS84.label)


def _find_facts(context: Context, meaning: LayerMeaning, procedure: str, crs: Crs | None) -> list[GroupFacts]:
    layer = meaning.layer
    column, time = meaning.procedure_column, meaning.time_column
    groups = find_group_facts(
        layer.source,
        column.name if column else None,
        time.name if time else None,
        tuple(found.name for _, found in _list_text_columns(meaning)),
        find_map_rectangle(context.service, layer),
        crs,
    )
    wanted = procedure.casefold()
    return [facts for name, facts in groups.items() if column is None or name.casefold() == wanted]


def _list_text_columns(meaning: LayerMeaning) -> list[tuple[str, Column]]:
    items = meaning.layer.sensor.items
    named = ((name, meaning.find_column(items[name])) for name in SENSOR_TEXTS if name in items)
    return [(name, column) for name, column in named if column is not None]


def _find_text(found: Iterable[tuple[LayerMeaning, list[GroupFacts]]], name: str) -> str | None:
    """Return the first text of the layers: from the column for it, else from the metadata."""
    for meaning, members in found:
        for place, (known, _) in enumerate(_list_text_columns(meaning)):
            text = next((facts.texts[place] for facts in members if facts.texts[place]), None)
            if known == name and text:
                return text
        if stated := meaning.layer.sensor.texts.get(name):
            return stated
    return None


def _join_times(groups: list[GroupFacts]) -> TimeExtent | None:
    times = [facts.times for facts in groups if facts.times is not None]
    if not times:
        return None
    return _write_interval(Interval(min(one.begin for one in times), max(one.end for one in times)))


def _write_interval(interval: Interval) -> TimeExtent:
    begin, end = interval.begin, max(interval.begin, interval.end - 1)
    # The end of a second, a day or a year is written as its last second.
    end = max(begin, end - end % SECOND) if interval.end % SECOND == 0 else end
    return TimeExtent(
        format_instant(begin) if begin >= EARLIEST else "",
        format_instant(end) if end < LATEST else "",
        open_end=end >= LATEST,
    )


def _find_valid_time(layers: tuple[ObservationLayer, ...]) -> TimeExtent | None:
    for layer in layers:
        stated = layer.sensor.valid_time
        if stated is not None:
            try:
                return _write_interval(parse_period(stated if "/" in stated else f"{stated}/"))
            except ValueError:
                message = f"The metadata sos_sensor_validtime of layer {layer.name} is not a period of time."
                raise ServiceError(Kind.MISCONFIGURED, "sensor valid time", message) from None
    extent = layers[0].offering_time_extent
    try:
        return _write_interval(parse_period(extent if "/" in extent else f"{extent}/")) if extent else None
    except ValueError:
        return None


def _join_bounds(bounds: list[tuple[float, float, float, float]], label: str | None) -> SensorPlace | None:
    if not bounds or label is None:
        return None
    west, south, east, north = zip(*bounds, strict=True)
    return SensorPlace((min(west), min(south), max(east), max(north)), label)


def _list_inputs(meanings: tuple[LayerMeaning, ...]) -> tuple[Phenomenon, ...]:
    found = {
        observed.id.casefold(): Phenomenon(observed.id, observed.name, ())
        for meaning in reversed(meanings)
        if (observed := meaning.layer.observed_property) is not None
    }
    return tuple(found.values())[::-1]


def _list_outputs(meanings: tuple[LayerMeaning, ...]) -> Iterator[SensorField]:
    """Yield the fields of the observations: the time, then the columns with an alias, layer by layer."""
    if any(meaning.time_column is not None for meaning in meanings):
        yield SensorField("time", _TIME_DEFINITION, "Time")
    for meaning in meanings:
        if meaning.layer.observed_property is None:
            continue
        urns = dict(zip((column.name for column in meaning.columns), meaning.components, strict=True))
        for alias, column in meaning.output_columns:
            said = meaning.field(column)
            yield SensorField(alias, said.definition or urns[column.name], _choose_kind(meaning, column), said.uom)


def _choose_kind(meaning: LayerMeaning, column: Column) -> FieldKind:
    if column == meaning.time_column:
        return "Time"
    said = meaning.field(column)
    kind = _KINDS.get(column.kind, "Category" if said.definition else "Text")
    if said.uom and (kind == "Count" or said.kind == "number"):
        return "Quantity"
    return kind


def _list_links(
    layers: tuple[ObservationLayer, ...], procedure: str, write_link: WriteLink
) -> tuple[ObservationLink, ...]:
    """Return the allowed requests for the sensor's observations."""
    found: dict[tuple[str, str], ObservationLink] = {}
    for layer in layers:
        observed = layer.observed_property
        url = write_link(layer, "procedure", f"{PROCEDURE_URN}{procedure}")
        if url is not None and observed is not None:
            link = ObservationLink(url, layer.offering_id, observed.id, OM_XML)
            found.setdefault((layer.offering_id.casefold(), observed.id.casefold()), link)
    return tuple(found.values())
