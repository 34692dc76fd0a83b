"""The REST interface: every answer is whole, of its schema, and tells no secret; filters mean the same to every reader.

An input is the path below the service's root, the query string, and (where there is a third line) a form to be posted.
"""

from __future__ import annotations

import functools
import json
from urllib.parse import unquote_to_bytes

from jsonschema import Draft202012Validator
from lxml import html

from fuzz.victim import ENVIRON, get, judge_any, post
from fuzz.victims import observing_application, observing_mapfile
from mapsos.mapfile.model import Service
from mapsos.mapfile.reader import read_service
from mapsos.operations.context import Context
from mapsos.ows.decoding import FORM, decode_query
from mapsos.rest.description.schemas import SCHEMAS, write_schema
from mapsos.rest.filters.relaxed_json import parse_relaxed_json
from mapsos.rest.paths import parse_rest_path, read_path
from mapsos.rest.resources.layers import list_layers
from mapsos.rest.resources.observation_query import read_query
from mapsos.rest.resources.observations import build_questions, select_parts
from mapsos.sources.errors import SourceError
from mapsos.sources.layer import open_layer
from mapsos.sources.query import LayerQuery
from mapsos.terms.times import current_time
from mapsos.web.messages import Request, Response

ROOT = "/exts/SosSOE"
_DATA = "/observations/query\nf=json&resultRecordCount=20&"
SEEDS = tuple(
    text.encode()
    for text in (
        "\nf=json",
        "\nf=schema",
        "/observations\nf=pjson",
        "/observations/table\nf=json",
        "/procedures/S0\nf=html",
        "/procedures/urn%3Aogc%3Adef%3Aprocedure%3AS0\nf=json",
        "/procedures/a%2Fb/%C3%BC%20%3Cx-fuzz%3E\nf=html",
        "/features\nf=json",
        "/features/query\nf=json&feature=S0,S\\,1&observedProperty=weather&spatialFilter=0,0,10,60",
        _DATA + "spatialFilter=0,45",
        _DATA + "spatialFilter={xmin:0,ymin:0,xmax:10,ymax:60,spatialReference:{wkid:4326}}",
        _DATA + 'spatialFilter={"xmin":0,"ymin":0,"xmax":1e6,"ymax":6e6,"spatialReference":{"wkid":102100}}',
        _DATA + 'spatialFilter={"rings":[[[0,0],[0,60],[60,60],[0,0]],[[1,1],[1,2],[2,2],[1,1]]],"hasZ":false}',
        _DATA + "spatialFilter={paths:[[[0,45],[10,35]]],'spatialReference':{latestWkid:4326,wkid:4326}}",
        _DATA + "spatialFilter={points:[[%2B0.,45],[.1e1,44]]}",
        _DATA + "temporalFilter={during:2020-01-03T00:00:00+02:00,2020-01-09}&offering=rows,table",
        _DATA + "temporalFilter=last:2419200000,-05:30&procedure=S1",
        _DATA + "procedure=S1,a, b,S0&_=17&procedures=S1",
        _DATA + "temporalFilter=equals:2020-01-05T12:00:00Z",
        _DATA + "temporalFilter=before:2020-01-05&where=phenomenon_time>=DATE '2020-01-02' OR uom IS NULL",
        _DATA + "where=numeric_value BETWEEN -1 AND 2e1 AND procedure IN ('S0','it''s')",
        _DATA + "where=NOT type LIKE 'OM!_T%25' ESCAPE '!' AND phenomenon_time<TIMESTAMP '2020-01-09 00:00:00'",
        _DATA + "where=text_value='''; DROP TABLE weather; --' OR text_value LIKE '%25ü_'",
        "/observations/query\nf=html&where=numeric_value<3&spatialFilter={x:0,y:45}&resultOffset=1&procedure=\"x-fuzz=",
        "/observations/query\n\nf=json&where=(numeric_value<>3)&resultRecordCount=3&temporalFilter=after:2020-01-05",
        "/observations/query\nf=json\nspatialFilter={points:[[0,45]]}&where=id='S0'",
        "/../openapi.json\n",
    )
)  # fmt: skip
WORDS = ("f=json", "f=html", "f=pjson", "spatialFilter=", "temporalFilter=", "where=", "procedure=", "offering=",
         "observedProperty=", "featureOfInterest=", "feature=", "resultOffset=", "resultRecordCount=", "{", "}", "[[",
         "]]", "rings:", "\"paths\":", "'points':", "spatialReference:{wkid:", "latestWkid", "1e308", "-0.0", "NaN",
         "during:", "equals:", "after:", "before:", "last:", "+02:00", "%2B", " AND ", " OR ", "NOT ", " IN (",
         " LIKE ", " ESCAPE ", " BETWEEN ", " IS NULL", "TIMESTAMP '", "DATE '", "numeric_value", "text_value",
         "procedure", "phenomenon_time", "id", "uom", "''", "\\,", "%2F", "%00", "%0d%0a", "%ff", "..", "<x-fuzz>",
         "\"x-fuzz=", "/procedures/", "/observations/", "/features/query", "S1", "&")  # fmt: skip
