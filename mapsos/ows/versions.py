"""Versions: which one a client names, which ones it accepts (docs/mapserver-sos.md, "Version negotiation")."""

from __future__ import annotations

import re

from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest

SUPPORTED = "1.0.0"
_NUMBERS = re.compile(r"\s*([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?\s*")


def check_version(raw: RawRequest) -> None:
    """Refuse a missing VERSION (4) or one that is not 1.0.0 or 1.0 (5)."""
    version = raw.last("version")
    if version is None:
        raise OwsException("MissingParameterValue", "version", "msSOSDispatch", "Missing VERSION parameter")
    if not _is_supported(version):
        raise OwsException(
            "InvalidParameterValue",
            "version",
            "msSOSDispatch",
            f"VERSION {version} not supported.  Supported versions are: {SUPPORTED}.",
            more=() if _has_form(version) else (_complain(version),),
        )


def negotiate_version(raw: RawRequest) -> str:
    """The version to answer GetCapabilities in: the first of AcceptVersions that is supported, 1.0.0 without any.

    Raises OwsException VersionNegotiationFailed (6) if none is. VERSION does not count here.
    """
    accepted = raw.last("acceptversions")
    if accepted is None:
        return SUPPORTED
    # Runs of commas count as one (docs/mapserver-sos.md, "Lists").
    entries = re.split(",+", accepted)
    if any(_is_supported(entry) for entry in entries):
        return SUPPORTED
    raise OwsException(
        "VersionNegotiationFailed",
        "acceptversions",
        "msSOSGetCapabilities",
        f"ACCEPTVERSIONS list ({accepted}) does not match supported versions ({SUPPORTED})",
        more=_collapse([_complain(entry) for entry in reversed(entries) if not _has_form(entry)]),
    )


def _is_supported(version: str) -> bool:
    match = _NUMBERS.fullmatch(version)
    return match is not None and tuple(int(part or 0) for part in match.groups()) == (1, 0, 0)


def _has_form(version: str) -> bool:
    return 2 <= len(re.split(r"\.+", version)) <= 3


def _complain(version: str) -> str:
    return (
        f"msOWSParseVersionString(): OWS error. Invalid version ({version[:200]}). "
        "Version must be in the format 'x.y' or 'x.y.z'"
    )


def _collapse(lines: list[str]) -> tuple[str, ...]:
    """Consecutive equal lines as one that counts the others, the way MapServer writes its queue of errors."""
    collapsed: list[str] = []
    repeated = 0
    for index, line in enumerate(lines):
        if index + 1 < len(lines) and lines[index + 1] == line:
            repeated += 1
            continue
        collapsed.append(f"{line} (message repeated {repeated} times)" if repeated else line)
        repeated = 0
    return tuple(collapsed[:20])
