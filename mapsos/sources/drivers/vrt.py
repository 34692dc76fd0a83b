"""Virtual data sources (VRT): their numbers and positions only where the texts that they are made of are numbers.

GDAL converts the text of a field to the declared type as C's atof does: an empty cell, ``NA`` and ``<0.1`` become 0,
``1,85`` becomes 1, and empty coordinates a point at 0 0. So the VRT is shown to GDAL with a second field of the text
beside each number, which decides.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from osgeo import ogr

from mapsos.columns.geometries import GeometryColumn
from mapsos.columns.parse_numbers import parse_integers, parse_numbers
from mapsos.columns.texts import utf8_texts
from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.drivers.vrt_documents import attribute, find_elements, is_vrt, read_document, write_document
from mapsos.sources.filtering.sql import Dialect
from mapsos.sources.reader import Narrowing, ReadPlan
from mapsos.sources.rows import Rows
from mapsos.sources.source_columns import OgrColumn
from mapsos.terms.columns import Column, ColumnKind
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import pyarrow as pa

_TEXT = "mapsos text "
"""The beginning of the names of fields that are added."""
_PLACES = (f"{_TEXT}of x", f"{_TEXT}of y")
_NUMBERS = {"integer", "integer64", "real"}
_PARSERS = {
    ColumnKind.INTEGER: parse_integers,
    ColumnKind.BOOLEAN: parse_integers,
    ColumnKind.REAL: parse_numbers,
}


def open_by_gdal(source: LayerSource) -> OgrReader:
    """Open the reader of a layer that GDAL reads."""
    return VrtReader(source) if is_vrt(source.connection) else OgrReader(source)


@dataclass(frozen=True)
class GuardedVrt:
    """A VRT as XML with added fields, its paths absolute.

    ``places`` are the columns of x and y by the name of each layer without a list of fields, whose columns are those of
    its source: with True, if the layer does not have them as columns itself.
    """

    xml: str
    places: Mapping[str, tuple[str, str, bool]]


class VrtReader(OgrReader):
    """A layer of a VRT whose numbers are null, and whose positions are missing, where their texts are not numbers."""

    _guarded: GuardedVrt | None = None
    _guards: Mapping[str, str] = {}
    _places: tuple[str, ...] = ()

    def _find_connection(self) -> str:
        connection = self.source.connection
        root = read_document(connection)
        if root is None:
            return connection
        # A SELECT names its own columns: it is answered by GDAL alone.
        if self.source.data.strip()[:6].upper() == "SELECT":
            return write_document(root)
        self._guarded = guard_numbers(root)
        return self._guarded.xml

    def _find_layer(self) -> None:
        super()._find_layer()
        added = [name for name in self.columns if name.startswith(_TEXT)]
        if self._guarded is not None and self.table in self._guarded.places:
            *named, unlisted = self._guarded.places[self.table]
            found = tuple(name for axis in named for name in self.columns if name.casefold() == axis.casefold())
            if len(found) == 2 and all(self.columns[name].column.kind is ColumnKind.TEXT for name in found):
                self._places = found
            added += found if unlisted else ()
        elif set(_PLACES) <= set(added):
            self._places = _PLACES
        self.hidden = {name: OgrColumn(Column(name, ColumnKind.TEXT)) for name in added}
        self.columns = {name: column for name, column in self.columns.items() if name not in self.hidden}
        numbers = [name for name, column in self.columns.items() if column.column.kind in _PARSERS]
        self._guards = {name: _TEXT + name for name in numbers if _TEXT + name in self.hidden}

    def rows(self, plan: ReadPlan) -> Generator[Rows]:
        """Deliver the rows of the plan."""
        guards = {name: text for name, text in self._guards.items() if name in plan.columns}
        places = self._places if plan.geometry and self.has_geometry else ()
        reading = super().rows(replace(plan, columns=(*plan.columns, *guards.values(), *places)))
        try:
            for rows in reading:
                raw = {name: array for name, array in rows.raw.items() if name in plan.columns}
                for name, text in guards.items():
                    raw[name] = _decide(raw[name], self.columns[name].column.kind, rows.raw[text])
                geometry = rows.geometry
                if geometry is not None and places:
                    geometry = _keep_placed(geometry, [rows.raw[text] for text in places])
                columns = {name: self.columns[name] for name in raw}
                yield Rows(rows.count, columns, raw, geometry, rows.ids)
        finally:
            reading.close()

    def _prepare(self, names: list[str], geometry: bool, narrowing: Narrowing) -> Any:
        layer = super()._prepare(names, geometry, narrowing)
        # Ignoring a field makes all others of the same source field NULL.
        if self.hidden and layer is self._layer and layer.TestCapability(ogr.OLCIgnoreFields):
            layer.SetIgnoredFields([])
            layer.ResetReading()
        return layer

    def _select(
        self, names: list[str], geometry: bool, condition: str, narrowing: Narrowing, casts: Mapping[str, str]
    ) -> Any:
        # OGR SQL ignores the fields that its statement does not name: with the numbers in the condition NULL.
        others = [name for name in self.hidden if name not in names]
        return super()._select([*names, *others], geometry, condition, narrowing, casts)

    def find_no_numbers(self, most: int) -> dict[str, list[str]]:
        """Return distinct texts in the first rows that are not numbers, by column of numbers; without empty ones."""
        found: dict[str, dict[str, None]] = {name: {} for name in self._guards}
        reading = super().rows(ReadPlan(tuple(self._guards.values()), False))
        left = most
        try:
            for rows in reading:
                for name, text in self._guards.items():
                    parse = _PARSERS[self.columns[name].column.kind]
                    texts = utf8_texts(rows.raw[text]).drop_null().unique()
                    lost = texts.filter(parse(texts).is_null()).to_pylist()
                    found[name] |= dict.fromkeys(value for value in lost if value.strip())
                left -= rows.count
                if left <= 0:
                    break
        finally:
            reading.close()
        return {name: list(texts) for name, texts in found.items() if texts}

    def condition_dialect(self, name: str) -> Dialect | None:
        """Return the dialect as `OgrReader` does, None for integers, which GDAL may read as others."""
        guarded = name in self._guards and self.columns[name].column.kind is not ColumnKind.REAL
        return None if guarded else super().condition_dialect(name)


def _decide(values: pa.Array, kind: ColumnKind, texts: pa.Array) -> pa.Array:
    """Return the values, null where a text is not a number of the kind; GDAL reads the integer 1e3 as 1."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parsed = _PARSERS[kind](utf8_texts(texts))
    return parsed if kind is ColumnKind.INTEGER else pc.if_else(parsed.is_valid(), values, pa.scalar(None, values.type))


