"""What the resources ask of the layers of a map. Failures of the data become errors of this interface."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mapsos.crs import Crs
from mapsos.geoservices.errors import RestError
from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.get_capabilities import find_map_rectangle
from mapsos.operations.layer_facts import find_extent, find_time_bounds, list_values
from mapsos.operations.layer_meaning import LayerMeaning, read_meaning
from mapsos.ows.exceptions import OwsException
from mapsos.predicates import EVERYTHING, OneOf, Predicate
from mapsos.rest.areas_and_times import Bounds
from mapsos.sources.errors import SourceError
from mapsos.times import Interval


@contextmanager
def rest_errors() -> Iterator[None]:
    """Turn what the shared parts raise into errors of this interface."""
    try:
        yield
    except OwsException as error:
        raise RestError(str(error), code=error.status, detail=error.detail) from error
    except SourceError as error:
        raise RestError(str(error), code=500, detail=error.detail) from error


@dataclass(frozen=True)
class KnownLayer:
    """A layer that the client may ask for observations, what its columns mean, and its procedures as spelled there."""

    meaning: LayerMeaning
    procedures: tuple[str, ...]

    @property
    def layer(self) -> ObservationLayer:
        """The layer."""
        return self.meaning.layer


def list_layers(context: Context) -> tuple[KnownLayer, ...]:
    """The layers with an observed property that this client may have, in map order. Raises RestError."""
    with rest_errors():
        return tuple(
            KnownLayer(meaning, _list_procedures(context, meaning))
            for layer in context.enabled("GetObservation")
            if layer.observed_property is not None
            for meaning in (read_meaning(layer),)
        )


def _list_procedures(context: Context, meaning: LayerMeaning) -> tuple[str, ...]:
    if meaning.layer.procedures is not None:
        return meaning.layer.procedures
    column = meaning.procedure_column
    if column is None:
        return ()
    found = list_values(meaning.layer.source, column.name, find_map_rectangle(context, meaning.layer))
    return tuple(name for name in found if name)


def pick_procedure(known: KnownLayer, procedure: str) -> Predicate:
    """The rows of one of the layer's procedures."""
    column = known.meaning.procedure_column
    return EVERYTHING if column is None else OneOf(column.name, (procedure,))


def choose_crs(context: Context, layers: tuple[KnownLayer, ...]) -> Crs | None:
    """The CRS that shapes and areas are written in: the map's, else that of the first layer."""
    if context.service.crs is not None:
        return context.service.crs
    return next((known.layer.source.crs for known in layers if known.layer.source.crs is not None), None)


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
