"""Which encoder answers which response format and result model: where another format plugs in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from mapsos.batches import Batch
from mapsos.encodings.markup import CollectionMarkup, DataBlockMarkup, MeasurementMarkup
from mapsos.http import Chunk

OM_XML = 'text/xml; subtype="om/1.0.0"'
MEASUREMENT = "om:Measurement"
OBSERVATION = "om:Observation"

Markup = TypeVar("Markup", MeasurementMarkup, DataBlockMarkup)


@dataclass(frozen=True)
class Encoder(Generic[Markup]):
    """How observations are written in one response format and result model.

    ``encode_layer`` gives the members of one layer, ``encode_collection`` the document around the members of all
    layers; ``needs_geometry`` tells whether batches shall carry geometries.
    """

    markup: type[Markup]
    encode_layer: Callable[[Markup, Iterable[Batch]], Iterator[Chunk]]
    encode_collection: Callable[[CollectionMarkup, Iterable[Chunk]], Iterator[Chunk]]
    needs_geometry: bool


def find_encoder(response_format: str, result_model: str) -> Encoder[MeasurementMarkup] | Encoder[DataBlockMarkup]:
    """The encoder of a response format and result model, compared without regard to case. KeyError if there is none."""
    from mapsos.encodings.collection import encode_collection
    from mapsos.encodings.datablock import encode_datablocks
    from mapsos.encodings.measurement import encode_measurements

    encoders: dict[tuple[str, str], Encoder[MeasurementMarkup] | Encoder[DataBlockMarkup]] = {
        (OM_XML, MEASUREMENT): Encoder(MeasurementMarkup, encode_measurements, encode_collection, True),
        (OM_XML, OBSERVATION): Encoder(DataBlockMarkup, encode_datablocks, encode_collection, False),
    }
    wanted = (response_format.lower(), result_model.lower())
    return {(key[0].lower(), key[1].lower()): encoder for key, encoder in encoders.items()}[wanted]
