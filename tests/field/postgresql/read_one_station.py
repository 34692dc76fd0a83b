"""Print the rows of ``quoted`` for each station of the command line: a program, for an environment of its own."""

from __future__ import annotations

import sys

from mapsos.terms.predicates import OneOf
from tests.field.postgresql.sources import by_postgis, read_texts

if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for station in sys.argv[2:]:
        print(read_texts(by_postgis(sys.argv[1], "quoted"), "station", OneOf("station", (station,))))
