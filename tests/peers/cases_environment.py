"""The process: configuration, choice of maps, environment, methods, error pages (docs/mapserver-sos.md, "Process")."""

from __future__ import annotations

from .cases import Case, Expectation, capabilities, kvp, observation_type, observations
from .expectations import any_exception, empty_body, exception, leads_to
from .mapfiles import layer, mapfile

NO_RESOURCE = {"sos_onlineresource": None}


def resource(text: str) -> str:
    return mapfile(layer(), web={"sos_onlineresource": text})


MAPS: dict[str, str] = {
    "env_built": mapfile(layer(), web=NO_RESOURCE),
    "env_resource_bare": resource("http://h/cgi"),
    "env_resource_question": resource("http://h/cgi?map=x"),
    "env_resource_ampersand": resource("http://h/cgi?map=x&"),
    "env_resource_markup": resource("http://h/cgi?a='<1>'&b=é"),
    "env_resource_empty": resource(""),
    "env_resource_ows": mapfile(layer(), web={"sos_onlineresource": None, "ows_onlineresource": "http://ows/"}),
    "env_syntax_error": mapfile(layer(), extra="NONSENSE 5"),
    "env_unclosed": mapfile(layer()).removesuffix("END\n"),
    "env_include": mapfile(layer(), extra=""),
    "env_no_sos": mapfile(
        layer(base={"wms_title": "L"}),
        base={"wms_enable_request": "*", "wms_title": "W", "wms_onlineresource": "http://h/"},
    ),
    "env_comments": "# a comment\n"
    + mapfile(layer()).replace("SIZE 100 100", "size 100 100 # another\n/* many\nlines */"),
}

CAPS = capabilities()


def built(
    id: str,
    query: str = CAPS,
    differs: tuple[str, ...] = ("B-06",),
    expects: tuple[Expectation, ...] = (),
    **environ: str | None,
) -> Case:
    return Case(id, "env_built", query, environ=environ, differs=differs, expects=expects)


def config(
    id: str,
    config: str,
    query: str,
    *differs: str,
    environ: dict[str, str | None] | None = None,
    expects: tuple[Expectation, ...] = (),
) -> Case:
    return Case(id, None, query, config=config, environ=environ or {}, differs=differs, expects=expects)


PATH = "map={root}/maps/shp.map&"

