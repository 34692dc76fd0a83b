"""Observations as om:Observation: a text block of records for a layer, or for each procedure.

See docs/mapserver-sos.md, "om:Observation".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mapsos.columns.batches import Batch
from mapsos.columns.texts import column_bytes
from mapsos.columns.xml_text import escape_attribute, escape_text, without_nulls
from mapsos.encodings.encoder import Encoder, Needs
from mapsos.encodings.joining import drop_lead, join_chunks, join_rows
from mapsos.encodings.layer_description import LayerDescription
from mapsos.encodings.mapserver.collection import write_members
from mapsos.encodings.mapserver.member_markup import (
    MISSING_PROCEDURE_ITEM,
    describe_phenomenon,
    indent,
    write_phenomenon,
    write_procedure,
)
from mapsos.encodings.mapserver.separators import RecordMarkup
from mapsos.encodings.markup import DataBlockMarkup, DataField, TimeExtent
from mapsos.encodings.spool import Spool
from mapsos.web.messages import Chunk

if TYPE_CHECKING:
    import numpy.typing as npt

DEFAULT_DEFINITION = "urn:ogc:object:definition"
DEFAULT_UOM = "urn:ogc:object:uom"

_SORTED_ROWS = 1 << 15

_CLOSING = (f"</om:result>\n{indent(2, '</om:Observation>')}{indent(1, '</om:member>')}").encode()


def describe_datablocks(layer: LayerDescription) -> DataBlockMarkup:
    """Describe the members of one layer: fields by its own aliases (D-09), the time first if there is one.

    Raises what ``read_time_extent`` raises.
    """
    time_extent = layer.read_time_extent()
    return DataBlockMarkup(
        phenomenon=describe_phenomenon(layer.observed_property),
        time_extent=time_extent,
        fields=tuple(
            DataField(
                field.alias,
                field.column,
                # Empty metadata count as stated.
                DEFAULT_DEFINITION if field.definition is None else field.definition,
                DEFAULT_UOM if field.uom is None else field.uom,
            )
            for field in layer.fields
        ),
        token_separator=layer.token_separator,
        block_separator=layer.block_separator,
        time_column=layer.interval_column or layer.time_column,
        procedure_column=layer.procedure_column,
        procedure=layer.procedure,
        missing_procedure_item=layer.procedure is not None and time_extent is not None,
    )


def need_records(markup: DataBlockMarkup) -> Needs:
    """Return what the batches of a layer must contain: texts only."""
    return Needs(texts=markup.columns)


def encode_datablocks(markup: DataBlockMarkup, batches: Iterable[Batch]) -> Iterator[Chunk]:
    """Yield the member of one layer, or with a procedure column a member for each procedure.

    Without a procedure column records are written as they are read. With one, rows can come in any order: they are read
    once, records are stored by procedure (in memory up to a limit, then in a temporary file), and members follow after
    all rows have been read. Apart from that limit, memory grows only with the number of procedures. A layer without
    rows has no member.

    Separators inside values are percent-escaped (see `Separators`); values are escaped once (D-16b); without a time
    column the time field is omitted (D-15b); the comment about a missing procedure item precedes the om:procedure that
    it refers to (D-27).
    """
    filled = (batch for batch in batches if batch.rows)
    if markup.procedure_column is None:
        return _stream(markup, filled)
    return _group(markup, markup.procedure_column, filled)


def _stream(markup: DataBlockMarkup, batches: Iterator[Batch]) -> Iterator[Chunk]:
    first = next(batches, None)
    if first is None:
        return
    records = RecordMarkup(markup.token_separator, markup.block_separator)
    yield _open_member(markup, markup.procedure)
    chunks = (
        join_chunks(batch.rows, records.lay_out(_list_texts(markup, batch))) for batch in chain((first,), batches)
    )
    yield from drop_lead(chain.from_iterable(chunks), records.lead)
    yield _CLOSING


def _group(markup: DataBlockMarkup, procedure_column: str, batches: Iterator[Batch]) -> Iterator[Chunk]:
    records = RecordMarkup(markup.token_separator, markup.block_separator)
    with Spool() as spool:
        groups = ProcedureGroups(spool)
        for some in gather_batches(batches):
            numbers = [groups.number(batch.texts[procedure_column]) for batch in some]
            texts = [join_rows(batch.rows, records.lay_out(_list_texts(markup, batch))) for batch in some]
            append_records(spool, numbers, texts)
        for group, label in enumerate(groups.labels):
            yield _open_member(markup, label)
            yield from drop_lead(spool.read(group), records.lead)
            yield _CLOSING


def _list_texts(markup: DataBlockMarkup, batch: Batch) -> Iterator[pa.Array]:
    """Yield the texts of each field, the time first."""
    if markup.time_column is not None:
        yield batch.texts[markup.time_column]
    for field in markup.fields:
        yield batch.texts[field.column]


def gather_batches(batches: Iterator[Batch]) -> Iterator[list[Batch]]:
    """Merge small batches, so that the work for each procedure is done less often."""
    some: list[Batch] = []
    for batch in batches:
        some.append(batch)
        if sum(member.rows for member in some) >= _SORTED_ROWS:
            yield some
            some = []
    if some:
        yield some


class ProcedureGroups:
    """Indexes of procedures in order of first appearance. Ids are case-insensitive; labels are as first spelled."""

    def __init__(self, spool: Spool) -> None:
        self.labels: list[str] = []
        self._spool = spool
        self._numbers: dict[str, int] = {}
        self._folded: dict[str, int] = {}

    def number(self, procedures: pa.Array) -> npt.NDArray[np.int64]:
        """Return the group of each row."""
        encoded = without_nulls(procedures).dictionary_encode()
        known = np.array([self._find(label) for label in encoded.dictionary.to_pylist()], np.int64)
        rows: npt.NDArray[np.int64] = known[encoded.indices.to_numpy()]
        return rows

    def _find(self, label: str) -> int:
        number = self._numbers.get(label)
        if number is None:
            folded = label.casefold()
            if folded not in self._folded:
                self._folded[folded] = self._spool.add_group()
                self.labels.append(label)
            number = self._numbers[label] = self._folded[folded]
        return number


def append_records(spool: Spool, numbers: list[npt.NDArray[np.int64]], records: list[pa.Array]) -> None:
    """Append each record to its group, in order."""
    groups = np.concatenate(numbers)
    # numpy sorts short integers by radix.
    order = np.argsort(groups.astype(np.uint16) if len(spool) <= 1 << 16 else groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    taken = pa.concat_arrays(records).take(pa.array(order))
    offsets = np.frombuffer(taken.buffers()[1], np.int64)[np.append(starts, len(ordered))]
    text = column_bytes(taken).tobytes()
    for group, start, end in zip(ordered[starts].tolist(), offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        spool.append(group, text[start:end])


def _open_member(markup: DataBlockMarkup, procedure: str | None) -> bytes:
    """Return a member up to its first record."""
    extent = _write_extent(markup.time_extent) if markup.time_extent else ""
    comment = indent(3, MISSING_PROCEDURE_ITEM) if markup.missing_procedure_item else ""
    named = "" if procedure is None else write_procedure(procedure)
    time = (
        indent(7, '<swe:field name="time">')
        + indent(8, '<swe:Time definition="urn:ogc:phenomenon:time:iso8601"/>')
        + indent(7, "</swe:field>")
        if markup.time_column is not None
        else ""
    )
    token, block = escape_attribute(markup.token_separator), escape_attribute(markup.block_separator)
    return (
        indent(1, "<om:member>")
        + indent(2, "<om:Observation>")
        + extent
        + comment
        + named
        + "".join(write_phenomenon(markup.phenomenon))
        + indent(3, "<om:resultDefinition>")
        + indent(4, "<swe:DataBlockDefinition>")
        + indent(5, "<swe:components>")
        + indent(6, "<swe:DataRecord>")
        + time
        + "".join(map(_write_field, markup.fields))
        + indent(6, "</swe:DataRecord>")
        + indent(5, "</swe:components>")
        + indent(5, "<swe:encoding>")
        + indent(6, f'<swe:TextBlock tokenSeparator="{token}" blockSeparator="{block}" decimalSeparator="."/>')
        + indent(5, "</swe:encoding>")
        + indent(4, "</swe:DataBlockDefinition>")
        + indent(3, "</om:resultDefinition>")
        + "      <om:result>"
    ).encode()


def _write_field(field: DataField) -> str:
    return (
        indent(7, f'<swe:field name="{escape_attribute(field.name)}">')
        + indent(8, f'<swe:Quantity definition="{escape_attribute(field.definition)}">')
        + indent(9, f'<swe:uom code="{escape_attribute(field.uom)}"/>')
        + indent(8, "</swe:Quantity>")
        + indent(7, "</swe:field>")
    )


def _write_extent(extent: TimeExtent) -> str:
    """Write a gml:TimePeriod. An end that is now is marked on gml:endPosition (D-17)."""
    begin, end = escape_text(extent.begin), escape_text(extent.end)
    now = '<gml:endPosition indeterminatePosition="now"/>'
    last = now if extent.open_end else f"<gml:endPosition>{end}</gml:endPosition>"
    return (
        indent(3, "<om:samplingTime>")
        + indent(4, "<gml:TimePeriod>")
        + indent(5, f"<gml:beginPosition>{begin}</gml:beginPosition>", last)
        + indent(4, "</gml:TimePeriod>")
        + indent(3, "</om:samplingTime>")
    )


ENCODER = Encoder(describe_datablocks, need_records, write_members(encode_datablocks))
