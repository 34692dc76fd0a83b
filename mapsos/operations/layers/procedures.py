"""The procedures of a layer."""

from __future__ import annotations

from collections.abc import Iterable

from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers.extents import find_map_rectangle
from mapsos.operations.layers.facts import list_values
from mapsos.operations.layers.meaning import LayerMeaning, list_spellings, read_meaning


def list_procedures(context: Context, layer: ObservationLayer) -> tuple[str, ...]:
    """Return a layer's sos_procedure words, else the distinct values of its sos_procedure_item.

    Values are those of rows within the MAP EXTENT, in order of first appearance. Empty if the layer has neither the
    metadata nor such a column. Raises ServiceError if the data cannot be read.
    """
    if layer.procedures is not None:
        return layer.procedures
    column = read_meaning(layer).procedure_column if layer.procedure_item is not None else None
    if column is None:
        return ()
    return list_values(layer.source, column.name, find_map_rectangle(context.service, layer))


def require_procedures(context: Context, layer: ObservationLayer) -> tuple[str, ...]:
    """Return `list_procedures`, which must not be empty. Raises ServiceError if it is."""
    found = list_procedures(context, layer)
    if found or layer.procedures is not None:
        return found
    if layer.procedure_item is None:
        message = f"Mandatory metadata procedure_item could not be found on the layer {layer.name}"
    elif read_meaning(layer).procedure_column is None:
        message = f"procedure_item {layer.procedure_item} could not be found on the layer {layer.name}"
    else:
        message = f"Invalid procedure {layer.procedure_item}"
        raise ServiceError(Kind.MISCONFIGURED, "procedure of the data", message)
    raise ServiceError(Kind.MISCONFIGURED, "procedures", message)


def spell_procedures(meaning: LayerMeaning, names: Iterable[str]) -> dict[str, tuple[str, ...]] | None:
    """Return how a layer spells each of the names that are procedures of it.

    Ids match case-insensitively, with or without URN. They are those of sos_procedure, else those of all rows.
    None if the layer does not state its procedures: it has neither the metadata nor such a column, or no rows.

    Raises
    ------
    ServiceError
        The column of sos_procedure_item is missing.
    """
    layer = meaning.layer
    wanted = {name: list_spellings(name) for name in names}
    if layer.procedures:
        every = set().union(*wanted.values())
        stated = [word for word in layer.procedures if word.casefold() in every]
        found = {name: tuple(word for word in stated if word.casefold() in folds) for name, folds in wanted.items()}
    elif layer.procedure_item is None:
        return None
    else:
        present = list_values(layer.source, require_column(meaning))
        if not present:
            return None
        spellings = present.spellings
        found = {
            name: tuple(value for fold in folds for value in spellings.get(fold, ())) for name, folds in wanted.items()
        }
    return {name: spelled for name, spelled in found.items() if spelled}


def require_column(meaning: LayerMeaning) -> str:
    """Return the name of the column of sos_procedure_item. Raises ServiceError if it is missing."""
    column = meaning.procedure_column
    if column is None:
        item, name = meaning.layer.procedure_item, meaning.layer.name
        message = f"sos_procedure_item {item} could not be found on the layer {name}"
        raise ServiceError(Kind.MISCONFIGURED, "procedure column", message)
    return column.name


def find_procedures(meanings: Iterable[LayerMeaning], names: tuple[str, ...]) -> set[str]:
    """Return those of the names that are procedures of one of the layers. Raises ServiceError as `spell_procedures`."""
    return set().union(*(spell_procedures(meaning, names) or () for meaning in meanings))
