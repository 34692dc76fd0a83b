"""DescribeSensor: a redirect to the sensor's own document (reference section 7)."""

from __future__ import annotations

import re
from urllib.parse import quote

from mapsos.http import Response
from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.get_capabilities import find_map_rectangle
from mapsos.operations.layer_facts import list_values
from mapsos.operations.layer_meaning import read_meaning, refuse_source, strip_procedure
from mapsos.ows.exceptions import OwsException
from mapsos.ows.parameters import check_output_format, parse_sensor
from mapsos.sources.errors import SourceError

_PLACEHOLDER = re.compile("%procedure%", re.IGNORECASE)


def describe_sensor(context: Context) -> Response:
    """Redirect (302) to sos_describesensor_url of the first enabled layer that has the procedure.

    ``%procedure%`` becomes the id as the metadata or the data spell it, percent-encoded (D-12). Ids are met without
    regard to case, bare or as URN (D-08). Raises OwsException 16 to 21.
    """
    check_output_format(context.raw)
    asked = parse_sensor(context.raw)
    wanted = {asked.casefold(), strip_procedure(asked).casefold()}
    for layer in context.enabled("DescribeSensor"):
        spelled = next((name for name in _list_procedures(context, layer) if name.casefold() in wanted), None)
        if spelled is not None:
            return Response(status=302, headers=(("Location", _build_url(layer, spelled)),))
    raise OwsException("InvalidParameterValue", "procedure", "msSOSDescribeSensor", f"procedure {asked} not found.")


def _list_procedures(context: Context, layer: ObservationLayer) -> tuple[str, ...]:
    if layer.procedures is not None:
        return layer.procedures
    column = read_meaning(layer).procedure_column if layer.procedure_item is not None else None
    if column is None:
        return ()
    try:
        return list_values(layer.source, column.name, find_map_rectangle(context, layer))
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
    url = _PLACEHOLDER.sub(lambda _: quote(procedure, safe=":"), layer.describe_sensor_url)
    # What is not a character of a URL (blanks and line ends of the metadata too) must not reach a header as it is.
    return quote(url, safe="%/:?#[]@!$&'()*+,;=~-._")
