"""Read PROJECTION blocks as coordinate reference systems."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.tokens import Token
from mapsos.terms.crs import PROJ_LABELS, Crs, parse_srs_name

_INIT = re.compile(r"\+?init=([A-Za-z]+):([0-9A-Za-z]+)", re.I)
_AUTHORITY_CODE = re.compile(r"([A-Za-z]+):([0-9A-Za-z]+)")
_WKT = re.compile(r"(?:PROJC|GEOGC|GEODC|BOUNDC|COMPOUNDC|COMPD_C|LOCAL_C|ENGC|PROJCRS|GEOGCRS)[A-Z]*\s*[\[(]", re.I)


def read_projection(tokens: Sequence[Token], owner: str) -> Crs | None:
    """Return the CRS of a PROJECTION block (docs/mapserver-sos.md, "CRS labels"; D-31), None if the block is empty.

    Accepts ``init=epsg:4326`` (with or without +), ``epsg:4326``, URN and http names, ``crs:84``, WKT, and PROJ strings
    as one word or as one word per parameter. Does not check whether PROJ knows the CRS.

    Parameters
    ----------
    tokens
        The words of the block.
    owner
        The block that contains it, for messages.

    Raises
    ------
    MapfileError
        An AUTO projection, which depends on the drawn map and so does not apply to observations; or an unknown form.
    """
    texts = [token.text.strip() for token in tokens if token.text.strip()]
    if not texts:
        return None
    first = tokens[0]
    if texts[0].upper() == "AUTO" or re.match(r"(?:\+?init=)?auto2?:", texts[0], re.I):
        raise MapfileError(
            first.file,
            first.line,
            f"PROJECTION {texts[0]} of {owner}: automatic projections are not supported; write for "
            'example "epsg:4326"',
            fault="projection",
            near=first.text,
        )
    if match := _INIT.match(texts[0]) or _AUTHORITY_CODE.fullmatch(texts[0]):
        return crs_of_label(f"{match[1]}:{match[2]}")
    if _WKT.match(texts[0]):
        return Crs(" ".join(texts))
    if len(texts) == 1 and (name := parse_srs_name(texts[0])):
        return crs_of_label(name.label)
    words = [word.removeprefix("+") for text in texts for word in re.split(r"\s+", text)]
    if any(word.startswith("proj=") for word in words):
        return Crs(" ".join(f"+{word}" for word in words if word))
    for word in words:
        if match := _INIT.fullmatch(word):
            return crs_of_label(f"{match[1]}:{match[2]}")
    raise MapfileError(
        first.file,
        first.line,
        f'PROJECTION of {owner}: "{" ".join(texts)}" is not a projection; write for example "epsg:4326"',
        fault="projection",
        near=first.text,
    )


def crs_of_label(label: str) -> Crs:
    """Return the CRS of an authority code such as ``epsg:4326``."""
    label = label.upper().replace("EPSGA:", "EPSG:")
    return Crs(PROJ_LABELS.get(label, label), label)
