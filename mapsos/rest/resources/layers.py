"""What the resources ask of the layers of a map. Failures of the data become errors of this interface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from mapsos.mapfile.model import ObservationLayer
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

_WGS84 = Crs("EPSG:4326", "EPSG:4326")


@contextmanager
def rest_errors() -> Iterator[None]:
    """Turn what the shared parts raise into errors of this interface."""
    try:
        yield
    except (DecodingError, OwsException, ServiceError) as error:
        raise translate_error(error) from error


@dataclass(frozen=True)
class KnownLayer:
    """A layer that the client may ask for observations, and what its columns mean.

    ``place`` is where its rows must lie. ``crs`` is the one that shapes of this map are written in.
    """

    meaning: LayerMeaning
    place: Predicate
    crs: Crs | None = None

    @cached_property
    def procedures(self) -> tuple[str, ...]:
        """Its procedures as spelled in the map, else those that its rows have. Raises RestError."""
        return self.layer.procedures or self.features

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The ids of the features of interest of its observations: the procedures that its rows have. RestError.

        Reads all rows where nobody has asked before.
        """
        column = self.meaning.procedure_column
        if column is None:
            return self.layer.procedures or ()
        with rest_errors():
            return tuple(name for name in list_values(self.layer.source, column.name, self.place) if name)

    @property
    def layer(self) -> ObservationLayer:
        """The layer."""
        return self.meaning.layer

    def find_features(self, names: Iterable[str]) -> set[str]:
        """The layer's features that go by one of the names (ids or URNs), in one case."""
        wanted = set().union(*map(list_spellings, names))
        return wanted & {name.casefold() for name in self.features}


def list_layers(context: Context) -> tuple[KnownLayer, ...]:
    """The layers with an observed property that this client may have, in map order. Raises RestError."""
    with rest_errors():
        layers = [layer for layer in context.enabled("GetObservation") if layer.observed_property is not None]
        crs = choose_crs(context, layers)
        service = context.service
        return tuple(KnownLayer(read_meaning(layer), find_map_rectangle(service, layer), crs) for layer in layers)


def choose_crs(context: Context, layers: Iterable[ObservationLayer]) -> Crs | None:
    """The CRS that shapes and areas are written in: the map's, else that of the first layer with one.

    One without a number is not of use to a client: then it is WGS 84. None where the map names no CRS at all.
    """
    candidates = (context.service.crs, *(layer.source.crs for layer in layers))
    found = next((crs for crs in candidates if crs is not None), None)
    return found if found is None or describe_spatial_reference(found.label) is not None else _WGS84


def find_bounds(known: KnownLayer, crs: Crs | None, predicate: Predicate = EVERYTHING) -> Bounds | None:
    """The bounds of a layer's rows in ``crs``. Raises RestError."""
    with rest_errors():
        return find_extent(known.layer.source, crs if known.layer.source.crs is not None else None, predicate)


def find_times(known: KnownLayer, predicate: Predicate = EVERYTHING) -> Interval | None:
    """From the first to the last time of a layer's rows. Raises RestError."""
    column = known.meaning.time_column
    if column is None:
        return None
    with rest_errors():
        return find_time_bounds(known.layer.source, column.name, predicate)


def tells_steps(known: KnownLayer) -> bool:
    """Whether the first rows of steps of time are found by an index. Raises RestError."""
    time, procedure = known.meaning.time_column, known.meaning.procedure_column
    if time is None:
        return False
    with rest_errors():
        return layer_facts.tells_steps(known.layer.source, time.name, procedure.name if procedure is not None else None)
