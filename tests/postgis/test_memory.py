"""Memory does not grow with the answer: a million rows of a cursor in the memory of a hundred thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsos.encodings.spool import MEMORY_BYTES
from tests.support.agreement import count_members, reading
from tests.support.memory import FEW, MANY, check_memory
from tests.support.servers import mapsos_program

from .observations import QUERY, write_map

pytestmark = pytest.mark.slow
DATA_MEGABYTES = 250
"""What a process may have of data, by the kernel."""
HELD_MEGABYTES = {"om:Measurement": 0.0, "om:Observation": MEMORY_BYTES / 1e6}
"""What an encoder may hold on purpose, whatever the size of the answer."""


def write_repeated(folder: Path, connection: str, rows: int) -> Path:
    """A map over so many rows that the server makes up as they are fetched."""
    numbers = f"(SELECT generate_series(1, {rows}) AS n) AS g"
    data = (
        "(SELECT (ARRAY[$$A$$, $$B$$, $$C$$])[n % 3 + 1] AS station, to_timestamp(n) AS time, n % 400 / 10.0 AS "
        "air_temp, n % 101 AS humidity, n AS value, ST_SetSRID(ST_MakePoint(n % 100, n % 50), 4326) AS geom FROM "
        f"{numbers}) AS x"
    )
    return write_map(folder / f"{rows}.map", connection, data, False)


@pytest.mark.parametrize("model", HELD_MEGABYTES)
def test_ten_times_the_rows_take_no_more_memory(connection: str, tmp_path: Path, model: str) -> None:
    maps = [write_repeated(tmp_path, connection, rows) for rows in (FEW, MANY)]
    if model == "om:Measurement":
        with reading(mapsos_program(maps[0], f"{QUERY}&resultModel={model}")) as document:
            assert count_members(document) == FEW
    few, many = (mapsos_program(mapfile, f"{QUERY}&resultModel={model}") for mapfile in maps)
    check_memory(few, many, data=DATA_MEGABYTES, held=HELD_MEGABYTES[model])
