"""From questions to a stream of batches: every layer's first batch before the answer starts, all readers closed after.

An error while the first batches are read can still become an exception report; after that it breaks the answer off.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

from mapsos.columns.batches import Batch, MappedBatches
from mapsos.encodings.encoder import LayerAnswer
from mapsos.operations.layers.facts import source_errors
from mapsos.sources.query import LayerQuery
from mapsos.sources.read_ahead import read_ahead
from mapsos.terms.deadlines import current_deadline
from mapsos.web.messages import Chunk

Markup = TypeVar("Markup")
T = TypeVar("T")


@dataclass
class RowLimit:
    """How many rows an answer may hold, over all its layers, None for no limit; and how many it has so far."""

    most: int | None
    rows: int = 0

    def cut(self, batch: Batch) -> Batch:
        """The batch, or the part of it that is still allowed; what is returned is counted."""
        if self.most is not None and batch.rows > self.most - self.rows:
            batch = batch.slice(0, self.most - self.rows)
        self.rows += batch.rows
        return batch

    @property
    def reached(self) -> bool:
        """Whether no row is left."""
        return self.most is not None and self.rows >= self.most


class BatchStream:
    """The batches of one layer, opened and with the first batch read when made. Raises ServiceError (D-33)."""

    def __init__(
        self, query: LayerQuery, transform: Callable[[Iterator[Batch]], Generator[Batch]] | None = None
    ) -> None:
        from mapsos.sources.layer import open_layer

        self._batch_rows = query.batch_rows
        self._closing = contextlib.ExitStack()
        try:
            with source_errors():
                layer = self._closing.enter_context(open_layer(query.source))
                self._batches = layer.read(query)
                self._closing.callback(self._batches.close)
                if transform is not None:
                    self._batches = transform(self._batches)
                    self._closing.callback(self._batches.close)
                self._begun = [batch for batch in (next(self._batches, None),) if batch is not None]
        except BaseException:
            self._closing.close()
            raise

    def count(self) -> int | None:
        """How many rows there are, if that shows after at most one more batch, which is kept; else None."""
        if self._begun and len(self._begun) < 2:
            with source_errors():
                self._begun += [batch for batch in (next(self._batches, None),) if batch is not None]
        return sum(batch.rows for batch in self._begun) if len(self._begun) < 2 else None

    def read(self, limit: RowLimit, make: Callable[[Batch], T]) -> Iterator[T]:
        """What ``make`` makes of the batches within the limit, once: one ahead, in another thread.

        The reader is closed at the end or when this is closed.
        """
        with self:
            made: Iterator[T] = (make(batch) for batch in self._cut(limit))
            # A thread is worth its while only where more than the first batch is to come.
            if self._begun and self._begun[-1].rows == self._batch_rows:
                made = ahead = read_ahead(made)
                self._closing.callback(ahead.close)
            yield from made

    def _cut(self, limit: RowLimit) -> Iterator[Batch]:
        while not limit.reached:
            batch = self._begun.pop(0) if self._begun else next(self._batches, None)
            if batch is None:
                return
            yield limit.cut(batch)

    def close(self) -> None:
        """Stop reading and release the data source."""
        self._closing.close()

    def __enter__(self) -> BatchStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Reading(MappedBatches):
    """The batches of a stream within a limit."""

    def __init__(self, stream: BatchStream, limit: RowLimit) -> None:
        self._stream = stream
        self._limit = limit

    def map(self, make: Callable[[Batch], T]) -> Iterator[T]:
        return self._stream.read(self._limit, make)


@dataclass(frozen=True)
class LayerQuestion(Generic[Markup]):
    """What one layer is asked, what its encoder is told of it, and what is made of its batches before."""

    query: LayerQuery
    markup: Markup
    transform: Callable[[Iterator[Batch]], Generator[Batch]] | None = None


class ObservationBody(Generic[Markup]):
    """The chunks of an answer. Made, it has read the first batch of every layer; closed, it has released them all.

    Chunks are made with the context variables of when it was made, whatever thread asks for them: after the response
    has begun, its request's deadline and id are no longer those of the caller. Iterating raises DeadlineError when the
    time of that request is over.

    Parameters
    ----------
    write
        Writes the document, given its layers (`Encoder.write` without its first argument).
    questions
        The layers in the order of the answer.
    most
        How many observations the whole answer may hold, None for no limit.
    """

    def __init__(
        self,
        write: Callable[[Sequence[LayerAnswer[Markup]]], Iterator[Chunk]],
        questions: Iterable[LayerQuestion[Markup]],
        most: int | None,
    ) -> None:
        self._write = write
        self._limit = RowLimit(most)
        self._deadline = current_deadline()
        self._context = copy_context()
        self._chunks: Iterator[Chunk] | None = None
        self._first: Chunk | None = None
        self._layers: list[tuple[BatchStream, LayerQuestion[Markup]]] = []
        try:
            for question in questions:
                self._layers.append((BatchStream(question.query, question.transform), question))
        except BaseException:
            self.close()
            raise

    def count_written(self) -> int:
        """How many rows have been handed to the encoder so far."""
        return self._limit.rows

    def count_all(self) -> int | None:
        """How many rows all layers have, without a limit, if that shows after another batch of each; else None."""
        counts = [stream.count() for stream, _ in self._layers]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def list_layers(self) -> list[LayerAnswer[Markup]]:
        """Return the layers for an encoder. Their batches can be read once."""
        return [LayerAnswer(question.markup, _Reading(stream, self._limit)) for stream, question in self._layers]

    def begin(self) -> None:
        """Write the first chunk, which is kept: what fails until then can still be reported. Raises ServiceError."""
        self._chunks = self._write(self.list_layers())
        with source_errors():
            self._first = next(self._chunks, None)

    def __iter__(self) -> Iterator[Chunk]:
        try:
            if self._chunks is None:
                self._context.run(self.begin)
            if self._first is None or self._chunks is None:
                return
            yield self._first
            self._first = None
            while (chunk := self._context.run(next, self._chunks, None)) is not None:
                self._deadline.check()
                yield chunk
        finally:
            self.close()

    def close(self) -> None:
        """Stop reading and release the data sources."""
        if self._chunks is not None:
            # What the encoder keeps, in files too, goes with it.
            getattr(self._chunks, "close", lambda: None)()
        for stream, _ in self._layers:
            stream.close()