CASES: list[Case] = [
    built("env-http"),
    built("env-port", SERVER_PORT="8080"),
    built("env-https-port", SERVER_PORT="443"),
    built("env-https-on", HTTPS="on"),
    built("env-https-on-443", HTTPS="on", SERVER_PORT="443"),
    built("env-https-off", HTTPS="off"),
    built("env-path-info", PATH_INFO="/more"),
    built("env-script-root", SCRIPT_NAME="/"),
    built("env-no-port", differs=(), SERVER_PORT=None),
    built("env-no-script", differs=(), SCRIPT_NAME=None),
    built("env-no-name", differs=(), SERVER_NAME=None),
    built("env-host-header", HTTP_HOST="other.test:99"),
    built("env-observation", observations(), differs=()),
    built("env-type", observation_type(observedProperty="op"), differs=()),
    built(
        "env-forwarded",
        HTTP_X_FORWARDED_HOST="front.test, b",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_PORT="444",
    ),
    *(
        Case(f"env-resource-{kind}", f"env_resource_{kind}", CAPS, differs=("B-06",))
        for kind in ("bare", "question", "ampersand", "markup", "ows", "empty")
    ),
    config("map-path", "plain", PATH + CAPS, "B-06"),
    config("map-parameter-upper", "plain", "MAP={root}/maps/shp.map&" + CAPS, "B-06"),
    config("map-last", "plain", CAPS + "&map={root}/maps/shp.map", "B-06"),
    config("map-encoded", "plain", "map={root}%2Fmaps/shp%2Emap&" + CAPS, "B-06"),
    config("map-none", "plain", CAPS),
    config("map-empty", "plain", "map=&" + CAPS),
    config("map-missing", "plain", "map={root}/maps/missing.map&" + CAPS, "B-16"),
    config("map-wrong-name", "plain", "map={root}/maps/shp.txt&" + CAPS),
    config("map-directory", "plain", "map={root}/maps&" + CAPS),
    config("map-dots", "plain", "map={root}/maps/../maps/shp.map&" + CAPS),
    config("map-dot", "plain", "map=./maps/shp.map&" + CAPS),
    config("map-double-slash", "plain", "map={root}//maps/shp.map&" + CAPS),
    config("map-comma", "plain", "map={root}/maps/a,b.map&" + CAPS),
    config("map-relative", "plain", "map=maps/shp.map&" + CAPS, "B-06"),
    config("map-markup", "plain", "map=<b>'\"&amp;.map&" + CAPS),
    config("map-syntax", "plain", "map={root}/maps/env_syntax_error.map&" + CAPS),
    config("alias", "aliases", "map=five&" + CAPS, "B-06"),
    config("alias-upper", "aliases", "map=FIVE&" + CAPS, "B-06"),
    config("alias-missing", "aliases", "map=missing&" + CAPS, "B-16"),
    config("alias-wrong-name", "aliases", "map=wrongname&" + CAPS),
    config("alias-beside-path", "aliases", PATH + CAPS, "B-06"),
    config("alias-only", "only_aliases", "map=five&" + CAPS, "B-06"),
    config("alias-only-path", "only_aliases", PATH + CAPS),
    config("alias-only-unknown", "only_aliases", "map=other&" + CAPS),
    config("no-pattern", "no_pattern", PATH + CAPS),
    config("no-pattern-environment", "no_pattern", PATH + CAPS, "B-06", environ={"MS_MAP_PATTERN": "."}),
    config("pattern-matches", "pattern", PATH + CAPS, "B-06"),
    config("pattern-refuses", "pattern", "map={root}/maps/gpkg.map&" + CAPS),
    config("pattern-file-wins", "pattern", "map={root}/maps/gpkg.map&" + CAPS, environ={"MS_MAP_PATTERN": "."}),
    config("bad-pattern", "bad_pattern", "map={root}/maps/gpkg.map&" + CAPS),
    config("bad-pattern-other", "bad_pattern", PATH + CAPS, "B-06"),
    config("default-map", "default_map", CAPS, "B-06"),
    config("browser-without-query", "default_map", "", "B-35", environ={"HTTP_ACCEPT": "text/html,*/*;q=0.8"},
           expects=(leads_to("/exts/SosSOE"),)),
    config("browser-with-query", "default_map", CAPS, "B-06", environ={"HTTP_ACCEPT": "text/html"}),
    config("program-without-query", "default_map", "", environ={"HTTP_ACCEPT": "*/*"}),
    config("default-map-and-path", "default_map", PATH + CAPS),
    config("default-map-environment", "no_pattern", CAPS, "B-06", environ={"MS_MAPFILE": "{root}/maps/shp.map"}),
    config("config-comments", "comments", PATH + CAPS, "B-06"),
    Case("no-post", "shp", CAPS, "POST", b"<a/>", "text/xml", config="no_post"),
    Case("empty-query", None, ""),
    *(Case(f"method-{method.lower()}", "shp", CAPS, method) for method in ("PUT", "OPTIONS", "get", "DELETE")),
    Case("method-head", "shp", CAPS, "HEAD", differs=("B-02",), expects=(empty_body,)),
    Case("browse", "shp", "x=1", differs=("B-05",), expects=(any_exception,)),
    Case("browse-no-sos", "env_no_sos", "x=1"),
    Case("service-wms", "shp", "service=XYZ&request=GetMap", differs=("B-05",), expects=(any_exception,)),
    Case("mode-ows", "shp", "mode=ows&" + CAPS, differs=("B-06",)),
    Case("mode-nonsense", "shp", "mode=nonsense&" + CAPS),
    Case("mode-ows-no-service", "env_no_sos", "mode=ows&request=GetCapabilities"),
    Case("mode-ows-bad-service", "env_no_sos", "mode=ows&service=XYZ&request=GetCapabilities"),
    Case("no-sos", "env_no_sos", CAPS),
    Case("syntax-error", "env_syntax_error", CAPS),
    Case("unclosed", "env_unclosed", CAPS),
    Case("comments-and-case", "env_comments", CAPS, differs=("B-06",)),
    Case("include-none", "env_include", CAPS, differs=("B-06",)),
    Case("repeat-equal", "shp", CAPS + "&service=SOS&request=GetCapabilities", differs=("B-06",)),
    Case(
        "repeat-request",
        "shp",
        kvp(service="SOS", request="GetCapabilities", version="1.0.0") + "&request=GetObservation",
        differs=("B-01",),
        expects=(exception("InvalidParameterValue", "request"),),
    ),
    Case(
        "repeat-offering",
        "shp",
        observations() + "&offering=other",
        differs=("B-01",),
        expects=(exception("InvalidParameterValue", "offering"),),
    ),
    Case(
        "unknown-parameter",
        "shp",
        CAPS + "&nonsense=1",
        differs=("B-01",),
        expects=(exception("InvalidParameterValue", "nonsense"),),
    ),
    Case(
        "cookies",
        "shp",
        kvp(service="SOS"),
        environ={"HTTP_COOKIE": "request=GetCapabilities"},
        differs=("B-04",),
        expects=(exception("MissingParameterValue", "request"),),
    ),
    Case(
        "percent-malformed",
        "shp",
        observations(offering=None) + "&offering=%zz%4",
        differs=("B-17",),
        expects=(exception("InvalidParameterValue", "offering", "Offering %zz%4 not found"),),
    ),
    Case(
        "plus-is-space", "shp", observations(responseFormat=None) + "&responseFormat=text/xml;+subtype=%22om/1.0.0%22"
    ),
    Case(
        "names-mixed",
        "shp",
        "SeRvIcE=sOs&ReQuEsT=gEtObSeRvAtIoN&VeRsIoN=1.0.0&OfFeRiNg=off&OBSERVEDPROPERTY=op"
        "&responseformat=text/xml;%20subtype=%22om/1.0.0%22",
    ),
    Case("semicolons", "shp", "service=SOS;request=GetCapabilities", differs=("B-05",), expects=(any_exception,)),
    Case("no-value", "shp", "service=SOS&request"),
    Case("post-short", "shp", "", "POST", b"<a/>", "text/xml", environ={"CONTENT_LENGTH": "900"}),
    Case(
        "post-no-length",
        "shp",
        "",
        "POST",
        b'<GetCapabilities xmlns="http://www.opengis.net/sos/1.0" service="SOS"/>',
        "text/xml",
        environ={"CONTENT_LENGTH": None},
        differs=("B-06",),
    ),
]
