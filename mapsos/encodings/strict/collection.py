"""The valid om:ObservationCollection around the members of an answer (OGC 07-022r1, clause 7.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from mapsos.columns.batches import Batch
from mapsos.columns.xml_text import encode_name, encode_uri, escape_attribute
from mapsos.encodings.encoder import LayerAnswer
from mapsos.encodings.mapserver.collection import close_collection, write_element
from mapsos.encodings.mapserver.member_markup import indent
from mapsos.encodings.markup import CollectionMarkup, Envelope
from mapsos.encodings.strict.identifiers import INAPPLICABLE, write_corners
from mapsos.web.messages import Chunk

_NAMESPACES = (
    ("gml", "http://www.opengis.net/gml"),
    ("swe", "http://www.opengis.net/swe/1.0.1"),
    ("xlink", "http://www.w3.org/1999/xlink"),
    ("xs", "http://www.w3.org/2001/XMLSchema"),
    ("xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    ("om", "http://www.opengis.net/om/1.0"),
)

Markup = TypeVar("Markup")

EncodeLayer = Callable[[str, Markup, Iterable[Batch]], Iterator[Chunk]]
"""Writes the members of one layer, given the prefix of their gml:ids."""


def write_strict_members(
    encode_layer: EncodeLayer[Markup], schema: str
) -> Callable[[CollectionMarkup, Sequence[LayerAnswer[Markup]]], Iterator[Chunk]]:
    """Return the writer of a response (`Encoder.write`), given the one of a layer and the schema below om/1.0.0.

    Ids begin with the index of the layer, and with a letter that the id of the collection does not begin with, so that
    all differ. A response without any member has the nil member.
    """

    def write(collection: CollectionMarkup, layers: Sequence[LayerAnswer[Markup]]) -> Iterator[Chunk]:
        id_ = encode_name(collection.id)
        letter = "m" if id_.startswith("o") else "o"
        members = (
            chunk
            for number, layer in enumerate(layers, 1)
            for chunk in encode_layer(f"{letter}{number}_", layer.markup, layer.batches)
            if chunk
        )
        first = next(members, None)
        yield _open(collection, id_, schema)
        if first is None:
            yield f'  <om:member xlink:href="{INAPPLICABLE}"/>\n'.encode()
        else:
            yield first
            yield from members
        yield close_collection()

    return write


def _open(markup: CollectionMarkup, id_: str, schema: str) -> bytes:
    attributes = (
        *((f"xmlns:{prefix}", uri) for prefix, uri in _NAMESPACES),
        ("gml:id", id_),
        ("xsi:schemaLocation", f"http://www.opengis.net/om/1.0 {encode_uri(markup.schemas)}/om/1.0.0/{schema}"),
    )
    written = "".join(f' {name}="{escape_attribute(value)}"' for name, value in attributes)
    texts = (("gml:description", markup.description), ("gml:name", markup.name))
    lines = indent(1, *(write_element(name, text) for name, text in texts if text is not None))
    extent = "" if markup.envelope is None else write_strict_envelope(markup.envelope)
    root = f'<?xml version="1.0" encoding="UTF-8"?>\n<om:ObservationCollection{written}>\n'
    return (root + lines + extent).encode()


def write_strict_envelope(envelope: Envelope) -> str:
    """Return a gml:boundedBy with the URN of its CRS and in the axis order of that CRS."""
    urn, lower, upper = write_corners(envelope)
    attribute = "" if urn is None else f' srsName="{escape_attribute(urn)}"'
    return (
        indent(1, "<gml:boundedBy>")
        + indent(2, f"<gml:Envelope{attribute}>")
        + indent(3, f"<gml:lowerCorner>{lower}</gml:lowerCorner>")
        + indent(3, f"<gml:upperCorner>{upper}</gml:upperCorner>")
        + indent(2, "</gml:Envelope>")
        + indent(1, "</gml:boundedBy>")
    )
