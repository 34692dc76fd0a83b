"""Read a mapfile as a `Service`."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping

from mapsos.files.identity import Identity
from mapsos.mapfile.blocks import Attribute, Block, parse_blocks
from mapsos.mapfile.connections import read_connection, read_shape
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.expressions import read_filter
from mapsos.mapfile.metadata import Entry, Metadata, collect_entries, split_list, value_kind
from mapsos.mapfile.model import (
    FEATURE_TEXTS,
    SENSOR_TEXTS,
    AccessRules,
    Extent,
    FeatureMetadata,
    Field,
    Identification,
    ObservationLayer,
    ObservedProperty,
    Provider,
    SensorMetadata,
    Service,
)
from mapsos.mapfile.projections import read_projection
from mapsos.mapfile.tokens import Token, decode, stream_tokens
from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import EVERYTHING
from mapsos.terms.values import dataclass

_REFERENCES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_REFERENCE = re.compile(f"&({'|'.join(_REFERENCES)});")


def read_service(path: str) -> Service:
    """Read a mapfile and its INCLUDEs. No data source is opened.

    Costs some milliseconds for ten layers. To answer requests, use `mapsos.mapfile.catalog.ServiceCatalog`.

    Raises
    ------
    MapfileError
        A file cannot be read or parsed, or a layer with an offering id has a connection type, TYPE, PROJECTION or
        FILTER that mapsos does not support. Layers without an offering id are not checked.
    """
    return read_identified_service(path)[0]


def read_identified_service(path: str) -> tuple[Service, tuple[Identity, ...]]:
    """Return the service as `read_service` does, and the identities of its files, taken before they were read."""
    parsed = parse_map(path)
    return parsed.service, parsed.identities


@dataclass(frozen=True)
class ParsedMap:
    """A mapfile in all forms that reading it goes through: words, blocks and service, from the same state of its files.

    ``identities`` are those of the files, taken before they were read.
    """

    tokens: tuple[Token, ...]
    tree: Block
    service: Service
    identities: tuple[Identity, ...]


def parse_map(path: str) -> ParsedMap:
    """Read a mapfile as `read_service` does, and return what it was made of too, for `mapsos check`."""
    files: dict[str, Identity] = {}
    tokens: list[Token] = []
    file = os.path.abspath(path)
    try:
        tree = parse_blocks(_collect(stream_tokens(path, files), tokens), file)
        return ParsedMap(tuple(tokens), tree, build_service(tree, file), tuple(files.values()))
    except MapfileError as error:
        error.identities = tuple(files.values())
        raise


def _collect(words: Iterator[Token], tokens: list[Token]) -> Iterator[Token]:
    for word in words:
        tokens.append(word)
        yield word


def build_service(map_block: Block, file: str) -> Service:
    """Build the service of a parsed map.

    Parameters
    ----------
    file
        The mapfile.

    Raises
    ------
    MapfileError
        As for `read_service`.
    """
    encoding = map_block.text("encoding")
    web = web_metadata(map_block)
    layers = [(block, layer_metadata(block, encoding)) for block in map_block.inner("layer")]
    return Service(
        name=decode(map_block.text("name") or "MS", encoding),
        identification=_identification(web),
        provider=_provider(web),
        online_resource=web.text("onlineresource"),
        srs=_words(web.text("srs")),
        update_sequence=web.text("updatesequence"),
        max_features=web.text("maxfeatures"),
        max_rows=web.text("maxrows"),
        namespace_uri=_or(web.text("namespace_uri"), Service.namespace_uri),
        namespace_prefix=_or(web.text("namespace_prefix"), Service.namespace_prefix),
        block_separator=_or(web.text("encoding_blockSeparator"), Service.block_separator),
        token_separator=_or(web.text("encoding_tokenSeparator"), Service.token_separator),
        schemas_location=_or(web.text("schemas_location"), Service.schemas_location),
        language=web.text("language") or Service.language,
        extent=_extent(map_block.last("extent")),
        crs=_crs(map_block, "the MAP"),
        access=_access(web),
        layers=tuple(_layers(map_block, layers, file, encoding)),
        other_access=tuple(dict.fromkeys(_list_other_access(layers))),
        vendor_parameters=tuple((web.text("vendor_parameters") or "").lower().split()),
        conformance=tuple(dict.fromkeys((web.text("conformance") or "").lower().split())) or Service.conformance,
        file=file,
        keys=web.lines(),
    )


def web_metadata(map_block: Block) -> Metadata:
    """Return the METADATA of WEB, and of MAP itself, where old maps have it."""
    blocks = [block for web in map_block.inner("web") for block in web.inner("metadata")]
    return Metadata("web", collect_entries([*map_block.inner("metadata"), *blocks], map_block.text("encoding")))


def layer_metadata(layer: Block, encoding: str | None) -> Metadata:
    """Return the METADATA of a LAYER. ``encoding`` is the ENCODING of MAP."""
    return Metadata("layer", collect_entries(layer.inner("metadata"), layer.text("encoding") or encoding))


def _layers(
    map_block: Block, layers: list[tuple[Block, Metadata]], map_file: str, encoding: str | None
) -> Iterator[ObservationLayer]:
    folder, shape_path = os.path.dirname(map_file), map_block.text("shapepath") or ""
    for block, metadata in layers:
        if metadata.find("offering_id") is not None:
            yield _layer(block, metadata, folder, shape_path, encoding)


def _list_other_access(layers: list[tuple[Block, Metadata]]) -> Iterator[AccessRules]:
    """Yield the access rules of the layers without an offering id."""
    for _, metadata in layers:
        if metadata.find("offering_id") is None:
            yield _access(metadata)


def _layer(
    block: Block, metadata: Metadata, folder: str, shape_path: str, map_encoding: str | None
) -> ObservationLayer:
    encoding = block.text("encoding")
    name = decode(block.text("name") or "", encoding or map_encoding)
    procedures = metadata.text("procedure")
    return ObservationLayer(
        name=name,
        source=_source(block, name, folder, shape_path, encoding or map_encoding),
        offering_id=metadata.text("offering_id") or "",
        offering_name=_without_references(metadata.text("offering_name")),
        offering_description=_without_references(metadata.text("offering_description")),
        offering_extent=metadata.text("offering_extent"),
        offering_time_extent=metadata.text("offering_timeextent"),
        intended_application=_without_references(metadata.text("offering_intendedapplication")),
        observed_property=_observed_property(metadata),
        fields=_fields(metadata),
        procedure_text=procedures,
        procedures=split_list(procedures, " ") if procedures else None,
        procedure_item=metadata.text("procedure_item") or None,
        describe_sensor_url=metadata.text("describesensor_url"),
        time_item=metadata.text("timeitem") or None,
        srs=metadata.text("srs"),
        feature_id_item=metadata.text("featureid") or None,
        access=_access(metadata),
        file=block.file,
        line=block.line,
        keys=metadata.lines(),
        sensor=_sensor(metadata),
        feature=FeatureMetadata(*_texts_and_items(metadata, "feature", FEATURE_TEXTS)),
    )


def _source(block: Block, name: str, folder: str, shape_path: str, text_encoding: str | None) -> LayerSource:
    processing = list(_processing(block))
    items = next((value for key, value in reversed(processing) if key == "items"), None)
    item_names = tuple(item.strip() for item in items.split(",")) if items else None
    connection = read_connection(block, name, folder, shape_path, item_names, text_encoding)
    native_filters = [value for key, value in processing if key == "native_filter" and value.strip()]
    expression = block.last("filter")
    return LayerSource(
        layer=name,
        kind=connection.kind,
        connection=connection.connection,
        data=connection.data,
        shape=read_shape(block, name),
        crs=_crs(block, f'LAYER "{name}"'),
        row_filter=(
            read_filter(expression.values[0], block.text("filteritem"), name, text_encoding)
            if expression
            else EVERYTHING
        ),
        native_filter=native_filters[-1] if native_filters else None,
        max_features=_max_features(block, name),
        encoding=block.text("encoding") or None,
        open_options=connection.open_options,
        item_names=connection.item_names,
        features=connection.features,
        file=block.file,
        line=block.line,
    )


def _processing(block: Block) -> Iterator[tuple[str, str]]:
    for attribute in block.attributes:
        if attribute.key == "processing":
            key, _, value = attribute.text.partition("=")
            yield key.strip().lower(), value


def _max_features(block: Block, name: str) -> int | None:
    attribute = block.last("maxfeatures")
    if attribute is None:
        return None
    try:
        number = int(attribute.text)
    except ValueError:
        raise MapfileError(
            attribute.file,
            attribute.line,
            f'LAYER "{name}": MAXFEATURES: expected an integer, got {attribute.text}',
            fault="number",
        ) from None
    return number if number >= 0 else None


def _crs(block: Block, owner: str) -> Crs | None:
    attribute = block.last("projection")
    return read_projection(attribute.values, owner) if attribute else None


def _extent(attribute: Attribute | None) -> Extent | None:
    """Return EXTENT of MAP. None if absent or without area, which MapServer treats as unset."""
    try:
        minx, miny, maxx, maxy = [float(token.text) for token in (attribute.values if attribute else ())]
    except ValueError:
        return None
    if not all(map(math.isfinite, (minx, miny, maxx, maxy))) or minx >= maxx or miny >= maxy:
        return None
    return Extent(minx, miny, maxx, maxy)


def _access(metadata: Metadata) -> AccessRules:
    return AccessRules(
        metadata.pair("enable_request"),
        metadata.text("allowed_ip_list"),
        metadata.text("denied_ip_list"),
        metadata.text("require_key"),
    )


def _observed_property(metadata: Metadata) -> ObservedProperty | None:
    identifier = metadata.text("observedproperty_id")
    if identifier is None:
        return None
    return ObservedProperty(
        identifier,
        metadata.text("observedproperty_name"),
        _or(metadata.text("observedproperty_authority"), ObservedProperty.authority),
        _or(metadata.text("observedproperty_version"), ObservedProperty.version),
    )


def _sensor(metadata: Metadata) -> SensorMetadata:
    describe = metadata.text("describesensor")
    return SensorMetadata(
        describe.strip().lower() if describe else None,
        metadata.text("sensorml_template") or None,
        metadata.text("sensor_validtime") or None,
        *_texts_and_items(metadata, "sensor", SENSOR_TEXTS),
    )


def _texts_and_items(
    metadata: Metadata, subject: str, names: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the values of sos_<subject>_<name> and the columns of sos_<subject>_<name>_item, by name."""
    texts = {name: metadata.text(f"{subject}_{name}") for name in names}
    items = {name: metadata.text(f"{subject}_{name}_item") for name in names}
    return {name: text for name, text in texts.items() if text}, {name: item for name, item in items.items() if item}