def _keep_placed(geometry: GeometryColumn, texts: list[pa.Array]) -> GeometryColumn:
    """Return the geometries without those whose coordinates are not numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    good = pc.and_(*(parse_numbers(utf8_texts(text)).is_valid() for text in texts))
    return GeometryColumn(pc.if_else(good, geometry.wkb, pa.scalar(None, geometry.wkb.type)))


def guard_numbers(root: Element) -> GuardedVrt:
    """Return a VRT with the fields that decide about numbers. ``root`` is changed."""
    for element in root:
        _guard_layers(element)
    places = {
        attribute(layer, "name"): found
        for layer in root
        if layer.tag.lower() == "ogrvrtlayer" and (found := _open_places(layer)) is not None
    }
    return GuardedVrt(write_document(root), places)


def _guard_layers(element: Element) -> None:
    """Add fields to the layers in an element: to all of a union, if they need the same ones."""
    layers = [element] if element.tag.lower() == "ogrvrtlayer" else find_elements(element, "ogrvrtlayer")
    wanted = [_list_guards(layer) for layer in layers]
    if not layers or not wanted[0] or any(set(names) != set(wanted[0]) for names in wanted):
        return
    from xml.etree.ElementTree import SubElement

    for layer, names in zip(layers, wanted, strict=True):
        for name, source in names.items():
            SubElement(layer, "Field", {"name": name, "src": source, "type": "String"})


def _open_places(layer: Element) -> tuple[str, str, bool] | None:
    """Return x and y of a layer without a list of fields, as columns that it has now; and whether it had them not."""
    place = _find_place(layer)
    if place is None or any(child.tag.lower() == "field" for child in layer):
        return None
    reported = [key for key in place.attrib if key.lower() == "reportsrccolumn"]
    unlisted = any(place.attrib.pop(key).lower() in ("0", "no", "false", "off") for key in reported)
    return attribute(place, "x"), attribute(place, "y"), unlisted


def _find_place(layer: Element) -> Element | None:
    """Return the only geometry of a layer, if it is made of two columns."""
    places = [child for child in layer if child.tag.lower() == "geometryfield"]
    made = len(places) == 1 and attribute(places[0], "encoding").lower() == "pointfromcolumns"
    return places[0] if made else None


def _list_guards(layer: Element) -> dict[str, str]:
    """Return the source fields whose texts decide about the numbers of a layer, by the name of the field to add.

    A layer that lists no fields has all those of its source, in their own types; one more would be the only one.
    """
    fields = [child for child in layer if child.tag.lower() == "field"]
    guards = {
        _TEXT + name: attribute(field, "src") or name
        for field in fields
        if attribute(field, "type").lower() in _NUMBERS and (name := attribute(field, "name"))
    }
    if (place := _find_place(layer)) is not None:
        guards |= {name: attribute(place, axis) for name, axis in zip(_PLACES, "xy", strict=True)}
    return guards if fields and all(guards.values()) else {}
