"""Draft a map from sources of data, for ``mapsos init`` and for ``mapsos serve`` without a mapfile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mapsos.command.drafting.csv_tables import describe_table
from mapsos.command.drafting.data_sets import (
    DataSet,
    DraftError,
    is_database,
    list_sources,
    read_data_sets,
)
from mapsos.command.drafting.map_text import DraftLayer, write_map
from mapsos.command.drafting.names import write_xml_name
from mapsos.command.drafting.postgis_tables import write_postgis_data
from mapsos.command.drafting.projections import find_projection
from mapsos.command.drafting.roles import find_roles
from mapsos.sources.errors import mask_passwords
from mapsos.terms.values import dataclass


@dataclass(frozen=True)
class Draft:
    """The text of a mapfile, VRT files beside it by name, and sentences about layers that were left out."""

    text: str
    companions: Mapping[str, str]
    omitted: tuple[str, ...]

    def write(self, path: Path) -> list[Path]:
        """Write the mapfile and the files beside it, which it returns. Raises OSError."""
        written = []
        for name, text in {**self.companions, path.name: self.text}.items():
            written.append(path.with_name(name))
            written[-1].write_text(text, encoding="utf-8")
        return written[:-1]


def draft_map(
    words: Sequence[str],
    *,
    layers: Sequence[str] = (),
    name: str | None = None,
    folder: Path | None = None,
    url: str | None = None,
    has_companions: bool = True,
) -> Draft:
    """Draft the map of sources.

    Parameters
    ----------
    words
        Files, folders and databases, a database followed by the tables that are wanted.
    layers
        The layers or tables that are wanted of each source, empty for all.
    name
        Of the map; None for that of the first source.
    folder
        Of the mapfile, None if paths must be absolute.
    url
        The address of the server that the map's name follows; None to omit the address.
    has_companions
        Whether the map may have files beside it.

    Raises
    ------
    DraftError
        A source cannot be read, or none of their layers can be served; the message is for the admin.
    """
    sources = list_sources(words)
    drafted: list[DraftLayer] = []
    omitted: list[str] = []
    for source, tables in sources:
        for found in read_data_sets(source, (*tables, *layers)):
            data = describe_table(found) if found.driver == "CSV" and not is_database(source) else found
            layer, reason = _draft_layer(data)
            if layer is None:
                omitted.append(f"Left out: {data.layer} of {_name_source(source)}: {reason}.")
            else:
                drafted.append(layer)
    if not drafted:
        raise DraftError(" ".join(omitted) or f"no layers in {_name_source(sources[0][0])}")
    chosen = name or name_map(words)
    address = None if url is None else f"{url}/{chosen}?"
    companions: dict[str, str] | None = {} if has_companions else None
    text = write_map(chosen, drafted, omitted, folder, address, companions)
    return Draft(text, companions or {}, tuple(omitted))


def _draft_layer(data: DataSet) -> tuple[DraftLayer | None, str]:
    """Return the layer of a data set, or None and the reason."""
    roles = find_roles(data)
    if roles.time is None:
        return None, "no column has times that can be read"
    if roles.time.pattern is not None and data.inline is None:
        return None, (
            f"the times in {roles.time.name} have the form {roles.time.pattern}; make a view or VRT in which they "
            "are ISO 8601"
        )
    if not roles.values:
        return None, "no column has values"
    postgis = write_postgis_data(data) if is_database(data.source) else None
    return DraftLayer(data, roles, find_projection(data), postgis), ""


def name_map(words: Sequence[str]) -> str:
    """Return the name of the map of sources: that of the first file, folder or database."""
    word = words[0]
    if is_database(word):
        found = re.search(r"dbname\s*=\s*'?([\w.-]+)|^postgres(?:ql)?://[^/]*/([\w.-]+)", word, re.I)
        stem = next((part for part in found.groups() if part), "database") if found else "database"
    else:
        stem = Path(word).resolve().stem
    return re.sub(r"[^A-Za-z0-9_-]+", "_", write_xml_name(stem)).strip("_") or "data"


def _name_source(source: str) -> str:
    return mask_passwords(source) if is_database(source) else Path(source).name
