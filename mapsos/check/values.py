"""Find values that clients get otherwise than they are meant: positions, encodings, numbers and times of the data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mapsos.check import codes
from mapsos.check.finding import Finding, Rule, locate
from mapsos.columns.iso_times import parse_texts
from mapsos.mapfile.blocks import Block
from mapsos.mapfile.reader import ParsedMap
from mapsos.operations.errors import ServiceError
from mapsos.operations.layers.facts import find_extent, list_columns
from mapsos.operations.layers.meaning import LayerMeaning
from mapsos.operations.layers.open_layers import read_layer, source_errors
from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.drivers.opening import guarded
from mapsos.sources.drivers.sqlite_columns import find_stored_texts
from mapsos.sources.drivers.vrt import VrtReader
from mapsos.sources.open_reader import open_reader
from mapsos.sources.query import LayerQuery
from mapsos.terms.columns import Column, ColumnKind
from mapsos.terms.layer_source import ShapeType, SourceKind
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_ROWS = 200_000
"""Rows of each layer that are read: an odd value behind them is not found."""

_SHOWN = 3
_X_NAMES = ("x", "lon", "long", "lng", "longitude", "laenge", "easting", "rechtswert", "east", "x_coord", "xcoord")
_Y_NAMES = ("y", "lat", "latitude", "breite", "northing", "hochwert", "north", "y_coord", "ycoord")
_NUMBER = r"^\s*[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s*$"
_COMMA = r"^\s*[+-]?[0-9]*,[0-9]+\s*$"


@dataclass(frozen=True)
class _Forms:
    """A form of strings that are not times, and the reason."""

    pattern: str
    message: str


_FORMS = (
    _Forms(r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}", "with slashes, day and month cannot be told apart"),
    _Forms(r"^[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2}(?:[^0-9]|$)", "the year has two digits"),
    _Forms(r"^(?:[0-9]{10}|[0-9]{12})$", "these digits may be a date and a time of day, or seconds since 1970"),
    _Forms(r"^[0-9]{1,2}:[0-9]{2}", "a time of day without a date"),
)


def find_in_values(parsed: ParsedMap) -> list[Finding]:
    """Return findings about the first rows of each layer. A layer whose data cannot be read has none here."""
    blocks = {(block.file, block.line): block for block in parsed.tree.inner("layer")}
    found: list[Finding] = []
    for layer in parsed.service.layers:
        if layer.source.kind is SourceKind.SHAPEFILE and not layer.source.connection:
            continue
        try:
            meaning = LayerMeaning(layer, list_columns(layer.source))
            block = blocks[layer.file, layer.line]
            found += _check_positions(meaning, block)
            found += _check_values(meaning, block)
            found += _check_numbers(meaning, block)
        except ServiceError:
            continue  # reported by the findings of the data
    return found


def _at(block: Block, rule: Rule, key: str, message: str, *keywords: str) -> Finding:
    """Return a finding at the first of the keywords that a LAYER has, else at the LAYER."""
    attributes = (block.last(keyword) for keyword in keywords)
    where = next((attribute for attribute in attributes if attribute is not None), block)
    return Finding(where.file, where.line, rule, key, message)


def _check_positions(meaning: LayerMeaning, block: Block) -> Iterator[Finding]:
    layer = meaning.layer
    if layer.source.shape is not ShapeType.POINT or layer.source.kind is SourceKind.INLINE:
        return
    with read_layer(layer.source) as source:
        any_geometry = source.has_geometry
        if any_geometry and find_extent(layer.source, None) is not None:
            return
        if source.count() == 0:
            return
    names = {column.name.casefold(): column.name for column in meaning.columns}
    x, y = (next((names[name] for name in known if name in names), None) for known in (_X_NAMES, _Y_NAMES))
    if x is None or y is None:
        if not any_geometry:
            return  # a table without places, as it may be meant
        remedy = "point CONNECTION and DATA to data with points, or change the TYPE of the layer"
    else:
        remedy = (
            f'the columns {x} and {y} look like coordinates: write CONNECTIONOPTIONS "X_POSSIBLE_NAMES" "{x}" '
            f'"Y_POSSIBLE_NAMES" "{y}" END, or read the data through a VRT with '
            f'<GeometryField encoding="PointFromColumns" x="{x}" y="{y}"/>'
        )
    message = f"no row of layer {layer.name} has a position: it is on no map, and bbox finds nothing; {remedy}"
    yield _at(block, codes.NO_POSITIONS, "TYPE", message, "connection", "data")


def _check_values(meaning: LayerMeaning, block: Block) -> Iterator[Finding]:
    layer, source = meaning.layer, meaning.layer.source
    texts = _read_texts(meaning)
    if source.encoding is None and (damaged := [name for name, column in texts.items() if _has(column, "\ufffd")]):
        message = (
            f"column{'s' if len(damaged) > 1 else ''} {', '.join(damaged)} of layer {layer.name} "
            f"{'are' if len(damaged) > 1 else 'is'} not UTF-8: characters are published as U+FFFD, and two names may "
            'become the same; write ENCODING "CP1252" (Windows, Western Europe), "ISO-8859-15" (Latin-9), or what the '
            "data were written in"
        )
        yield _at(block, codes.DATA_NOT_UTF8, "ENCODING", message, "connection", "data")
    time = meaning.time_column
    if time is not None and time.name in texts:
        yield from _check_times(meaning, time, texts[time.name], block)
    for _, column in meaning.property_columns:
        if column.name in texts and meaning.field(column).kind is None:
            yield from _check_numeric_text(meaning, column, texts[column.name])


def _read_texts(meaning: LayerMeaning) -> dict[str, pa.Array]:
    """Return the distinct strings in the first rows of each column of strings, without empty ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    source = meaning.layer.source
    names = tuple(column.name for column in meaning.columns if column.kind is ColumnKind.TEXT)
    if not names:
        return {}
    found: dict[str, list[pa.Array]] = {name: [] for name in names}
    with read_layer(source) as layer:
        for batch in layer.read(LayerQuery(source, texts=names, limit=_MOST_ROWS)):
            for name in names:
                found[name].append(batch.texts[name].unique())
    texts = {name: pa.chunked_array(parts, pa.large_string()).unique().drop_null() for name, parts in found.items()}
    return {name: column.filter(pc.greater(pc.utf8_length(column), 0)) for name, column in texts.items()}


