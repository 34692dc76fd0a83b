"""Identity of the data of a layer: whether they have changed since facts about them were cached."""

from __future__ import annotations

import os
import re
from collections.abc import Hashable

from mapsos.files.identity import identify
from mapsos.terms.layer_source import LayerSource, SourceKind

_COMPANIONS = (".dbf", ".shx", ".cpg", ".prj", ".csvt")
_ALONE = (".gpkg", ".sqlite", ".fgb", ".geojson", ".json")
"""Formats in one file: another file of the same name beside it is unrelated."""

_JOURNALS = ("-wal", "-journal")
_LONGEST_VRT = 1 << 20
_DEEPEST_VRT = 8
_MOST_OF_VRT = 1000
_SOURCE = re.compile(r"<SrcDataSource[^>]*>\s*(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))\s*</SrcDataSource>", re.I | re.S)


def identity(source: LayerSource) -> tuple[Hashable, ...] | None:
    """Return a value that differs once the data differ: the source, and name, size, time (ns) and inode of its files.

    None where that is unknown: databases, services, VRTs (whose data are elsewhere) and missing files. Imports nothing
    heavy.
    """
    if source.kind is SourceKind.INLINE:
        return (source,)
    if source.kind is SourceKind.POSTGIS:
        return None
    files = list_files(source)
    if not files or files[0].lower().endswith(".vrt"):
        return None
    path = files[0]
    # An empty journal is ignored: SQLite may create one by opening the file.
    journals = [state if (state := identify(path + journal)) and state.size else None for journal in _JOURNALS]
    return (source, tuple(map(identify, files)), tuple(journals))


def list_files(source: LayerSource) -> tuple[str, ...]:
    """Return the file that the layer names and those that may belong to it; after a VRT the files that it names.

    VRTs in a VRT are followed, up to 8 levels and 1000 sources in all.

    Empty for databases, services and other sources without a file.
    """
    if source.kind in (SourceKind.INLINE, SourceKind.POSTGIS):
        return ()
    path = source.connection
    stem, extension = os.path.splitext(path)
    if source.kind is SourceKind.SHAPEFILE:
        stem, extension = find_stem(source), ".shp"
        path = find_part(stem, extension)
    if not os.path.isfile(path):
        return ()
    if extension.lower() == ".vrt":
        found = (name for name in list_sources(path) if os.path.isfile(name))
        return (path, *(name for name in dict.fromkeys(found) if name != path))
    if extension.lower() in _ALONE:
        return (path,)
    return (path, *(find_part(stem, companion) for companion in _COMPANIONS))


def find_stem(source: LayerSource) -> str:
    """Return the path of a shapefile without an extension: DATA may have that of the .shp, or none."""
    stem, extension = os.path.splitext(source.connection)
    return stem if extension.lower() == ".shp" else source.connection


def find_part(stem: str, extension: str) -> str:
    """Return the path of a part of a data set, such as ``.dbf``, in the case of its extension; lower if missing."""
    plain, loud = stem + extension, stem + extension.upper()
    return loud if not os.path.exists(plain) and os.path.exists(loud) else plain


def list_sources(connection: str) -> list[str]:
    """Return the names of the data sources of a VRT and of the VRTs among them, which are returned as well.

    ``connection`` is the path of the VRT, or its XML. Names are paths, from the folder of the VRT on if they are
    relative, or what else GDAL opens. Of a connection that is not a VRT's it is empty. No data source is opened.
    """
    found: list[str] = []
    seen: set[str] = set()
    coming = [(connection, 0)]
    while coming and len(found) < _MOST_OF_VRT:
        named, depth = coming.pop()
        text = _read_vrt(named)
        if text is None or named in seen or depth >= _DEEPEST_VRT:
            continue
        # Only for those that have VRTs: a CGI process imports it in a millisecond.
        from html import unescape

        seen.add(named)
        folder = "" if named.lstrip().startswith("<") else os.path.dirname(named)
        for marked, plain in _SOURCE.findall(text):
            name = (marked or unescape(plain)).strip()
            joined = os.path.join(folder, name)
            # A text that is not the name of a file, as of a database, stays as it is.
            name = joined if os.path.exists(joined) else name
            found.append(name)
            coming.append((name, depth + 1))
    return found


def _read_vrt(connection: str) -> str | None:
    """Return the XML of a VRT, None for any other connection and where it cannot be read."""
    if connection.lstrip().startswith("<"):
        return connection
    if not connection.lower().endswith(".vrt"):
        return None
    try:
        with open(connection, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(_LONGEST_VRT)
    except (OSError, ValueError):
        return None
