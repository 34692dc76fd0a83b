"""Descriptions of the observations of the REST interface for its encoders: a layer's markup and the page.

A request that reads no observation imports this module; it must stay light.
"""

from __future__ import annotations

from mapsos.columns.batches import Batch
from mapsos.encodings.encoder import Needs
from mapsos.encodings.markup import name_columns
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class ObservationMarkup:
    """One observed property of one layer.

    Attributes
    ----------
    layer_name
        Begins the ids of observations of a layer without feature ids.
    suffix
        Ends the ids, so that observations of several properties in one row differ.
    type
        The observation type, for example ``OM_Measurement``.
    observed_property
        The definition (URI) of the observed property.
    uom
        The unit of the values, None if unknown.
    value_column
        The column of the batches with the values.
    numeric
        Whether the values are numbers; a text in them that is not a number is null.
    time_column, procedure_column, feature_id_column
        Columns of the batches, None if missing.
    procedure
        The constant procedure id of a layer without a procedure column.
    """

    layer_name: str
    suffix: str
    type: str
    observed_property: str
    uom: str | None
    value_column: str
    numeric: bool
    time_column: str | None = None
    procedure_column: str | None = None
    procedure: str | None = None
    feature_id_column: str | None = None

    @property
    def result_type(self) -> str:
        """Return the type of the result in the document."""
        return "numerical" if self.numeric else "textual"

    @property
    def needs(self) -> Needs:
        """Return the columns that the batches of the layer must contain."""
        value = None if self.numeric else self.value_column
        return Needs(
            texts=name_columns(self.procedure_column, self.feature_id_column, value),
            values=(self.value_column,) if self.numeric else (),
            times=name_columns(self.time_column),
        )


@dataclass(frozen=True)
class Page:
    """The part of the observations to write.

    Attributes
    ----------
    offset
        0-based index of the first observation.
    most
        Maximum number of observations, None for no limit.
    zone
        Time zone of the times, in minutes east of UTC.
    """

    offset: int = 0
    most: int | None = None
    zone: int = 0


class PageCutter:
    """Cuts successive batches to the page. ``exceeded`` is true once a row after the page was found."""

    def __init__(self, page: Page) -> None:
        self._skip = page.offset
        self._left = page.most
        self.exceeded = False

    def cut(self, batch: Batch) -> Batch:
        """Return the rows of a batch that are on the page."""
        skipped = min(self._skip, batch.rows)
        self._skip -= skipped
        rest = batch.slice(skipped, batch.rows - skipped) if skipped else batch
        if self._left is None:
            return rest
        self.exceeded = rest.rows > self._left
        cut = rest.slice(0, self._left) if self.exceeded else rest
        self._left -= cut.rows
        return cut
