"""Which names exist in layers, for lists of names that may contain commas (`mapsos.terms.names.name_lists`).

Each function returns one that looks names up only when it is called: most lists need no look-up.
"""

from __future__ import annotations

from collections.abc import Iterable

from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.layers.meaning import LayerMeaning
from mapsos.operations.layers.offerings import find_names, name_offering, name_property
from mapsos.operations.layers.procedures import find_procedures
from mapsos.operations.observations.selection import find_features
from mapsos.terms.names.name_lists import FindKnown


def know_offerings(layers: Iterable[ObservationLayer]) -> FindKnown:
    """Return the look-up of offerings of the layers."""
    return lambda names: find_names(layers, name_offering, names)


def know_properties(layers: Iterable[ObservationLayer]) -> FindKnown:
    """Return the look-up of observed properties of the layers."""
    return lambda names: find_names(layers, name_property, names)


def know_procedures(meanings: tuple[LayerMeaning, ...]) -> FindKnown:
    """Return the look-up of procedures of the layers. The look-up raises ServiceError."""
    return lambda names: find_procedures(meanings, names)


def know_features(meanings: tuple[LayerMeaning, ...]) -> FindKnown:
    """Return the look-up of stations and other features of the layers. The look-up raises ServiceError."""
    return lambda names: find_features(meanings, names)
