"""The table of an answer: what is one column, what is it called, what does it hold."""

from __future__ import annotations

import pyarrow as pa
import pytest

from mapsos.columns.batches import Batch, ColumnKind
from mapsos.encodings.tables.table import (
    LayerColumn,
    Role,
    TableColumn,
    TableMarkup,
    join_tables,
)
from mapsos.encodings.tables.table_columns import fill_texts, fill_values
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import ShapeType

TEXT, INTEGER, REAL = ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.REAL
DATE, DATETIME, BOOLEAN = ColumnKind.DATE, ColumnKind.DATETIME, ColumnKind.BOOLEAN
UTC = pa.timestamp("us", "UTC")


def value(name: str, kind: ColumnKind = REAL, unit: str | None = None, source: str = "v") -> LayerColumn:
    return LayerColumn(TableColumn(name, Role.PROPERTY, kind, unit), source)


def markup(*columns: LayerColumn, name: str = "air", **more: object) -> TableMarkup:
    return TableMarkup(name, columns, **more)  # type: ignore[arg-type]


TIME = LayerColumn(TableColumn("time", Role.TIME, DATETIME), "t")
STATION = LayerColumn(TableColumn("procedure", Role.PROCEDURE, TEXT), "s")


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (REAL, REAL, REAL),
        (INTEGER, REAL, REAL),
        (REAL, INTEGER, REAL),
        (DATE, DATETIME, DATETIME),
        (INTEGER, TEXT, TEXT),
        (BOOLEAN, REAL, TEXT),
    ],
)
def test_one_alias_is_one_column_of_the_widest_kind(one: ColumnKind, other: ColumnKind, kind: ColumnKind) -> None:
    table = join_tables([markup(value("a", one)), markup(value("a", other))])
    assert [(column.name, column.kind) for column in table.columns] == [("a", kind)]


def test_columns_are_the_union_with_what_names_the_observation_first() -> None:
    table = join_tables([markup(value("a"), TIME), markup(value("b"), STATION)])
    assert [column.name for column in table.columns] == ["time", "procedure", "a", "b"]
    assert [[filling is not None for filling in layer] for layer in table.fillings] == [
        [True, False, True, False],
        [False, True, False, True],
    ]


def test_the_same_alias_in_another_unit_is_another_column() -> None:
    table = join_tables([markup(value("a", unit="m")), markup(value("a", unit="ft"))])
    assert [(column.name, column.unit) for column in table.columns] == [("a", "m"), ("a_2", "ft")]


def test_names_are_distinct_without_regard_to_case() -> None:
    table = join_tables([markup(value("X"), value("Time"), value("a"), value("a"), TIME)], ("x", "y"))
    assert [column.name for column in table.columns] == ["time", "X_2", "Time_2", "a", "a_2"]


def test_several_observed_properties_are_named() -> None:
    table = join_tables([markup(value("a")), markup(value("a"), name="water")])
    assert [column.name for column in table.columns] == ["observed_property", "a"]
    batch = Batch(2, {"v": pa.array([1.0, None])}, {})
    assert [column.to_pylist() for column in fill_values(table, 1, batch)] == [["water", "water"], [1.0, None]]


@pytest.mark.parametrize(
    ("shapes", "shape"),
    [
        ((None,), None),
        ((ShapeType.POINT, None), ShapeType.POINT),
        ((ShapeType.POINT, ShapeType.POLYGON), ShapeType.POLYGON),
        ((ShapeType.LINE, ShapeType.POINT), ShapeType.LINE),
    ],
)
def test_shape_is_of_points_only_if_all_are(shapes: tuple[ShapeType | None, ...], shape: ShapeType | None) -> None:
    assert join_tables([markup(TIME, shape=one) for one in shapes]).shape is shape


def test_crs_is_not_known_if_layers_differ() -> None:
    layers = [markup(TIME, shape=ShapeType.POINT, crs=Crs(label, label)) for label in ("EPSG:4326", "EPSG:3857")]
    assert join_tables(layers[:1]).crs == Crs("EPSG:4326", "EPSG:4326")
    assert join_tables(layers).crs is None


@pytest.mark.parametrize(
    ("kind", "array", "expected"),
    [
        (INTEGER, pa.array([1, None], pa.int64()), ["1", None]),
        (REAL, pa.array([0.1, None]), ["0.1", None]),
        (BOOLEAN, pa.array([True, False]), ["1", "0"]),
        (DATETIME, pa.array([1_500_000, None], pa.int64()).cast(UTC), ["1970-01-01T00:00:01.5Z", None]),
        (DATE, pa.array([0, 1], pa.int32()).cast(pa.date32()), ["1970-01-01", "1970-01-02"]),
        (ColumnKind.TIME, pa.array([1_000_000, None], pa.int64()).cast(pa.time64("us")), ["00:00:01", None]),
        (ColumnKind.BINARY, pa.array([b"\xab", None], pa.large_binary()), ["AB", None]),
    ],
)
def test_kinds_that_share_nothing_meet_as_text(kind: ColumnKind, array: pa.Array, expected: list[str | None]) -> None:
    table = join_tables([markup(value("a", kind)), markup(value("a", TEXT))])
    (column,) = fill_values(table, 0, Batch(2, {"v": array}, {}))
    assert (column.type, column.to_pylist()) == (pa.large_string(), expected)


def test_narrower_values_are_widened() -> None:
    table = join_tables([markup(value("a", INTEGER)), markup(value("a", REAL))])
    (column,) = fill_values(table, 0, Batch(1, {"v": pa.array([3], pa.int64())}, {}))
    assert column == pa.array([3.0])


def test_text_that_is_meant_as_numbers() -> None:
    column = LayerColumn(TableColumn("a", Role.PROPERTY, REAL), "v", numeric_text=True)
    table = join_tables([markup(column)])
    (filled,) = fill_values(table, 0, Batch(3, {"v": pa.array(["1.5", "n/a", None], pa.large_string())}, {}))
    assert filled.to_pylist() == [1.5, None, None]


def test_texts_are_the_sources_own_and_times_iso() -> None:
    constant = LayerColumn(TableColumn("procedure", Role.PROCEDURE, TEXT), constant="S1")
    table = join_tables([markup(TIME, constant, value("a")), markup(value("b"))])
    times = pa.array([0], pa.int64()).cast(UTC)
    batch = Batch(1, {}, {"v": pa.array(["1.50"], pa.large_string())}, None, {"t": times})
    time, procedure, a, b = fill_texts(table, 0, batch)
    assert (time.to_pylist(), procedure, a.to_pylist(), b) == (["1970-01-01T00:00:00Z"], "S1", ["1.50"], None)  # type: ignore[union-attr]
