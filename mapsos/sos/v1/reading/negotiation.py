"""VERSION, AcceptVersions, updateSequence and sections of SOS 1.0.0, with MapServer's exceptions.

See docs/mapserver-sos.md, "Version negotiation" and "updateSequence".
"""

from __future__ import annotations

import re

from mapsos.ows.exceptions import OwsException
from mapsos.ows.negotiation import (
    SECTIONS,
    UnknownSectionError,
    choose_sections,
    choose_version,
    compare_update_sequences,
    is_version,
)
from mapsos.ows.raw_request import RawRequest

SUPPORTED = "1.0.0"
_MOST_LINES = 20


def check_version(raw: RawRequest) -> None:
    """Check that VERSION is 1.0.0 or 1.0.

    Raises
    ------
    OwsException
        VERSION is missing (exception 4 of docs/mapserver-sos.md) or not supported (5).
    """
    version = raw.last("version")
    if version is None:
        raise OwsException("MissingParameterValue", "version", "msSOSDispatch", "Missing VERSION parameter")
    if not is_version(version, SUPPORTED):
        raise OwsException(
            "InvalidParameterValue",
            "version",
            "msSOSDispatch",
            f"VERSION {version} not supported.  Supported versions are: {SUPPORTED}.",
            more=() if _has_form(version) else (_complain(version),),
        )


def negotiate_version(raw: RawRequest) -> str:
    """Return the version of the capabilities: the first supported one of AcceptVersions, 1.0.0 without the parameter.

    VERSION is ignored.

    Raises
    ------
    OwsException
        No version of the list is supported: VersionNegotiationFailed (exception 6 of docs/mapserver-sos.md).
    """
    accepted = raw.last("acceptversions")
    if accepted is None:
        return SUPPORTED
    # Runs of commas count as one (docs/mapserver-sos.md, "Lists").
    entries = re.split(",+", accepted)
    version = choose_version(entries, (SUPPORTED,))
    if version is not None:
        return version
    raise OwsException(
        "VersionNegotiationFailed",
        "acceptversions",
        "msSOSGetCapabilities",
        f"ACCEPTVERSIONS list ({accepted}) does not match supported versions ({SUPPORTED})",
        more=_collapse([_complain(entry) for entry in reversed(entries) if not _has_form(entry)]),
    )


def check_update_sequence(raw: RawRequest, server: str | None, *, strict: bool = False) -> None:
    """Check that a client's updateSequence is lower than the server's, as `compare_update_sequences` compares them.

    Nothing is checked if one of them is missing, or if they cannot be compared. With ``strict`` a value is rejected in
    these cases too, since no capabilities of this server ever had it.

    Raises
    ------
    OwsException
        The value equals the server's (exception 7 of docs/mapserver-sos.md) or is higher (8).
    """
    client = raw.last("updatesequence")
    if not client or (server is None and not strict):
        return
    order = compare_update_sequences(client, server or "")
    if order == "different" and strict:
        raise OwsException(
            "InvalidUpdateSequence",
            "updatesequence",
            "msSOSGetCapabilities",
            f"UPDATESEQUENCE parameter ({client}) is not one of this server ({server or 'which has none'})",
        )
    if order in ("equal", "higher"):
        relation = "equal to" if order == "equal" else "higher than"
        raise OwsException(
            "CurrentUpdateSequence" if order == "equal" else "InvalidUpdateSequence",
            "updatesequence",
            "msSOSGetCapabilities",
            f"UPDATESEQUENCE parameter ({client}) is {relation} server ({server})",
        )


def parse_sections(raw: RawRequest) -> frozenset[str] | None:
    """Return the requested sections in the spelling of `SECTIONS`; None for the whole document.

    Raises
    ------
    OwsException
        A section is unknown.
    """
    try:
        return choose_sections(raw.all("sections"), SECTIONS)
    except UnknownSectionError as error:
        raise OwsException(
            "InvalidParameterValue",
            "sections",
            "msSOSGetCapabilities",
            f"Invalid sections parameter {error.name}.  Allowable values are: {', '.join(SECTIONS)}, All",
        ) from error


def _has_form(version: str) -> bool:
    return 2 <= len(re.split(r"\.+", version)) <= 3


def _complain(version: str) -> str:
    return (
        f"msOWSParseVersionString(): OWS error. Invalid version ({version[:200]}). "
        "Version must be in the format 'x.y' or 'x.y.z'"
    )


def _collapse(lines: list[str]) -> tuple[str, ...]:
    """Return runs of equal lines as one line with a count, as MapServer writes its queue of errors."""
    collapsed: list[str] = []
    repeated = 0
    for index, line in enumerate(lines):
        if index + 1 < len(lines) and lines[index + 1] == line:
            repeated += 1
            continue
        collapsed.append(f"{line} (message repeated {repeated} times)" if repeated else line)
        repeated = 0
    return tuple(collapsed[:_MOST_LINES])
