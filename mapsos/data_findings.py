"""What is wrong with a service that only its data can tell: the second half of ``mapsos check``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from mapsos.crs import Crs
from mapsos.mapfile.findings import Finding
from mapsos.mapfile.model import ObservationLayer, Service
from mapsos.operations.extents import read_stated_extent, read_time_limits
from mapsos.operations.layer_facts import find_extent, find_time_bounds, list_columns, list_values
from mapsos.operations.layer_meaning import LayerMeaning
from mapsos.ows.exceptions import OwsException
from mapsos.sources.errors import SourceError
from mapsos.times import FOREVER, format_instant

_TOLERANCE = 1e-6


def find_in_data(service: Service, now: int) -> list[Finding]:
    """Hold each layer of a service against its data. Reads each layer's columns, extent, times and procedures once.

    ``now`` is in microseconds since 1970 UTC.
    """
    found: list[Finding] = []
    for layer in service.layers:
        try:
            meaning = LayerMeaning(layer, list_columns(layer.source))
            found += _check_items(meaning)
            found += _check_extent(layer)
            found += _check_times(meaning, now)
            found += _check_procedures(meaning)
        except SourceError as error:
            found.append(
                Finding(
                    layer.file,
                    layer.line,
                    "error",
                    "DATA",
                    f"{error.message}: every request for this layer gets a NoApplicableCode exception. "
                    f"The driver says: {error.detail or 'nothing'}",
                )
            )
    return found


def _at(layer: ObservationLayer, *names: str) -> tuple[str, int]:
    """Where a key of the layer stands: the first of the names that is there, else the LAYER itself."""
    return next((layer.keys[name] for name in names if name in layer.keys), (layer.file, layer.line))


def _finding(layer: ObservationLayer, level: str, key: str, message: str) -> Finding:
    file, line = _at(layer, key.lower(), key.lower().replace("sos_", "ows_", 1), key.lower().replace("sos_", "gml_", 1))
    return Finding(file, line, level, key, message)  # type: ignore[arg-type]


def _check_items(meaning: LayerMeaning) -> Iterator[Finding]:
    layer = meaning.layer
    names = [column.name for column in meaning.columns]
    roles = (
        ("sos_timeitem", layer.time_item, "clients see no sampling time and eventTime is refused"),
        ("sos_procedure_item", layer.procedure_item, "GetCapabilities is refused for the whole service"),
        ("gml_featureid", layer.feature_id_item, "observations have no gml:id and filters by id find nothing"),
    )
    for key, item, effect in roles:
        if item is not None and meaning.find_column(item) is None:
            level = "warning" if key == "gml_featureid" else "error"
            yield _finding(
                layer, level, key, f"{item} is no column of layer {layer.name}: {effect}; {_suggest(item, names)}"
            )
    for item, field in layer.fields.items():
        if meaning.find_column(item) is None:
            file_line = field.line or layer.line
            key = f"sos_{item}_alias"
            message = f"{item} is no column of layer {layer.name}: the key has no effect; {_suggest(item, names)}"
            yield Finding(_at(layer, key)[0], file_line, "warning", key, message)
    for column in meaning.columns:
        if meaning.field(column).alias is None and column not in (meaning.time_column, meaning.procedure_column):
            key = f"sos_{column.name.lower()}_alias"
            message = (
                f"column {column.name} of layer {layer.name} has no alias: clients never get its values; "
                f'write "{key}" "{column.name}" to give them out'
            )
            yield Finding(layer.file, layer.line, "info", key, message)
    if not meaning.output_columns:
        message = (
            f'no column of layer {layer.name} has an alias: observations carry no values; write "sos_<item>_alias"'
        )
        yield Finding(layer.file, layer.line, "warning", "sos_<item>_alias", message)


def _suggest(item: str, names: list[str]) -> str:
    close = difflib.get_close_matches(item.lower(), [name.lower() for name in names], n=1)
    exact = next((name for name in names if close and name.lower() == close[0]), None)
    return f"write {exact}" if exact else f"its columns are {', '.join(names) or 'none'}"


def _check_extent(layer: ObservationLayer) -> Iterator[Finding]:
    try:
        stated = read_stated_extent(layer)
    except OwsException:
        return  # told by the findings of the mapfile alone
    real = find_extent(layer.source, _own_crs(layer))
    if stated is None or real is None:
        return
    if (
        real[0] < stated[0] - _TOLERANCE
        or real[1] < stated[1] - _TOLERANCE
        or real[2] > stated[2] + _TOLERANCE
        or real[3] > stated[3] + _TOLERANCE
    ):
        shown = ",".join(f"{number:.10g}" for number in real)
        message = (
            f"the data of layer {layer.name} reach beyond it: clients that trust the capabilities miss observations; "
            f'write "{shown}", or leave the key out to have it computed'
        )
        yield _finding(layer, "warning", "sos_offering_extent", message)


def _own_crs(layer: ObservationLayer) -> Crs | None:
    return layer.source.crs


def _check_times(meaning: LayerMeaning, now: int) -> Iterator[Finding]:
    layer, column = meaning.layer, meaning.time_column
    if column is None:
        return
    bounds = find_time_bounds(layer.source, column.name)
    if bounds is None:
        message = f"no value of column {column.name} of layer {layer.name} is a time: eventTime selects nothing"
        yield _finding(layer, "warning", "sos_timeitem", message)
        return
    limits = read_time_limits(layer, now)
    if not limits:
        return
    begin, end = min(limit.begin for limit in limits), max(limit.end for limit in limits)
    if bounds.begin < begin or (end != FOREVER and bounds.end > end):
        shown = f"{format_instant(bounds.begin)}/{format_instant(max(bounds.begin, bounds.end - 1))}"
        message = (
            f"the times of layer {layer.name} reach beyond it: clients that trust the capabilities miss observations; "
            f'write "{shown}", or leave the key out to have it computed'
        )
        yield _finding(layer, "warning", "sos_offering_timeextent", message)


def _check_procedures(meaning: LayerMeaning) -> Iterator[Finding]:
    layer, column = meaning.layer, meaning.procedure_column
    if column is None:
        return
    present = list_values(layer.source, column.name)
    if not present:
        message = f"layer {layer.name} has no rows: GetCapabilities is refused (Invalid procedure {column.name})"
        if layer.procedures is None:
            yield _finding(layer, "error", "sos_procedure_item", message)
        return
    if "" in present:
        message = f"some rows of layer {layer.name} have no procedure: they are listed as urn:ogc:def:procedure:"
        yield _finding(layer, "warning", "sos_procedure_item", message)
    if layer.procedures is None:
        return
    missing = [name for name in present if name and name not in layer.procedures]
    if missing:
        message = (
            f"column {column.name} of layer {layer.name} also holds {', '.join(missing[:5])}"
            f"{' and more' if len(missing) > 5 else ''}: not in capabilities, and cannot be asked for by procedure"
        )
        yield _finding(layer, "warning", "sos_procedure", message)
    absent = [name for name in layer.procedures if name and name not in present]
    if absent:
        message = f"no row of layer {layer.name} has {', '.join(absent[:5])}: clients that ask for it get nothing"
        yield _finding(layer, "warning", "sos_procedure", message)
