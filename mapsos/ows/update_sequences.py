"""updateSequence: whether a client's capabilities are still current (docs/mapserver-sos.md, "updateSequence")."""

from __future__ import annotations

import re
from typing import Literal

from mapsos.ows.exceptions import OwsException
from mapsos.ows.raw_request import RawRequest
from mapsos.terms.times import parse_time

_INTEGER = re.compile(r"\s*([-+]?[0-9]{1,400})\s*")
_Kind = Literal["integer", "time", "text"]


def check_update_sequence(raw: RawRequest, server: str | None, *, strict: bool = False) -> None:
    """Refuse an updateSequence that equals the server's (7) or is higher (8).

    Integers compare by value, times by their begin, other texts without regard to letter case by code point. Values of
    different kinds are not compared, nor is anything if one side is not set; ``strict`` refuses what cannot be compared
    (8), since no capabilities of this server ever had it.
    """
    client = raw.last("updatesequence")
    if not client or (server is None and not strict):
        return
    kind, value = _type(client)
    server_kind, server_value = _type(server or "")
    if strict and kind != server_kind:
        raise OwsException(
            "InvalidUpdateSequence",
            "updatesequence",
            "msSOSGetCapabilities",
            f"UPDATESEQUENCE parameter ({client}) is not one of this server ({server or 'which has none'})",
        )
    if kind != server_kind or value < server_value:  # type: ignore[operator]
        return
    equal = value == server_value
    raise OwsException(
        "CurrentUpdateSequence" if equal else "InvalidUpdateSequence",
        "updatesequence",
        "msSOSGetCapabilities",
        f"UPDATESEQUENCE parameter ({client}) is {'equal to' if equal else 'higher than'} server ({server})",
    )


def _type(text: str) -> tuple[_Kind, int | str]:
    if match := _INTEGER.fullmatch(text):
        return "integer", int(match[1])
    if text.strip().lower() != "now":
        try:
            return "time", parse_time(text).begin
        except ValueError:
            pass
    return "text", text.lower()
