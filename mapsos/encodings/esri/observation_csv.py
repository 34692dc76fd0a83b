"""Observations of the REST interface as CSV: a line for each, streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mapsos.columns.batches import Batch, ColumnKind
from mapsos.encodings.encoder import LayerAnswer, Needs
from mapsos.encodings.esri.observation_markup import ObservationMarkup, Page, PageCutter
from mapsos.encodings.tables.csv_table import write_csv
from mapsos.encodings.tables.table import LayerColumn, Role, TableColumn, TableMarkup, need_texts
from mapsos.web.messages import Chunk

_NOTHING = ObservationMarkup("", "", "", "", None, "", numeric=False)


def need_csv(markup: ObservationMarkup) -> Needs:
    """Return what the batches of the layer must contain."""
    return need_texts(_describe(markup))


def write_observations_csv(page: Page, layers: Sequence[LayerAnswer[ObservationMarkup]]) -> Iterator[Chunk]:
    """Yield the table, as `csv_table.write_csv` writes tables. Memory: a batch.

    The columns are always ``time``, ``procedure``, ``feature_id``, ``observed_property``, ``value`` and ``uom``;
    missing values are empty. Times are in UTC, whatever the zone of the page, and values are the texts of the source.
    The table does not state whether there are observations after the page.
    """
    cutter = PageCutter(page)
    if not layers:
        return write_csv([LayerAnswer(_describe(_NOTHING), iter(()))])
    return write_csv([LayerAnswer(_describe(layer.markup), _cut(cutter, iter(layer.batches))) for layer in layers])


def _cut(cutter: PageCutter, batches: Iterator[Batch]) -> Iterator[Batch]:
    while not cutter.exceeded and (whole := next(batches, None)) is not None:
        batch = cutter.cut(whole)
        if batch.rows:
            yield batch


def _describe(markup: ObservationMarkup) -> TableMarkup:
    """Return the columns of one observed property of one layer."""
    procedure = markup.procedure if markup.procedure_column is None else None
    columns = (
        _fill("time", Role.TIME, markup.time_column),
        _fill("procedure", Role.PROCEDURE, markup.procedure_column, procedure),
        _fill("feature_id", Role.FEATURE_ID, markup.feature_id_column),
        _fill("observed_property", Role.OBSERVED_PROPERTY, constant=markup.observed_property),
        _fill("value", Role.PROPERTY, markup.value_column or None),
        _fill("uom", Role.PROPERTY, constant=markup.uom),
    )
    # No id: the table would add another column if the observed properties of layers differ.
    return TableMarkup("", columns)


def _fill(name: str, role: Role, source: str | None = None, constant: str | None = None) -> LayerColumn:
    # One column for all layers: only text can hold values of different kinds.
    kind = ColumnKind.DATETIME if role is Role.TIME else ColumnKind.TEXT
    return LayerColumn(TableColumn(name, role, kind), source, constant)
