"""Find the layers of an offering or an observed property."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mapsos.columns.xml_text import encode_name
from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.errors import Subject, reject_names
from mapsos.operations.layers.meaning import write_property_uri


def name_offering(layer: ObservationLayer) -> set[str]:
    """Return the case-folded names of a layer's offering: its id, its name, and its id as a gml:id."""
    own = (layer.offering_id, layer.offering_name or layer.offering_id, encode_name(layer.offering_id))
    return {name.casefold() for name in own}


def has_offering(layer: ObservationLayer, wanted: tuple[str, ...] | None) -> bool:
    """Return whether one of the names is that of a layer's offering; None stands for all offerings."""
    return wanted is None or not name_offering(layer).isdisjoint(name.casefold() for name in wanted)


def name_property(layer: ObservationLayer) -> set[str]:
    """Return the case-folded names of a layer's observed property: its id and its URI. Empty without one."""
    observed = layer.observed_property
    return set() if observed is None else {observed.id.casefold(), write_property_uri(observed).casefold()}


def find_offering(context: Context, offering: str) -> tuple[ObservationLayer, ...]:
    """Return the layers of an offering that are enabled for GetObservation (D-10) and have an observed property.

    Raises
    ------
    ServiceError
        The offering is unknown.
    """
    members = tuple(layer for layer in context.enabled("GetObservation") if has_offering(layer, (offering,)))
    if not members:
        raise reject_names("offering", (offering,))
    return tuple(layer for layer in members if layer.observed_property is not None)


def find_offering_layers(
    context: Context, offering: str, observed_properties: tuple[str, ...] | None
) -> tuple[ObservationLayer, ...]:
    """Return the layers of an offering with one of the properties that are enabled for GetObservation (D-10).

    None stands for all layers with a property.

    Raises
    ------
    ServiceError
        The offering or one of the properties is unknown.
    """
    members = find_offering(context, offering)
    found = pick_layers(members, observed_properties, name_property, "observed property")
    if not found:
        raise reject_names("observed property", observed_properties or ())
    return found


def find_names(
    layers: Iterable[ObservationLayer], names_of: Callable[[ObservationLayer], set[str]], names: tuple[str, ...]
) -> set[str]:
    """Return those of the names that a layer has; ``names_of`` returns the case-folded names of a layer."""
    known = set().union(*map(names_of, layers))
    return {name for name in names if name.casefold() in known}


def pick_layers(
    layers: tuple[ObservationLayer, ...],
    wanted: tuple[str, ...] | None,
    names_of: Callable[[ObservationLayer], set[str]],
    subject: Subject,
) -> tuple[ObservationLayer, ...]:
    """Return the layers with one of the names.

    Parameters
    ----------
    layers
        The layers to choose from.
    wanted
        Case-insensitive names; None for all layers.
    names_of
        Returns the case-folded names of a layer.
    subject
        What the names are, for the error.

    Raises
    ------
    ServiceError
        A name is unknown.
    """
    if wanted is None:
        return layers
    known = find_names(layers, names_of, wanted)
    unknown = tuple(name for name in wanted if name not in known)
    if unknown:
        raise reject_names(subject, unknown)
    folded = {name.casefold() for name in wanted}
    return tuple(layer for layer in layers if folded & names_of(layer))
