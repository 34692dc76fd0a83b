"""Check the text of each LAYER: its METADATA and the keywords that matter to observations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from mapsos.check import codes
from mapsos.check.finding import Finding, Rule, locate
from mapsos.check.metadata_keys import check_keys, find_unknown_keys, is_xml_name
from mapsos.mapfile.blocks import Block
from mapsos.mapfile.model import ObservationLayer, Service, group_offerings
from mapsos.mapfile.reader import layer_metadata
from mapsos.mapfile.tokens import TokenKind
from mapsos.terms.crs import is_known, parse_srs_name
from mapsos.terms.layer_source import SourceKind
from mapsos.terms.times import parse_period, parse_time

_ITEMS_OF_WFS = re.compile(r"(?:gml|wfs|ows|sos)_(?:include_items|exclude_items)|(?:gml|wfs)_(?P<item>.+)_alias")
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


def check_layers(service: Service, tree: Block) -> Iterator[Finding]:
    """Yield the findings about the text of all layers of a map."""
    names = Counter((block.text("name") or "").lower() for block in tree.inner("layer"))
    firsts = [offering.first for offering in group_offerings(service.layers)]
    blocks = {(block.file, block.line): block for block in tree.inner("layer")}
    for block in tree.inner("layer"):
        metadata = layer_metadata(block, tree.text("encoding"))
        if metadata.find("offering_id") is None and any(key.startswith("sos_") for key in metadata.entries):
            yield Finding(block.file, block.line, codes.NOT_SERVED, "sos_offering_id",
                          f'LAYER "{block.text("name") or ""}" has sos_ metadata but no offering, so it is not '
                          "served. Write the id of the offering")
            yield from find_unknown_keys(metadata)
    for layer in service.layers:
        block = blocks[layer.file, layer.line]
        if names[layer.name.lower()] > 1:
            attribute = block.last("name") or block
            yield Finding(attribute.file, attribute.line, codes.SAME_NAME, "NAME",
                          f'several LAYERs are named "{layer.name}": clients cannot distinguish them. Rename one')
        metadata = layer_metadata(block, tree.text("encoding"))
        yield from _check_meaning(layer)
        yield from _check_fields(layer)
        skipped = "" if layer in firsts else "offering_"
        yield from check_keys(metadata, list(block.inner("metadata")), block, service.file, skipped)
        yield from _check_items_of_wfs(layer)
        yield from _check_crs(layer, service, block)
        yield from _check_settings(layer, block)
        if (service.access.allowed_ip_list or service.access.denied_ip_list) and any(layer.access.enable_request):
            yield _at(layer, "enable_request", codes.OWN_RULES,
                      "the layer enables requests itself, so the address lists of WEB do not apply to it, as in "
                      "MapServer. Repeat them here")


def _at(layer: ObservationLayer, name: str, rule: Rule, message: str) -> Finding:
    return locate("layer", layer.keys, name, layer, rule, message)


def _check_sensor(layer: ObservationLayer) -> Iterator[Finding]:
    sensor = layer.sensor
    if sensor.describe not in (None, "redirect", "generate"):
        yield _at(layer, "describesensor", codes.WRONG_DESCRIBE_SENSOR,
                  f'DescribeSensor is rejected: expected redirect or generate, got "{sensor.describe}"')
    elif sensor.describe == "redirect" and not layer.describe_sensor_url:
        yield _at(layer, "describesensor", codes.WRONG_DESCRIBE_SENSOR,
                  'DescribeSensor fails: no URL to redirect to. Write "sos_describesensor_url", with %procedure% for '
                  "the id of the sensor")
    if sensor.valid_time is not None:
        try:
            parse_period(sensor.valid_time if "/" in sensor.valid_time else f"{sensor.valid_time}/")
        except ValueError:
            yield _at(layer, "sensor_validtime", codes.WRONG_VALID_TIME,
                      f'DescribeSensor fails: expected begin/end, got "{sensor.valid_time}"')


def _check_meaning(layer: ObservationLayer) -> Iterator[Finding]:
    if not layer.offering_id:
        yield _at(layer, "offering_id", codes.EMPTY_OFFERING,
                  "the id of the offering is empty: clients cannot request it")
    elif not is_xml_name(layer.offering_id):
        yield _at(layer, "offering_id", codes.OFFERING_NAME,
                  f'"{layer.offering_id}" is not an XML name, so its gml:id is encoded. Use a letter, followed by '
                  "letters, digits, _ and -")
    if layer.observed_property is None or not layer.observed_property.id:
        yield _at(layer, "observedproperty_id", codes.NO_OBSERVED_PROPERTY,
                  "missing or empty: the observations of the layer cannot be requested. Write the id of the observed "
                  "property")
    if not layer.procedures and layer.procedure_item is None:
        yield _at(layer, "procedure", codes.NO_PROCEDURE,
                  "GetCapabilities fails: the layer has no procedure. Write the id of the sensor, or write the column "
                  "with the ids in sos_procedure_item")
    if layer.procedures and len([name for name in layer.procedures if name]) > 1 and layer.procedure_item is None:
        yield _at(layer, "procedure", codes.PROCEDURES_WITHOUT_COLUMN,
                  "several procedures, but no column with the procedure of each row: every observation lists all of "
                  "them. Write the column in sos_procedure_item")
    if layer.procedures and "" in layer.procedures:
        yield _at(layer, "procedure", codes.EMPTY_PROCEDURE,
                  "a space at the beginning or end makes an empty procedure. Remove it")
    yield from _check_sensor(layer)
    if layer.offering_extent is not None and (message := _wrong_extent(layer.offering_extent)):
        yield _at(layer, "offering_extent", codes.WRONG_EXTENT, message)
    if layer.offering_time_extent is not None and (message := _wrong_time_extent(layer.offering_time_extent)):
        yield _at(layer, "offering_timeextent", codes.WRONG_TIME_EXTENT, message)
    if layer.srs is not None:
        name = parse_srs_name(layer.srs.split(" ")[0])
        if name is None:
            yield _at(layer, "srs", codes.MALFORMED_LAYER_SRS,
                      f'"{layer.srs}" is not a CRS. Write for example "EPSG:4326"')
        elif not is_known(name.label):
            yield _at(layer, "srs", codes.UNKNOWN_LAYER_SRS,
                      f"{name.label} does not exist in PROJ's database, but labels the envelopes of the layer: clients "
                      "cannot place them. Write the code of the PROJECTION, or omit the key")


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
            yield Finding(field.file, field.line, codes.FIELD_WITHOUT_ALIAS, f"sos_{field.item}_alias",
                          f"the column {field.item} has no alias, so it is not published. Write one to publish it")
            continue
        if not is_xml_name(field.alias):
            yield Finding(field.file, field.line, codes.ALIAS_NAME, field.key,
                          f'"{field.alias}" is not an XML name: clients see it encoded (a space as _x0020_). Use a '
                          "letter, followed by letters, digits, _, - and .")
        if (other := taken.setdefault(field.alias.casefold(), field.item)) != field.item:
            yield Finding(field.file, field.line, codes.SAME_ALIAS, field.key,
                          f'"{field.alias}" is also the alias of {other}: filters find only one. Choose another')


def suggest_projection(service: Service) -> str:
    """Return the code to write in an example: that of the map, else of its first layer that has one."""
    candidates = (service.crs, *(layer.source.crs for layer in service.layers))
    known = (crs.label for crs in candidates if crs is not None and crs.label and is_known(crs.definition))
    return next(known, "EPSG:4326").lower()


def _check_crs(layer: ObservationLayer, service: Service, block: Block) -> Iterator[Finding]:
    crs = layer.source.crs
    if crs is None:
        consequence = "positions have no CRS and cannot be reprojected"
        if service.crs is not None:
            consequence = (
                f"positions are taken for {service.crs.label or 'the CRS'}, the PROJECTION of the MAP, and are not "
                "reprojected, whatever srsName a request has; capabilities have no extent"
            )
        message = f'{consequence}. Write into the LAYER, for example, PROJECTION "{suggest_projection(service)}" END'
        yield Finding(block.file, block.line, codes.NO_PROJECTION, "PROJECTION", message)
    elif not is_known(crs.definition):
        attribute = block.last("projection") or block
        message = f'unknown to PROJ: "{crs.definition}". Requests that need the CRS fail'
        yield Finding(attribute.file, attribute.line, codes.UNKNOWN_PROJECTION, "PROJECTION", message)


def selects_items_of_wfs(layer: ObservationLayer) -> str:
    """Return the key of WFS by which a layer without any alias selects its columns, empty without one."""
    if any(field.alias is not None for field in layer.fields.values()):
        return ""
    return next((key for key in layer.keys if _ITEMS_OF_WFS.fullmatch(key)), "")


def _check_items_of_wfs(layer: ObservationLayer) -> Iterator[Finding]:
    if key := selects_items_of_wfs(layer):
        file, line = layer.keys[key]
        message = (
            "of WFS, has no effect on SOS: no column is published, so observations have no values. Write a key such as "
            f'"sos_{_name_item(key)}_alias" for each column to publish'
        )
        yield Finding(file, line, codes.ITEMS_OF_WFS, key, message)


def _name_item(key: str) -> str:
    match = _ITEMS_OF_WFS.fullmatch(key)
    return match["item"] if match is not None and match["item"] else "<item>"


def _check_settings(layer: ObservationLayer, block: Block) -> Iterator[Finding]:
    """Yield findings about keywords that have no effect in mapsos, so that none is silently ignored."""
    for attribute in block.attributes:
        if attribute.key in _NOT_HONOURED:
            yield Finding(attribute.file, attribute.line, codes.KEYWORD_WITHOUT_EFFECT, attribute.key.upper(),
                          f"has no effect on observations (it is about {_NOT_HONOURED[attribute.key]}). Use FILTER to "
                          "select rows")
        if attribute.key in ("data", "connection", "filter") and "%" in attribute.text.replace("%%", ""):
            inner = attribute.text.split("%")
            if len(inner) > 2 and inner[1].isidentifier():
                yield Finding(attribute.file, attribute.line, codes.NOT_REPLACED, attribute.key.upper(),
                              f"%{inner[1]}% is not replaced by a request parameter. Write the value")
        if attribute.key == "processing" and not attribute.text.lower().startswith(
            ("items=", "native_filter=", "close_connection=")
        ):
            yield Finding(attribute.file, attribute.line, codes.PROCESSING_WITHOUT_EFFECT, "PROCESSING",
                          f'"{attribute.text}" has no effect. Only ITEMS and NATIVE_FILTER have')
    options = next(block.inner("connectionoptions"), None)
    if options is not None and options.attributes and not layer.source.open_options:
        yield Finding(options.file, options.line, codes.OPTIONS_WITHOUT_EFFECT, "CONNECTIONOPTIONS",
                      "have no effect: only CONNECTIONTYPE OGR has options, those of GDAL's driver. Write "
                      "CONNECTIONTYPE OGR and the file or database as CONNECTION, or remove the block")
    for name, what in (("cluster", "rows are not clustered"), ("join", "the joined columns are missing")):
        for inner_block in block.inner(name):
            yield Finding(inner_block.file, inner_block.line, codes.BLOCK_WITHOUT_EFFECT, name.upper(),
                          f"has no effect: {what}. Do it in a view or VRT instead")
    if layer.source.kind is SourceKind.SHAPEFILE and not layer.source.connection:
        yield Finding(block.file, block.line, codes.NO_DATA, "DATA",
                      "missing: the layer has no observations. Write the name of a shapefile, or CONNECTIONTYPE OGR "
                      "and CONNECTION")
    status = block.last("status")
    if status is not None and status.text.lower() == "off":
        yield Finding(status.file, status.line, codes.STATUS_OFF, "STATUS",
                      "OFF does not hide the layer from SOS (MapServer then finds no rows). Use sos_enable_request")
    if block.last("type") is None:
        yield Finding(block.file, block.line, codes.NO_TYPE, "TYPE",
                      "missing: mapsos assumes POINT, and MapServer rejects the map. Write the type")
    expression = block.last("filter")
    if expression is not None and block.last("filteritem") is None:
        token = expression.values[0]
        whole = token.kind is TokenKind.EXPRESSION or token.text.startswith("(")
        if not whole:
            yield Finding(expression.file, expression.line, codes.FILTER_WITHOUT_ITEM, "FILTER",
                          "without FILTERITEM this selects no rows, as in MapServer 8. Write FILTERITEM, an "
                          'expression such as ([value] > 5), or PROCESSING "NATIVE_FILTER=..." for SQL')
