"""Parameters of the REST interface. Unknown parameters are ignored, near misses of known ones are rejected."""

from __future__ import annotations

import re

from mapsos.ows.raw_request import RawRequest
from mapsos.rest.errors import RestError
from mapsos.terms.names.name_lists import FindKnown, know_nothing, split_names
from mapsos.terms.names.near_names import NearMissError, TooManyNamesError, ignore_names

FORMATS = ("html", "json", "pjson")
MORE_FORMATS = {"": ("schema",), "observations/query": ("csv",)}
"""Further formats of some resources."""

PARAMETERS: dict[str, tuple[str, ...]] = {
    "services": (),
    "openapi": (),
    "builder": (),
    "": (),
    "observations": (),
    "offering": (),
    "observations/query": (
        "offering",
        "observedProperty",
        "procedure",
        "featureOfInterest",
        "spatialFilter",
        "temporalFilter",
        "where",
        "resultOffset",
        "resultRecordCount",
    ),
    "procedures": (),
    "procedure": (),
    "features": (),
    "features/query": ("feature", "observedProperty", "procedure", "spatialFilter"),
}
"""The parameters of each resource except ``f``: those that f=schema lists, and those of pages."""


def check_names(raw: RawRequest, resource: str) -> tuple[str, ...]:
    """Return the names of the parameters that are ignored: those that the resource does not have.

    Raises
    ------
    RestError
        A name is a near miss of one that the resource has, or a parameter has several different values.
    """
    if "callback" in raw.values:
        raise RestError(
            "callback is not supported", "use f=json; the CORS setting of the server can allow other origins"
        )
    allowed = (*PARAMETERS[resource], "f")
    elsewhere = (name for names in PARAMETERS.values() for name in names)
    try:
        ignored = raw.ignored + ignore_names(raw.values, allowed, elsewhere)
    except NearMissError as error:
        raise RestError(f"unknown parameter {error.name}", f"did you mean {error.meant}?") from error
    except TooManyNamesError as error:
        raise RestError(str(error)) from error
    for name in PARAMETERS[resource] + ("f",):
        if len(set(raw.all(name))) > 1:
            raise RestError(f"{name} is given more than once, with different values")
    return ignored


def read_format(raw: RawRequest, resource: str) -> str:
    """Return the response format, ``html`` by default. Raises RestError."""
    allowed = ("json",) if resource == "openapi" else (*FORMATS, *MORE_FORMATS.get(resource, ()))
    found = (raw.last("f") or allowed[0]).strip().lower()
    if found not in allowed:
        raise RestError(f"f={found} is not supported", f"allowed are {', '.join(allowed)}")
    return found


def read_list(raw: RawRequest, name: str, find_known: FindKnown = know_nothing) -> tuple[str, ...] | None:
    """Return the ids of a comma-separated list; None if the parameter is absent or empty.

    A comma inside an id is written ``\\,``. It may also stand as it is if ``find_known`` knows the id (`split_names`).
    """
    text = raw.last(name)
    if text is None or not text.strip():
        return None
    if "\\" not in text:
        return split_names([text], find_known)
    parts = [re.sub(r"\\([\\,])", r"\1", part).strip() for part in re.split(r"(?<!\\),", text)]
    return tuple(dict.fromkeys(part for part in parts if part))


def read_text(raw: RawRequest, name: str) -> str | None:
    """Return the value of a parameter; None if it is absent or empty."""
    text = raw.last(name)
    return text if text and text.strip() else None


def read_count(raw: RawRequest, name: str, least: int) -> int | None:
    """Return an integer of at least ``least``; None if the parameter is absent or empty. Raises RestError."""
    text = read_text(raw, name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,15}", text.strip()) or int(text) < least:
        raise RestError(f"{name} cannot be read: {text[:50]!r}", f"expected an integer of at least {least}")
    return int(text)
