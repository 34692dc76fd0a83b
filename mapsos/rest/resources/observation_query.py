"""Read the parameters of observations/query: a question, the time zone of the answer, and a page."""

from __future__ import annotations

from mapsos.encodings.esri.observation_markup import Page
from mapsos.operations.questions import FeatureOfInterest, ObservationQuestion
from mapsos.ows.raw_request import RawRequest
from mapsos.rest.filters.spatial_filters import parse_spatial_filter
from mapsos.rest.filters.temporal_filters import parse_temporal_filter
from mapsos.rest.filters.where import parse_where
from mapsos.rest.parameters import read_count, read_text
from mapsos.rest.resources.layers import KnownLayer
from mapsos.rest.resources.names import LayerNames
from mapsos.terms.predicates import EVERYTHING
from mapsos.terms.times import EventTime
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class Query:
    """The parameters of a query.

    Attributes
    ----------
    question
        Which observations to return. Names in its ``result`` are those of `mapsos.rest.filters.where.FIELDS`.
    offset
        The time zone of the answer, in minutes east of UTC.
    """

    question: ObservationQuestion
    offset: int = 0


def read_query(raw: RawRequest, now: int, layers: tuple[KnownLayer, ...]) -> Query:
    """Return the parameters of a query, except those of its page.

    Parameters
    ----------
    raw
        The parameters as the client wrote them.
    now
        The current time in microseconds since 1970 UTC.
    layers
        The layers that the client may query.

    Raises
    ------
    RestError
        A parameter cannot be read, or no layer has one of the names.
    """
    names = LayerNames(layers)
    place, time, where = (read_text(raw, name) for name in ("spatialFilter", "temporalFilter", "where"))
    area = parse_spatial_filter(place) if place is not None else EVERYTHING
    times = parse_temporal_filter(time, now) if time is not None else None
    condition = parse_where(where) if where is not None else EVERYTHING
    offerings, observed_properties = names.read_offerings(raw), names.read_properties(raw)
    procedures, features = names.read_stations(raw, "procedure"), names.read_stations(raw, "featureOfInterest")
    feature = None
    if features is not None or area != EVERYTHING:
        # A list without any id names a feature that does not exist: it does not ask for all of them.
        ids = () if features is None else features or ("",)
        feature = FeatureOfInterest(None if area == EVERYTHING else area, ids)
    question = ObservationQuestion(
        offerings=offerings,
        observed_properties=observed_properties,
        procedures=procedures,
        times=(EventTime(times.relation, times.interval),) if times is not None else (),
        feature=feature,
        result=None if condition == EVERYTHING else condition,
    )
    return Query(question, times.offset if times is not None else 0)


def read_page(raw: RawRequest, zone: int, usual: int | None = None, most: int | None = None) -> Page:
    """Return the page by resultOffset and resultRecordCount.

    Parameters
    ----------
    raw
        The parameters of the request.
    zone
        The time zone of the answer, in minutes east of UTC.
    usual
        The number of observations without resultRecordCount; None for all.
    most
        The maximum number of observations; None for no limit.

    Raises
    ------
    RestError
        A parameter is not an integer in its range.
    """
    wanted = read_count(raw, "resultRecordCount", 1)
    counts = [count for count in (usual if wanted is None else wanted, most) if count is not None]
    return Page(read_count(raw, "resultOffset", 0) or 0, min(counts, default=None), zone)
