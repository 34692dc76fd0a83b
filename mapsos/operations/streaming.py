"""From questions to a stream of batches: every layer's first batch before the answer starts, all readers closed after.

An error while the first batches are read can still become an exception report; after that it breaks the answer off.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from mapsos.batches import Batch
from mapsos.operations.layer_meaning import refuse_source
from mapsos.sources.errors import SourceError
from mapsos.sources.query import LayerQuery


@dataclass
class RowLimit:
    """How many rows an answer may still hold, over all its layers; None for no limit."""

    left: int | None

    def cut(self, batch: Batch) -> Batch:
        """The batch, or the part of it that is still allowed; what is returned is counted."""
        if self.left is None:
            return batch
        kept = batch if batch.rows <= self.left else batch.slice(0, self.left)
        self.left -= kept.rows
        return kept

    @property
    def reached(self) -> bool:
        """Whether no row is left."""
        return self.left is not None and self.left <= 0


class BatchStream:
    """The batches of one layer, opened and with the first batch read when made. Raises OwsException (D-33)."""

    def __init__(self, query: LayerQuery) -> None:
        from mapsos.sources.layers import open_layer

        self._closing = contextlib.ExitStack()
        try:
            layer = self._closing.enter_context(open_layer(query.source))
            self._batches = layer.read(query)
            self._closing.callback(self._batches.close)  # type: ignore[attr-defined]
            self._first = next(self._batches, None)
        except SourceError as error:
            self._closing.close()
            raise refuse_source(error) from error
        except BaseException:
            self._closing.close()
            raise

    @property
    def empty(self) -> bool:
        """Whether the layer answers no row."""
        return self._first is None

    def batches(self, limit: RowLimit) -> Iterator[Batch]:
        """The batches within the limit, once; the reader is closed at the end or when this is closed."""
        with self:
            batch, self._first = self._first, None
            while batch is not None and not limit.reached:
                kept = limit.cut(batch)
                if kept.rows:
                    yield kept
                batch = next(self._batches, None)

    def close(self) -> None:
        """Stop reading and release the data source."""
        self._closing.close()

    def __enter__(self) -> BatchStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
