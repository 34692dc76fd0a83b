"""Find misspelled metadata keys, and names that are not XML names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from mapsos.check.finding import Finding
from mapsos.columns.xml_text import encode_name
from mapsos.mapfile.keys import ITEM_PROPERTIES, METADATA_KEYS
from mapsos.mapfile.metadata import Entry, Metadata

_ITEM = re.compile(r"(?:sos|ows|wfs|gml)_(.+)_([a-z]+)", re.S)
_FOREIGN_PREFIX = re.compile(r"(?:ows|wfs|wms|wcs|gml|oga|ogcapi|mapsos|tile|kml|gmd|default|qstring)_")


def is_xml_name(text: str) -> bool:
    """Return whether a string can be the name of an XML element and a gml:id (an NCName of Namespaces in XML)."""
    return encode_name(text) == text


def find_unknown_keys(metadata: Metadata) -> Iterator[Finding]:
    """Yield findings about keys that look like SOS keys but that mapsos does not read.

    Keys of other services (``ows_``, ``wms_`` ...) are only reported if they differ from an SOS key by about one
    letter.
    """
    known = {
        spelling for key in METADATA_KEYS if key.level == metadata.level for spelling in key.spellings
    }
    elsewhere = {
        spelling for key in METADATA_KEYS if key.level not in (metadata.level, "item") for spelling in key.spellings
    }
    for entry in metadata.entries.values():
        if entry.key in known or _is_item_key(metadata, entry):
            continue
        foreign = _FOREIGN_PREFIX.match(entry.key) is not None
        near = difflib.get_close_matches(entry.key, known, 1, 0.93 if foreign else 0.8)
        if entry.key in elsewhere and not foreign:
            where = "a LAYER" if metadata.level == "web" else "WEB"
            message = f"has no effect here. Move it to the METADATA of {where}"
        elif near and not _differs_in_namespace(entry.key, near[0]):
            message = f"unknown key, has no effect. Did you mean {near[0]}?"
        elif suffix := _near_suffix(metadata, entry):
            message = f"unknown key, has no effect. Did you mean {suffix}?"
        elif entry.key.startswith("sos_"):
            message = "unknown key, has no effect. Correct or remove it"
        else:
            continue
        yield Finding(entry.file, entry.line, "warning", entry.spelled or entry.key, message)


def _is_item_key(metadata: Metadata, entry: Entry) -> bool:
    match = _ITEM.fullmatch(entry.key)
    return metadata.level == "layer" and match is not None and match[2] in ITEM_PROPERTIES


def _near_suffix(metadata: Metadata, entry: Entry) -> str:
    match = _ITEM.fullmatch(entry.key)
    if metadata.level != "layer" or match is None or not entry.key.startswith("sos_"):
        return ""
    near = difflib.get_close_matches(match[2], ITEM_PROPERTIES, 1, 0.7)
    return f"sos_{match[1]}_{near[0]}" if near else ""


def _differs_in_namespace(key: str, near: str) -> bool:
    """Return whether only the prefix differs: ``wms_title`` is not a misspelling of ``sos_title``."""
    return key.partition("_")[2] == near.partition("_")[2] and _FOREIGN_PREFIX.match(key) is not None
