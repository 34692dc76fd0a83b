"""The om:ObservationCollection of a GetObservation response (docs/mapserver-sos.md, "Observation collection")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from mapsos.columns.batches import Batch
from mapsos.columns.xml_text import escape_attribute, escape_text
from mapsos.encodings.encoder import LayerAnswer
from mapsos.encodings.mapserver.member_markup import encode_prefix, indent, write_envelope
from mapsos.encodings.markup import CollectionMarkup
from mapsos.web.messages import Chunk

_CLOSING = b"</om:ObservationCollection>\n"
_USER_NAMESPACE = "http://mapserver.gis.umn.edu/mapserver"

Markup = TypeVar("Markup")


def write_members(
    encode_layer: Callable[[Markup, Iterable[Batch]], Iterator[Chunk]],
) -> Callable[[CollectionMarkup, Sequence[LayerAnswer[Markup]]], Iterator[Chunk]]:
    """Return the writer of a response (`Encoder.write`), given the one of the members of a layer."""

    def write(collection: CollectionMarkup, layers: Sequence[LayerAnswer[Markup]]) -> Iterator[Chunk]:
        members = (chunk for layer in layers for chunk in encode_layer(layer.markup, layer.batches))
        return encode_collection(collection, members)

    return write


def encode_collection(markup: CollectionMarkup, members: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield the document around the chunks of its members.

    Nothing is yielded before the first chunk is available, so that failures until then can still be reported. Without
    members, description, name and extent the root is a self-closed element.
    """
    chunks = (chunk for chunk in members if chunk)
    first = next(chunks, None)
    if first is None and not _heading(markup):
        yield _declare(markup, "/>").encode()
        return
    yield open_collection(markup)
    if first is not None:
        yield first
        yield from chunks
    yield close_collection()


def open_collection(markup: CollectionMarkup) -> bytes:
    """Return the document up to its first member: the declaration, the root, description, name and extent."""
    return (_declare(markup, ">") + _heading(markup)).encode()


def close_collection() -> bytes:
    """Return the end of a document that `open_collection` began.

    An empty root then has a start and an end tag, which is the same to every parser as the self-closed element of
    `encode_collection`.
    """
    return _CLOSING


def _declare(markup: CollectionMarkup, end: str) -> str:
    prefix = encode_prefix(markup.namespace_prefix)
    user_namespace = markup.namespace_uri or _USER_NAMESPACE
    namespaces = (
        ("gml", "http://www.opengis.net/gml"),
        ("ows", "http://www.opengis.net/ows/1.1"),
        ("swe", "http://www.opengis.net/swe/1.0.1"),
        ("xlink", "http://www.w3.org/1999/xlink"),
        ("xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ("sos", "http://www.opengis.net/sos/1.0"),
        (prefix, user_namespace),
        ("om", "http://www.opengis.net/om/1.0"),
    )
    locations = (
        f"http://www.opengis.net/om/1.0 {markup.schemas}/om/1.0.0/om.xsd {user_namespace} {markup.feature_type_url}"
    )
    attributes = (
        *((f"xmlns:{name}", uri) for name, uri in namespaces),
        ("gml:id", markup.id),
        ("xsi:schemaLocation", locations),
    )
    written = "".join(f' {name}="{escape_attribute(value)}"' for name, value in attributes)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<om:ObservationCollection{written}{end}\n'


def _heading(markup: CollectionMarkup) -> str:
    texts = (("gml:description", markup.description), ("gml:name", markup.name))
    lines = indent(1, *(write_element(element, text) for element, text in texts if text is not None))
    return lines + (write_envelope(1, markup.envelope) if markup.envelope else "")


def write_element(name: str, text: str) -> str:
    """Return an element that contains plain text."""
    return f"<{name}>{escape_text(text)}</{name}>" if text else f"<{name}/>"
