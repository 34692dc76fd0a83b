"""The model of a service: what a mapfile says, as frozen values. None means that the mapfile does not say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import ValueKind


def _freeze(value: object, *names: str) -> None:
    """Replace mappings of a value that is being made by copies that cannot be changed."""
    for name in names:
        object.__setattr__(value, name, MappingProxyType(dict(getattr(value, name))))


@dataclass(frozen=True)
class AccessRules:
    """Rules of access at one level, the map's or a layer's, as raw texts (docs/mapserver-sos.md, "Access").

    ``enable_request`` and the IP lists hold the ``sos_`` text first and the ``ows_`` text second, None where absent.
    """

    enable_request: tuple[str | None, str | None] = (None, None)
    allowed_ip_list: str | None = None
    denied_ip_list: str | None = None


@dataclass(frozen=True)
class Identification:
    """WEB metadata of ows:ServiceIdentification."""

    title: str | None = None
    abstract: str | None = None
    keyword_list: tuple[str, ...] | None = None
    fees: str | None = None
    access_constraints: str | None = None


@dataclass(frozen=True)
class Provider:
    """WEB metadata of ows:ServiceProvider."""

    organization: str | None = None
    site: str | None = None
    person: str | None = None
    position: str | None = None
    voice_telephone: str | None = None
    facsimile_telephone: str | None = None
    address_type: str | None = None
    address: str | None = None
    city: str | None = None
    state_or_province: str | None = None
    postcode: str | None = None
    country: str | None = None
    electronic_mail_address: str | None = None
    hours_of_service: str | None = None
    contact_instructions: str | None = None
    role: str | None = None


@dataclass(frozen=True)
class Field:
    """What a layer's metadata says of one item (column): keys sos_<item>_alias, _definition, _uom, _type."""

    item: str
    alias: str | None = None
    definition: str | None = None
    uom: str | None = None
    kind: ValueKind | None = None
    line: int = 0


@dataclass(frozen=True)
class ObservedProperty:
    """The phenomenon of a layer."""

    id: str
    name: str | None = None
    authority: str = "OGC-SWE"
    version: str = "1"


@dataclass(frozen=True)
class Extent:
    """A rectangle in x y order."""

    minx: float
    miny: float
    maxx: float
    maxy: float


CONFORMANCES = ("mapserver", "strict")
"""The words of sos_conformance: documents as MapServer writes them, or valid by the schemas of OGC."""

SENSOR_TEXTS = ("name", "shortname", "description", "keywords", "classification", "intendedapplication")
"""What metadata say of sensors in a key sos_sensor_<name>, or for each in the column of sos_sensor_<name>_item."""


@dataclass(frozen=True)
class SensorMetadata:
    """What a layer's metadata say of its sensors: raw texts, ``texts`` and ``items`` by a name of `SENSOR_TEXTS`.

    ``describe`` is how DescribeSensor shall answer, in lower case: ``redirect`` or ``generate`` if the map is right.
    """

    describe: str | None = None
    template: str | None = None
    valid_time: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict, hash=False)
    items: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _freeze(self, "texts", "items")


FEATURE_TEXTS = ("name", "description", "codespace", "sampledfeature")
"""What metadata say of features in a key sos_feature_<name>, or for each in the column of sos_feature_<name>_item."""


@dataclass(frozen=True)
class FeatureMetadata:
    """What a layer's metadata say of its features of interest: raw texts by a name of `FEATURE_TEXTS`."""

    texts: Mapping[str, str] = field(default_factory=dict, hash=False)
    items: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _freeze(self, "texts", "items")


