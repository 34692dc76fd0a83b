"""Invented observations of 200 stations, the same on every machine: columns of numpy arrays from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

SEED = 20010101
STATIONS = 200
CHUNK_ROWS = 200_000
FIRST_TIME = "2001-01-01T00:00:00"


@dataclass(frozen=True)
class Character:
    """What distinguishes one set of observations from another.

    Attributes
    ----------
    distinct
        Times and temperatures that never repeat, instead of hourly times shared by all stations and temperatures in
        tenths of a degree. The column ``value`` never repeats either way, ``humidity`` has 101 values.
    drifting
        Stations that move about (buoys): no two observations share a position.
    """

    distinct: bool = False
    drifting: bool = False


@dataclass(frozen=True)
class Observations:
    """Some rows, one array each of the same length; x and y are longitude and latitude in degrees."""

    station: Any
    time: Any
    air_temp: Any
    humidity: Any
    value: Any
    x: Any
    y: Any


def make_observations(rows: int, character: Character) -> Iterator[Observations]:
    """So many rows in order of time, the 200 stations in turn, in chunks of up to 200 000 rows.

    ``station`` is text (``S000`` to ``S199``), ``time`` datetime64[s] in UTC, ``air_temp`` degrees Celsius and
    ``humidity`` per cent as int64, the others float64.
    A shorter set is the beginning of a longer one.
    """
    import numpy as np

    names = np.array([f"S{number:03d}" for number in range(STATIONS)], dtype=object)
    home_x, home_y = place_stations()
    for number, start in enumerate(range(0, rows, CHUNK_ROWS)):
        random = np.random.default_rng([SEED, number])
        index = np.arange(start, start + CHUNK_ROWS)
        station, hour = index % STATIONS, index // STATIONS
        time = np.datetime64(FIRST_TIME, "s") + hour * np.timedelta64(3600, "s")
        season = 12 + 9 * np.sin(hour * (2 * np.pi / 8766)) + station % 7
        air_temp = season + random.normal(0, 4, CHUNK_ROWS)
        if character.distinct:
            time = time + station * np.timedelta64(17, "s")
        else:
            air_temp = np.round(air_temp, 1)
        humidity = random.integers(0, 101, CHUNK_ROWS)
        value = random.normal(1013, 9, CHUNK_ROWS)
        x, y = home_x[station], home_y[station]
        if character.drifting:
            x, y = x + random.uniform(-5, 5, CHUNK_ROWS), y + random.uniform(-5, 5, CHUNK_ROWS)
        kept = slice(0, min(CHUNK_ROWS, rows - start))
        columns = (names[station], time, air_temp, humidity, value, x, y)
        yield Observations(*(column[kept] for column in columns))


def place_stations() -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes of the 200 stations, within -170 to 170 and -75 to 75 degrees."""
    import numpy as np

    random = np.random.default_rng([SEED, STATIONS])
    return np.round(random.uniform(-170, 170, STATIONS), 4), np.round(random.uniform(-75, 75, STATIONS), 4)


def make_vertices(features: int, vertices: int) -> np.ndarray:
    """An array (features, vertices, 2) of float64 longitudes and latitudes: rings around random places, closed."""
    import numpy as np

    random = np.random.default_rng([SEED, vertices])
    centre = random.uniform((-170, -75), (170, 75), (features, 2))
    angle = np.linspace(0, 2 * np.pi, vertices)
    radius = random.uniform(0.2, 1.0, (features, vertices))
    radius[:, -1] = radius[:, 0]
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * radius[:, :, None] + centre[:, None, :]
    ring[:, -1] = ring[:, 0]
    return ring
