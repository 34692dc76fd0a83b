"""The response of GetDataAvailability, as XML and as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mapsos.columns.batches import Batch, ColumnKind
from mapsos.columns.xml_text import escape_attribute
from mapsos.encodings.encoder import LayerAnswer
from mapsos.encodings.mapserver.member_markup import indent
from mapsos.encodings.tables.table import LayerColumn, Role, TableColumn, TableMarkup
from mapsos.terms.deadlines import check_often
from mapsos.terms.times import Interval, format_instant
from mapsos.terms.urns import PROCEDURE_URN
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    import pyarrow as pa

GDA = "http://www.opengis.net/sosgda/1.0"


@dataclass(frozen=True)
class Availability:
    """The observations of one offering, procedure and observed property.

    Attributes
    ----------
    procedure
        The bare id, None if the layer states none.
    times
        From the first to the last observation, the end exclusive; None if no row has a time.
    count
        Number of observations.
    """

    offering: str
    procedure: str | None
    observed_property: str
    times: Interval | None
    count: int

    @property
    def last(self) -> int | None:
        """Return the last time, in microseconds since 1970 UTC; of observations with a duration, their last instant."""
        return None if self.times is None else max(self.times.begin, self.times.end - 1)


def write_availability(members: Sequence[Availability]) -> bytes:
    """Return the document: a member for each, with its period and count."""
    body = "".join(_write_member(number, member) for number, member in enumerate(check_often(members), 1))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<gda:GetDataAvailabilityResponse xmlns:gda="{GDA}" xmlns:gml="http://www.opengis.net/gml" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink">\n{body}</gda:GetDataAvailabilityResponse>\n'
    ).encode()


def _write_member(number: int, member: Availability) -> str:
    lines = [f'<gda:offering xlink:href="{escape_attribute(member.offering)}"/>']
    if member.procedure is not None:
        lines.insert(0, f'<gda:procedure xlink:href="{PROCEDURE_URN}{escape_attribute(member.procedure)}"/>')
    lines.append(f'<gda:observedProperty xlink:href="{escape_attribute(member.observed_property)}"/>')
    period = ""
    if member.times is not None and member.last is not None:
        period = (
            indent(2, "<gda:phenomenonTime>")
            + indent(3, f'<gml:TimePeriod gml:id="period_{number}">')
            + indent(4, f"<gml:beginPosition>{format_instant(member.times.begin)}</gml:beginPosition>")
            + indent(4, f"<gml:endPosition>{format_instant(member.last)}</gml:endPosition>")
            + indent(3, "</gml:TimePeriod>")
            + indent(2, "</gda:phenomenonTime>")
        )
    return (
        indent(1, f'<gda:dataAvailabilityMember gml:id="availability_{number}">')
        + indent(2, *lines)
        + period
        + indent(2, f"<gda:count>{member.count}</gda:count>")
        + indent(1, "</gda:dataAvailabilityMember>")
    )


def tabulate_availability(members: Sequence[Availability]) -> LayerAnswer[TableMarkup]:
    """Return the rows for any encoder of tables; ``time`` and ``end_time`` are the first and the last time."""
    columns = (
        TableColumn(Role.TIME.value, Role.TIME, ColumnKind.DATETIME),
        TableColumn(Role.END_TIME.value, Role.END_TIME, ColumnKind.DATETIME),
        TableColumn(Role.PROCEDURE.value, Role.PROCEDURE, ColumnKind.TEXT),
        TableColumn("offering", Role.PROPERTY, ColumnKind.TEXT),
        TableColumn(Role.OBSERVED_PROPERTY.value, Role.OBSERVED_PROPERTY, ColumnKind.TEXT),
        TableColumn("count", Role.PROPERTY, ColumnKind.INTEGER),
    )
    markup = TableMarkup("", tuple(LayerColumn(column, column.name) for column in columns))
    return LayerAnswer(markup, _make_batch(members))


def _make_batch(members: Sequence[Availability]) -> Iterator[Batch]:
    import pyarrow as pa

    def texts(name: str) -> pa.Array:
        return pa.array([getattr(member, name) for member in members], pa.large_string())

    values = {name: texts(name) for name in ("procedure", "offering", "observed_property")}
    counts = pa.array([member.count for member in members], pa.int64())
    instants = pa.timestamp("us", "UTC")
    times = {
        "time": pa.array([member.times and member.times.begin for member in members], pa.int64()).cast(instants),
        "end_time": pa.array([member.last for member in members], pa.int64()).cast(instants),
    }
    written = {**values, "count": counts.cast(pa.large_string())}
    yield Batch(len(members), {**values, "count": counts}, written, None, times)
