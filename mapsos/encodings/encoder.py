"""What an encoder of observations is: how one response format is written, and what it needs for that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mapsos.columns.batches import Batch
from mapsos.encodings.layer_description import LayerDescription
from mapsos.encodings.markup import CollectionMarkup
from mapsos.terms.crs import Crs
from mapsos.web.messages import Chunk

Markup = TypeVar("Markup")


@dataclass(frozen=True)
class Needs:
    """What the batches of a layer shall carry: names of columns (as `LayerQuery` has them), and geometries or not.

    ``crs`` is the CRS that the format has its geometries in whatever the request says, None for that of the request.
    """

    texts: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    geometry: bool = False
    crs: Crs | None = None


@dataclass(frozen=True)
class LayerAnswer(Generic[Markup]):
    """One layer of an answer: what an encoder is told of it, and its batches, which can be read once.

    Batches come in the order of layers: those of a layer are to be read (or left) before those of the next.
    """

    markup: Markup
    batches: Iterable[Batch]


@dataclass(frozen=True)
class Encoder(Generic[Markup]):
    """How observations are written in one response format and result model. `mapsos.encodings.registry` lists them.

    Attributes
    ----------
    describe
        Derives from the description of a layer what this format writes of it: an instance of its own markup class.
    needs
        What the batches of a layer shall carry, by its markup.
    write
        Writes the whole answer of the collection's markup and the layers. Nothing is read before the first chunk is
        asked for, and no chunk goes out before the first batch has been asked for, so that what fails until then can
        still be reported. Memory: a few batches.
    """

    describe: Callable[[LayerDescription], Markup]
    needs: Callable[[Markup], Needs]
    write: Callable[[CollectionMarkup, Sequence[LayerAnswer[Markup]]], Iterator[Chunk]]
