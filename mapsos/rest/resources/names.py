"""Read the lists of names in a query, and narrow the layers to those that have them."""

from __future__ import annotations

from collections.abc import Callable

from mapsos.operations.layers.offerings import find_names, name_offering
from mapsos.operations.layers.procedures import find_procedures, spell_procedures
from mapsos.ows.raw_request import RawRequest
from mapsos.rest.errors import RestError
from mapsos.rest.parameters import read_list
from mapsos.rest.resources.layers import KnownLayer, rest_errors
from mapsos.rest.resources.observed_properties import name_properties
from mapsos.terms.names.name_lists import FindKnown


class LayerNames:
    """The layers of a query, which the lists of names in it narrow one after the other.

    Every method returns the names of one parameter; None if it is absent or empty. Each raises RestError, if a name is
    unknown to all layers that the lists before it have left, or if data cannot be read.
    """

    def __init__(self, layers: tuple[KnownLayer, ...]) -> None:
        self.layers = layers

    def read_offerings(self, raw: RawRequest) -> tuple[str, ...] | None:
        """Return the offerings, by id or name."""

        def find_known(names: tuple[str, ...]) -> set[str]:
            return find_names((known.layer for known in self.layers), name_offering, names)

        return self._read(raw, "offering", "offering", find_known, lambda known: name_offering(known.layer))

    def read_properties(self, raw: RawRequest) -> tuple[str, ...] | None:
        """Return the observed properties, by id or alias."""

        def find_known(names: tuple[str, ...]) -> set[str]:
            every = set().union(*(name_properties(known.meaning) for known in self.layers))
            return {name for name in names if name.casefold() in every}

        kind = "observed property"
        return self._read(raw, "observedProperty", kind, find_known, lambda known: name_properties(known.meaning))

    def read_stations(self, raw: RawRequest, parameter: str) -> tuple[str, ...] | None:
        """Return the procedures, or the features of interest, which have the same ids. The layers stay as they are."""
        meanings = tuple(known.meaning for known in self.layers)
        kind = "procedure" if parameter == "procedure" else "feature"
        with rest_errors():
            names = read_list(raw, parameter, lambda names: find_procedures(meanings, names))
            if names:
                stated = [found for meaning in meanings if (found := spell_procedures(meaning, names)) is not None]
                if stated or not meanings:
                    _reject(kind, names, set().union(*stated))
        return names

    def _read(
        self,
        raw: RawRequest,
        parameter: str,
        kind: str,
        find_known: FindKnown,
        names_of: Callable[[KnownLayer], set[str]],
    ) -> tuple[str, ...] | None:
        names = read_list(raw, parameter, find_known)
        if names is not None:
            _reject(kind, names, set(find_known(names)))
            wanted = {name.casefold() for name in names}
            self.layers = tuple(known for known in self.layers if wanted & names_of(known))
        return names


def _reject(kind: str, names: tuple[str, ...], known: set[str]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise RestError(f"{kind} {', '.join(unknown)} not found", is_about_name=True)
