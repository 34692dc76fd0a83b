"""Print the findings of ``mapsos check`` for the admin's terminal or a program."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TextIO

from mapsos.check.data import find_in_data
from mapsos.check.finding import Finding
from mapsos.check.mapfile_schema import MAPSERVER, find_by_schema
from mapsos.check.mapfile_text import find_in_mapfile
from mapsos.check.values import find_in_values
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.model import Service
from mapsos.mapfile.reader import read_service
from mapsos.mapfile.tokens import read_tokens
from mapsos.pages.wording import find_wording, list_languages, read_tag
from mapsos.terms.times import current_time

_ORDER = {"error": 0, "warning": 1, "info": 2}


def run(
    paths: Sequence[str],
    *,
    strict: bool = False,
    as_json: bool = False,
    mapserver: float = MAPSERVER,
    out: TextIO | None = None,
) -> int:
    """Print the findings about mapfiles and return the exit code.

    Each line is ``file:line: level: key: what a client will see, and what to write instead``; with ``as_json`` the
    same as one JSON array, files as absolute paths. The code is 2 if there is an error, 1 if there is a warning and
    ``strict``, else 0. Reads the data of every layer. ``mapserver`` is the version that keywords are held against.
    """
    stream = out if out is not None else sys.stdout
    found = [finding for path in paths for finding in check_mapfile(path, mapserver)]
    if as_json:
        json.dump([asdict(finding) for finding in found], stream, indent=2)
        stream.write("\n")
    else:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        for finding in found:
            # Not every terminal can show all bytes of a mapfile.
            stream.write(_format(finding).encode(encoding, "backslashreplace").decode(encoding) + "\n")
    levels = {finding.level for finding in found}
    return 2 if "error" in levels else 1 if strict and "warning" in levels else 0


def check_mapfile(path: str, mapserver: float = MAPSERVER) -> list[Finding]:
    """All findings about one mapfile: of its text, and of the data it names; in order of file and line."""
    try:
        service = read_service(path)
        tokens, _ = read_tokens(path)
    except MapfileError as error:
        return [Finding(error.file, error.line, "error", error.near or "mapfile", error.message)]
    found = dict.fromkeys(
        [
            *find_in_mapfile(service),
            *_check_language(service),
            *find_in_data(service, current_time()),
            *find_in_values(service),
        ]
    )
    # What mapsos itself reads, it has spoken of already, and in terms of SOS.
    told = {(finding.file, finding.line, finding.key) for finding in found}
    for finding in find_by_schema(tokens, mapserver):
        if (finding.file, finding.line, finding.key) not in told:
            found[finding] = None
    return sorted(found, key=lambda finding: (finding.file, finding.line, _ORDER[finding.level], finding.key))


def _check_language(service: Service) -> Iterator[Finding]:
    """Find out whether pages can be in the language of the service."""
    key = next((key for key in ("sos_language", "ows_language") if key in service.keys), None)
    if key is None:
        return
    file, line = service.keys[key]
    if read_tag(service.language) is None:
        message = (
            f'"{service.language}" is not a language tag: pages are in English; write a tag of BCP 47, for example '
            '"de" or "fr-CA"'
        )
        yield Finding(file, line, "warning", key, message)
    elif find_wording(read_tag(service.language)) is None:
        languages = ", ".join(list_languages())
        message = f'pages are not translated into "{service.language}" and are in English; available: {languages}'
        yield Finding(file, line, "info", key, message)


def _format(finding: Finding) -> str:
    """Return a finding as one line; its file relative to the working directory, if it is below that."""
    try:
        near = os.path.relpath(finding.file)
    except FileNotFoundError:
        # The working directory was removed.
        near = os.pardir
    file = finding.file if near.startswith(os.pardir) else near
    where = f"{file}:{finding.line}" if finding.line else file
    return " ".join(f"{where}: {finding.level}: {finding.key}: {finding.message}".split())
