"""Observations as the REST interface writes them: an object for each, streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mapsos.columns.batches import Batch, ColumnKind
from mapsos.encodings.encoder import LayerAnswer, Needs
from mapsos.encodings.joining import Pieces, join_rows
from mapsos.encodings.markup import name_columns
from mapsos.encodings.tables.json_texts import json_cells, write_json
from mapsos.encodings.template import Slot, Template
from mapsos.terms.times import MINUTE
from mapsos.web.messages import Chunk

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class ObservationMarkup:
    """One observed property of one layer.

    ``time_column``, ``procedure_column`` and ``feature_id_column`` are columns of the batches, None for none.
    ``procedure`` is the constant id where there is no column. ``suffix`` is what ids end with, so that observations of
    several properties in one row differ. ``layer_name`` begins the ids of a layer without feature ids.
    """

    layer_name: str
    suffix: str
    type: str
    observed_property: str
    uom: str | None
    value_column: str
    numeric: bool
    time_column: str | None = None
    procedure_column: str | None = None
    procedure: str | None = None
    feature_id_column: str | None = None

    @property
    def needs(self) -> Needs:
        """What the batches of the layer shall carry."""
        value = None if self.numeric else self.value_column
        return Needs(
            texts=name_columns(self.procedure_column, self.feature_id_column, value),
            values=(self.value_column,) if self.numeric else (),
            times=name_columns(self.time_column),
        )


@dataclass(frozen=True)
class Page:
    """Which part of the observations is written: from ``offset`` (0 is the first) on, at most ``most``, None for all.

    Times are written in the zone ``zone`` minutes east of UTC.
    """

    offset: int = 0
    most: int | None = None
    zone: int = 0


def write_observations(page: Page, layers: Sequence[LayerAnswer[ObservationMarkup]]) -> Iterator[Chunk]:
    """The whole document. ``exceededTransferLimit`` is there, and true, if there are observations after the page.

    Memory: a batch. The document ends only if all that it shall hold has been read.
    """
    counter = PageCutter(page)
    opening = b'{"observationData":['
    for layer in layers:
        template = _lay_out(layer.markup)
        for whole in layer.batches:
            batch = counter.cut(whole)
            if batch.rows:
                for chunk in template.fill(batch.rows, _fill(layer.markup, page.zone, batch), {}):
                    if opening:
                        yield opening
                        # Each object has a comma and a line end before it, but for the first of all.
                        opening, chunk = b"", chunk[2:]
                    yield chunk
            if counter.exceeded:
                break
        if counter.exceeded:
            break
    exceeded = ',"exceededTransferLimit":true' if counter.exceeded else ""
    yield opening + f"\n]{exceeded}}}\n".encode()


class PageCutter:
    """Cuts batches to the page, one after the other; ``exceeded`` tells that there were rows after it."""

    def __init__(self, page: Page) -> None:
        self._skip = page.offset
        self._left = page.most
        self.exceeded = False

    def cut(self, batch: Batch) -> Batch:
        """What of a batch is on the page."""
        skipped = min(self._skip, batch.rows)
        self._skip -= skipped
        rest = batch.slice(skipped, batch.rows - skipped) if skipped else batch
        if self._left is None:
            return rest
        self.exceeded = rest.rows > self._left
        kept = rest.slice(0, self._left) if self.exceeded else rest
        self._left -= kept.rows
        return kept


def _lay_out(markup: ObservationMarkup) -> Template:
    kind = "numerical" if markup.numeric else "textual"
    return Template(
        ',\n{"id":',
        Slot("id"),
        f',"type":{write_json(markup.type)},"phenomenonTime":',
        Slot("time"),
        ',"resultTime":',
        Slot("time"),
        f',"observedProperty":{write_json(markup.observed_property)},"procedure":',
        Slot("procedure"),
        ',"featureOfInterest":',
        Slot("procedure"),
        f',"result":{{"type":"{kind}","uom":{write_json(markup.uom)},"value":',
        Slot("value"),
        "}}",
    )


def _fill(markup: ObservationMarkup, zone: int, batch: Batch) -> dict[str, Pieces | pa.Array]:
    procedure: Pieces | pa.Array = (write_json(markup.procedure),)
    if markup.procedure_column is not None:
        procedure = _write_texts(batch.texts[markup.procedure_column])
    time: Pieces | pa.Array = ("null",)
    if markup.time_column is not None:
        time = _write_times(batch.times[markup.time_column], zone)
    column = markup.value_column
    value = _write_numbers(batch.values[column]) if markup.numeric else _write_texts(batch.texts[column])
    return {"id": _write_texts(_make_ids(markup, batch)), "time": time, "procedure": procedure, "value": value}


def _write_texts(texts: pa.Array) -> pa.Array:
    import pyarrow as pa

    return json_cells(texts.cast(pa.large_string()), ColumnKind.TEXT)


def _write_numbers(values: pa.Array) -> pa.Array:
    """Numbers as JSON; of texts that are meant as numbers, those that are none are ``null``."""
    import pyarrow as pa

    if pa.types.is_large_string(values.type):
        from mapsos.columns.parse_numbers import parse_numbers

        values = parse_numbers(values)
    return json_cells(values, ColumnKind.REAL if pa.types.is_floating(values.type) else ColumnKind.INTEGER)


def _make_ids(markup: ObservationMarkup, batch: Batch) -> pa.Array:
    """Ids that stay the same as long as the data do: the feature's own, else from layer, procedure and time."""
    from mapsos.columns.value_texts import instant_texts
    from mapsos.columns.xml_text import without_nulls

    if markup.feature_id_column is not None:
        pieces: list[str | pa.Array] = [without_nulls(batch.texts[markup.feature_id_column])]
    else:
        pieces = [f"{markup.layer_name}.", markup.procedure or ""]
        if markup.procedure_column is not None:
            pieces[-1] = without_nulls(batch.texts[markup.procedure_column])
        if markup.time_column is not None:
            pieces += [".", without_nulls(instant_texts(batch.times[markup.time_column]))]
    return join_rows(batch.rows, [*pieces, markup.suffix])


def _write_times(times: pa.Array, zone: int) -> pa.Array:
    """Instants (timestamp[us, UTC]) as JSON strings in a zone, nulls as ``null``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from mapsos.columns.value_texts import instant_texts

    local = pc.add(times.cast(pa.int64()), zone * MINUTE).cast(times.type)
    hours, minutes = divmod(abs(zone), 60)
    offset = f"{'-' if zone < 0 else '+'}{hours:02d}:{minutes:02d}"
    return _write_texts(pc.replace_substring(instant_texts(local), "Z", offset))
