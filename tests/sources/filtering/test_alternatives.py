"""Alternatives that are gathered select the rows that each of them selects for itself."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from mapsos.sources.drivers.ogr import OgrReader
from mapsos.sources.filtering.alternatives import EqualsAny, TimesOfValues, gather_alternatives
from mapsos.sources.filtering.evaluate import _decide
from mapsos.sources.filtering.time_ranges import join_nearest, join_spans
from mapsos.sources.reader import ReadPlan
from mapsos.sources.rows import Rows
from mapsos.terms import predicates as p
from mapsos.terms.columns import ColumnKind
from mapsos.terms.deadlines import NEVER
from mapsos.terms.layer_source import LayerSource, SourceKind
from mapsos.terms.times import DAY, Interval, parse_time

START = parse_time("2001").begin
LITERALS = ("0", "-0", "1", "2.5", "abc", "9007199254740993", "1e400", "A", "2001-01-02", "2001")
KINDS = {"s": ColumnKind.TEXT, "t": ColumnKind.TEXT, "i": ColumnKind.INTEGER, "f": ColumnKind.REAL}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> LayerSource:
    """Rows with missing values, times of every precision, numbers in texts, and integers that no double holds."""
    from osgeo import ogr

    chance = random.Random(1)
    path = tmp_path_factory.mktemp("alternatives") / "x.gpkg"
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = dataset.CreateLayer("x", None, ogr.wkbPoint)
    types = {"s": ogr.OFTString, "t": ogr.OFTString, "i": ogr.OFTInteger64, "f": ogr.OFTReal}
    for name, kind in types.items():
        layer.CreateField(ogr.FieldDefn(name, kind))
    for _ in range(500):
        feature = ogr.Feature(layer.GetLayerDefn())
        day = f"2001-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        values = {
            "s": chance.choice([None, "A", "B", "c", "", "1", "2.50"]),
            "t": chance.choice([None, "x", day, f"{day}T10:00:00Z", day[:7], day[:4], "5"]),
            "i": chance.choice([None, 0, 1, 2, 2**53 + 1]),
            "f": chance.choice([None, 0.0, -0.0, 2.5, float("inf"), float("nan")]),
        }
        for name, value in values.items():
            feature.SetFieldNull(name) if value is None else feature.SetField(name, value)
        layer.CreateFeature(feature)
    dataset = layer = None
    return LayerSource("layer", SourceKind.OGR, str(path), "x")


def make_interval(chance: random.Random) -> Interval:
    begin = START + chance.randrange(360) * DAY
    return Interval(begin, begin + chance.choice([1, 1_000_000, DAY, 40 * DAY]))


def make_operand(chance: random.Random) -> p.Predicate:
    made = chance.randrange(4)
    if made == 0:
        return p.OneOf("s", tuple(chance.sample(["A", "B", "C", "", "z"], 2)), chance.random() < 0.7)
    if made == 1:
        relation = chance.choice(("during", "equals", "before", "after"))
        return p.Time("t", tuple(make_interval(chance) for _ in range(chance.randint(1, 9))), relation)
    if made == 2:
        return p.And((p.OneOf("s", (chance.choice("ABC"),)), p.Time("t", (make_interval(chance),))))
    kind = chance.choice((None, "text", "number", "time"))
    operator = chance.choice(("=", "=", "=", "<>", "<"))
    return p.Compare(chance.choice("stif"), operator, chance.choice(LITERALS), chance.random() < 0.8, kind)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("negated", [False, True])
def test_each_row_is_decided_as_by_the_operands_one_by_one(source: LayerSource, seed: int, negated: bool) -> None:
    chance = random.Random(seed)
    operands = [make_operand(chance) for _ in range(chance.choice([2, 5, 40]))]
    if seed % 6 == 0:
        values = ["A", "B", "c", *(f"S{number}" for number in range(30))]
        operands = [p.And((p.OneOf("s", (value,)), p.Time("t", (make_interval(chance),)))) for value in values]
    (rows,) = OgrReader(source).rows(ReadPlan(("s", "t", "i", "f"), False))
    joined: p.Predicate = p.Or(tuple(operands))
    expected = decide_one_by_one(operands, rows, source, pc.or_kleene)
    assert _decide(joined, rows, source, NEVER).equals(expected)
    if negated:
        unequal = p.And(tuple(p.Not(operand) for operand in operands))
        assert _decide(unequal, rows, source, NEVER).equals(pc.invert(expected))
    conditions = decide_one_by_one(operands, rows, source, pc.and_kleene)
    assert _decide(p.And(tuple(operands)), rows, source, NEVER).equals(conditions)


def decide_one_by_one(operands: list[p.Predicate], rows: Rows, source: LayerSource, join: object) -> pa.Array:
    decided = _decide(operands[0], rows, source, NEVER)
    for operand in operands[1:]:
        decided = join(decided, _decide(operand, rows, source, NEVER))  # type: ignore[operator]
    return decided


def test_alternatives_of_one_column_are_one() -> None:
    numbers = [p.Compare("f", "=", str(number)) for number in range(1000)]
    times = [p.Time("t", (Interval(START + day * DAY, START + day * DAY + 1),)) for day in range(1000)]
    pairs = [p.And((p.OneOf("s", (f"S{n}",)), p.Time("t", (Interval(START + n, START + n + 1),)))) for n in range(1000)]
    gathered = gather_alternatives([p.Or((*numbers, *times)), *pairs], KINDS.__getitem__)
    assert sorted(type(one).__name__ for one in gathered) == ["EqualsAny", "Time", "TimesOfValues"]
    for one in gathered:
        assert isinstance(one, EqualsAny | p.Time | TimesOfValues)
        assert len(one.literals if isinstance(one, EqualsAny) else one.intervals) == 1000


def test_spans_are_joined_until_few_are_left() -> None:
    assert join_spans([(5, 9), (1, 3), (8, 20), (None, 0)], 0, 20) == [(None, 0), (1, 3), (5, 20)]
    assert join_spans([(1, 3), (5, 9), (100, None)], 3, 20) == [(1, 9), (100, None)]
    assert join_spans([(1, 2), (5, 6), (30, 31), (90, 91)], 0, 2) == [(1, 31), (90, 91)]
    assert join_nearest([(0.0, 1.0), (2.0, 2.0), (9.0, 9.0)], 1) == [(0.0, 9.0)]
    chance = np.random.default_rng(1)
    spans = [(int(begin), int(begin) + 5) for begin in chance.integers(0, 10**6, 1000)]
    joined = join_spans(spans, 0, 20)
    assert len(joined) == 20
    assert all(any(low <= begin and end <= high for low, high in joined) for begin, end in spans)  # type: ignore[operator]
