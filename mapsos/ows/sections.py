"""Sections of a capabilities document (OGC 06-121r3, clause 7.3.3)."""

from __future__ import annotations

from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest

SECTIONS = (
    "ServiceIdentification",
    "ServiceProvider",
    "OperationsMetadata",
    "Filter_Capabilities",
    "Contents",
)


def parse_sections(raw: RawRequest) -> frozenset[str] | None:
    """The sections asked for, in the spelling of `SECTIONS`; None for the whole document (no parameter, or ``All``).

    Names are met without regard to case; an empty list asks for none of them. Raises OwsException
    InvalidParameterValue ``sections`` for an unknown one.
    """
    lists = raw.all("sections")
    if not lists:
        return None
    wanted = [name.strip() for value in lists for name in value.split(",")]
    known = {name.lower(): name for name in (*SECTIONS, "All")}
    for name in wanted:
        if name and name.lower() not in known:
            raise OwsException(
                "InvalidParameterValue",
                "sections",
                "msSOSGetCapabilities",
                f"Invalid sections parameter {name}.  Allowable values are: {', '.join(SECTIONS)}, All",
            )
    found = frozenset(known[name.lower()] for name in wanted if name)
    return None if "All" in found else found
