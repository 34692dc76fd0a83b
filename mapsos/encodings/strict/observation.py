"""Observations as valid om:Observation: a swe:DataArray of records for each procedure (OGC 07-022r1; 07-000, 9).

The number of records, and the time from the first to the last of them, precede them. So records are stored by
procedure (in memory up to a limit, then in a temporary file) until all rows have been read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.batches import Batch, ColumnKind
from mapsos.columns.value_texts import instant_texts
from mapsos.columns.xml_text import escape_attribute
from mapsos.encodings.encoder import Encoder, Needs
from mapsos.encodings.joining import drop_lead, join_rows
from mapsos.encodings.mapserver.datablock import ProcedureGroups, append_records, gather_batches
from mapsos.encodings.mapserver.separators import RecordMarkup
from mapsos.encodings.markup import name_columns
from mapsos.encodings.spool import Spool
from mapsos.encodings.strict.collection import write_strict_members
from mapsos.encodings.strict.identifiers import UNKNOWN, write_procedure_urn, write_uom_element
from mapsos.encodings.strict.markup import StrictField, StrictMarkup, describe_strict
from mapsos.encodings.strict.text_columns import fit_numbers
from mapsos.terms.times import format_instant
from mapsos.terms.urns import TRANSIENT_FEATURE
from mapsos.web.messages import Chunk

if TYPE_CHECKING:
    import numpy.typing as npt

_CLOSING = b"</swe:values></swe:DataArray></om:result></om:Observation></om:member>\n"


@dataclass
class _Group:
    """Statistics of the records of one procedure; times in microseconds since 1970 UTC, None if unknown."""

    records: int = 0
    first: int | None = None
    last: int | None = None


def need_strict_records(markup: StrictMarkup) -> Needs:
    """Return what the batches of a layer must contain: texts and times."""
    texts = name_columns(*(field.column for field in markup.fields), markup.procedure_column)
    return Needs(texts=texts, times=markup.times)


def encode_strict_observations(ids: str, markup: StrictMarkup, batches: Iterable[Batch]) -> Iterator[Chunk]:
    """Yield a member for each procedure, in order of first appearance; none for a layer without rows.

    ``ids`` begins every gml:id; the index of the procedure follows. The sampling time is the period of the records.
    Values are texts; a null is an empty text; separators inside values are percent-escaped.
    """
    records = RecordMarkup(markup.token_separator, markup.block_separator)
    with Spool() as spool:
        groups = ProcedureGroups(spool)
        facts: list[_Group] = []
        for some in gather_batches(batch for batch in batches if batch.rows):
            numbers = [_number(markup, groups, batch) for batch in some]
            while len(facts) < len(spool):
                facts.append(_Group())
            for rows, batch in zip(numbers, some, strict=True):
                _take_in(markup, facts, rows, batch)
            texts = [join_rows(batch.rows, records.lay_out(_list_texts(markup, batch))) for batch in some]
            append_records(spool, numbers, texts)
        for number, (label, group) in enumerate(zip(groups.labels, facts, strict=True)):
            yield _open_member(f"{ids}{number + 1}", markup, label, group)
            yield from drop_lead(spool.read(number), records.lead)
            yield _CLOSING


def _number(markup: StrictMarkup, groups: ProcedureGroups, batch: Batch) -> npt.NDArray[np.int64]:
    if markup.procedure_column is not None:
        return groups.number(batch.texts[markup.procedure_column])
    groups.number(pa.array([markup.procedure or ""], pa.large_string()))
    return np.zeros(batch.rows, np.int64)


def _take_in(markup: StrictMarkup, facts: list[_Group], rows: npt.NDArray[np.int64], batch: Batch) -> None:
    """Count the records of each group, and extend the period that they cover."""
    counts = np.bincount(rows, minlength=len(facts))
    for number in np.flatnonzero(counts).tolist():
        facts[number].records += int(counts[number])
    spans = ((markup.time_column, np.minimum), (markup.end_time_column or markup.time_column, np.maximum))
    for column, choose in spans:
        if column is None:
            continue
        instants, known = _read_instants(batch.times[column])
        start = np.iinfo(np.int64).max if choose is np.minimum else np.iinfo(np.int64).min
        found = np.full(len(facts), start)
        choose.at(found, rows if known is None else rows[known], instants if known is None else instants[known])
        for number in np.flatnonzero(found != start).tolist():
            group, instant = facts[number], int(found[number])
            if choose is np.minimum:
                group.first = instant if group.first is None else min(group.first, instant)
            else:
                group.last = instant if group.last is None else max(group.last, instant)


def _read_instants(times: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_] | None]:
    """Return times in microseconds, and a mask of the known ones, None if all are."""
    known = times.is_valid().to_numpy(zero_copy_only=False) if times.null_count else None
    plain = times.cast(pa.int64())
    return pc.fill_null(plain, 0).to_numpy(zero_copy_only=False), known


def _list_texts(markup: StrictMarkup, batch: Batch) -> Iterator[pa.Array]:
    """Yield the texts of each field, the times first."""
    for time in markup.times:
        yield instant_texts(batch.times[time])
    for field in markup.fields:
        texts = batch.texts[field.column]
        yield fit_numbers(texts, loose=field.loose) if field.is_number else texts


def _open_member(id_: str, markup: StrictMarkup, procedure: str, group: _Group) -> bytes:
    """Return a member up to its first record."""
    urn = escape_attribute(write_procedure_urn(procedure))
    feature = urn if urn != UNKNOWN else TRANSIENT_FEATURE
    times = {markup.time_column: "time", markup.end_time_column: "end_time"}
    fields = [_write_time_field(times[column]) for column in markup.times] + list(map(_write_field, markup.fields))
    token, block = escape_attribute(markup.token_separator), escape_attribute(markup.block_separator)
    return (
        f'  <om:member><om:Observation gml:id="{id_}"><om:samplingTime><gml:TimePeriod>'
        f"{_write_position('begin', group.first)}{_write_position('end', group.last)}"
        f'</gml:TimePeriod></om:samplingTime><om:procedure xlink:href="{urn}"/>'
        f'<om:observedProperty xlink:href="{escape_attribute(markup.observed_property)}"/>'
        f'<om:featureOfInterest xlink:href="{feature}"/>'
        f"<om:result><swe:DataArray><swe:elementCount><swe:Count><swe:value>{group.records}</swe:value></swe:Count>"
        f'</swe:elementCount><swe:elementType name="record"><swe:DataRecord>{"".join(fields)}</swe:DataRecord>'
        f'</swe:elementType><swe:encoding><swe:TextBlock tokenSeparator="{token}" blockSeparator="{block}" '
        'decimalSeparator="."/></swe:encoding><swe:values>'
    ).encode()


def _write_position(side: str, instant: int | None) -> str:
    if instant is None:
        return f'<gml:{side}Position indeterminatePosition="unknown"/>'
    return f"<gml:{side}Position>{format_instant(instant)}</gml:{side}Position>"


def _write_time_field(name: str) -> str:
    return f'<swe:field name="{name}"><swe:Time definition="urn:ogc:data:time:iso8601"/></swe:field>'


def _write_field(field: StrictField) -> str:
    definition = escape_attribute(field.definition)
    kind = _choose_component(field)
    inner = write_uom_element(field.uom) if kind == "Quantity" else ""
    component = f'<swe:{kind} definition="{definition}">{inner}</swe:{kind}>'
    return f'<swe:field name="{escape_attribute(field.alias)}">{component}</swe:field>'


def _choose_component(field: StrictField) -> str:
    """Return the SWE type of a column. Text with a definition in the metadata is a category."""
    if field.is_number:
        return "Count" if field.is_count else "Quantity"
    if field.kind is ColumnKind.BOOLEAN:
        return "Boolean"
    if field.kind in (ColumnKind.DATE, ColumnKind.DATETIME):
        return "Time"
    return "Category" if field.stated and field.kind is ColumnKind.TEXT else "Text"


ENCODER = Encoder(describe_strict, need_strict_records, write_strict_members(encode_strict_observations, "om.xsd"))
