"""Identity of the data of a layer: whether they have changed since facts about them were cached."""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Iterator

from mapsos.files.identity import identify
from mapsos.terms.layer_source import LayerSource, SourceKind

_COMPANIONS = (".dbf", ".shx", ".cpg", ".prj", ".csvt")
_ALONE = (".gpkg", ".sqlite", ".fgb", ".geojson", ".json")
"""Formats in one file: another file of the same name beside it is unrelated."""

_JOURNALS = ("-wal", "-journal")
_LONGEST_VRT = 1 << 20
_SOURCE = re.compile(r"<SrcDataSource[^>]*>([^<]*)</SrcDataSource>", re.I)


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
        return (path, *_list_sources(path))
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


def _list_sources(path: str) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(_LONGEST_VRT)
    except OSError:
        return
    for found in _SOURCE.findall(text):
        named = os.path.join(os.path.dirname(path), found.strip())
        if os.path.isfile(named):
            yield named
