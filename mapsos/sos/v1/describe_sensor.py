"""DescribeSensor: a sensor's own document, or SensorML of the metadata and the data (reference section 7)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.layers.extents import find_map_rectangle
from mapsos.operations.layers.facts import list_values
from mapsos.operations.layers.meaning import list_spellings, read_meaning, refuse_source
from mapsos.operations.own_url import find_online_resource
from mapsos.operations.sensors.documents import fill_placeholder, fill_template, is_elsewhere, read_sensor_file
from mapsos.ows.exceptions import OwsException
from mapsos.sos.v1.conformance import is_strict
from mapsos.sos.v1.reading.parameters import parse_output_format, parse_sensor
from mapsos.sources.errors import SourceError
from mapsos.web.messages import Response

CONTENT_TYPE = "text/xml; charset=UTF-8"


def describe_sensor(context: Context) -> Response:
    """Describe the procedure as the first enabled layer that has it wants it described.

    With sos_describesensor_url: the file beside the map that it names, else a redirect (302) there, in which
    ``%procedure%`` is the id as the metadata or the data spell it, percent-encoded (D-12). Without it, or where
    sos_describesensor says ``generate``: the document of sos_sensorml_template, else SensorML. Strict answers redirect
    only where sos_describesensor says so. Ids are met without regard to case, bare or as URN (D-08).

    Raises OwsException 16 to 21, the last two only where sos_describesensor says ``redirect``.
    """
    version = parse_output_format(context.raw)
    asked = parse_sensor(context.raw)
    wanted = list_spellings(asked)
    strict = is_strict(context)
    layers, procedure = _find_layers(context, wanted, strict=strict)
    if not layers:
        raise OwsException("InvalidParameterValue", "procedure", "msSOSDescribeSensor", f"procedure {asked} not found.")
    first = layers[0]
    if not _is_generated(first, strict=strict):
        data = read_sensor_file(context.service, first, procedure)
        if data is None:
            return Response(status=302, headers=(("Location", _build_url(first, procedure)),))
        return Response(headers=(("Content-Type", "text/xml"),), body=(data,), compressible=True)
    from mapsos.encodings.strict.markup import write_procedure_urn
    from mapsos.operations.sensors.descriptions import build_sensor

    markup = build_sensor(context, layers, procedure)
    if strict:
        markup = replace(markup, urn=write_procedure_urn(procedure))
    document = fill_template(context.service, first, markup, find_online_resource(context))
    if document is None:
        from mapsos.encodings.documents.sensorml import write_sensorml

        document = write_sensorml(markup, version)
    return Response(headers=(("Content-Type", CONTENT_TYPE),), body=(document,), compressible=True)


def _is_generated(layer: ObservationLayer, *, strict: bool) -> bool:
    """Whether mapsos writes the document. In a strict answer a URL elsewhere is only followed if that is demanded."""
    how = layer.sensor.describe
    if how not in (None, "redirect", "generate"):
        raise OwsException(
            "NoApplicableCode",
            "sos_describesensor",
            "msSOSDescribeSensor",
            f"The metadata sos_describesensor of layer {layer.name} is not redirect or generate.",
            status=500,
        )
    if how is None and layer.describe_sensor_url is not None:
        return strict and is_elsewhere(layer.describe_sensor_url)
    return how != "redirect"


def _find_layers(context: Context, wanted: set[str], *, strict: bool) -> tuple[tuple[ObservationLayer, ...], str]:
    """The enabled layers that have the procedure, and its id as the first of them spells it.

    A layer that redirects is asked for alone: what others know of the procedure is in no answer then.
    """
    found: list[ObservationLayer] = []
    spelled = ""
    for layer in context.enabled("DescribeSensor"):
        name = next((name for name in _list_procedures(context, layer) if name.casefold() in wanted), None)
        if name is None:
            continue
        found.append(layer)
        spelled = spelled if len(found) > 1 else name
        if len(found) == 1 and not _is_generated(layer, strict=strict):
            break
    return tuple(found), spelled


def _list_procedures(context: Context, layer: ObservationLayer) -> tuple[str, ...]:
    if layer.procedures is not None:
        return layer.procedures
    column = read_meaning(layer).procedure_column if layer.procedure_item is not None else None
    if column is None:
        return ()
    try:
        return list_values(layer.source, column.name, find_map_rectangle(context.service, layer))
    except SourceError as error:
        raise refuse_source(error) from error


def _build_url(layer: ObservationLayer, procedure: str) -> str:
    if layer.describe_sensor_url is None:
        stated = layer.procedures is not None
        raise OwsException(
            "MissingParameterValue" if stated else "NoApplicableCode",
            "sos_describesensor_url" if stated else "mapserv",
            "msSOSDescribeSensor",
            f"Missing mandatory metadata sos_describesensor_url on layer {layer.name}",
            status=500,
        )
    url = fill_placeholder(layer.describe_sensor_url, quote(procedure, safe=":"))
    # What is not a character of a URL (blanks and line ends of the metadata too) must not reach a header as it is.
    return quote(url, safe="%/:?#[]@!$&'()*+,;=~-._")
