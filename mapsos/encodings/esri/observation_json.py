"""Observations of the REST interface as JSON: an object for each, streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import pyarrow as pa

from mapsos.columns.batches import ColumnKind
from mapsos.encodings.encoder import LayerAnswer
from mapsos.encodings.esri.observation_columns import ObservationColumns, read_pages
from mapsos.encodings.esri.observation_markup import ObservationMarkup, Page, PageCutter
from mapsos.encodings.joining import Pieces, drop_lead
from mapsos.encodings.tables.json_texts import json_cells, write_json
from mapsos.encodings.template import Slot, Template
from mapsos.web.messages import Chunk

_SEPARATOR = ",\n"
"""Between observations."""


def write_observations(page: Page, layers: Sequence[LayerAnswer[ObservationMarkup]]) -> Iterator[Chunk]:
    """Yield the document. It has ``exceededTransferLimit``, true, if there are observations after the page.

    Memory: a batch. The end of the document is written only after all its observations have been read.
    """
    cutter = PageCutter(page)
    templates = {layer.markup: _lay_out(layer.markup) for layer in layers}
    pages = read_pages(cutter, page.zone, layers)
    chunks = (templates[markup].fill(len(columns.ids), _fill(columns), {}) for markup, columns in pages)
    opening = b'{"observationData":['
    for chunk in drop_lead(chain.from_iterable(chunks), len(_SEPARATOR)):
        if opening:
            yield opening
            opening = b""
        yield chunk
    exceeded = ',"exceededTransferLimit":true' if cutter.exceeded else ""
    yield opening + f"\n]{exceeded}}}\n".encode()


def _lay_out(markup: ObservationMarkup) -> Template:
    return Template(
        _SEPARATOR + '{"id":',
        Slot("id"),
        f',"type":{write_json(markup.type)},"phenomenonTime":',
        Slot("time"),
        ',"resultTime":',
        Slot("time"),
        f',"observedProperty":{write_json(markup.observed_property)},"procedure":',
        Slot("procedure"),
        ',"featureOfInterest":',
        Slot("procedure"),
        f',"result":{{"type":"{markup.result_type}","uom":{write_json(markup.uom)},"value":',
        Slot("value"),
        "}}",
    )


def _fill(columns: ObservationColumns) -> dict[str, Pieces | pa.Array]:
    return {
        "id": json_cells(columns.ids, ColumnKind.TEXT),
        "time": ("null",) if columns.times is None else json_cells(columns.times, ColumnKind.TEXT),
        "procedure": (
            json_cells(columns.procedures, ColumnKind.TEXT)
            if isinstance(columns.procedures, pa.Array)
            else (write_json(columns.procedures),)
        ),
        "value": json_cells(columns.values, _find_kind(columns.values)),
    }


def _find_kind(values: pa.Array) -> ColumnKind:
    if pa.types.is_large_string(values.type):
        return ColumnKind.TEXT
    return ColumnKind.REAL if pa.types.is_floating(values.type) else ColumnKind.INTEGER
