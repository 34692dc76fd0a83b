"""Summarize observations by procedure and step of a calendar.

To encoders the summary of a layer looks like any layer. Its columns are a time (the begin of a step), the end of the
step, the procedure, and one column for each property and function, with an alias such as ``temperature_avg``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from mapsos.columns.batches import Batch, Column, ColumnKind
from mapsos.columns.geometries import GeometryColumn
from mapsos.columns.summarizer import Summarizer, Summary, SummaryColumn, TooManyGroups
from mapsos.columns.value_texts import instant_texts, typed_texts
from mapsos.encodings.encoder import Needs
from mapsos.mapfile.model import Field
from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers.meaning import LayerMeaning
from mapsos.operations.observations.kept_summaries import ask_summary
from mapsos.operations.questions import Aggregation
from mapsos.sources.query import BATCH_ROWS, LayerQuery, StepEnds
from mapsos.sources.read_ahead import read_ahead
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    import pyarrow as pa

MOST_GROUPS = 1_000_000
"""Maximum number of summaries of an answer: all are in memory until the last row has been read."""

MOST_VALUES = 8_000_000
"""Maximum number of their values: with more than eight functions of columns there may be fewer summaries."""

_NUMBERS = frozenset({ColumnKind.INTEGER, ColumnKind.REAL})
_ORDERED = _NUMBERS | {ColumnKind.DATE, ColumnKind.DATETIME, ColumnKind.TIME}

BEGIN, END, INTERVAL, PROCEDURE, POSITION = "time", "end_time", "interval", "procedure", "position"


@dataclass(frozen=True)
class Output:
    """A column of the summary: ``function`` of the source column with index ``number`` in the plan."""

    column: Column
    number: int
    function: str


@dataclass(frozen=True)
class LayerAggregation:
    """The plan for the summary of one layer. ``meaning`` is that of the summary, ``source`` that of the layer."""

    aggregation: Aggregation
    source: LayerMeaning
    meaning: LayerMeaning
    columns: tuple[SummaryColumn, ...]
    outputs: tuple[Output, ...]
    most_groups: int

    def source_needs(self, needs: Needs) -> Needs:
        """Return the columns that batches of the layer must have for a summary with ``needs``."""
        assert self.source.time_column is not None
        procedure = self.source.procedure_column
        return Needs(
            texts=() if procedure is None else (procedure.name,),
            values=tuple(column.source for column in self.columns),
            times=(self.source.time_column.name,),
            geometry=needs.geometry,
            crs=needs.crs,
        )

    def find_ends(self) -> StepEnds | None:
        """Return the rows that are sufficient for the summary; None if it needs all."""
        functions = {function for column in self.columns for function in column.functions}
        if not functions <= {"first", "last"} or any(column.numeric_text for column in self.columns):
            return None
        assert self.source.time_column is not None
        procedure = self.source.procedure_column
        return StepEnds(
            self.aggregation.cut_calendar(),
            self.source.time_column.name,
            None if procedure is None else procedure.name,
            tuple(column.source for column in self.columns),
            first="first" in functions,
            last="last" in functions,
        )

    def summarize(
        self, batches: Iterator[Batch], query: LayerQuery, cache: str | None, earlier: int = 0
    ) -> Generator[Batch]:
        """Yield the summary of all rows in batches. No row is read if the summary is cached.

        Parameters
        ----------
        batches
            The rows of the layer.
        query
            The query that ``batches`` answer.
        cache
            The cache folder, shared with other processes; None for no folder.
        earlier
            Number of summaries of the layers before this one.

        Raises
        ------
        ServiceError
            There are more than ``most_groups`` summaries, or data cannot be read.
        """
        question = ask_summary(
            query.source,
            cache,
            (self.aggregation.step.months, self.aggregation.step.microseconds, str(self.aggregation.zone)),
            tuple((column.source, *column.functions, column.numeric_text) for column in self.columns),
            tuple((output.column.name, output.column.kind.value, output.function) for output in self.outputs),
            (*query.values, *query.texts, *query.times),
            query.predicate,
            query.geometry,
            query.crs,
            self.most_groups,
        )
        most = self.most_groups - earlier
        found = self._read(batches, most) if question is None else question.recall(lambda: self._read(batches, most))
        if found.num_rows > most:
            raise self._refuse()
        if not found.num_rows:
            return
        whole = self._make_batch(found)
        for start in range(0, whole.rows, BATCH_ROWS):
            yield whole.slice(start, BATCH_ROWS)

    def _refuse(self) -> ServiceError:
        message = (
            f"aggregateInterval results in more than {self.most_groups} summaries. "
            "Request longer intervals or a shorter period."
        )
        return ServiceError(Kind.TOO_LARGE, "aggregation interval", message)

    def _read(self, batches: Iterator[Batch], most: int) -> pa.RecordBatch:
        """Return the summary as columns: `BEGIN`, `END`, `PROCEDURE`, the outputs, and `POSITION` with geometries.

        Times are microseconds since 1970 UTC, positions WKB. Without groups it has no columns.
        """
        import pyarrow as pa

        assert self.source.time_column is not None
        procedure = self.source.procedure_column
        summarizer = Summarizer(
            self.aggregation.cut_calendar(),
            self.source.time_column.name,
            None if procedure is None else procedure.name,
            self.columns,
            most,
        )
        try:
            with closing(read_ahead(batches)) as ahead:
                summarizer.take(ahead)
            summary = summarizer.finish()
        except TooManyGroups as error:
            raise self._refuse() from error
        if not len(summary.begins):
            return pa.RecordBatch.from_pydict({})
        names = pa.array(summarizer.series, pa.large_string())
        columns = {BEGIN: pa.array(summary.begins), END: pa.array(summary.ends)}
        columns[PROCEDURE] = names.take(pa.array(summary.series))
        columns |= {output.column.name: _read_state(summary, output) for output in self.outputs}
        if summary.wkb is not None:
            columns[POSITION] = summary.wkb
        return pa.RecordBatch.from_pydict(columns)

    def _make_batch(self, found: pa.RecordBatch) -> Batch:
        import pyarrow as pa
        import pyarrow.compute as pc

        begins, ends = (found[name].cast(pa.timestamp("us", "UTC")) for name in (BEGIN, END))
        texts = {BEGIN: instant_texts(begins), END: instant_texts(ends)}
        slash = pa.scalar("/", pa.large_string())
        texts[INTERVAL] = pc.binary_join_element_wise(texts[BEGIN], texts[END], slash)
        values: dict[str, pa.Array] = {}
        if self.source.procedure_column is not None:
            values[PROCEDURE] = texts[PROCEDURE] = found[PROCEDURE]
        for output in self.outputs:
            column = found[output.column.name]
            values[output.column.name] = column
            texts[output.column.name] = typed_texts(column)
        geometry = GeometryColumn(found[POSITION]) if POSITION in found.schema.names else None
        return Batch(found.num_rows, values, texts, geometry, {BEGIN: begins, END: ends})


def plan_aggregation(meaning: LayerMeaning, aggregation: Aggregation) -> LayerAggregation:
    """Return the plan for the summary of a layer.

    A function applies to the properties of suitable types: avg and sum to numbers, min and max to numbers and times,
    the others to all.

    Raises
    ------
    ServiceError
        The layer has no times, or a function applies to none of its properties.
    """
    layer = meaning.layer
    if meaning.time_column is None:
        message = f"aggregateInterval needs times, and layer {layer.name} has none."
        raise ServiceError(Kind.INVALID, "aggregation interval", message)
    columns: list[SummaryColumn] = []
    outputs: list[Output] = []
    fields: dict[str, Field] = {}
    for alias, column in meaning.property_columns:
        field, numeric_text = meaning.field(column), meaning.is_numeric_text(column)
        kind = ColumnKind.REAL if numeric_text else column.kind
        results = {name: found for name in aggregation.functions if (found := _result_kind(name, kind)) is not None}
        if not results:
            continue
        for function, result in results.items():
            name = f"value_{len(outputs)}"
            outputs.append(Output(Column(name, result), len(columns), function))
            unit = None if function == "count" else field.uom
            fields[name] = Field(name, alias=f"{alias}_{function}", definition=field.definition, uom=unit)
        columns.append(SummaryColumn(column.name, tuple(results), numeric_text))
    useless = [name for name in aggregation.functions if all(output.function != name for output in outputs)]
    if useless:
        message = f"aggregateFunction {','.join(useless)} applies to no property of layer {layer.name}."
        raise ServiceError(Kind.INVALID, "aggregation function", message)
    with_procedure = meaning.procedure_column is not None
    summary = LayerMeaning(
        replace(
            layer,
            fields=fields,
            time_item=BEGIN,
            procedure_item=PROCEDURE if with_procedure else layer.procedure_item,
            feature_id_item=None,
        ),
        (
            Column(BEGIN, ColumnKind.DATETIME),
            *((Column(PROCEDURE, ColumnKind.TEXT),) if with_procedure else ()),
            *(output.column for output in outputs),
        ),
        end_time=END,
        interval=INTERVAL,
    )
    most = min(MOST_GROUPS, MOST_VALUES // max(1, len(outputs)))
    return LayerAggregation(aggregation, meaning, summary, tuple(columns), tuple(outputs), most)


def _result_kind(function: str, kind: ColumnKind) -> ColumnKind | None:
    """Return the type of the result of a function for a column; None if it does not apply."""
    if function == "count":
        return ColumnKind.INTEGER
    if function == "avg":
        return ColumnKind.REAL if kind in _NUMBERS else None
    if function == "sum":
        return kind if kind in _NUMBERS else None
    if function in ("min", "max"):
        return kind if kind in _ORDERED else None
    return kind


def _read_state(summary: Summary, output: Output) -> pa.Array:
    """Return a column of the summary; null for groups without a value."""
    import numpy as np
    import pyarrow as pa

    counts = summary.states[(output.number, "count")]
    if output.function == "count":
        return pa.array(counts, pa.int64())
    if output.function in ("first", "last"):
        return summary.states[(output.number, output.function)]
    none = counts == 0
    if output.function == "avg":
        return pa.array(summary.states[(output.number, "sum")] / np.where(none, 1, counts), pa.float64(), mask=none)
    found = pa.array(summary.states[(output.number, output.function)], mask=none)
    types = {
        ColumnKind.DATE: pa.date32(),
        ColumnKind.TIME: pa.time64("us"),
        ColumnKind.DATETIME: pa.timestamp("us", "UTC"),
    }
    return found.cast(types[output.column.kind]) if output.column.kind in types else found
