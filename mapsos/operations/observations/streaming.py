"""Stream batches of layers: the first batch of each layer is read before the answer starts, readers are closed after.

An error in a first batch can still become an exception report. A later one breaks off the answer. Where a database has
no further connection for an answer that has one, the remaining layers are opened when it is their turn, one after the
other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Generic, TypeVar

from mapsos.columns.batches import Batch, MappedBatches
from mapsos.encodings.encoder import LayerAnswer
from mapsos.operations.layers.open_layers import read_layer, source_errors
from mapsos.sources.drivers.postgres.connections import without_waiting
from mapsos.sources.query import LayerQuery
from mapsos.sources.read_ahead import read_ahead
from mapsos.terms.deadlines import BusyError, DeadlineError, current_deadline
from mapsos.web.messages import Chunk

Markup = TypeVar("Markup")
T = TypeVar("T")

_FEW_ROWS = 16_384
"""Maximum rows in memory of a query that several questions share: more are read anew for each."""


@dataclass
class RowLimit:
    """The maximum number of rows of an answer over all its layers, None for no limit; and the number so far."""

    most: int | None
    rows: int = 0

    def cut(self, batch: Batch) -> Batch:
        """Return the batch, or the part of it within the limit, and count its rows."""
        if self.most is not None and batch.rows > self.most - self.rows:
            batch = batch.slice(0, self.most - self.rows)
        self.rows += batch.rows
        return batch

    @property
    def reached(self) -> bool:
        """Return whether the answer has the maximum number of rows."""
        return self.most is not None and self.rows >= self.most


def _nothing() -> Generator[Batch]:
    yield from ()


class BatchStream:
    """The batches of one layer. The constructor opens it and reads the first batch; it raises ServiceError (D-33).

    With ``later`` it does so when the batches are read.
    """

    def __init__(
        self,
        query: LayerQuery,
        transform: Callable[[Iterator[Batch]], Generator[Batch]] | None = None,
        *,
        later: bool = False,
    ) -> None:
        self._batch_rows = query.batch_rows
        self._ended = False
        self._closing = contextlib.ExitStack()
        self._batches = _nothing()
        self._begun: list[Batch] = []
        self._later: Callable[[], None] | None = partial(self._open, query, transform)
        if not later:
            self._open_now()

    def _open_now(self) -> None:
        begin, self._later = self._later, None
        if begin is not None:
            begin()

    def _open(
        self, query: LayerQuery, transform: Callable[[Iterator[Batch]], Generator[Batch]] | None
    ) -> None:
        try:
            layer = self._closing.enter_context(read_layer(query.source))
            with source_errors():
                self._batches = layer.read(query)
                self._closing.callback(self._batches.close)
                if transform is not None:
                    self._batches = transform(self._batches)
                    self._closing.callback(self._batches.close)
                self._begun = [batch for batch in (next(self._batches, None),) if batch is not None]
                if query.source.is_postgresql and self._is_short(query):
                    self._end_soon()
        except BaseException:
            self._closing.close()
            raise

    def _is_short(self, query: LayerQuery) -> bool:
        """Return whether the first batch is probably the only one, of few rows."""
        return not self._begun or self._begun[-1].rows < min(query.batch_rows, _FEW_ROWS)

    def _end_soon(self) -> None:
        """Read the batch after the first one; where none is left, release the connection before others are opened."""
        batch = next(self._batches, None) if self._begun else None
        if batch is not None:
            self._begun.append(batch)
        else:
            self._ended = True
            self._closing.close()

    @classmethod
    def repeat(cls, batches: Sequence[Batch], batch_rows: int) -> BatchStream:
        """Return a stream of batches that have been read."""
        stream = cls.__new__(cls)
        stream._batch_rows = batch_rows
        stream._closing = contextlib.ExitStack()
        stream._later = None
        stream._batches = _nothing()
        stream._begun = list(batches)
        stream._ended = True
        return stream

    @property
    def is_open(self) -> bool:
        """Whether the stream holds its data source."""
        return self._later is None and not self._ended

    def gather(self, most: int) -> tuple[Batch, ...] | None:
        """Read the whole stream if it has at most about ``most`` rows, and return its batches. Loses no batch."""
        rows = sum(batch.rows for batch in self._begun)
        while rows <= most:
            with source_errors():
                batch = next(self._batches, None)
            if batch is None:
                self._ended = True
                return tuple(self._begun)
            self._begun.append(batch)
            rows += batch.rows
        return None

    def count(self) -> int | None:
        """Return the number of rows if it is known after one more batch at most, else None. Loses no batch."""
        if self._later is not None:
            return None
        if self._ended:
            return sum(batch.rows for batch in self._begun)
        if self._begun and len(self._begun) < 2:
            with source_errors():
                self._begun += [batch for batch in (next(self._batches, None),) if batch is not None]
        return sum(batch.rows for batch in self._begun) if len(self._begun) < 2 else None

    def read(self, limit: RowLimit, make: Callable[[Batch], T]) -> Iterator[T]:
        """Yield ``make`` of each batch within the limit. The next one is made ahead in another thread.

        Can be called once. The reader is closed at the end, or when the iterator is closed.
        """
        with self:
            self._open_now()
            made: Iterator[T] = (make(batch) for batch in self._cut(limit))
            # A thread is only worthwhile for more than one batch.
            if self._begun and self._begun[-1].rows == self._batch_rows:
                made = ahead = read_ahead(made)
                self._closing.callback(ahead.close)
            yield from made

    def _cut(self, limit: RowLimit) -> Iterator[Batch]:
        while not limit.reached:
            batch = self._begun.pop(0) if self._begun else None if self._ended else next(self._batches, None)
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
    """The batches of a stream within the limit."""

    def __init__(self, stream: BatchStream, limit: RowLimit) -> None:
        self._stream = stream
        self._limit = limit

    def map(self, make: Callable[[Batch], T]) -> Iterator[T]:
        return self._stream.read(self._limit, make)


@dataclass(frozen=True)
class LayerQuestion(Generic[Markup]):
    """The query for one layer, its description for the encoder, and a transformation of its batches.

    ``shared`` is a query with the columns of several questions about the same rows of a layer: if the rows are few,
    they are read once for all of them.
    """

    query: LayerQuery
    markup: Markup
    transform: Callable[[Iterator[Batch]], Generator[Batch]] | None = None
    shared: LayerQuery | None = None


def _open_stream(
    question: LayerQuestion[Markup], shared: dict[LayerQuery, tuple[Batch, ...] | None], *, later: bool = False
) -> BatchStream:
    """Open the stream of a question; ``shared`` has the batches of shared queries, None for those of many rows.

    With ``later`` the stream is opened when it is read, unless its batches are known.
    """
    query = question.shared
    if query is None:
        return BatchStream(question.query, question.transform, later=later)
    known = shared.get(query)
    if known is not None:
        return BatchStream.repeat(known, query.batch_rows)
    if query in shared or later:
        return BatchStream(question.query, later=later)
    stream = BatchStream(query)
    try:
        shared[query] = stream.gather(_FEW_ROWS)
    except BaseException:
        stream.close()
        raise
    return stream


class ObservationBody(Generic[Markup]):
    """The chunks of an answer. The constructor reads the first batch of every layer; `close` releases them all.

    Chunks are made with the context variables of the constructor, in any thread: after the response has begun, the
    caller no longer has the deadline and the id of the request. Iterating raises DeadlineError after the deadline.

    Parameters
    ----------
    write
        Writes the document of the layers (`Encoder.write` without its first argument).
    questions
        The layers in the order of the answer.
    most
        Maximum number of observations of the answer, None for no limit.
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
            shared: dict[LayerQuery, tuple[Batch, ...] | None] = {}
            later = False
            for question in questions:
                try:
                    with without_waiting():
                        stream = _open_stream(question, shared, later=later)
                except BusyError:
                    # With nothing open, it has waited in vain.
                    if not any(stream.is_open for stream, _ in self._layers):
                        raise
                    later = True
                    stream = _open_stream(question, shared, later=True)
                self._layers.append((stream, question))
        except BaseException:
            self.close()
            raise

    def count_written(self) -> int:
        """Return the number of rows that the encoder has got so far."""
        return self._limit.rows

    def count_all(self) -> int | None:
        """Return the number of rows of all layers if it is known after another batch of each, else None."""
        counts = [stream.count() for stream, _ in self._layers]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def check_aside(self, check: Callable[[], None]) -> None:
        """Run a check that opens layers before anything is read further.

        Where it lacks connections to a database it gets those of the streams, which begin anew when they are read.
        """
        try:
            check()
        except BusyError:
            if not any(stream.is_open for stream, _ in self._layers):
                raise
            for place, (stream, question) in enumerate(self._layers):
                if stream.is_open:
                    stream.close()
                    self._layers[place] = _open_stream(question, {}, later=True), question
            check()

    def list_layers(self) -> list[LayerAnswer[Markup]]:
        """Return the layers for an encoder. Their batches can be read once."""
        return [LayerAnswer(question.markup, _Reading(stream, self._limit)) for stream, question in self._layers]

    def begin(self) -> None:
        """Make the first chunk and store it: errors until then can still be reported. Raises ServiceError."""
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
            while (chunk := self._context.run(self._next_chunk, self._chunks)) is not None:
                yield chunk
        finally:
            self.close()

    def _next_chunk(self, chunks: Iterator[Chunk]) -> Chunk | None:
        """Return the next chunk; after the deadline, what the encoder has to say about it. Raises DeadlineError."""
        try:
            self._deadline.check()
        except DeadlineError as error:
            if isinstance(chunks, Generator):
                last: Chunk = chunks.throw(error)
                return last
            raise
        return next(chunks, None)

    def close(self) -> None:
        """Stop reading and release the data sources."""
        if self._chunks is not None:
            # This releases the state of the encoder, such as temporary files.
            getattr(self._chunks, "close", lambda: None)()
        for stream, _ in self._layers:
            stream.close()
