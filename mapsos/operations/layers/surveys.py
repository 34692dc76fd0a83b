"""Find the facts of many layers of the same data in a few passes, instead of several readings for each layer.

Maps with a layer for each station share one table: each layer has a FILTER that one column equals one value. Whatever
the number of layers, their extents, times and procedures are then facts about the groups of that column.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mapsos.mapfile.model import ObservationLayer, Offering, Service
from mapsos.operations.errors import ServiceError
from mapsos.operations.layers.extents import find_label, find_map_rectangle
from mapsos.operations.layers.facts import DistinctValues, knows_fact, store_facts
from mapsos.operations.layers.meaning import read_meaning
from mapsos.operations.layers.open_layers import ask_layer
from mapsos.terms.columns import ColumnKind
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.predicates import EVERYTHING, Compare, OneOf, all_of
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from mapsos.sources.facts import GroupFacts
    from mapsos.sources.layer import Layer

FEWEST_LAYERS = 10
"""Fewer layers of the same data are read one by one."""


@dataclass(frozen=True)
class _Survey:
    """The facts that some layers need, which differ by the value of one column alone.

    Attributes
    ----------
    source, crs
        Their rows without FILTER and CRS, and that CRS.
    column
        The column of the FILTER.
    time, procedure
        The columns of times and of procedures, as the mapfile spells them; None where capabilities state others.
    has_extent
        Whether the extents of the geometries are needed, in the CRS of the layer.
    """

    source: LayerSource
    crs: Crs | None
    column: str
    time: str | None
    procedure: str | None
    has_extent: bool


def survey_layers(service: Service, offerings: Iterable[Offering]) -> None:
    """Find and cache the facts that capabilities state of layers whose FILTER selects one value of the same column.

    What might differ from a separate reading of a layer is left out, as is whatever cannot be read: both are
    found, or reported, by the function that needs the fact. Raises DeadlineError.
    """
    surveys: dict[_Survey, dict[str, ObservationLayer]] = {}
    for offering in offerings:
        for layer in offering.layers:
            choice = _find_choice(layer.source)
            if choice is None:
                continue
            survey = _describe(offering.first, layer, choice[0])
            surveys.setdefault(survey, {})[choice[1]] = layer
    for survey, layers in surveys.items():
        if len(layers) >= FEWEST_LAYERS:
            try:
                _find_facts(service, survey, layers)
            except ServiceError:
                continue


def _find_choice(source: LayerSource) -> tuple[str, str] | None:
    """Return the column and the string that FILTER compares it with; None for any other FILTER, and for MAXFEATURES."""
    if source.max_features is not None or source.kind is SourceKind.INLINE:
        return None
    match source.row_filter:
        case Compare(name, "=", literal, True, "text") if literal:
            return name, literal
        case OneOf(name, (value,), True) if value:
            return name, value
    return None


def _describe(first: ObservationLayer, layer: ObservationLayer, column: str) -> _Survey:
    """Return the survey that finds the facts of a layer. ``first`` is the first layer of its offering."""
    return _Survey(
        layer.source.unfiltered,
        layer.source.crs,
        column,
        layer.time_item if first.offering_time_extent is None else None,
        layer.procedure_item if layer.procedures is None else None,
        first.source.crs == layer.source.crs and first.offering_extent is None and find_label(first) is not None,
    )


def _find_facts(service: Service, kind: _Survey, layers: Mapping[str, ObservationLayer]) -> None:
    """Cache the facts of layers by the value of their FILTER."""
    first = next(iter(layers.values()))
    meaning = read_meaning(first)
    chosen, timed = meaning.find_column(kind.column), meaning.find_column(kind.time)
    # A string of another column may equal more than one of its values.
    if chosen is None or chosen.kind is not ColumnKind.TEXT:
        return
    time = None if timed is None else timed.name
    own = meaning.find_column(kind.procedure) == chosen
    crs, rectangle = kind.crs, find_map_rectangle(service, first)
    wanted = {
        "time": (time, EVERYTHING) if time is not None else None,
        "extent": (crs, EVERYTHING) if kind.has_extent else None,
        "values": (chosen.name, rectangle) if own else None,
    }
    questions = {fact: (fact, *about) for fact, about in wanted.items() if about is not None}
    # Found together, they are forgotten together: that spares warm capabilities the question about each layer.
    if all(knows_fact(first.source, question) for question in questions.values()):
        return
    values = tuple(
        value
        for value, layer in layers.items()
        if not all(knows_fact(layer.source, question) for question in questions.values())
    )
    if len(values) < FEWEST_LAYERS:
        return

    def survey(layer: Layer) -> tuple[dict[str, GroupFacts], set[str]]:
        found: dict[str, GroupFacts] = {}
        present: set[str] = set()
        for part in layer.split_values(chosen.name, values):
            if time is not None or kind.has_extent or rectangle == EVERYTHING:
                found |= layer.group_facts(chosen.name, time, (), part, crs)
            if own and rectangle != EVERYTHING:
                present |= layer.availability(chosen.name, None, all_of(part, rectangle)).keys()
        return found, present if rectangle != EVERYTHING else set(found)

    def find() -> Iterator[tuple[LayerSource, Hashable, object]]:
        found, present = ask_layer(replace(kind.source, layer=first.name, crs=crs), survey)
        for value in values:
            facts = found.get(value)
            results = {
                "time": None if facts is None else facts.times,
                "extent": None if facts is None else facts.bounds,
                "values": DistinctValues((value,) if value in present else ()),
            }
            for fact, question in questions.items():
                yield layers[value].source, question, results[fact]

    store_facts([layers[value].source for value in values], find)
