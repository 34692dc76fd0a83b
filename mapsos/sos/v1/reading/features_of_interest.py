"""Read featureOfInterest and bbox: places and ids (docs/mapserver-sos.md, "featureOfInterest" and "bbox")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mapsos.operations.questions import FeatureOfInterest
from mapsos.ows.exceptions import OwsException
from mapsos.ows.geometry_bounds import check_geometries
from mapsos.ows.gml_geometries import read_number, read_srs_name
from mapsos.ows.raw_request import Markup, RawRequest, Value
from mapsos.ows.spatial_operators import is_spatial, parse_place, parse_spatial
from mapsos.ows.xml_input import (
    MarkupError,
    RefusedMarkup,
    check_mixed_content,
    local_name,
    parse_fragments,
    text_of,
)
from mapsos.terms.names.name_lists import FindKnown, know_nothing, split_names
from mapsos.terms.predicates import BBox, Predicate, Spatial

if TYPE_CHECKING:
    from lxml import etree

_MOST_SHOWN = 2048


def parse_feature_of_interest(
    values: tuple[Value, ...], parameter: str = "featureofinterest", find_known: FindKnown = know_nothing
) -> FeatureOfInterest | None:
    """Return the values of a parameter as one place, or as ids; None without values.

    A place is a gml:Envelope or gml:Box, ogc:BBOX around one, ``BBOX:minx,miny,maxx,maxy[,crs]``, a GML geometry (for
    observations that intersect it), or a spatial operator. An id is an ObjectID element or plain text in a
    comma-separated list, where ``find_known`` returns which ids exist (`split_names`). A CRS named by a URN or URL of
    the OGC has its authority's axis order. A place without CRS has ``crs`` None.

    Raises
    ------
    OwsException
        The value is broken XML, or neither a place nor an id (exceptions 35 and 36 of docs/mapserver-sos.md; D-25).
    """
    if not values:
        return None
    # Some clients send the same place twice, once under a name in other letter case.
    places: dict[Predicate, None] = {}
    ids: dict[str, None] = {}
    for value in dict.fromkeys(values):
        own = 0
        try:
            for found in _read_value(value, find_known):
                if isinstance(found, str):
                    ids[found] = None
                else:
                    own += 1
                    places[found] = None
                    if isinstance(found, Spatial):
                        check_geometries((found.wkb,))
                # Further places, each of which may be in another CRS, are not read.
                if own > 1 or len(places) > 1 or (places and ids):
                    raise _refuse(parameter, _show(values), "more than one place, or a place beside ids")
        except RefusedMarkup as error:
            raise OwsException(
                "InvalidParameterValue",
                parameter,
                "msSOSGetObservation",
                f"The featureOfInterest is rejected: {error}.",
            ) from error
        except MarkupError as error:
            raise _refuse(parameter, "", str(error)) from error
        except ValueError as error:
            raise _refuse(parameter, str(value), str(error)) from error
    return FeatureOfInterest(next(iter(places), None), tuple(ids))


def parse_bbox(raw: RawRequest) -> BBox | None:
    """Return the vendor parameter ``minx,miny,maxx,maxy`` with an optional CRS after it; None if absent.

    Raises
    ------
    OwsException
        It has another number of parts, or parts that are not numbers (exception 42 of docs/mapserver-sos.md).
    """
    value = raw.last("bbox")
    if value is None:
        return None
    try:
        return _read_box(value)
    except ValueError as error:
        raise OwsException(
            "InvalidParameterValue",
            "bbox",
            "msSOSGetObservation",
            "Wrong number of arguments for bounding box.",
            detail=str(error),
        ) from error


def _read_value(value: Value, find_known: FindKnown) -> Iterator[Predicate | str]:
    """Yield the places and ids in a value."""
    if isinstance(value, Markup):
        check_mixed_content(value.elements)
        for element in value.elements:
            yield _read_element(element)
        return
    text = value.strip()
    if not text:
        raise MarkupError("no value")
    if text.startswith("<"):
        for element in parse_fragments(text):
            yield _read_element(element)
    elif text[:5].upper() == "BBOX:":
        yield _read_box(text[5:])
    else:
        names = split_names([text], find_known)
        yield from _read_ids(names if names == (text,) else ("", *names) if _has_gap(text) else names)


def _read_element(element: etree._Element) -> Predicate | str:
    name = local_name(element)
    if name == "ObjectID":
        return _read_ids([text_of(element)])[0]
    return parse_spatial(element) if is_spatial(name) else parse_place(element)


def _read_ids(texts: Sequence[str]) -> list[str]:
    found = [text.strip() for text in texts]
    if not all(found):
        raise ValueError("an empty id")
    return found


def _has_gap(text: str) -> bool:
    return not all(part.strip() for part in text.split(","))


def _read_box(text: str) -> BBox:
    parts = text.split(",")
    if len(parts) not in (4, 5):
        raise ValueError("a rectangle takes four numbers")
    minx, miny, maxx, maxy = (read_number(part) for part in parts[:4])
    if len(parts) == 4:
        return BBox(minx, miny, maxx, maxy)
    srs_name = read_srs_name(parts[4])
    if srs_name.northing_first:
        minx, miny, maxx, maxy = miny, minx, maxy, maxx
    return BBox(minx, miny, maxx, maxy, srs_name.label)


def _show(values: Sequence[Value]) -> str:
    """Return the values joined by commas, of more than fit into an exception only the first."""
    shown = []
    size = 0
    for value in values:
        shown.append(str(value))
        size += len(shown[-1])
        if size > _MOST_SHOWN:
            break
    return ",".join(shown)


def _refuse(parameter: str, value: str, detail: str) -> OwsException:
    shown = f" {value}" if value else ""
    return OwsException(
        "InvalidParameterValue",
        parameter,
        "msSOSGetObservation",
        f"Invalid gml:Envelope value given for featureOfInterest{shown}.",
        detail=detail,
    )
