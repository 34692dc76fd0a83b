"""Find the problems of a service that only show in its data: the second half of ``mapsos check``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator

from mapsos.check import codes
from mapsos.check.finding import Finding, Rule, locate
from mapsos.check.indexes import find_missing_indexes
from mapsos.check.layer_text import selects_items_of_wfs
from mapsos.check.sources import check_options, describe_failure, list_keys_and_coordinates
from mapsos.mapfile.blocks import Block
from mapsos.mapfile.model import ObservationLayer, Offering, Service, group_offerings
from mapsos.mapfile.reader import ParsedMap
from mapsos.operations.errors import ServiceError
from mapsos.operations.layers.extents import read_stated_extent, read_time_limits
from mapsos.operations.layers.facts import find_extent, find_time_bounds, has_geometry, list_columns, list_values
from mapsos.operations.layers.meaning import LayerMeaning
from mapsos.operations.layers.open_layers import read_layer
from mapsos.terms.crs import Crs, is_geographic, is_known
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.times import FOREVER, Interval, format_interval

_TOLERANCE = 1e-6
_MOST_DEGREES = 540.0
_SHOWN = 5
"""The number of names that are shown of a longer list."""

Rectangle = tuple[float, float, float, float]


def find_in_data(
    parsed: ParsedMap, now: int, report: Callable[[str, float], None] = lambda what, share: None
) -> list[Finding]:
    """Compare each layer of a map with its data: columns, extent, times and procedures, each read once.

    A layer whose data cannot be read is one finding.

    Parameters
    ----------
    now
        Microseconds since 1970 UTC.
    report
        Called before each step with what is read next, and the share of steps that are done.
    """
    service, tree = parsed.service, parsed.tree
    blocks = {(block.file, block.line): block for block in tree.inner("layer")}
    found: list[Finding] = []
    done, total = 0, len(service.layers)
    for offering in group_offerings(service.layers):
        for layer in offering.layers:
            if layer.source.kind is SourceKind.SHAPEFILE and not layer.source.connection:
                continue  # reported by the findings of the mapfile
            block = blocks[layer.file, layer.line]
            try:
                report(f"columns of layer {layer.name}", done / total)
                meaning = LayerMeaning(layer, list_columns(layer.source))
                found += check_options(layer, block)
                found += _check_items(meaning)
                found += _check_columns(meaning, service)
                report(f"positions of layer {layer.name}", (done + 0.2) / total)
                found += _check_stated_extent(layer, offering)
                found += _check_map_extent(layer, service, tree)
                found += _check_degrees(layer, block)
                report(f"times of layer {layer.name}", (done + 0.5) / total)
                found += _check_times(meaning, offering, now)
                report(f"procedures of layer {layer.name}", (done + 0.8) / total)
                found += _check_procedures(meaning)
                found += find_missing_indexes(meaning, block)
            except ServiceError as error:
                found.append(describe_failure(layer.source, block, error))
            done += 1
    return found


def _finding(layer: ObservationLayer, rule: Rule, name: str, message: str) -> Finding:
    """Return a finding about a metadata key, at the line of the spelling in use, else at the LAYER."""
    return locate("layer", layer.keys, name, layer, rule, message)


def _check_items(meaning: LayerMeaning) -> Iterator[Finding]:
    layer = meaning.layer
    names = [column.name for column in meaning.columns]
    roles: tuple[tuple[str, str | None, Rule, str], ...] = (
        (
            "timeitem",
            layer.time_item,
            codes.NO_TIME_COLUMN,
            "observations get no sampling time and eventTime requests are rejected",
        ),
        (
            "procedure_item",
            layer.procedure_item,
            codes.NO_PROCEDURE_COLUMN,
            "GetCapabilities is rejected for the whole service",
        ),
        (
            "featureid",
            layer.feature_id_item,
            codes.NO_COLUMN,
            "observations get no gml:id and filters by id match nothing",
        ),
        *(
            (f"sensor_{name}_item", item, codes.NO_COLUMN, f"descriptions lack the {name} of each sensor")
            for name, item in layer.sensor.items.items()
        ),
        *(
            (f"feature_{name}_item", item, codes.NO_COLUMN, f"the features of interest lack the {name} of each")
            for name, item in layer.feature.items.items()
        ),
    )
    for name, item, rule, effect in roles:
        if item is not None and meaning.find_column(item) is None:
            if name == "procedure_item" and layer.procedures is not None:
                effect = "requests with procedure are rejected"
            message = f'layer {layer.name} has no column "{item}": {effect}. {_suggest(item, names)}'
            yield _finding(layer, rule, name, message)
    for item, field in layer.fields.items():
        if meaning.find_column(item) is None:
            message = f'layer {layer.name} has no column "{field.item}": the key has no effect. {_suggest(item, names)}'
            yield Finding(field.file, field.line, codes.NO_FIELD, field.key, message)


def _check_columns(meaning: LayerMeaning, service: Service) -> Iterator[Finding]:
    layer = meaning.layer
    elsewhere = _list_aliased(other for other in service.layers if _reads_same(other.source, layer.source))
    names = [column.name for column in meaning.columns]
    # A misspelled key is reported as such.
    items = (layer.time_item, layer.procedure_item, layer.feature_id_item, *layer.sensor.items.values())
    roles = {_match(item, names) for item in (*items, *layer.feature.items.values()) if item}
    passed = roles | list_keys_and_coordinates(layer.source, names)
    # A column with a definition or a unit but no alias is reported by the findings of the mapfile.
    left = [
        name
        for name in names
        if name not in passed and name.lower() not in elsewhere and name.lower() not in layer.fields
    ]
    if not meaning.output_columns:
        if selects_items_of_wfs(layer):
            return  # reported by the findings of the mapfile
        example = f', for example "sos_{left[0].lower()}_alias" "{left[0]}"' if left else ""
        message = (
            f"no column of layer {layer.name} has an alias, so observations have no values. Write one for each column "
            f"to publish{example}{_name_others(left)}"
        )
        yield Finding(layer.file, layer.line, codes.NOTHING_PUBLISHED, "sos_<item>_alias", message)
    elif len(left) == 1:
        key = f"sos_{left[0].lower()}_alias"
        message = (
            f"column {left[0]} of layer {layer.name} has no alias, so it is not published. To publish it, write "
            f'"{key}" "{left[0]}"'
        )
        yield Finding(layer.file, layer.line, codes.UNPUBLISHED_COLUMNS, key, message)
    elif left:
        message = (
            f"{len(left)} columns of layer {layer.name} have no alias, so they are not published: {_list(left)}. To "
            f'publish one, write for example "sos_{left[0].lower()}_alias" "{left[0]}"'
        )
        yield Finding(layer.file, layer.line, codes.UNPUBLISHED_COLUMNS, "sos_<item>_alias", message)


def _name_others(left: list[str]) -> str:
    return f". Its other columns: {_list(left[1:])}" if len(left) > 1 else ""


def _reads_same(one: LayerSource, other: LayerSource) -> bool:
    return (one.kind, one.connection, one.data) == (other.kind, other.connection, other.data)


def _list_aliased(layers: Iterable[ObservationLayer]) -> set[str]:
    return {item for layer in layers for item, field in layer.fields.items() if field.alias is not None}


def _match(item: str, names: list[str]) -> str | None:
    """Return the column that an item names or may be a misspelling of."""
    close = difflib.get_close_matches(item.lower(), [name.lower() for name in names], n=1)
    return next((name for name in names if close and name.lower() == close[0]), None)


def _suggest(item: str, names: list[str]) -> str:
    meant = _match(item, names)
    return f'Did you mean "{meant}"?' if meant else f"Its columns: {', '.join(names) or 'none'}"


def _check_stated_extent(layer: ObservationLayer, offering: Offering) -> Iterator[Finding]:
    """Compare the data of a layer with the extent that the first layer of its offering states for all of them."""
    first = offering.first
    try:
        stated = read_stated_extent(first)
    except ServiceError:
        return  # reported by the findings of the mapfile
    real = _find_extent(layer, first.source.crs) if stated is not None else None
    if stated is not None and real is not None and not _covers(stated, real):
        message = (
            f"the data of layer {layer.name} exceed it: clients that trust the capabilities miss observations; "
            f'write "{_show(_join(stated, real))}", or omit the key to have it computed'
        )
        yield _finding(first, codes.EXTENT_EXCEEDED, "offering_extent", message)


def _check_map_extent(layer: ObservationLayer, service: Service, map_block: Block) -> Iterator[Finding]:
    if service.extent is None:
        return
    extent = service.extent
    stated = (extent.minx, extent.miny, extent.maxx, extent.maxy)
    real = _find_extent(layer, service.crs)
    if real is None or _covers(stated, real):
        return
    attribute = map_block.last("extent") or map_block
    outside = real[0] > stated[2] or real[2] < stated[0] or real[1] > stated[3] or real[3] < stated[1]
    rule = codes.MAP_EXTENT_MISSED if outside else codes.MAP_EXTENT_EXCEEDED
    message = (
        f"{'all' if outside else 'some'} data of layer {layer.name} lie outside the EXTENT of the MAP: requests "
        f"without an area {'return nothing' if outside else 'do not return them'}. Write EXTENT "
        f"{_show(_join(stated, real)).replace(',', ' ')}, or remove it"
    )
    yield Finding(attribute.file, attribute.line, rule, "EXTENT", message)


def _check_degrees(layer: ObservationLayer, block: Block) -> Iterator[Finding]:
    """Yield a finding if coordinates are probably not in the unit of the PROJECTION, degrees or others."""
    crs, attribute = layer.source.crs, block.last("projection")
    if crs is None or attribute is None or not is_known(crs.definition):
        return
    in_degrees = is_geographic(crs.definition)
    real = find_extent(layer.source, None) if has_geometry(layer.source) else None
    if real is None:
        return
    most = max(map(abs, real))
    if in_degrees and most > _MOST_DEGREES:
        message = (
            f"{crs.label or 'the CRS'} is in degrees, but the coordinates of layer {layer.name} are {_show(real)}: "
            "clients place them wrongly or nowhere. Write the CRS that the data are in"
        )
        yield Finding(attribute.file, attribute.line, codes.NOT_IN_DEGREES, "PROJECTION", message)
    elif not in_degrees and 0 < most <= 180 and max(abs(real[1]), abs(real[3])) <= 90:
        message = (
            f"the coordinates of layer {layer.name}, {_show(real)}, look like degrees, but {crs.label or 'the CRS'} is "
            'not in degrees: clients place them wrongly. Write the CRS that the data are in, for example "epsg:4326"'
        )
        yield Finding(attribute.file, attribute.line, codes.IN_DEGREES, "PROJECTION", message)


def _find_extent(layer: ObservationLayer, crs: Crs | None) -> Rectangle | None:
    if not has_geometry(layer.source):
        return None
    if crs is None or layer.source.crs is None:
        return find_extent(layer.source, None)
    if not is_known(crs.definition) or not is_known(layer.source.crs.definition):
        return None  # reported by the findings of the mapfile
    return find_extent(layer.source, crs)


def _covers(outer: Rectangle, inner: Rectangle) -> bool:
    slack = _TOLERANCE * max(1.0, *map(abs, inner))
    return (
        outer[0] - slack <= inner[0]
        and outer[1] - slack <= inner[1]
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def _join(one: Rectangle, other: Rectangle) -> Rectangle:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _show(rectangle: Rectangle) -> str:
    return ",".join(f"{number:.10g}" for number in rectangle)


def _check_times(meaning: LayerMeaning, offering: Offering, now: int) -> Iterator[Finding]:
    layer, column = meaning.layer, meaning.time_column
    if column is None:
        return
    bounds = find_time_bounds(layer.source, column.name)
    if bounds is None:
        if _is_empty(layer):
            return  # reported by the findings about procedures
        message = (
            f"no value of column {column.name} of layer {layer.name} is a time: eventTime matches nothing; name a "
            "column of dates, of ISO 8601 strings, or of seconds since 1970"
        )
        yield _finding(layer, codes.NO_TIMES, "timeitem", message)
        return
    owner = layer if layer.offering_time_extent else offering.first
    limits = read_time_limits(owner, now)
    if not limits:
        return
    begin, end = min(limit.begin for limit in limits), max(limit.end for limit in limits)
    if bounds.begin < begin or bounds.end > end:
        whole = Interval(min(begin, bounds.begin), max(end, bounds.end))
        shown = format_interval(whole).removesuffix("..") if whole.begin > -FOREVER else format_interval(bounds)
        message = (
            f"the times of layer {layer.name} exceed it: clients that trust the capabilities miss observations, "
            "and an eventTime outside it matches nothing; "
            f'write "{shown}", or omit the key to have it computed'
        )
        yield _finding(owner, codes.TIME_EXTENT_EXCEEDED, "offering_timeextent", message)


def _check_procedures(meaning: LayerMeaning) -> Iterator[Finding]:
    layer, column = meaning.layer, meaning.procedure_column
    if column is None:
        time = meaning.time_column
        # A layer with a time has rows.
        if (time is None or find_time_bounds(layer.source, time.name) is None) and _is_empty(layer):
            message = f"layer {layer.name} has no rows: clients get no observations of it. Check its DATA and FILTER"
            yield Finding(layer.file, layer.line, codes.NO_ROWS, "DATA", message)
        return
    present = list_values(layer.source, column.name)
    if not present:
        if layer.procedures is None:
            message = (
                f"layer {layer.name} has no rows: GetCapabilities is rejected (Invalid procedure {column.name}); "
                "list the sensors in sos_procedure too"
            )
            yield _finding(layer, codes.NO_PROCEDURES, "procedure_item", message)
        else:
            message = f"layer {layer.name} has no rows: clients get no observations of it; check its DATA and FILTER"
            yield _finding(layer, codes.NO_ROWS, "procedure_item", message)
        return
    if "" in present:
        message = (
            f"some rows of layer {layer.name} have no value in {column.name}, so their sensor is "
            "urn:ogc:def:procedure: without a name; fill the column, or exclude the rows by FILTER"
        )
        yield _finding(layer, codes.ROWS_WITHOUT_PROCEDURE, "procedure_item", message)
    if layer.procedures is None:
        return
    if missing := [name for name in present if name and name not in layer.procedures]:
        message = (
            f"column {column.name} of layer {layer.name} also contains {_list(missing)}: they are not in the "
            "capabilities and cannot be requested by procedure; list them here too, or omit the key"
        )
        yield _finding(layer, codes.UNLISTED_PROCEDURES, "procedure", message)
    if absent := [name for name in layer.procedures if name and name not in present]:
        message = (
            f"no row of layer {layer.name} has {_list(absent)} in column {column.name}: requests for it return "
            "nothing; correct the name, which is case-sensitive"
        )
        yield _finding(layer, codes.ABSENT_PROCEDURES, "procedure", message)


def _is_empty(layer: ObservationLayer) -> bool:
    with read_layer(layer.source) as rows:
        return rows.count() == 0


def _list(names: list[str]) -> str:
    return f"{', '.join(names[:_SHOWN])}{' and more' if len(names) > _SHOWN else ''}"
