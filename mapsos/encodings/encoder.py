"""The interface of an encoder of observations: it writes one response format, and states which columns it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from mapsos.columns.batches import Batch
from mapsos.encodings.layer_description import LayerDescription
from mapsos.encodings.markup import CollectionMarkup
from mapsos.terms.crs import Crs
from mapsos.terms.values import dataclass
from mapsos.web.messages import Chunk

Markup = TypeVar("Markup")


@dataclass(frozen=True)
class Needs:
    """The columns and geometries that the batches of a layer must contain.

    Attributes
    ----------
    texts, values, times
        Names of columns, as in `LayerQuery`.
    geometry
        Whether geometries are needed.
    crs
        The CRS that the format requires for geometries, None for that of the request.
    """

    texts: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    geometry: bool = False
    crs: Crs | None = None


@dataclass(frozen=True)
class LayerAnswer(Generic[Markup]):
    """One layer of a response: its markup for the encoder, and its batches, which can be read once.

    Read (or leave) the batches of a layer before those of the next.
    """

    markup: Markup
    batches: Iterable[Batch]


@dataclass(frozen=True)
class Encoder(Generic[Markup]):
    """An encoder of one response format and result model. `mapsos.encodings.registry` lists them.

    Attributes
    ----------
    describe
        Returns the format's own markup of a layer from its description.
    needs
        Returns what the batches of a layer must contain, from its markup.
    write
        Writes the response from the collection's markup and the layers. Nothing is read before the first chunk is
        requested. Chunks may be yielded before a batch is requested, so they show no failure of the data: to report
        those, the caller reads the first batch of every layer beforehand. Memory: a few batches.
    """

    describe: Callable[[LayerDescription], Markup]
    needs: Callable[[Markup], Needs]
    write: Callable[[CollectionMarkup, Sequence[LayerAnswer[Markup]]], Iterator[Chunk]]