def _has(column: pa.Array, part: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring(column, part)).as_py())


def _all(column: pa.Array, pattern: str) -> bool:
    import pyarrow.compute as pc

    return len(column) > 0 and bool(pc.all(pc.match_substring_regex(column, pattern)).as_py())


def _check_numeric_text(meaning: LayerMeaning, column: Column, texts: pa.Array) -> Iterator[Finding]:
    if not _all(texts, _NUMBER):
        return
    layer, item = meaning.layer, column.name.lower()
    spellings = (f"{prefix}_{item}_alias" for prefix in ("sos", "ows", "gml"))
    spelling = next((key for key in spellings if key in layer.keys), None)
    file, line = layer.keys[spelling] if spelling else (layer.file, layer.line)
    comma = " with a decimal comma" if any(re.match(_COMMA, text) for text in texts.to_pylist()) else ""
    remedy = (
        "write a decimal point into the data, and read them"
        if comma
        else f'write "sos_{item}_type" "Real" to compare it as numbers, or read the data'
    )
    message = (
        f"column {column.name} of layer {layer.name} is text in which every value is a number{comma}: it has no curves "
        f'and is JSON strings; {remedy} through a VRT with <Field name="{column.name}" type="Real"/>'
    )
    yield Finding(file, line, codes.NUMERIC_TEXT, spelling or f"sos_{item}_alias", message)


def _check_numbers(meaning: LayerMeaning, block: Block) -> Iterator[Finding]:
    """Report values of number columns that are not numbers: missing in answers, or made 0 by GDAL."""
    layer, source = meaning.layer, meaning.layer.source
    if source.kind is not SourceKind.OGR or source.is_postgresql:
        return
    with source_errors():
        reader = open_reader(source)
        try:
            lost = reader.find_no_numbers(_MOST_ROWS) if isinstance(reader, VrtReader) else {}
            with guarded(source):
                false = find_stored_texts(reader) if isinstance(reader, OgrReader) else {}
        finally:
            reader.close()
    for name, texts in (lost | false).items():
        shown = ", ".join(f'"{text}"' for text in texts[:_SHOWN])
        begin = f"column {name} of layer {layer.name} has values that are not numbers, for example {shown}"
        rule = codes.NOT_NUMBERS if name in lost else codes.FALSE_NUMBERS
        if name in lost:
            message = f"{begin}: they are published as missing; correct the data, with a decimal point and empty cells"
        else:
            message = (
                f"{begin}: GDAL makes numbers of them, such as 0, and these are published; store NULL, or declare the "
                "column as TEXT"
            )
        yield _at(block, rule, f"sos_{name.lower()}_alias", message, "connection", "data")


def _check_times(meaning: LayerMeaning, time: Column, texts: pa.Array, block: Block) -> Iterator[Finding]:
    _, _, valid = parse_texts(texts)
    unread = [text for text, known in zip(texts.to_pylist(), valid.tolist(), strict=True) if not known]
    reason = next((form.message for form in _FORMS for text in unread if re.match(form.pattern, text.strip())), "")
    if not unread or (not reason and len(unread) == len(texts)):
        return  # a column without any time is reported by the findings of the data
    shown = ", ".join(f'"{text}"' for text in unread[:_SHOWN])
    layer = meaning.layer
    message = (
        f"column {time.name} of layer {layer.name} has values that are not read as times, for example {shown}"
        f"{f' ({reason})' if reason else ''}: their observations have no time and eventTime does not find them; write "
        "them as 2024-03-01T07:00:00Z, or with a zone as 2024-03-01T08:00:00+01:00"
    )
    yield locate("layer", layer.keys, "timeitem", block, codes.UNREAD_TIMES, message)
