"""Markup of the observations for encoders: constant texts, and which column fills which slot."""

from __future__ import annotations

from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class Phenomenon:
    """The swe:CompositePhenomenon of a member. ``components`` are the URNs of its columns, in column order."""

    id: str
    name: str | None
    components: tuple[str, ...]


@dataclass(frozen=True)
class Envelope:
    """A gml:boundedBy: corners in x y order, and the label of their CRS (None for no srsName)."""

    minx: float
    miny: float
    maxx: float
    maxy: float
    label: str | None


@dataclass(frozen=True)
class TimeExtent:
    """A gml:TimePeriod: begin and end as the mapfile writes them. ``open_end`` is true if the end is now."""

    begin: str
    end: str
    open_end: bool = False


@dataclass(frozen=True)
class CollectionMarkup:
    """The om:ObservationCollection around the members (docs/mapserver-sos.md, "Observation collection").

    ``feature_type_url`` is the DescribeFeatureType link without escaping; ``schemas`` the root URL of the OGC schemas.
    """

    id: str
    feature_type_url: str
    namespace_uri: str
    namespace_prefix: str
    schemas: str
    description: str | None = None
    name: str | None = None
    envelope: Envelope | None = None


@dataclass(frozen=True)
class MeasurementMarkup:
    """The members of one layer as om:Measurement (docs/mapserver-sos.md, "om:Measurement").

    Attributes
    ----------
    shape
        ``point``, ``line``, ``polygon`` or ``any``.
    label
        The CRS label of geometries, None for no srsName.
    time_column, procedure_column, feature_id_column
        Columns whose texts the batches contain, None if missing.
    end_time_column
        The sampling time is the period from ``time_column`` to it; None for an instant.
    procedure
        The constant id of a layer without a procedure column.
    missing_procedure_item
        Whether comment P1 is written.
    values
        The output elements (aliases), each with its column.
    """

    layer_name: str
    namespace_prefix: str
    phenomenon: Phenomenon
    feature_type_url: str
    shape: str
    label: str | None
    time_column: str | None = None
    end_time_column: str | None = None
    procedure_column: str | None = None
    procedure: str | None = None
    missing_procedure_item: bool = False
    feature_id_column: str | None = None
    values: tuple[tuple[str, str], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns whose texts fill the slots, without duplicates."""
        roles = (self.time_column, self.end_time_column, self.procedure_column, self.feature_id_column)
        return name_columns(*(column for _, column in self.values), *roles)


@dataclass(frozen=True)
class DataField:
    """A swe:field of a DataBlock and the column that fills it."""

    name: str
    column: str
    definition: str = "urn:ogc:object:definition"
    uom: str = "urn:ogc:object:uom"


@dataclass(frozen=True)
class DataBlockMarkup:
    """The om:Observation members of one layer (docs/mapserver-sos.md, "om:Observation"): one, or one per procedure.

    With ``procedure_column`` rows are grouped by it (case-insensitive, spelled as it first appears, in order of first
    appearance). Without ``time_column`` the time field is omitted.
    """

    phenomenon: Phenomenon
    time_extent: TimeExtent | None
    fields: tuple[DataField, ...]
    token_separator: str
    block_separator: str
    time_column: str | None = None
    procedure_column: str | None = None
    procedure: str | None = None
    missing_procedure_item: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns whose texts fill the slots, without duplicates."""
        return name_columns(*(field.column for field in self.fields), self.time_column, self.procedure_column)


def name_columns(*columns: str | None) -> tuple[str, ...]:
    """Return the columns that are not None, without duplicates."""
    return tuple(dict.fromkeys(column for column in columns if column is not None))
