"""Observations as values: what a JSON parser reads from the streamed document, to the type and order of everything."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from mapsos.columns.batches import Batch
from mapsos.encodings.encoder import LayerAnswer
from mapsos.encodings.esri.observation_json import write_observations
from mapsos.encodings.esri.observation_markup import ObservationMarkup, Page
from mapsos.encodings.esri.observation_values import gather_observations

NUMBERS = ObservationMarkup("levels", ".v", "OM_Measurement", "urn:level", "m", "v", True, "t", "p")
TEXTS = replace(NUMBERS, type="OM_TextObservation", uom=None, numeric=False)
STATED = replace(NUMBERS, time_column=None, procedure_column=None, procedure='"P" ü')
FEATURES = replace(NUMBERS, feature_id_column="f")
TIMES = [
    datetime(2010, 7, 1, tzinfo=UTC),
    None,
    datetime(2010, 7, 1, 23, 59, 59, 250_000, UTC),
    datetime(1899, 12, 31, 12, tzinfo=UTC),
]
REALS = [
    0.0, -0.0, 5.0, -5.0, 89.9, 1e-07, 0.1 + 0.2, 1e10 - 1, 1e10, -1e10, 1e10 + 1, 1e15, 1e16, 123456789012345678.0,
    1e20, 1e300, 5e-324, 2.0**53, 9999999999.9, math.nan, math.inf, -math.inf, None,
]  # fmt: skip


def make_batch(values: pa.Array) -> Batch:
    rows = len(values)

    def repeat(some: list[str | None]) -> pa.Array:
        return pa.array((some * rows)[:rows], pa.large_string())

    texts = {"p": repeat(["A", None, 'b"\\', "line\nend\x01"]), "f": repeat(["f1", "f.2", None])}
    if pa.types.is_large_string(values.type):
        texts["v"] = values
    return Batch(rows, {"v": values}, texts, times={"t": pa.array((TIMES * rows)[:rows], pa.timestamp("us", "UTC"))})


def answer(markup: ObservationMarkup, *columns: pa.Array) -> LayerAnswer[ObservationMarkup]:
    return LayerAnswer(markup, [make_batch(values) for values in columns])


LAYERS = {
    "reals": [answer(NUMBERS, pa.array(REALS))],
    "integers": [answer(NUMBERS, pa.array([0, -7, 2**63 - 1, None]))],
    "numbers in texts": [answer(NUMBERS, pa.array([" 5.0", "x", "1e3", "", None], pa.large_string()))],
    "texts": [answer(TEXTS, pa.array(["", "a,b", "\ud7ff€\x1f", None, "null"], pa.large_string()))],
    "no times, one procedure": [answer(STATED, pa.array([1.5]))],
    "no procedure": [answer(replace(STATED, procedure=None), pa.array([1.5]))],
    "feature ids": [answer(FEATURES, pa.array([1.0, 2.0, 3.0]))],
    "batches": [answer(NUMBERS, pa.array([1.0, 2.0]), pa.array([], pa.float64()), pa.array([3.0]))],
    "layers": [answer(NUMBERS, pa.array([1.0, 2.0])), answer(TEXTS, pa.array(["x", "y"], pa.large_string()))],
    "no rows": [answer(NUMBERS, pa.array([], pa.float64()))],
    "no layers": [],
}


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS.keys())
@pytest.mark.parametrize(
    "page",
    [Page(), Page(zone=-210), Page(zone=840), Page(most=1), Page(most=2), Page(1, 2), Page(2, 3), Page(50, 1)],
    ids=str,
)
def test_values_are_those_of_the_document(layers: list[LayerAnswer[ObservationMarkup]], page: Page) -> None:
    expected = json.loads(b"".join(bytes(chunk) for chunk in write_observations(page, layers)))
    # As texts: 5 and 5.0 are equal as values.
    assert json.dumps(gather_observations(page, layers)) == json.dumps(expected)


def test_each_batch_is_followed_by_a_check() -> None:
    checked: list[int] = []
    gather_observations(Page(), LAYERS["layers"], lambda: checked.append(1))
    assert len(checked) == 2
