"""Find the layers of an offering or an observed property."""

from __future__ import annotations

from collections.abc import Callable

from mapsos.columns.xml_text import encode_name
from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.errors import Kind, ServiceError, Subject
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


def find_offering_layers(
    context: Context, offering: str, observed_properties: tuple[str, ...] | None
) -> tuple[ObservationLayer, ...]:
    """Return the layers of an offering with one of the properties that are enabled for GetObservation (D-10).

    None stands for all layers with a property. Unknown properties are ignored if another one is known, as in MapServer.

    Raises
    ------
    ServiceError
        The offering is unknown, or all properties are.
    """
    members = tuple(layer for layer in context.enabled("GetObservation") if has_offering(layer, (offering,)))
    if not members:
        raise ServiceError(Kind.UNKNOWN_NAME, "offering", f"Offering {offering} not found.", names=(offering,))
    wanted = None if observed_properties is None else {name.casefold() for name in observed_properties}
    known = ((layer, name_property(layer)) for layer in members)
    found = tuple(layer for layer, names in known if names and (wanted is None or wanted & names))
    if not found:
        message = f"ObservedProperty {','.join(observed_properties or ())} not found."
        raise ServiceError(Kind.UNKNOWN_NAME, "observed property", message, names=observed_properties or ())
    return found


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
    known = set().union(*map(names_of, layers))
    unknown = next((name for name in wanted if name.casefold() not in known), None)
    if unknown is not None:
        raise ServiceError(Kind.UNKNOWN_NAME, subject, f"{subject} {unknown} not found.", names=(unknown,))
    folded = {name.casefold() for name in wanted}
    return tuple(layer for layer in layers if folded & names_of(layer))