@dataclass(frozen=True)
class ObservationLayer:
    """A LAYER with an offering id: where its rows are and what they mean (docs/mapserver-sos.md, "Layer keys").

    ``offering_extent`` and ``offering_time_extent`` are the raw texts: they are checked by the operations that use
    them, so that the other operations of a faulty map still answer. ``srs`` is the raw text of the layer's srs
    metadata. ``fields`` is keyed by the item in lower case. ``procedures`` is None if the metadata is absent or empty;
    ``procedure_text`` is the text as written. ``keys`` gives the line of each metadata key (lower case).
    """

    name: str
    source: LayerSource
    offering_id: str
    offering_name: str | None = None
    offering_description: str | None = None
    offering_extent: str | None = None
    offering_time_extent: str | None = None
    intended_application: str | None = None
    observed_property: ObservedProperty | None = None
    fields: Mapping[str, Field] = field(default_factory=dict, hash=False)
    procedure_text: str | None = None
    procedures: tuple[str, ...] | None = None
    procedure_item: str | None = None
    describe_sensor_url: str | None = None
    time_item: str | None = None
    srs: str | None = None
    feature_id_item: str | None = None
    access: AccessRules = AccessRules()
    file: str = ""
    line: int = 0
    keys: Mapping[str, tuple[str, int]] = field(default_factory=dict, hash=False)
    sensor: SensorMetadata = field(default_factory=SensorMetadata)
    feature: FeatureMetadata = field(default_factory=FeatureMetadata)

    def __post_init__(self) -> None:
        _freeze(self, "fields", "keys")


@dataclass(frozen=True)
class Service:
    """One map: everything that requests to it are answered from.

    ``extent`` is the MAP EXTENT (in ``crs``), None if absent or degenerate. ``srs`` holds the words of the srs
    metadata. ``max_features`` and ``max_rows`` are the raw texts of the metadata. ``vendor_parameters`` are names of
    request parameters, in lower case, that are admitted and ignored. ``conformance`` are the words of that metadata in
    lower case, at least one: the first holds where a request does not choose. ``files`` are all files that were read
    for it.
    """

    name: str
    identification: Identification = Identification()
    provider: Provider = Provider()
    online_resource: str | None = None
    srs: tuple[str, ...] | None = None
    update_sequence: str | None = None
    max_features: str | None = None
    max_rows: str | None = None
    namespace_uri: str = "http://mapserver.gis.umn.edu/mapserver"
    namespace_prefix: str = "ms"
    block_separator: str = "\n"
    token_separator: str = ","
    schemas_location: str = "http://schemas.opengis.net"
    language: str = "en-US"
    extent: Extent | None = None
    crs: Crs | None = None
    access: AccessRules = AccessRules()
    layers: tuple[ObservationLayer, ...] = ()
    vendor_parameters: tuple[str, ...] = ()
    conformance: tuple[str, ...] = ("mapserver",)
    file: str = ""
    files: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, int]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _freeze(self, "keys")

    @property
    def has_sos(self) -> bool:
        """Whether the map means to be an SOS: a layer has an offering id, or WEB has a ``sos_`` key."""
        return bool(self.layers) or any(key.startswith("sos_") for key in self.keys)


def read_max_rows(service: Service) -> int | None:
    """How many rows the metadata maxrows admits, None where it is absent; ValueError for no whole number above 0."""
    if service.max_rows is None:
        return None
    text = service.max_rows.strip()
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ValueError(text)
    return int(text)


@dataclass(frozen=True)
class Offering:
    """Layers that share an offering id, in map order; what is said of the offering is said by the first of them."""

    id: str
    layers: tuple[ObservationLayer, ...]

    @property
    def first(self) -> ObservationLayer:
        """The layer that describes the offering."""
        return self.layers[0]


def group_offerings(layers: tuple[ObservationLayer, ...]) -> tuple[Offering, ...]:
    """Group layers by offering id, without regard to case, in order of first appearance, spelled as there."""
    groups: dict[str, list[ObservationLayer]] = {}
    for layer in layers:
        groups.setdefault(layer.offering_id.casefold(), []).append(layer)
    return tuple(Offering(members[0].offering_id, tuple(members)) for members in groups.values())
