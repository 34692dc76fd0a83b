"""Check the text of a mapfile, without opening its data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mapsos.check.finding import Finding, FindingLevel, locate
from mapsos.check.spelling import find_unknown_keys, is_xml_name
from mapsos.mapfile.access import parse_addresses
from mapsos.mapfile.blocks import Block
from mapsos.mapfile.keys import METADATA_KEYS
from mapsos.mapfile.metadata import Metadata, collect_entries
from mapsos.mapfile.model import CONFORMANCES, ObservationLayer, Service, group_offerings, read_max_rows
from mapsos.mapfile.reader import ParsedMap, layer_metadata, web_metadata
from mapsos.mapfile.tokens import TokenKind, is_decoded
from mapsos.sos.v1.operations import OPERATIONS
from mapsos.terms.crs import Crs, is_known, parse_srs_name
from mapsos.terms.layer_source import SourceKind
from mapsos.terms.times import parse_period, parse_time

_REQUESTS = frozenset(operation.name.lower() for operation in OPERATIONS)
_TOGETHER = (
    ("addresstype", "address", "city", "stateorprovince", "postcode", "country"),
    ("contactperson", "contactposition", "contactorganization"),
)
_NOT_HONOURED = {
    "tolerance": "the distance to a click",
    "toleranceunits": "the distance to a click",
    "mingeowidth": "the width of a map",
    "maxgeowidth": "the width of a map",
    "minscaledenom": "the scale of a map",
    "maxscaledenom": "the scale of a map",
    "minscale": "the scale of a map",
    "maxscale": "the scale of a map",
    "minfeaturesize": "the size of features on a map",
    "requires": "the other layers of a map",
    "geomtransform": "drawing",
    "mask": "drawing",
    "tilesrs": "tiled layers",
    "utfitem": "UTFGrid output",
    "utfdata": "UTFGrid output",
}
"""Keywords of a LAYER by which MapServer omits or changes rows, and their subjects."""


def find_in_mapfile(parsed: ParsedMap) -> list[Finding]:
    """Return all findings about the text of a mapfile, in order of file and line. Does not raise."""
    found = [*_check_web(parsed.service, parsed.tree), *_check_layers(parsed.service, parsed.tree)]
    found += [
        Finding(token.file, token.line, "warning", token.text.encode("ascii", "replace").decode(),
                "not UTF-8: read by ENCODING, else as Latin-1. Save the file as UTF-8")
        for token in parsed.tokens
        if not is_decoded(token.text)
    ]
    return sorted(dict.fromkeys(found), key=lambda finding: (finding.file, finding.line))


def _check_web(service: Service, tree: Block) -> Iterator[Finding]:
    web = web_metadata(tree)
    here = next(tree.inner("web"), tree)

    def at(level: FindingLevel, name: str, message: str) -> Finding:
        return locate("web", service.keys, name, here, level, message)

    if not service.layers:
        yield Finding(tree.file, tree.line, "error", "sos_offering_id",
                      "no LAYER has an offering, so every request is rejected. Write it in the METADATA of the layers")
    if not service.online_resource:
        yield at("warning", "onlineresource",
                 "the published URL is derived from the request. Write the URL that clients must use")
    if not service.srs:
        yield at("warning", "srs",
                 'missing: requests with srsName are rejected and capabilities list no CRS. Write for example '
                 '"EPSG:4326"')
    for word in service.srs or ():
        if parse_srs_name(word) is None:
            yield at("warning", "srs",
                     f'"{word}" is not a CRS. Write EPSG codes such as "EPSG:4326", separated by one space')
    levels = [service.access, *(layer.access for layer in service.layers)]
    if not any(rule for level in levels for rule in level.enable_request):
        yield at("error", "enable_request",
                 'no request is enabled, so every request is rejected. Write "sos_enable_request" "*"')
    yield from _check_recommended(web, here)
    for names in _TOGETHER:
        missing = [name for name in names if web.find(name) is None]
        # The organization is recommended by itself: it does not require a person.
        given = [name for name in names if name not in (*missing, "contactorganization")]
        if missing and given:
            yield at("info", given[0],
                     f"other keys of the group are missing: {', '.join(f'sos_{name}' for name in missing)}")
    limit = service.max_features
    if limit is not None and not (limit.strip().isascii() and limit.strip().isdigit()):
        yield at("error", "maxfeatures", f'expected an integer, got "{limit}"')
    try:
        read_max_rows(service)
    except ValueError:
        yield at("error", "maxrows", f'expected an integer above 0, got "{service.max_rows}"')
    for word in service.conformance:
        if word not in CONFORMANCES:
            yield at("error", "conformance",
                     f'requests are rejected: expected {" or ".join(CONFORMANCES)}, got "{word}". Write one of them, '
                     "or both separated by a space")
    yield from _check_access(web, service.file)
    yield from _check_duplicates([block for web_block in tree.inner("web") for block in web_block.inner("metadata")])
    yield from find_unknown_keys(web)
    yield from _check_crs(service.crs, tree)
    for attribute in tree.attributes:
        if attribute.key == "config":
            yield Finding(attribute.file, attribute.line, "info", f"CONFIG {attribute.text}",
                          "has no effect. Set it in the ENV block of the configuration file")


def _check_recommended(metadata: Metadata, here: Block, *, describes: bool = True) -> Iterator[Finding]:
    """Yield findings about missing recommended keys. ``describes``: the layer is the first of its offering."""
    for key in METADATA_KEYS:
        if key.name.startswith("offering_") and not describes:
            continue
        if key.level == metadata.level and key.need == "recommended" and metadata.find(key.name) is None:
            yield Finding(here.file, here.line, "warning", key.pattern,
                          f"missing: the element is empty or absent. Expected: {key.meaning}")


def _check_layers(service: Service, tree: Block) -> Iterator[Finding]:
    names = Counter((block.text("name") or "").lower() for block in tree.inner("layer"))
    firsts = [offering.first for offering in group_offerings(service.layers)]
    blocks = {(block.file, block.line): block for block in tree.inner("layer")}
    for block in tree.inner("layer"):
        metadata = layer_metadata(block, tree.text("encoding"))
        if metadata.find("offering_id") is None and any(key.startswith("sos_") for key in metadata.entries):
            yield Finding(block.file, block.line, "warning", "sos_offering_id",
                          f'LAYER "{block.text("name") or ""}" has sos_ metadata but no offering, so it is not '
                          "served. Write the id of the offering")
            yield from find_unknown_keys(metadata)
    for layer in service.layers:
        block = blocks[layer.file, layer.line]
        if names[layer.name.lower()] > 1:
            attribute = block.last("name") or block
            yield Finding(attribute.file, attribute.line, "warning", "NAME",
                          f'several LAYERs are named "{layer.name}": clients cannot distinguish them. Rename one')
        metadata = layer_metadata(block, tree.text("encoding"))
        yield from _check_meaning(layer)
        yield from _check_fields(layer)
        yield from _check_recommended(metadata, block, describes=layer in firsts)
        yield from _check_access(metadata, service.file)
        yield from _check_duplicates(list(block.inner("metadata")))
        yield from find_unknown_keys(metadata)
        yield from _check_crs(layer.source.crs, block)
        yield from _check_settings(layer, block)
        if (service.access.allowed_ip_list or service.access.denied_ip_list) and any(layer.access.enable_request):
            yield _at(layer, "enable_request", "warning",
                      "the layer enables requests itself, so the address lists of WEB do not apply to it, as in "
                      "MapServer. Repeat them here")


def _at(layer: ObservationLayer, name: str, level: FindingLevel, message: str) -> Finding:
    return locate("layer", layer.keys, name, layer, level, message)


def _check_sensor(layer: ObservationLayer) -> Iterator[Finding]:
    sensor = layer.sensor
    if sensor.describe not in (None, "redirect", "generate"):
        yield _at(layer, "describesensor", "error",
                  f'DescribeSensor is rejected: expected redirect or generate, got "{sensor.describe}"')
    elif sensor.describe == "redirect" and not layer.describe_sensor_url:
        yield _at(layer, "describesensor", "error",
                  'DescribeSensor fails: no URL to redirect to. Write "sos_describesensor_url", with %procedure% for '
                  "the id of the sensor")
    if sensor.valid_time is not None:
        try:
            parse_period(sensor.valid_time if "/" in sensor.valid_time else f"{sensor.valid_time}/")
        except ValueError:
            yield _at(layer, "sensor_validtime", "error",
                      f'DescribeSensor fails: expected begin/end, got "{sensor.valid_time}"')


def _check_meaning(layer: ObservationLayer) -> Iterator[Finding]:
    if not layer.offering_id:
        yield _at(layer, "offering_id", "error", "the id of the offering is empty: clients cannot request it")
    elif not is_xml_name(layer.offering_id):
        yield _at(layer, "offering_id", "info",
                  f'"{layer.offering_id}" is not an XML name, so its gml:id is encoded. Use a letter, followed by '
                  "letters, digits, _ and -")
    if layer.observed_property is None or not layer.observed_property.id:
        yield _at(layer, "observedproperty_id", "error",
                  "missing or empty: the observations of the layer cannot be requested. Write the id of the observed "
                  "property")
    if not layer.procedures and layer.procedure_item is None:
        yield _at(layer, "procedure", "error",
                  "GetCapabilities fails: the layer has no procedure. Write the id of the sensor, or write the column "
                  "with the ids in sos_procedure_item")
    if layer.procedures and len([name for name in layer.procedures if name]) > 1 and layer.procedure_item is None:
        yield _at(layer, "procedure", "warning",
                  "several procedures, but no column with the procedure of each row: every observation lists all of "
                  "them. Write the column in sos_procedure_item")
    if layer.procedures and "" in layer.procedures:
        yield _at(layer, "procedure", "warning",
                  "a space at the beginning or end makes an empty procedure. Remove it")
    yield from _check_sensor(layer)
    if layer.offering_extent is not None and (message := _wrong_extent(layer.offering_extent)):
        yield _at(layer, "offering_extent", "error", message)
    if layer.offering_time_extent is not None and (message := _wrong_time_extent(layer.offering_time_extent)):
        yield _at(layer, "offering_timeextent", "error", message)
    if layer.srs is not None and parse_srs_name(layer.srs.split(" ")[0]) is None:
        yield _at(layer, "srs", "warning", f'"{layer.srs}" is not a CRS. Write for example "EPSG:4326"')


def _wrong_extent(text: str) -> str:
    example = 'Write "minx,miny,maxx,maxy"'
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return f'"{text}" is not four numbers: GetCapabilities is rejected or wrong. {example}'
    if len(numbers) != 4:
        return f'"{text}" is not four numbers: GetCapabilities and GetObservation are rejected. {example}'
    if not (numbers[0] <= numbers[2] and numbers[1] <= numbers[3]):
        return f'"{text}" ends before it begins; {example}'
    return ""


def _wrong_time_extent(text: str) -> str:
    example = 'Write "begin/end", for example "1990-01-01/2006-12-31", or "1990-01-01/" for until now'
    parts = text.split("/")
    if len(parts) > 2 or not parts[0].strip():
        return f'"{text}" is not "begin/end": GetCapabilities is rejected. {example}'
    intervals = []
    for part in filter(None, (part.strip() for part in parts)):
        try:
            intervals.append(parse_time(part))
        except ValueError:
            return f'"{text}": "{part}" is not a time. {example}'
    if len(intervals) == 2 and intervals[1].end <= intervals[0].begin:
        return f'"{text}" ends before it begins; {example}'
    return ""


def _check_fields(layer: ObservationLayer) -> Iterator[Finding]:
    taken: dict[str, str] = {}
    for field in layer.fields.values():
        if field.alias is None:
            yield Finding(field.file, field.line, "info", f"sos_{field.item}_alias",
                          f"the column {field.item} has no alias, so it is not published. Write one to publish it")
            continue
        if not is_xml_name(field.alias):
            yield Finding(field.file, field.line, "warning", field.key,
                          f'"{field.alias}" is not an XML name: clients see it encoded (a space as _x0020_). Use a '
                          "letter, followed by letters, digits, _, - and .")
        if (other := taken.setdefault(field.alias.casefold(), field.item)) != field.item:
            yield Finding(field.file, field.line, "warning", field.key,
                          f'"{field.alias}" is also the alias of {other}: filters find only one. Choose another')


def _check_duplicates(blocks: list[Block]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for entry in collect_entries(blocks, None):
        if entry.key in seen:
            spelled = seen[entry.key]
            other = "" if spelled == entry.spelled else f" (as {spelled}: keys are case-insensitive)"
            yield Finding(entry.file, entry.line, "warning", entry.spelled,
                          f"duplicate key{other}: only this last one counts. Remove the other")
        seen[entry.key] = entry.spelled


def _check_access(metadata: Metadata, file: str) -> Iterator[Finding]:
    for name in ("allowed_ip_list", "denied_ip_list"):
        entry = metadata.find(name)
        if entry is not None and (wrong := parse_addresses(entry.text, file.rpartition("/")[0])[1]):
            yield Finding(entry.file, entry.line, "error", entry.key,
                          f"not an address, network or readable file: {' '.join(wrong)}. Separate addresses by spaces")
    for key in ("sos_enable_request", "ows_enable_request"):
        if entry := metadata.entries.get(key):
            for word in entry.text.split():
                name = word.removeprefix("!").lower()
                if key.startswith("sos") and name != "*" and name not in _REQUESTS:
                    yield Finding(entry.file, entry.line, "warning", key,
                                  f"{word} is not an SOS request and enables nothing. Write * or names such as "
                                  "GetObservation, separated by spaces")


def _check_crs(crs: Crs | None, block: Block) -> Iterator[Finding]:
    if crs is None:
        if block.name == "layer":
            yield Finding(block.file, block.line, "warning", "PROJECTION",
                          "positions have no CRS and cannot be reprojected. Write for example PROJECTION "
                          '"epsg:4326" END')
        return
    if not is_known(crs.definition):
        attribute = block.last("projection") or block
        yield Finding(attribute.file, attribute.line, "error", "PROJECTION",
                      f'unknown to PROJ: "{crs.definition}". Requests that need the CRS fail')


def _check_settings(layer: ObservationLayer, block: Block) -> Iterator[Finding]:
    """Yield findings about keywords that have no effect in mapsos, so that none is silently ignored."""
    for attribute in block.attributes:
        if attribute.key in _NOT_HONOURED:
            yield Finding(attribute.file, attribute.line, "info", attribute.key.upper(),
                          f"has no effect on observations (it is about {_NOT_HONOURED[attribute.key]}). Use FILTER to "
                          "select rows")
        if attribute.key in ("data", "connection", "filter") and "%" in attribute.text.replace("%%", ""):
            inner = attribute.text.split("%")
            if len(inner) > 2 and inner[1].isidentifier():
                yield Finding(attribute.file, attribute.line, "warning", attribute.key.upper(),
                              f"%{inner[1]}% is not replaced by a request parameter. Write the value")
        if attribute.key == "processing" and not attribute.text.lower().startswith(
            ("items=", "native_filter=", "close_connection=")
        ):
            yield Finding(attribute.file, attribute.line, "info", "PROCESSING",
                          f'"{attribute.text}" has no effect. Only ITEMS and NATIVE_FILTER have')
    for name, what in (("cluster", "rows are not clustered"), ("join", "the joined columns are missing")):
        for inner_block in block.inner(name):
            yield Finding(inner_block.file, inner_block.line, "warning", name.upper(),
                          f"has no effect: {what}. Do it in a view or VRT instead")
    if layer.source.kind is SourceKind.SHAPEFILE and not layer.source.connection:
        yield Finding(block.file, block.line, "error", "DATA",
                      "missing: the layer has no observations. Write the name of a shapefile, or CONNECTIONTYPE OGR "
                      "and CONNECTION")
    status = block.last("status")
    if status is not None and status.text.lower() == "off":
        yield Finding(status.file, status.line, "info", "STATUS",
                      "OFF does not hide the layer from SOS (MapServer then finds no rows). Use sos_enable_request")
    if block.last("type") is None:
        yield Finding(block.file, block.line, "warning", "TYPE",
                      "missing: mapsos assumes POINT, and MapServer rejects the map. Write the type")
    expression = block.last("filter")
    if expression is not None and block.last("filteritem") is None:
        token = expression.values[0]
        whole = token.kind is TokenKind.EXPRESSION or token.text.startswith("(")
        if not whole:
            yield Finding(expression.file, expression.line, "error", "FILTER",
                          "without FILTERITEM this selects no rows, as in MapServer 8. Write FILTERITEM, an "
                          'expression such as ([value] > 5), or PROCESSING "NATIVE_FILTER=..." for SQL')
