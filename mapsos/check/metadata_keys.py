"""Check the keys of METADATA, of WEB and LAYER alike: spelling, duplicates, access rules, and what is missing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from mapsos.check.codes import (
    DUPLICATE_KEY,
    LAYER_KEY_MISSING,
    NOT_RECOMMENDED,
    UNKNOWN_KEY,
    UNKNOWN_REQUEST,
    WRONG_ADDRESSES,
    WRONG_LEVEL,
)
from mapsos.check.finding import Finding
from mapsos.columns.xml_text import encode_name
from mapsos.mapfile.access import parse_addresses
from mapsos.mapfile.blocks import Block
from mapsos.mapfile.keys import ITEM_PROPERTIES, METADATA_KEYS
from mapsos.mapfile.metadata import Entry, Metadata, collect_entries
from mapsos.sos.v1.operations import OPERATIONS

_ITEM = re.compile(r"(?:sos|ows|wfs|gml)_(.+)_([a-z]+)", re.S)
_REQUESTS = frozenset(operation.name.lower() for operation in OPERATIONS)
_FOREIGN_PREFIX = re.compile(r"(?:ows|wfs|wms|wcs|gml|oga|ogcapi|mapsos|tile|kml|gmd|default|qstring|inspire)_")
_FOREIGN_KEYS = frozenset(("ows_languages",))
"""Keys of other services that differ from one of SOS by a letter."""


def is_xml_name(text: str) -> bool:
    """Return whether a string can be the name of an XML element and a gml:id (an NCName of Namespaces in XML)."""
    return encode_name(text) == text


def check_keys(metadata: Metadata, blocks: list[Block], here: Block, file: str, skipped: str = "") -> Iterator[Finding]:
    """Yield findings about the keys of one level.

    Parameters
    ----------
    blocks
        The METADATA blocks.
    here
        The block that lacks the keys that are missing.
    file
        The mapfile, relative to which lists of addresses are read.
    skipped
        The beginning of keys that need not be there, empty for none.
    """
    yield from _check_recommended(metadata, here, skipped)
    yield from _check_access(metadata, file)
    yield from _check_duplicates(blocks)
    yield from find_unknown_keys(metadata)


def _check_recommended(metadata: Metadata, here: Block, skipped: str) -> Iterator[Finding]:
    rule = NOT_RECOMMENDED if metadata.level == "web" else LAYER_KEY_MISSING
    for key in METADATA_KEYS:
        if key.level != metadata.level or key.need != "recommended" or (skipped and key.name.startswith(skipped)):
            continue
        if metadata.find(key.name) is None:
            meaning = key.meaning if key.meaning[1:2].isupper() else key.meaning[0].lower() + key.meaning[1:]
            message = f"missing, so clients get an empty element or none. Add {key.pattern}: {meaning}"
            yield Finding(here.file, here.line, rule, key.pattern, message)


def _check_duplicates(blocks: list[Block]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for entry in collect_entries(blocks, None):
        if entry.key in seen:
            spelled = seen[entry.key]
            other = "" if spelled == entry.spelled else f" (as {spelled}: keys are case-insensitive)"
            message = f"duplicate key{other}: only this last one counts. Remove the other"
            yield Finding(entry.file, entry.line, DUPLICATE_KEY, entry.spelled, message)
        seen[entry.key] = entry.spelled


def _check_access(metadata: Metadata, file: str) -> Iterator[Finding]:
    for name in ("allowed_ip_list", "denied_ip_list"):
        entry = metadata.find(name)
        if entry is not None and (wrong := parse_addresses(entry.text, file.rpartition("/")[0])[1]):
            message = f"not an address, network or readable file: {' '.join(wrong)}. Separate addresses by spaces"
            yield Finding(entry.file, entry.line, WRONG_ADDRESSES, entry.key, message)
    for key in ("sos_enable_request", "ows_enable_request"):
        if entry := metadata.entries.get(key):
            for word in entry.text.split():
                name = word.removeprefix("!").lower()
                if key.startswith("sos") and name != "*" and name not in _REQUESTS:
                    message = (
                        f"{word} is not an SOS request and enables nothing. Write * or names such as GetObservation, "
                        "separated by spaces"
                    )
                    yield Finding(entry.file, entry.line, UNKNOWN_REQUEST, key, message)


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
        if entry.key in known or entry.key in _FOREIGN_KEYS or _is_item_key(metadata, entry):
            continue
        foreign = _FOREIGN_PREFIX.match(entry.key) is not None
        near = difflib.get_close_matches(entry.key, known, 1, 0.93 if foreign else 0.8)
        rule = UNKNOWN_KEY
        if entry.key in elsewhere and not foreign:
            where = "a LAYER" if metadata.level == "web" else "WEB"
            rule = WRONG_LEVEL
            message = f"has no effect here. Move it to the METADATA of {where}"
        elif near and not _differs_in_namespace(entry.key, near[0]):
            message = f"unknown key, has no effect. Did you mean {near[0]}?"
        elif suffix := _near_suffix(metadata, entry):
            message = f"unknown key, has no effect. Did you mean {suffix}?"
        elif entry.key.startswith("sos_"):
            message = "unknown key, has no effect. Correct or remove it"
        else:
            continue
        yield Finding(entry.file, entry.line, rule, entry.spelled or entry.key, message)


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