_STATUSES = {200, 304, 400, 404, 405, 413}
_DOCUMENTS = {
    "": "service",
    "observations/query": "observation-data",
    "features/query": "feature-data",
}


@functools.cache
def _service() -> Service:
    return read_service(str(observing_mapfile()))


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(write_schema(name))


def check(data: bytes) -> None:
    """Ask for a resource, and hold a query that was answered against its own rows, read without the driver's help."""
    asked = _make_request(data)
    response = observing_application().answer(asked())
    path = parse_rest_path(read_path(asked().environ))
    if path is None:
        # Then it is the SOS that answers, which has targets of its own.
        judge_any(response)
        return
    judge_rest(response, path.resource or "")
    if response.status == 200 and path.resource == "observations/query":
        _compare_rows(asked())


class _Asked:
    """A request that can be made more than once."""

    def __init__(self, path: str, query: str, form: bytes | None) -> None:
        self._path, self._query, self._form = path, query, form

    def __call__(self) -> Request:
        environ = {"PATH_INFO": self._path, "SCRIPT_NAME": ENVIRON["SCRIPT_NAME"]}
        if self._form is None:
            return get(self._query, **environ)
        made = post(self._form, FORM, **environ)
        return Request(made.method, self._query, FORM, made.content_length, made.read, made.environ)


def _make_request(data: bytes) -> _Asked:
    path, _, rest = data.partition(b"\n")
    query, more, form = rest.partition(b"\n")
    said = unquote_to_bytes(path).decode("utf-8", "surrogateescape")
    root = "" if said == "/../openapi.json" else ROOT
    return _Asked(root + said.removeprefix("/.."), query.decode("utf-8", "surrogateescape"), form if more else None)


def judge_rest(response: Response, resource: str) -> None:
    """Fail unless a response is one of those that are promised for every request to the REST interface."""
    body, headers = judge_any(response)
    assert response.status in _STATUSES, (response.status, body[:300])
    if headers["Content-Type"].startswith("text/html"):
        page = html.fromstring(body)
        # What a client wrote is never markup of the page.
        assert not page.xpath("//x-fuzz | //@x-fuzz"), body
        return
    assert headers["Content-Type"].startswith("application/json"), headers
    value = json.loads(body, parse_constant=_refuse)
    name = _DOCUMENTS.get(resource, resource) if response.status == 200 else "error"
    if name in SCHEMAS and "resources" not in value:
        _validator(name).validate(value)


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _compare_rows(request: Request) -> None:
    raw = decode_query(request)
    context = Context(observing_application().host, _service(), None, current_time())
    text = raw.last("spatialFilter")
    if text is not None and text.strip().startswith("{"):
        _compare_readers(text)
    query = read_query(raw, context.now, list_layers(context))
    for question in build_questions(select_parts(context, query.question), None):
        assert _rows(question.query, True) == _rows(question.query, False), request.query


def _compare_readers(text: str) -> None:
    """What is strict JSON means the same to the reader of relaxed JSON."""
    try:
        strict = json.loads(text, parse_constant=_refuse)
    except ValueError:
        return
    relaxed = parse_relaxed_json(text)
    assert strict == relaxed, text


def _rows(query: LayerQuery, push_down: bool) -> list[str] | str:
    with open_layer(query.source) as layer:
        try:
            batches = list(layer.read(query, push_down=push_down))
        except SourceError as error:
            return error.message
        found: list[str] = []
        for batch in batches:
            columns = [column for columns in (batch.texts, batch.values, batch.times) for column in columns.values()]
            found += map(repr, zip(*(column.to_pylist() for column in columns), strict=True))
        return found
