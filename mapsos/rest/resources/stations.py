"""Stations: facts and texts about each procedure of a layer, from its data and metadata.

A station is a procedure at its place, the feature of interest of its observations. A text is the same for all stations
of a layer, or comes from a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from mapsos.mapfile.model import FeatureMetadata, SensorMetadata
from mapsos.operations.context import Context
from mapsos.operations.layers.extents import find_map_rectangle
from mapsos.operations.layers.facts import find_group_facts
from mapsos.operations.layers.open_layers import read_layer
from mapsos.rest.resources.areas_and_times import join_bounds
from mapsos.rest.resources.layers import KnownLayer, rest_errors
from mapsos.sources.facts import GroupFacts
from mapsos.terms.crs import Crs
from mapsos.terms.predicates import Predicate
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class Station:
    """A procedure of one layer. ``facts`` are those of its rows, in the requested CRS."""

    known: KnownLayer
    id: str
    facts: GroupFacts

    def read_sensor_text(self, name: str) -> str | None:
        """Return a text about the sensor by a name of `SENSOR_TEXTS`, or None."""
        return self._read(self.known.layer.sensor, name, self.known.sensor_columns)

    def read_feature_text(self, name: str) -> str | None:
        """Return a text about the feature of interest by a name of `FEATURE_TEXTS`, or None."""
        return self._read(self.known.layer.feature, name, self.known.feature_columns)

    def _read(self, said: SensorMetadata | FeatureMetadata, name: str, columns: Mapping[str, str]) -> str | None:
        column = columns.get(name)
        return (self._texts.get(column) if column is not None else None) or said.texts.get(name)

    @cached_property
    def _texts(self) -> dict[str, str | None]:
        """Return the texts by their columns; empty for a station that was not read."""
        return dict(zip(self.known.text_columns, self.facts.texts, strict=False))


def list_stations(
    context: Context, known: KnownLayer, crs: Crs | None, predicate: Predicate | None = None
) -> tuple[Station, ...]:
    """Return the stations of a layer with distinct case-insensitive ids, in order of first appearance.

    Costs one pass over the rows. Those of the whole layer within the MAP EXTENT (``predicate`` None) are cached while
    the data are unchanged. Raises RestError.
    """
    layer, column = known.layer, known.meaning.procedure_column
    own = layer.source.crs
    to_crs = None if own is None or crs is None or own.definition == crs.definition else crs
    group, texts = column.name if column is not None else None, known.text_columns
    with rest_errors():
        if predicate is None:
            rectangle = find_map_rectangle(context.service, layer)
            groups = find_group_facts(layer.source, group, None, texts, rectangle, to_crs)
        else:
            with read_layer(layer.source) as source:
                groups = source.group_facts(group, None, texts, predicate, to_crs)
    if column is None:
        return tuple(Station(known, id, facts) for facts in groups.values() for id in layer.procedures or ())
    return tuple(_merge_cases(Station(known, id, facts) for id, facts in groups.items() if id))


def list_described(context: Context, known: KnownLayer) -> tuple[Station, ...]:
    """Return the layer's procedures with texts. Rows are only read if a column has texts of sensors."""
    if known.sensor_columns:
        # The CRS is that of shapes, so that the same cached answer serves both.
        return list_stations(context, known, known.crs)
    return tuple(Station(known, id, GroupFacts(0)) for id in known.procedures)


def _merge_cases(stations: Iterable[Station]) -> Iterator[Station]:
    found: dict[str, Station] = {}
    for station in stations:
        first = found.setdefault(station.id.casefold(), station)
        if first is not station:
            found[station.id.casefold()] = replace(first, facts=_join(first.facts, station.facts))
    yield from found.values()


def _join(one: GroupFacts, other: GroupFacts) -> GroupFacts:
    return replace(
        one,
        rows=one.rows + other.rows,
        bounds=join_bounds((one.bounds, other.bounds)),
        wkb=one.wkb if one.wkb is not None else other.wkb,
        texts=tuple(text or more for text, more in zip(one.texts, other.texts, strict=True)),
    )