def _fields(metadata: Metadata) -> dict[str, Field]:
    found: dict[str, dict[str, Entry]] = {}
    spelled: dict[str, str] = {}
    for item, what, entry in metadata.item_keys():
        found.setdefault(item.lower(), {})[what] = entry
        spelled.setdefault(item.lower(), item)
    return {name: _field(spelled[name], entries) for name, entries in found.items()}


def _field(item: str, entries: Mapping[str, Entry]) -> Field:
    texts = {what: entry.text for what, entry in entries.items()}
    chief = entries.get("alias") or next(iter(entries.values()))
    return Field(
        item,
        texts.get("alias"),
        texts.get("definition"),
        texts.get("uom"),
        value_kind(texts.get("type", "")),
        chief.key,
        chief.file,
        chief.line,
    )


def _identification(web: Metadata) -> Identification:
    keywords = web.text("keywordlist")
    return Identification(
        web.text("title"),
        web.text("abstract"),
        split_list(keywords, ",") if keywords is not None else None,
        web.text("fees"),
        web.text("accessconstraints"),
    )


def _provider(web: Metadata) -> Provider:
    return Provider(
        organization=web.text("contactorganization"),
        site=web.text("service_onlineresource"),
        person=web.text("contactperson"),
        position=web.text("contactposition"),
        voice_telephone=web.text("contactvoicetelephone"),
        facsimile_telephone=web.text("contactfacsimiletelephone"),
        address_type=web.text("addresstype"),
        address=web.text("address"),
        city=web.text("city"),
        state_or_province=web.text("stateorprovince"),
        postcode=web.text("postcode"),
        country=web.text("country"),
        electronic_mail_address=web.text("contactelectronicmailaddress"),
        hours_of_service=web.text("hoursofservice"),
        contact_instructions=web.text("contactinstructions"),
        role=web.text("role"),
    )


def _words(text: str | None) -> tuple[str, ...] | None:
    return split_list(text, " ") if text is not None else None


def _or(text: str | None, default: str) -> str:
    return text if text is not None else default


def _without_references(text: str | None) -> str | None:
    """Resolve the entity references in a value of the three keys that MapServer writes without escaping.

    In maps written for MapServer ``&amp;`` stands for an ampersand. Every other ampersand is plain text (D-16).
    """
    if text is None or "&" not in text:
        return text
    return _REFERENCE.sub(lambda found: _REFERENCES[found[1]], text)
