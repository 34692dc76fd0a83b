"""Descriptions of sensors in files beside the map: documents, and templates with variables.

A template is XML with placeholders ``${name}``. Values are escaped once; nothing in a template is executed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from mapsos.columns.xml_text import escape_attribute
from mapsos.mapfile.model import ObservationLayer, Service
from mapsos.operations.errors import Kind, ServiceError
from mapsos.terms.crs import is_northing_first, name_crs

if TYPE_CHECKING:
    from mapsos.encodings.documents.sensorml import SensorMarkup

MOST_BYTES = 4 * 1024 * 1024
"""Maximum size of a file in bytes."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/?#\\]")
_PLACEHOLDER = re.compile("%procedure%", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_PLAIN_FILE_NAME = re.compile(r"(?!\.)[^/\\\0]+")


def is_elsewhere(url: str) -> bool:
    """Return whether a sos_describesensor_url is a URL and not the name of a file beside the map."""
    return _URL.match(url) is not None


def fill_placeholder(url: str, text: str) -> str:
    """Return a sos_describesensor_url with ``%procedure%``, in any letter case, replaced by a text."""
    return _PLACEHOLDER.sub(lambda _: text, url)


def read_sensor_file(service: Service, layer: ObservationLayer, procedure: str) -> bytes | None:
    """Return the content of the file that a relative sos_describesensor_url names; None if it cannot be used.

    ``%procedure%`` is replaced by the id, percent-encoded if it cannot be part of a file name. The file must be XML and
    must be below the folder of the map, with links followed.
    """
    url = layer.describe_sensor_url
    if not url or is_elsewhere(url):
        return None
    name = procedure if _PLAIN_FILE_NAME.fullmatch(procedure) else quote(procedure, safe="")
    data = _read_beside(service, fill_placeholder(url, name))
    return data if data is not None and _is_xml(data) else None


def fill_template(
    service: Service, layer: ObservationLayer, markup: SensorMarkup, online_resource: str
) -> bytes | None:
    """Return the sos_sensorml_template with its variables filled in; None if the layer has no template.

    A folder has a template for each sensor, named by its id and ``.xml``, and ``default.xml`` for the rest. If it has
    neither, return None too.

    Raises
    ------
    ServiceError
        The template is missing, is not below the folder of the map, has an unknown variable or is not XML.
    """
    named = layer.sensor.template
    if named is None:
        return None
    id_name = markup.procedure if _PLAIN_FILE_NAME.fullmatch(markup.procedure) else quote(markup.procedure, safe="")
    if _find_beside(service, named, os.path.isdir) is not None:
        candidates = [os.path.join(named, f"{id_name}.xml"), os.path.join(named, "default.xml")]
        data = next((data for path in candidates if (data := _read_beside(service, path)) is not None), None)
        if data is None:
            return None
    else:
        data = _read_beside(service, named)
        if data is None:
            raise _refuse(layer, "cannot be read", detail=named)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refuse(layer, "is not UTF-8", detail=str(error)) from error
    values = list_variables(markup, online_resource)
    unknown = sorted({name for name in _VARIABLE.findall(text) if name not in values})
    if unknown:
        raise _refuse(layer, f"names unknown variables: {', '.join(unknown)}. There are: {', '.join(values)}")
    filled = _VARIABLE.sub(lambda match: _escape(values[match[1]]), text).encode()
    if not _is_xml(filled):
        raise _refuse(layer, "does not give well-formed XML")
    return filled


def list_variables(markup: SensorMarkup, online_resource: str) -> dict[str, str]:
    """Return the values of the variables of a template by name, without escaping; empty if unknown."""
    said, place, period, valid = markup.provider, markup.place, markup.period, markup.valid_time
    bounds = [f"{number:.15g}" for number in place.bounds] if place else [""] * 4
    at_one_place = place is not None and place.is_position
    x, y = bounds[:2] if at_one_place else ("", "")
    found: dict[str, str | None] = {
        "procedure": markup.procedure,
        "urn": markup.urn,
        "name": markup.name,
        "short_name": markup.short_name,
        "description": markup.description,
        "keywords": ",".join(markup.keywords),
        "classification": markup.classification,
        "intended_application": markup.intended_application,
        "x": x,
        "y": y,
        "position": (f"{y} {x}" if _is_northing_first(place.label) else f"{x} {y}") if place and at_one_place else "",
        "srs": name_crs(place.label) if place else "",
        **dict(zip(("minx", "miny", "maxx", "maxy"), bounds, strict=True)),
        "begin": period.begin if period else "",
        "end": period.end if period else "",
        "valid_begin": valid.begin if valid else "",
        "valid_end": valid.end if valid else "",
        "observations": str(markup.observations),
        "offerings": ",".join(dict.fromkeys(link.offering for link in markup.links)),
        "observed_properties": ",".join(phenomenon.id for phenomenon in markup.inputs),
        "get_observation": markup.links[0].url if markup.links else "",
        "online_resource": online_resource,
        "organization": said.organization,
        "person": said.person,
        "contact_position": said.position,
        "voice": said.voice_telephone,
        "facsimile": said.facsimile_telephone,
        "address": said.address,
        "city": said.city,
        "state_or_province": said.state_or_province,
        "postcode": said.postcode,
        "country": said.country,
        "email": said.electronic_mail_address,
        "site": said.site,
    }
    return {name: value or "" for name, value in found.items()}


def _escape(value: str) -> str:
    """Escape a value for content and for attributes in either quotes."""
    return escape_attribute(value).replace("'", "&#39;")


def _is_northing_first(label: str) -> bool:
    try:
        return is_northing_first(label)
    except ValueError:
        return False


def _find_beside(service: Service, path: str, is_kind: Callable[[str], bool]) -> str | None:
    """Return the real path of a file or folder below the folder of the map, links followed; None for any other."""
    if "\0" in path:
        return None
    folder = os.path.realpath(os.path.dirname(service.file))
    found = os.path.realpath(os.path.join(folder, path))
    if os.path.commonpath([folder, found]) != folder or found == folder:
        return None
    return found if is_kind(found) else None


def _read_beside(service: Service, path: str) -> bytes | None:
    try:
        found = _find_beside(service, path, os.path.isfile)
        if found is None or os.path.getsize(found) > MOST_BYTES:
            return None
        with open(found, "rb") as file:
            return file.read(MOST_BYTES)
    except (OSError, ValueError):
        return None


def _is_xml(data: bytes) -> bool:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False)
    try:
        etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return False
    return True


def _refuse(layer: ObservationLayer, what: str, *, detail: str = "") -> ServiceError:
    message = f"The template of metadata sos_sensorml_template on layer {layer.name} {what}."
    return ServiceError(Kind.MISCONFIGURED, "sensor template", message, detail=detail)
