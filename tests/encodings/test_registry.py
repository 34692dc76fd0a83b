from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from mapsos.columns.batches import ColumnKind
from mapsos.encodings.encoder import Needs
from mapsos.encodings.layer_description import FieldDescription, LayerDescription, PropertyDescription
from mapsos.encodings.registry import (
    CSV,
    FORMATS,
    MEASUREMENT,
    OBSERVATION,
    OM_XML,
    ResponseFormat,
    find_format,
    list_availability_formats,
    list_builder_formats,
    list_response_formats,
    list_result_models,
)
from mapsos.terms.layer_source import ShapeType

LAYER = LayerDescription(
    layer_name="l",
    offering="off",
    observed_property=PropertyDescription("air", None, "urn:air", ("urn:v", "urn:t", "urn:s")),
    fields=(
        FieldDescription("a", "v", ColumnKind.REAL, "urn:v"),
        FieldDescription("when", "t", ColumnKind.DATETIME, "urn:t"),
    ),
    shape=ShapeType.POINT,
    has_geometry=True,
    time_column="t",
    procedure_column="s",
)


@pytest.mark.parametrize(
    ("response_format", "result_model", "strict", "needs"),
    [
        (OM_XML, MEASUREMENT, False, Needs(texts=("v", "t", "s"), geometry=True)),
        (OM_XML.upper(), "OM:MEASUREMENT", False, Needs(texts=("v", "t", "s"), geometry=True)),
        (OM_XML, OBSERVATION, False, Needs(texts=("v", "t", "s"))),
        (OM_XML, MEASUREMENT, True, Needs(texts=("v", "s"), times=("t",), geometry=True)),
        (OM_XML, OBSERVATION, True, Needs(texts=("v", "s"), times=("t",))),
        (CSV, MEASUREMENT, False, Needs(texts=("s", "v"), times=("t",), geometry=True)),
        (CSV, OBSERVATION, True, Needs(texts=("s", "v"), times=("t",), geometry=True)),
        ("application/json", MEASUREMENT, False, Needs(values=("s", "v"), times=("t",), geometry=True)),
    ],
)
def test_what_a_format_needs_of_a_layer(
    response_format: str, result_model: str, strict: bool, needs: Needs
) -> None:
    encoder = find_format(response_format, result_model, strict=strict).load()
    assert encoder.needs(encoder.describe(LAYER)) == needs


@pytest.mark.parametrize(("result_model", "texts"), [(MEASUREMENT, ("v", "s", "id")), (OBSERVATION, ("v", "s"))])
def test_only_strict_measurements_need_feature_ids(result_model: str, texts: tuple[str, ...]) -> None:
    encoder = find_format(OM_XML, result_model, strict=True).load()
    assert encoder.needs(encoder.describe(replace(LAYER, feature_id_column="id"))).texts == texts


@pytest.mark.parametrize(
    ("response_format", "result_model"), [("text/plain", MEASUREMENT), (OM_XML, "om:Other"), ("", "")]
)
@pytest.mark.parametrize("strict", [False, True])
def test_another_format_is_an_error_and_never_a_measurement(
    response_format: str, result_model: str, strict: bool
) -> None:
    with pytest.raises(KeyError):
        find_format(response_format, result_model, strict=strict)


@pytest.mark.parametrize("strict", [False, True])
def test_all_that_is_listed_is_found(strict: bool) -> None:
    for name in list_response_formats():
        for model in list_result_models(name):
            assert find_format(name, model, strict=strict).name == name
    for name in list_response_formats(tabular=True):
        assert find_format(name, strict=strict).tabular


def test_lists() -> None:
    tables = list_response_formats(tabular=True)
    assert list_response_formats()[:3] == (OM_XML, CSV, "application/json")
    assert tables[:2] == (CSV, "application/json")
    assert list_availability_formats()[1:] == tables
    assert list_result_models()[:2] == list_result_models(OM_XML) == (MEASUREMENT, OBSERVATION)
    assert list_result_models(CSV) == list_result_models()
    assert list_result_models("text/plain") == ()


def test_the_builder_lists_each_format_once_and_first_what_a_page_can_plot() -> None:
    labels = ["Table: JSON", "Table: CSV", "Observations & Measurements (XML)", "GeoJSON", "Parquet"]
    assert [row.label for row in list_builder_formats()][:5] == labels


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: f"{row.name} {row.result_model} {row.strict}")
def test_an_encoder_is_loaded_with_its_libraries_when_it_is_asked_for(row: ResponseFormat) -> None:
    encoder = row.load()
    assert encoder is row.load()
    assert encoder.needs(encoder.describe(LAYER)) != Needs()


def test_the_rows_load_no_library() -> None:
    script = "import sys, mapsos.encodings.registry; print(*sorted({'numpy', 'pyarrow', 'lxml'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
