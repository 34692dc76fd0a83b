"""Mapfiles: read, or refused with a file and a line. They are the admin's, but a slip of theirs must end nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fuzz.victim import write_victim
from mapsos.mapfile.compiled import Compiled, load_compiled, store_compiled
from mapsos.mapfile.errors import MapfileError
from mapsos.mapfile.reader import read_service

_folder = tempfile.TemporaryDirectory(prefix="mapsos-fuzz-")
_EXAMPLES = Path(__file__).parent.parent / "examples" / "mapfiles"
SEEDS = (
    write_victim(Path(_folder.name)).read_bytes(),
    *(path.read_bytes() for path in sorted(_EXAMPLES.glob("*.map"))),
    b'MAP LAYER NAME "l" TYPE POINT FILTER ("[station]" = "S1" AND [value] IN "1,2") FEATURE POINTS 1 2 END '
    b'ITEMS "a;b" END METADATA "sos_offering_id" "o" END END END',
)
WORDS = ("MAP", "END", "LAYER", "METADATA", "WEB", "INCLUDE", "FILTER", "FILTERITEM", "PROCESSING", "PROJECTION", '"',
         "'", "#", "/*", "*/", "(", ")", "[", "]", "sos_offering_id", "CONNECTIONTYPE", "OGR", "POSTGIS", "FEATURE",
         "POINTS", "EXTENT", "ENCODING", "/regex/i", "{a,b}", "AUTO", "init=epsg:4326")  # fmt: skip


def check(data: bytes) -> None:
    """Read a text as a map; what was read survives being compiled."""
    path = Path(_folder.name) / "fuzzed.map"
    path.write_bytes(data)
    try:
        service = read_service(str(path))
    except MapfileError:
        return
    compiled = Compiled(service, ())
    store_compiled(_folder.name, str(path), compiled)
    assert load_compiled(_folder.name, str(path)) == compiled
