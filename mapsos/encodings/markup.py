"""What an encoder of observations is told besides the batches: constant texts and which column fills which slot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phenomenon:
    """The swe:CompositePhenomenon of a member: ``components`` are the URNs of its columns, in column order."""

    id: str
    name: str | None
    components: tuple[str, ...]


@dataclass(frozen=True)
class Envelope:
    """A gml:boundedBy: corners in x y order, and the CRS label it shows (None for no srsName)."""

    minx: float
    miny: float
    maxx: float
    maxy: float
    label: str | None


@dataclass(frozen=True)
class TimeExtent:
    """A gml:TimePeriod: begin and end as the mapfile writes them; ``open_end`` for an end that is now."""

    begin: str
    end: str
    open_end: bool = False


@dataclass(frozen=True)
class CollectionMarkup:
    """The om:ObservationCollection around the members (docs/mapserver-sos.md, "Observation collection").

    ``feature_type_url`` is the DescribeFeatureType link without escaping; ``schemas`` the root of the schema tree.
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

    ``time_column``, ``procedure_column`` and ``feature_id_column`` are columns whose texts the batches carry, None for
    none; with ``end_time_column`` the sampling time is the period from the one to the other. ``procedure`` is the
    constant id where there is no column. ``missing_procedure_item`` asks for comment P1.
    ``values`` pairs each output element (the alias) with its column. ``label`` is the CRS label of geometries.
    """

    layer_name: str
    namespace_prefix: str
    phenomenon: Phenomenon
    feature_type_url: str
    shape: str  # point, line, polygon, any
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
        """The columns whose texts fill the slots, each once."""
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
    """The members of one layer as om:Observation (docs/mapserver-sos.md, "om:Observation"): one, or one per procedure.

    With ``procedure_column`` rows are grouped by it (without regard to case, spelled as met first, in order of first
    appearance). ``time_column`` None means that there is no time field.
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
        """The columns whose texts fill the slots, each once."""
        return name_columns(*(field.column for field in self.fields), self.time_column, self.procedure_column)


def name_columns(*columns: str | None) -> tuple[str, ...]:
    """Those of the columns that there are, each once."""
    return tuple(dict.fromkeys(column for column in columns if column is not None))
