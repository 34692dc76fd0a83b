"""Read featureOfInterest and bbox: places and ids (docs/mapserver-sos.md, "featureOfInterest" and "bbox")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mapsos.operations.questions import FeatureOfInterest
from mapsos.ows.exceptions import OwsException
from mapsos.ows.geometry_bounds import check_geometries
from mapsos.ows.gml_geometries import read_number, read_srs_name
from mapsos.ows.raw_request import RawRequest
from mapsos.ows.spatial_operators import is_spatial, parse_place, parse_spatial
from mapsos.ows.xml_input import MarkupError, RefusedMarkup, local_name, parse_fragments, text_of
from mapsos.terms.names.name_lists import FindKnown, know_nothing, split_names
from mapsos.terms.predicates import BBox, Predicate, Spatial

if TYPE_CHECKING:
    from lxml import etree


def parse_feature_of_interest(
    values: tuple[str, ...], parameter: str = "featureofinterest", find_known: FindKnown = know_nothing
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
    places: list[Predicate] = []
    ids: list[str] = []
    # Some clients send the same place twice, once under a name in other letter case.
    for value in dict.fromkeys(values):
        text = value.strip()
        try:
            if not text:
                raise MarkupError("no value")
            if text.startswith("<"):
                for element in parse_fragments(text):
                    _read_element(element, places, ids)
                # Of several places, none is accepted.
                check_geometries(place.wkb for place in places[:1] if isinstance(place, Spatial))
            elif text[:5].upper() == "BBOX:":
                places.append(_read_box(text[5:]))
            else:
                names = split_names([text], find_known)
                ids += _read_ids(names if names == (text,) else ("", *names) if _has_gap(text) else names)
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
            raise _refuse(parameter, value, str(error)) from error
    if len(places) > 1 or (places and ids):
        raise _refuse(parameter, ",".join(values), "more than one place, or a place beside ids")
    return FeatureOfInterest(places[0] if places else None, tuple(dict.fromkeys(ids)))


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


def _read_element(element: etree._Element, places: list[Predicate], ids: list[str]) -> None:
    name = local_name(element)
    if name == "ObjectID":
        ids += _read_ids([text_of(element)])
    elif is_spatial(name):
        places.append(parse_spatial(element))
    else:
        places.append(parse_place(element))


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


def _refuse(parameter: str, value: str, detail: str) -> OwsException:
    shown = f" {value}" if value else ""
    return OwsException(
        "InvalidParameterValue",
        parameter,
        "msSOSGetObservation",
        f"Invalid gml:Envelope value given for featureOfInterest{shown}.",
        detail=detail,
    )
