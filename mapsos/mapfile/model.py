"""The model of a service: the content of a mapfile as frozen values. None stands for what is absent in the mapfile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from mapsos.terms.crs import Crs
from mapsos.terms.layer_source import LayerSource
from mapsos.terms.predicates import ValueKind
from mapsos.terms.values import dataclass


def _freeze(value: object, *names: str) -> None:
    """Replace mappings of a value that is being made by copies that cannot be changed."""
    for name in names:
        object.__setattr__(value, name, MappingProxyType(dict(getattr(value, name))))


@dataclass(frozen=True)
class AccessRules:
    """Access rules of one level, a map or a layer, as raw strings (docs/mapserver-sos.md, "Access").

    ``enable_request`` has the ``sos_`` value first and the ``ows_`` value second, each None if absent. ``require_key``
    is the value of sos_require_key.
    """

    enable_request: tuple[str | None, str | None] = (None, None)
    allowed_ip_list: str | None = None
    denied_ip_list: str | None = None
    require_key: str | None = None


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
    """The metadata of one item (column) of a layer: sos_<item>_alias, _definition, _uom, _type.

    ``key``, ``file`` and ``line`` are those of the alias, else of the first of these keys; ``key`` is in lower case.
    """

    item: str
    alias: str | None = None
    definition: str | None = None
    uom: str | None = None
    kind: ValueKind | None = None
    key: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class ObservedProperty:
    """The observed phenomenon of a layer."""

    id: str
    name: str | None = None
    authority: str = "OGC-SWE"
    version: str = "1"


@dataclass(frozen=True)
class Extent:
    """A rectangle with x before y."""

    minx: float
    miny: float
    maxx: float
    maxy: float


CONFORMANCES = ("mapserver", "strict")
"""The words of sos_conformance: documents as MapServer writes them, or documents valid by the OGC schemas."""

SENSOR_TEXTS = ("name", "shortname", "description", "keywords", "classification", "intendedapplication")
"""Properties of sensors: sos_sensor_<name> is the value for all, sos_sensor_<name>_item the column with each."""


@dataclass(frozen=True)
class SensorMetadata:
    """The metadata of the sensors of a layer, as raw strings.

    Attributes
    ----------
    describe
        The value of sos_describesensor in lower case; ``redirect`` or ``generate`` in a valid map.
    texts, items
        Values, and columns with values, by a name of `SENSOR_TEXTS`.
    """

    describe: str | None = None
    template: str | None = None
    valid_time: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict, hash=False)
    items: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _freeze(self, "texts", "items")


FEATURE_TEXTS = ("name", "description", "codespace", "sampledfeature")
"""Properties of features: sos_feature_<name> is the value for all, sos_feature_<name>_item the column with each."""


@dataclass(frozen=True)
class FeatureMetadata:
    """The metadata of the features of interest of a layer: raw strings by a name of `FEATURE_TEXTS`."""

    texts: Mapping[str, str] = field(default_factory=dict, hash=False)
    items: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _freeze(self, "texts", "items")


@dataclass(frozen=True)
class ObservationLayer:
    """A LAYER with an offering id: the source and the meaning of its rows (docs/mapserver-sos.md, "Layer keys").

    Attributes
    ----------
    offering_extent, offering_time_extent
        Raw strings. The operations that use them check them, so that the other operations work in a faulty map.
    fields
        Metadata of columns, by the item in lower case.
    procedure_text
        The procedure metadata as written.
    procedures
        Its words, None if it is absent or empty.
    srs
        The srs metadata of the layer as written.
    keys
        File and line of each metadata key (lower case).
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
    """One map: everything that is needed to answer requests to it.

    Attributes
    ----------
    srs
        Words of the srs metadata.
    max_features, max_rows
        Raw strings of the metadata.
    extent
        EXTENT of MAP in ``crs``; None if absent or degenerate.
    other_access
        The distinct access rules of layers without an offering id.
    vendor_parameters
        Request parameters that are known and have no effect, in lower case.
    conformance
        Words of the conformance metadata in lower case, at least one. The first is the default for requests.
    file, files
        The mapfile, and all files that were read for the map.
    keys
        File and line of each metadata key of WEB (lower case).
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
    other_access: tuple[AccessRules, ...] = ()
    vendor_parameters: tuple[str, ...] = ()
    conformance: tuple[str, ...] = ("mapserver",)
    file: str = ""
    keys: Mapping[str, tuple[str, int]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _freeze(self, "keys")

    @property
    def has_sos(self) -> bool:
        """Return whether the map is meant as an SOS: a layer has an offering id, or WEB has a ``sos_`` key."""
        return bool(self.layers) or any(key.startswith("sos_") for key in self.keys)


def read_max_rows(service: Service) -> int | None:
    """Return the row limit of the maxrows metadata, None if absent.

    Raises
    ------
    ValueError
        The metadata is not an integer above 0.
    """
    if service.max_rows is None:
        return None
    text = service.max_rows.strip()
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ValueError(text)
    return int(text)


@dataclass(frozen=True)
class Offering:
    """Layers with the same offering id, in map order. The first layer describes the offering."""

    id: str
    layers: tuple[ObservationLayer, ...]

    @property
    def first(self) -> ObservationLayer:
        """Return the layer that describes the offering."""
        return self.layers[0]

    @property
    def name(self) -> str:
        """Return its display name: that of its first layer, else its id."""
        return self.first.offering_name or self.id


def group_offerings(layers: tuple[ObservationLayer, ...]) -> tuple[Offering, ...]:
    """Group layers by offering id (case-insensitive). Order and spelling are those of the first occurrence."""
    groups: dict[str, list[ObservationLayer]] = {}
    for layer in layers:
        groups.setdefault(layer.offering_id.casefold(), []).append(layer)
    return tuple(Offering(members[0].offering_id, tuple(members)) for members in groups.values())
