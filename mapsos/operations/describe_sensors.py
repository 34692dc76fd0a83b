"""Describe a sensor: by its document, or by metadata and facts about the data."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from mapsos.mapfile.model import ObservationLayer
from mapsos.operations.context import Context
from mapsos.operations.errors import Kind, ServiceError
from mapsos.operations.layers.meaning import list_spellings
from mapsos.operations.layers.procedures import list_procedures
from mapsos.operations.own_url import find_own_url
from mapsos.operations.questions import SensorQuestion
from mapsos.operations.sensors.documents import fill_placeholder, fill_template, is_elsewhere, read_sensor_file
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from mapsos.encodings.documents.sensorml import SensorMarkup
    from mapsos.operations.sensors.descriptions import WriteLink


@dataclass(frozen=True)
class SensorDescription:
    """The description of a sensor. Exactly one attribute is set.

    Attributes
    ----------
    location
        The URL of its document.
    file
        The content of the document that the admin stores beside the map.
    document
        The admin's template with its variables filled in.
    markup
        The facts from which a document can be written.
    """

    location: str | None = None
    file: bytes | None = None
    document: bytes | None = None
    markup: SensorMarkup | None = None


def describe_sensor(context: Context, question: SensorQuestion, write_link: WriteLink) -> SensorDescription:
    """Return the description of a procedure. The first enabled layer that has it decides on the form.

    With sos_describesensor_url, return the file beside the map that it names, else the URL, in which ``%procedure%`` is
    replaced by the percent-encoded id as spelled by the metadata or the data (D-12). Without it, or if
    sos_describesensor is ``generate``, return the filled-in sos_sensorml_template, else the facts about the sensor. Ids
    match case-insensitively, with or without URN (D-08).

    Raises
    ------
    ServiceError
        No layer has the procedure, or the metadata are faulty.
    """
    strict = question.strict
    layers, procedure = _find_layers(context, list_spellings(question.procedure), strict=strict)
    if not layers:
        message = f"Procedure {question.procedure} not found."
        raise ServiceError(Kind.UNKNOWN_NAME, "procedure", message, names=(question.procedure,))
    first = layers[0]
    if not _is_generated(first, strict=strict):
        data = read_sensor_file(context.service, first, procedure)
        if data is not None:
            return SensorDescription(file=data)
        return SensorDescription(location=_build_url(first, procedure))
    from mapsos.operations.sensors.descriptions import build_sensor

    markup = build_sensor(context, layers, procedure, write_link, strict=strict)
    document = fill_template(context.service, first, markup, find_own_url(context))
    return SensorDescription(document=document) if document is not None else SensorDescription(markup=markup)


def _is_generated(layer: ObservationLayer, *, strict: bool) -> bool:
    """Return whether mapsos writes the document. A strict answer redirects only if the metadata require it."""
    how = layer.sensor.describe
    if how not in (None, "redirect", "generate"):
        message = f"The metadata sos_describesensor of layer {layer.name} is not redirect or generate."
        raise ServiceError(Kind.MISCONFIGURED, "sensor document", message)
    if how is None and layer.describe_sensor_url is not None:
        return strict and is_elsewhere(layer.describe_sensor_url)
    return how != "redirect"


def _find_layers(context: Context, wanted: set[str], *, strict: bool) -> tuple[tuple[ObservationLayer, ...], str]:
    """Return the enabled layers that have the procedure, and its id as the first of them spells it.

    If the first layer redirects, the others are not searched: nothing from them is in the answer.
    """
    found: list[ObservationLayer] = []
    spelled = ""
    for layer in context.enabled("DescribeSensor"):
        name = next((name for name in list_procedures(context, layer) if name.casefold() in wanted), None)
        if name is None:
            continue
        found.append(layer)
        spelled = spelled if len(found) > 1 else name
        if len(found) == 1 and not _is_generated(layer, strict=strict):
            break
    return tuple(found), spelled


def _build_url(layer: ObservationLayer, procedure: str) -> str:
    if layer.describe_sensor_url is None:
        kind = Kind.MISSING if layer.procedures is not None else Kind.MISCONFIGURED
        message = f"Missing mandatory metadata sos_describesensor_url on layer {layer.name}"
        raise ServiceError(kind, "sensor URL", message)
    url = fill_placeholder(layer.describe_sensor_url, quote(procedure, safe=":"))
    # What is not a character of a URL (spaces and line ends of the metadata too) must not reach a header as it is.
    return quote(url, safe="%/:?#[]@!$&'()*+,;=~-._")
