"""Answers in the formats of tables, each read by an independent reader."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq

from mapsos.encodings.registry import list_response_formats
from mapsos.web.messages import Response

from .conftest import World

CSV, JSON, GEOJSON, PARQUET, ARROW, *_ = list_response_formats(tabular=True)
SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "observation-table.json").read_text("utf-8"))


def send(world: World, response_format: str, **parameters: str) -> Response:
    query = {
        "service": "SOS",
        "version": "1.0.0",
        "request": "GetObservation",
        "offering": "off",
        "observedProperty": "op",
        "responseFormat": response_format,
        **parameters,
    }
    return world.send(urlencode(query))


def read(response: Response) -> bytes:
    return b"".join(map(bytes, response.body))


def get(world: World, response_format: str, **parameters: str) -> bytes:
    return read(send(world, response_format, **parameters))


def get_arrow(world: World, **parameters: str) -> pa.Table:
    return pa.ipc.open_stream(get(world, ARROW, **parameters)).read_all()


def get_parquet(world: World, **parameters: str) -> pa.Table:
    return pq.read_table(pa.BufferReader(get(world, PARQUET, **parameters)))


def get_json(world: World, **parameters: str) -> dict[str, Any]:
    """The document, held against its schema."""
    import jsonschema

    document: dict[str, Any] = json.loads(get(world, JSON, **parameters))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def get_csv(world: World, **parameters: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(get(world, CSV, **parameters).decode(), newline=""), strict=True))


def join_blocks(document: dict[str, Any]) -> dict[str, list[Any]]:
    columns = [column["name"] for column in document["columns"]]
    joined = {name: [value for block in document["blocks"] for value in block[name]] for name in columns}
    assert {len(values) for values in joined.values()} == {document["numberOfRows"]}
    return joined
