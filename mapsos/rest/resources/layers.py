"""Layers of a map for resources. Errors of the data become errors of this interface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

from mapsos.mapfile.model import FEATURE_TEXTS, SENSOR_TEXTS, ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.errors import ServiceError
from mapsos.operations.layers import facts as layer_facts
from mapsos.operations.layers.extents import find_map_rectangle
from mapsos.operations.layers.facts import find_extent, find_time_bounds, list_values
from mapsos.operations.layers.meaning import LayerMeaning, list_spellings, read_meaning
from mapsos.ows.exceptions import DecodingError, OwsException
from mapsos.rest.errors import translate_error
from mapsos.rest.resources.areas_and_times import Bounds, describe_spatial_reference
from mapsos.terms.crs import Crs
from mapsos.terms.predicates import EVERYTHING, Predicate
from mapsos.terms.times import Interval
from mapsos.terms.values import dataclass

_WGS84 = Crs("EPSG:4326", "EPSG:4326")


@contextmanager
def rest_errors() -> Iterator[None]:
    """Turn errors of shared parts into errors of this interface."""
    try:
        yield
    except (DecodingError, OwsException, ServiceError) as error:
        raise translate_error(error) from error


@dataclass(frozen=True)
class KnownLayer:
    """A layer whose observations the client may request, and the meaning of its columns.

    ``place`` is the predicate for all of its rows. ``crs`` is that of shapes in answers.
    """

    meaning: LayerMeaning
    place: Predicate
    crs: Crs | None = None

    @cached_property
    def procedures(self) -> tuple[str, ...]:
        """Return its procedures as spelled in the map, else those of its rows. Raises RestError."""
        return self.layer.procedures or self.features

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Return the ids of the features of interest of its observations: the procedures of its rows.

        Reads all rows unless they are cached. Raises RestError.
        """
        column = self.meaning.procedure_column
        if column is None:
            return self.layer.procedures or ()
        with rest_errors():
            return tuple(name for name in list_values(self.layer.source, column.name, self.place) if name)

    @property
    def layer(self) -> ObservationLayer:
        """Return the layer."""
        return self.meaning.layer

    @cached_property
    def sensor_columns(self) -> dict[str, str]:
        """Return the columns with texts about sensors by the names of the texts."""
        return self._find_columns(SENSOR_TEXTS, self.layer.sensor.items)

    @cached_property
    def feature_columns(self) -> dict[str, str]:
        """Return the columns with texts about features of interest by the names of the texts."""
        return self._find_columns(FEATURE_TEXTS, self.layer.feature.items)

    @cached_property
    def text_columns(self) -> tuple[str, ...]:
        """Return all columns with texts, each once."""
        return tuple(dict.fromkeys((*self.sensor_columns.values(), *self.feature_columns.values())))

    def _find_columns(self, names: Iterable[str], items: Mapping[str, str]) -> dict[str, str]:
        find = self.meaning.find_column
        return {name: column.name for name in names if (column := find(items.get(name))) is not None}

    def find_features(self, names: Iterable[str]) -> set[str]:
        """Return the case-folded features of the layer that match one of the names (ids or URNs)."""
        wanted = set().union(*map(list_spellings, names))
        return wanted & {name.casefold() for name in self.features}


def list_layers(context: Context) -> tuple[KnownLayer, ...]:
    """Return the layers with an observed property that the client may use, in map order. Raises RestError."""
    with rest_errors():
        layers = [layer for layer in context.enabled("GetObservation") if layer.observed_property is not None]
        crs = choose_crs(context, layers)
        service = context.service
        return tuple(KnownLayer(read_meaning(layer), find_map_rectangle(service, layer), crs) for layer in layers)


def choose_crs(context: Context, layers: Iterable[ObservationLayer]) -> Crs | None:
    """Return the CRS of shapes and areas in answers: that of the map, else of the first layer with one.

    It is WGS 84 if that CRS has no number, which clients could not use. None if the map has no CRS at all.
    """
    candidates = (context.service.crs, *(layer.source.crs for layer in layers))
    found = next((crs for crs in candidates if crs is not None), None)
    return found if found is None or describe_spatial_reference(found.label) is not None else _WGS84


def find_bounds(known: KnownLayer, crs: Crs | None, predicate: Predicate = EVERYTHING) -> Bounds | None:
    """Return the bounds of a layer's rows in ``crs``. Raises RestError."""
    with rest_errors():
        return find_extent(known.layer.source, crs if known.layer.source.crs is not None else None, predicate)


def find_times(known: KnownLayer, predicate: Predicate = EVERYTHING) -> Interval | None:
    """Return the interval from the first to the last time of a layer's rows. Raises RestError."""
    column = known.meaning.time_column
    if column is None:
        return None
    with rest_errors():
        return find_time_bounds(known.layer.source, column.name, predicate)


def tells_steps(known: KnownLayer) -> bool:
    """Return whether an index finds the first rows of time steps. Raises RestError."""
    time, procedure = known.meaning.time_column, known.meaning.procedure_column
    if time is None:
        return False
    with rest_errors():
        return layer_facts.tells_steps(known.layer.source, time.name, procedure.name if procedure is not None else None)
