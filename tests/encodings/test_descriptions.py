"""What each encoder derives from the description of a layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mapsos.columns.batches import ColumnKind
from mapsos.encodings.layer_description import FieldDescription, LayerDescription, PropertyDescription
from mapsos.encodings.mapserver.datablock import describe_datablocks
from mapsos.encodings.mapserver.measurement import describe_measurements
from mapsos.encodings.markup import DataField, Phenomenon, TimeExtent
from mapsos.encodings.strict.markup import StrictField, describe_strict
from mapsos.encodings.tables.table import LayerColumn, Role, TableColumn, describe_table
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import ShapeType

STATION = FieldDescription("station", "stn", ColumnKind.TEXT, "urn:stn")
VALUE = FieldDescription("value", "v", ColumnKind.INTEGER, "urn:v")
UTM = Crs("EPSG:25832", "EPSG:25832")
LAYER = LayerDescription(
    layer_name="l1",
    offering="off",
    observed_property=PropertyDescription("air", "Air", "urn:ogc:def:property:air", ("urn:stn", "urn:t", "urn:v")),
    fields=(STATION, VALUE),
    shape=ShapeType.LINE,
    has_geometry=True,
    time_column="t",
    procedure_column="stn",
    crs=UTM,
    crs_label="EPSG:25832",
    mapserver_label="epsg:4711",
    feature_type_url="http://h/?",
)
STATED = replace(LAYER, procedure_column=None, procedure="P Q", procedures=("P", "Q"))
LASTING = replace(LAYER, end_time_column="e", interval_column="i")
EXTENT = TimeExtent("1871", "1970")


def test_phenomena_are_those_of_the_mapfile_with_all_columns() -> None:
    for describe in (describe_measurements, describe_datablocks):
        assert describe(LAYER).phenomenon == Phenomenon("air", "Air", ("urn:stn", "urn:t", "urn:v"))
    assert describe_strict(LAYER).observed_property == "urn:ogc:def:property:air"
    assert describe_table(LAYER).observed_property == "air"


def test_what_mapserver_writes_has_all_fields_and_valid_documents_and_tables_have_values() -> None:
    assert describe_measurements(LAYER).values == (("station", "stn"), ("value", "v"))
    assert [field.name for field in describe_datablocks(LAYER).fields] == ["station", "value"]
    assert [field.alias for field in describe_strict(LAYER).fields] == ["value"]
    names = [column.column.name for column in describe_table(LAYER).columns]
    assert names == ["time", "procedure", "value"]


@pytest.mark.parametrize(
    ("layer", "column", "procedure", "missing", "strict"),
    [
        (LAYER, "stn", None, False, None),
        (STATED, None, "P Q", True, None),
        (replace(STATED, procedure="P", procedures=("P",)), None, "P", True, "P"),
        (replace(LAYER, procedure_column=None), None, None, False, None),
    ],
)
def test_procedures(
    layer: LayerDescription, column: str | None, procedure: str | None, missing: bool, strict: str | None
) -> None:
    found = describe_measurements(layer)
    assert (found.procedure_column, found.procedure, found.missing_procedure_item) == (column, procedure, missing)
    valid = describe_strict(layer)
    assert (valid.procedure_column, valid.procedure) == (column, strict)
    columns = [each for each in describe_table(layer).columns if each.column.role is Role.PROCEDURE]
    assert [(each.source, each.constant) for each in columns] == ([(column, procedure)] if column or procedure else [])


@pytest.mark.parametrize(("extent", "missing"), [(EXTENT, True), (None, False)])
def test_the_comment_of_a_block_needs_a_time_extent(extent: TimeExtent | None, missing: bool) -> None:
    found = describe_datablocks(replace(STATED, read_time_extent=lambda: extent))
    assert (found.time_extent, found.missing_procedure_item) == (extent, missing)


def test_a_malformed_time_extent_is_refused_by_the_format_that_writes_it() -> None:
    def refuse() -> TimeExtent | None:
        raise ValueError("two slashes")

    layer = replace(LAYER, read_time_extent=refuse)
    with pytest.raises(ValueError, match="two slashes"):
        describe_datablocks(layer)
    for describe in (describe_measurements, describe_strict, describe_table):
        assert describe(layer) == describe(LAYER)


@pytest.mark.parametrize(
    ("stated", "definition", "uom"),
    [
        ({}, "urn:ogc:object:definition", "urn:ogc:object:uom"),
        ({"definition": "urn:d", "uom": "m"}, "urn:d", "m"),
        ({"definition": "", "uom": ""}, "", ""),
    ],
)
def test_definition_and_unit(stated: dict[str, str], definition: str, uom: str) -> None:
    layer = replace(LAYER, fields=(replace(VALUE, **stated),))
    assert describe_datablocks(layer).fields == (DataField("value", "v", definition, uom),)
    (field,) = describe_strict(layer).fields
    assert (field.definition, field.stated) == (stated.get("definition") or "urn:v", bool(stated.get("definition")))
    assert field.uom == stated.get("uom")
    described = describe_table(layer).columns[-1].column
    assert (described.unit, described.definition) == (stated.get("uom"), stated.get("definition"))


def test_text_that_is_meant_as_numbers() -> None:
    text = replace(VALUE, kind=ColumnKind.TEXT, numeric_text=True, loose=True)
    layer = replace(LAYER, fields=(text,))
    assert describe_strict(layer).fields == (StrictField("value", "v", ColumnKind.REAL, "urn:v", loose=True),)
    column = TableColumn("value", Role.PROPERTY, ColumnKind.REAL)
    assert describe_table(layer).columns[-1] == LayerColumn(column, "v", numeric_text=True)


def test_observations_that_last() -> None:
    measured = describe_measurements(LASTING)
    assert (measured.time_column, measured.end_time_column) == ("t", "e")
    assert describe_datablocks(LASTING).time_column == "i"
    assert describe_datablocks(LAYER).time_column == "t"
    assert describe_strict(LASTING).times == ("t", "e")
    assert describe_table(LASTING).times == ("t", "e")


@pytest.mark.parametrize(("mixed", "shape"), [(False, "line"), (True, "any")])
def test_shapes(mixed: bool, shape: str) -> None:
    layer = replace(LAYER, mixed_shapes=mixed)
    assert describe_measurements(layer).shape == shape
    assert (describe_strict(layer).geometry, describe_table(layer).shape) == (True, ShapeType.LINE)
    bare = replace(layer, has_geometry=False)
    assert (describe_strict(bare).geometry, describe_table(bare).shape) == (False, None)


def test_coordinate_reference_systems() -> None:
    assert describe_measurements(LAYER).label == "epsg:4711"
    assert describe_strict(LAYER).crs == "urn:ogc:def:crs:EPSG::25832"
    assert not describe_strict(LAYER).northing_first
    assert describe_strict(replace(LAYER, crs_label="EPSG:4326")).northing_first
    unknown = describe_strict(replace(LAYER, crs_label=None))
    assert (unknown.crs, unknown.northing_first) == (None, False)
    assert describe_table(LAYER).crs == UTM


@pytest.mark.parametrize(
    ("separators", "expected"),
    [
        ({"token_separator": ";", "block_separator": "|"}, (";", "|")),
        ({"token_separator": "::::", "block_separator": ""}, (",", "\n")),
    ],
)
def test_separators(separators: dict[str, Any], expected: tuple[str, str]) -> None:
    layer = replace(LAYER, **separators)
    found = describe_datablocks(layer)
    assert (found.token_separator, found.block_separator) == tuple(separators.values())
    valid = describe_strict(layer)
    assert (valid.token_separator, valid.block_separator) == expected
