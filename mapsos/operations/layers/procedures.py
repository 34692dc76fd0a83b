"""The procedures of a layer."""

from __future__ import annotations

from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers.extents import find_map_rectangle
from mapsos.operations.layers.facts import list_values
from mapsos.operations.layers.meaning import read_meaning


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
