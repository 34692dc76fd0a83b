"""The columns of the observations in a batch, before they are written as bytes or gathered as values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from mapsos.columns.batches import Batch
from mapsos.columns.parse_numbers import parse_numbers
from mapsos.columns.value_texts import instant_texts
from mapsos.columns.xml_text import without_nulls
from mapsos.encodings.encoder import LayerAnswer
from mapsos.encodings.esri.observation_markup import ObservationMarkup, PageCutter
from mapsos.encodings.joining import join_rows
from mapsos.terms.times import EARLIEST, LATEST, MINUTE
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class ObservationColumns:
    """The columns of some observations of one layer.

    Attributes
    ----------
    ids
        large_string without nulls. Ids stay the same as long as the data do.
    times
        ISO 8601 texts in the zone of the page (large_string), None for a layer without times.
    procedures
        large_string, or the procedure of all rows; None if unknown.
    values
        int64, float64 (NaN and infinities are possible) or large_string.
    """

    ids: pa.Array
    times: pa.Array | None
    procedures: pa.Array | str | None
    values: pa.Array

    @property
    def nbytes(self) -> int:
        """Return the size of the columns in bytes."""
        columns = (self.ids, self.times, self.procedures, self.values)
        return sum(column.nbytes for column in columns if isinstance(column, pa.Array))


def read_pages(
    cutter: PageCutter, zone: int, layers: Sequence[LayerAnswer[ObservationMarkup]]
) -> Iterator[tuple[ObservationMarkup, ObservationColumns]]:
    """Yield the observations of the page, at least one at a time, batch after batch.

    Parameters
    ----------
    cutter
        The page. Reading stops at its end: with the first row after it, if there is one.
    zone
        Time zone of the times, in minutes east of UTC.
    """
    for layer in layers:
        for batch in layer.batches:
            rows = cutter.cut(batch)
            if rows.rows:
                yield layer.markup, read_columns(layer.markup, zone, rows)
            if cutter.exceeded:
                return


def read_columns(markup: ObservationMarkup, zone: int, batch: Batch) -> ObservationColumns:
    """Return the columns of the observations in a batch; ``zone`` is in minutes east of UTC."""
    procedures: pa.Array | str | None = markup.procedure
    if markup.procedure_column is not None:
        procedures = batch.texts[markup.procedure_column].cast(pa.large_string())
    return ObservationColumns(
        ids=_make_ids(markup, batch),
        times=None if markup.time_column is None else _write_times(batch.times[markup.time_column], zone),
        procedures=procedures,
        values=_read_values(markup, batch),
    )


def _read_values(markup: ObservationMarkup, batch: Batch) -> pa.Array:
    if not markup.numeric:
        return batch.texts[markup.value_column].cast(pa.large_string())
    values = batch.values[markup.value_column]
    return parse_numbers(values) if pa.types.is_large_string(values.type) else values


def _make_ids(markup: ObservationMarkup, batch: Batch) -> pa.Array:
    """Return the feature ids, or ids of layer, procedure and time where the layer has none."""
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
    """Return instants (timestamp[us, UTC]) as texts in a zone, with its offset; nulls stay.

    Those that the zone would take out of the calendar are written in UTC.
    """
    instants = times.cast(pa.int64())
    local = pc.add(instants, zone * MINUTE)
    within = pc.and_(pc.greater_equal(local, EARLIEST), pc.less(local, LATEST))
    if pc.all(within, min_count=0).as_py():
        return _write_local(local, times.type, zone)
    written = _write_local(pc.if_else(within, local, instants), times.type, zone)
    return pc.if_else(within, written, _write_local(instants, times.type, 0))


def _write_local(instants: pa.Array, type: pa.DataType, zone: int) -> pa.Array:
    hours, minutes = divmod(abs(zone), 60)
    offset = f"{'-' if zone < 0 else '+'}{hours:02d}:{minutes:02d}"
    return pc.replace_substring(instant_texts(instants.cast(type)), "Z", offset)
