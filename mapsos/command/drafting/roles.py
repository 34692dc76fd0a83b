"""Choose the roles of columns: the time, the sensor, its name, positions, and the values that are observed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mapsos.command.drafting.data_sets import DataColumn, DataRow, DataSet
from mapsos.command.drafting.names import split_words
from mapsos.terms.times import parse_time
from mapsos.terms.values import dataclass

_TIME_WORDS = frozenset(
    "time date datetime timestamp datum zeit uhrzeit zeitpunkt zeitstempel messzeit messzeitpunkt day tag month monat "
    "week woche year jahr hour stunde fecha heure jour tijd tid observed sampled measured".split()
)
_OTHER_TIME_WORDS = frozenset(
    "created updated modified edited edit inserted imported import update change changed geändert erstellt install "
    "installed end ende bis until to".split()
)
_STRONG = (
    "station stationid stn sensor sensorid procedure gauge gaugeid pegel messstelle messstation mst thing platform "
    "device buoy well brunnen site siteid probe logger"
).split()
_WEAK = "location loc standort ort place region area id code nr nummer number key name".split()
_NAMES = frozenset("name title titel bezeichnung label".split())
_IDS = frozenset("id code nr nummer no number key".split())
_KEYS = frozenset("fid ogc_fid objectid gid pk id oid rowid".split())
# Those that belong together are at the same position.
_LONGITUDES = (
    "lon long lng longitude x x_coord xcoord coord_x east easting rechtswert ostwert ost laenge länge geo_lon"
).split()
_LATITUDES = (
    "lat lat lat latitude y y_coord ycoord coord_y north northing hochwert nordwert nord breite breite geo_lat"
).split()
_HEIGHTS = frozenset("z elevation altitude height_asl".split())

_ISO = re.compile(r"\d{4}(-?W\d|-\d{2}|\d{4})")
_SECONDS = range(100_000_000, 5_000_000_000)
_FOREIGN_TIME = re.compile(r"(\d{2})(?P<mark>[./])(\d{2})(?P=mark)\d{4}(?:[ T,]+\d{2}:\d{2}(?::\d{2})?)?")


@dataclass(frozen=True)
class TimeColumn:
    """The column of the time of observation, the form of its values in words, and whether mapsos can read them.

    ``pattern`` is the form that has to be converted first (dd.mm.yyyy), None for what mapsos reads as it is.
    """

    name: str
    form: str
    pattern: str | None = None


@dataclass(frozen=True)
class Roles:
    """The columns of a data set by their role; ``sensor`` is None where a data set has a single one."""

    time: TimeColumn | None
    sensor: str | None
    sensor_name: str | None
    values: tuple[DataColumn, ...]


def find_roles(data: DataSet) -> Roles:
    """Return the roles of the columns of a data set, as its names and the sample of its rows suggest."""
    time = find_time(data)
    taken = {time.name} if time else set()
    coordinates = set(find_coordinates([column.name for column in data.columns]) or ())
    rest = [column for column in data.columns if column.name not in taken | coordinates]
    sensor = _find_sensor(data, rest)
    groups = _group(data.rows, sensor)
    constant = {column.name for column in rest if sensor and _is_constant(groups, column.name)}
    name = next(
        (column.name for column in rest if column.name in constant - {sensor} and column.kind == "text"
         and _NAMES & set(split_words(column.name))),
        None,
    )  # fmt: skip
    values = tuple(
        column for column in rest
        if column.name not in (sensor, name)
        and column.name.lower() not in _KEYS | _HEIGHTS
        and (column.kind in ("integer", "real") or (column.kind == "text" and column.name not in constant))
        and not (_OTHER_TIME_WORDS & set(split_words(column.name)) and column.kind == "text")
    )  # fmt: skip
    return Roles(time, sensor, name, values)


def find_coordinates(names: Sequence[str]) -> tuple[str, str] | None:
    """Return the names of the columns with x and y, by their names; None without two that belong together."""
    lowered = {re.sub(r"[\W]+", "_", name.lower()).strip("_"): name for name in names}
    for x, y in zip(_LONGITUDES, _LATITUDES, strict=True):
        if x in lowered and y in lowered:
            return lowered[x], lowered[y]
    x_name = next((lowered[name] for name in _LONGITUDES if name in lowered), None)
    y_name = next((lowered[name] for name in _LATITUDES if name in lowered), None)
    return (x_name, y_name) if x_name is not None and y_name is not None else None


def find_time(data: DataSet) -> TimeColumn | None:
    """Return the column of the time of observation, None if no column has times."""
    best: tuple[int, TimeColumn] | None = None
    for column in data.columns:
        words = set(split_words(column.name))
        named = bool(words & _TIME_WORDS) or any(word.endswith(("zeit", "datum", "time", "date")) for word in words)
        values = [row[column.name] for row in data.rows if row.get(column.name) not in (None, "")]
        found = _read_times(column, values, named)
        if found is None:
            continue
        score = (10 if named else 0) + (4 if column.kind in ("datetime", "date") else 0) + (column.kind == "datetime")
        score -= 8 if words & _OTHER_TIME_WORDS else 0
        if best is None or score > best[0]:
            best = score, found
    return best[1] if best else None


def _read_times(column: DataColumn, values: Sequence[object], named: bool) -> TimeColumn | None:
    """Return the column as one of times; None if it has none, or only what may as well be something else."""
    if column.kind == "date":
        return TimeColumn(column.name, "dates")
    if column.kind == "datetime":
        zoned = any(re.search(r"(Z|[+-]\d\d:?\d\d)$", str(value)) for value in values)
        return TimeColumn(column.name, "dates and times" + ("" if zoned else " without a time zone: taken as UTC"))
    if not values:
        return None
    example = f'text such as "{_shorten(str(values[0]))}"'
    if column.kind == "text":
        texts = [str(value).strip() for value in values]
        if all(_is_time(text) for text in texts) and (named or all(_ISO.match(text) and "-" in text for text in texts)):
            return TimeColumn(column.name, example)
        pattern = _find_pattern(texts)
        if pattern is not None:
            return TimeColumn(column.name, f"{example} ({pattern})", pattern)
    if column.kind == "integer" and named and all(isinstance(value, int) and value in _SECONDS for value in values):
        return TimeColumn(column.name, "seconds since 1970-01-01T00:00:00Z")
    return None


def _find_pattern(texts: Sequence[str]) -> str | None:
    """Return dd.mm.yyyy, dd/mm/yyyy or mm/dd/yyyy if all texts have that form; None otherwise.

    With slashes the month comes first only if a second number is above 12.
    """
    found = [_FOREIGN_TIME.fullmatch(text) for text in texts]
    marks = {match["mark"] if match else None for match in found}
    if len(marks) != 1 or None in marks:
        return None
    highest = [max(int(match[group]) for match in found if match) for group in (1, 3)]
    if highest[0] <= 12 < highest[1] and marks == {"/"}:
        return "mm/dd/yyyy" if highest[1] <= 31 else None
    return f"dd{(mark := marks.pop())}mm{mark}yyyy" if highest[0] <= 31 and highest[1] <= 12 else None


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return text.lower() != "now"


def _find_sensor(data: DataSet, columns: Sequence[DataColumn]) -> str | None:
    """Return the column with the id of the sensor: by its name, else because each of its values is at its own place."""
    ranked: list[tuple[int, int, str]] = []
    for position, column in enumerate(columns):
        if column.kind not in ("text", "integer") or column.name.lower() in ("fid", "ogc_fid", "objectid", "gid"):
            continue
        values = [row[column.name] for row in data.rows if row.get(column.name) not in (None, "")]
        distinct = len(set(values))
        repeats = distinct < len(values)
        rank = _rank_name(column.name)
        if not values or rank is None:
            continue
        weak = rank >= 100
        if repeats or not weak:
            ranked.append((rank, position, column.name))
    if ranked:
        return min(ranked)[2]
    places = {row.place for row in data.rows if row.place is not None}
    for column in columns:
        groups = _group(data.rows, column.name)
        if column.kind != "text" or not 1 < len(groups) == len(places) < len(data.rows):
            continue
        if all(len({row.place for row in rows}) == 1 for rows in groups.values()):
            return column.name
    return None


def _rank_name(name: str) -> int | None:
    """Return how little a name is that of a sensor's id, None if it is not at all."""
    words = split_words(name)
    strong = next((_STRONG.index(word) for word in words if word in _STRONG), None)
    if strong is None:
        joined = next((index for index, word in enumerate(_STRONG[:12]) if name.lower().startswith(word)), None)
        weak = next((_WEAK.index(word) for word in words if word in _WEAK), None)
        return joined * 4 + 2 if joined is not None and len(words) == 1 else None if weak is None else 100 + weak
    # station_id before station before station_name; what else is about a station (station_height) comes last.
    others = set(words) - {_STRONG[strong]}
    if not others or others <= _IDS:
        return strong * 4 + (0 if others else 1)
    return strong * 4 + 3 if others & _NAMES else 90


def _group(rows: Sequence[DataRow], column: str | None) -> dict[object, list[DataRow]]:
    groups: dict[object, list[DataRow]] = {}
    if column is None:
        return groups
    for row in rows:
        if row.get(column) not in (None, ""):
            groups.setdefault(row[column], []).append(row)
    return groups


def _is_constant(groups: Mapping[object, Sequence[DataRow]], column: str) -> bool:
    """Return whether a column has one value for each sensor, and more than one sensor and row shows that."""
    if sum(map(len, groups.values())) < 2 * len(groups):
        return False
    return all(len({str(row.get(column)) for row in rows}) == 1 for rows in groups.values())


def _shorten(text: str) -> str:
    return " ".join(text.split())[:40].replace('"', "'")
