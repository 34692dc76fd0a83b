"""Filters: refused, or the same rows whether the driver helps or not; nothing that a client writes is ever SQL."""

from __future__ import annotations

import functools

from fuzz.victims import application, mapfile
from mapsos.mapfile.model import Service
from mapsos.mapfile.reader import read_service
from mapsos.operations.observations.selection import locate
from mapsos.ows.exceptions import OwsException
from mapsos.ows.filters import FEATURE_ID
from mapsos.ows.raw_request import RawRequest
from mapsos.sos.v1.reading.results import parse_result
from mapsos.sources.errors import SourceError
from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms.crs import Crs
from mapsos.terms.predicates import Predicate, names

_COMPARE = "<PropertyIs{0}><PropertyName>{1}</PropertyName><Literal>{2}</Literal></PropertyIs{0}>"
SEEDS = tuple(
    text.encode()
    for text in (
        _COMPARE.format("EqualTo", "station", "S1"),
        _COMPARE.format("EqualTo", "te\"xt", "'; DROP TABLE weather; --"),
        _COMPARE.format("LessThan", "value", "1e3"),
        _COMPARE.format("GreaterThanOrEqualTo", "time", "2020-01-05T00:00:00Z"),
        "<Filter><And>" + _COMPARE.format("EqualTo", "station", "S1") + "<Not>"
        + _COMPARE.format("NotEqualTo", "value", "0") + "</Not></And></Filter>",
        '<PropertyIsLike wildCard="%" singleChar="_" escapeChar="\\" matchCase="false">'
        "<PropertyName>text</PropertyName>"
        "<Literal>%a\\_%</Literal></PropertyIsLike>",
        "<PropertyIsNull><PropertyName>value</PropertyName></PropertyIsNull>",
        "<PropertyIsBetween><PropertyName>value</PropertyName><LowerBoundary><Literal>1</Literal></LowerBoundary>"
        "<UpperBoundary><Literal>20</Literal></UpperBoundary></PropertyIsBetween>",
        "<BBOX><PropertyName>msGeometry</PropertyName><Envelope><lowerCorner>0 0</lowerCorner>"
        "<upperCorner>10 50</upperCorner></Envelope></BBOX>",
        "<DWithin><PropertyName>g</PropertyName><Point><pos>0 45</pos></Point><Distance units='m'>90000</Distance>"
        "</DWithin>",
        "<Intersects><PropertyName>g</PropertyName><Polygon srsName='EPSG:4326'><exterior><LinearRing>"
        "<posList>0 0 0 60 60 60 60 0 0 0</posList></LinearRing></exterior></Polygon></Intersects>",
        "<TM_Before><PropertyName>time</PropertyName><TimeInstant><timePosition>2020-01-05</timePosition></TimeInstant>"
        "</TM_Before>",
    )
)  # fmt: skip
WORDS = ("<And>", "</And>", "<Or>", "<Not>", "PropertyIsEqualTo", "PropertyIsLike", "wildCard=", "escapeChar=",
         "matchCase=", "<Literal>", "' OR 1=1 --", "\" OR \"\"=\"", "1e308", "-0.0", "NaN", "infinity", "%", "_", "\\",
         "station", "value", "time", "te\"xt", "<BBOX>", "srsName=", "EPSG:3857", "<FeatureId fid=")  # fmt: skip


@functools.cache
def _service() -> Service:
    application()
    return read_service(str(mapfile()))


def check(data: bytes) -> None:
    """Hold a filter against every layer that has its names, with the driver's help and without."""
    raw = RawRequest({"result": (data.decode("utf-8", "replace"),)})
    try:
        predicate = parse_result(raw, 0)
    except OwsException as error:
        if error.code != "InvalidParameterValue":
            raise
        return
    if predicate is None or FEATURE_ID in names(predicate):
        return
    for layer in _service().layers:
        assert _rows(layer.source, predicate, True) == _rows(layer.source, predicate, False), (layer.name, data)


def _rows(source: object, predicate: Predicate, push_down: bool) -> list[str] | str:
    placed = locate(predicate, Crs("EPSG:4326"))
    with open_layer(source) as layer:  # type: ignore[arg-type]
        query = LayerQuery(source=source, texts=("station", "time", "value"), predicate=placed)  # type: ignore[arg-type]
        try:
            batches = list(layer.read(query, push_down=push_down))
        except SourceError as error:
            if "no column" not in error.message:
                raise
            return error.message
        return [text for batch in batches for text in batch.texts["value"].to_pylist()]
