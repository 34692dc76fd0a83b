"""What the clients of a load ask, and what is right: the answers are held against the rows of the file."""

from __future__ import annotations

import datetime
import io
import random
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tests.support.agreement import read_measurements, read_procedures
from tests.support.datasets import TABLE
from tests.support.maps import CAPABILITIES, MEASUREMENT, SENSOR
from tests.support.observations import STATIONS

CAPABILITIES_KIND, SENSOR_KIND, WEEK_KIND = "GetCapabilities", "DescribeSensor", "GetObservation"
SHARES = {CAPABILITIES_KIND: 0.1, SENSOR_KIND: 0.1, WEEK_KIND: 0.8}
WEEK_HOURS = 168


class WrongAnswerError(Exception):
    """An answer that is not what the data say."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status, where it redirects to, and the body."""

    status: int
    location: str
    body: bytes


@dataclass(frozen=True)
class Question:
    """A query, and for observations the rows that are to come: (time as digits, temperature, humidity, value) each."""

    kind: str
    query: str
    procedure: str = ""
    rows: tuple[tuple[str, float, float, float], ...] = ()

    def check(self, answer: Answer) -> None:
        """Hold an answer against the data, value by value. Raises WrongAnswerError."""
        if self.kind == SENSOR_KIND:
            right = answer.status == 302 and answer.location.endswith(f"/sensors/{self.procedure}.xml")
        elif answer.status != 200 or b"ExceptionReport" in answer.body[:400]:
            right = False
        elif self.kind == CAPABILITIES_KIND:
            right = len(read_procedures(io.BytesIO(answer.body))) == STATIONS
        else:
            right = self._read_rows(answer.body) == sorted(self.rows)
        if not right:
            raise WrongAnswerError(f"{self.query}: {answer.status} {answer.location} {answer.body[:600]!r}")

    def _read_rows(self, body: bytes) -> list[tuple[str, float, float, float]]:
        found = []
        for procedure, time, _, values in read_measurements(io.BytesIO(body)).elements():
            if not procedure.endswith(self.procedure):
                raise WrongAnswerError(f"{self.query}: an observation of {procedure}")
            named = dict(values)
            numbers = (float(named["air_temp"]), float(named["humidity"]), float(named["value"]))
            found.append((_digits(time), *numbers))
        return sorted(found)


def make_questions(
    data: Path, rows: int, count: int, seed: int = 1, *, by_filter: bool = False
) -> dict[str, list[Question]]:
    """Questions by kind: so many of one procedure and one week each, anywhere in the data, and one of the others.

    ``by_filter`` names the procedure in a filter on its column: mapserv finds nothing in a GeoPackage otherwise.
    """
    chance = random.Random(seed)
    hours = rows // STATIONS
    first = datetime.datetime(2001, 1, 1)
    weeks = []
    database = sqlite3.connect(f"file:{data}?mode=ro", uri=True)
    try:
        for _ in range(count):
            begin = first + datetime.timedelta(hours=chance.randrange(max(1, hours - WEEK_HOURS)))
            # Not on the hour: mapserv takes an observation at the very end for a later one.
            end = begin + datetime.timedelta(hours=WEEK_HOURS, minutes=-30)
            weeks.append(_ask_week(database, f"S{chance.randrange(STATIONS):03d}", begin, end, by_filter))
    finally:
        database.close()
    return {
        CAPABILITIES_KIND: [Question(CAPABILITIES_KIND, CAPABILITIES)],
        SENSOR_KIND: [Question(SENSOR_KIND, SENSOR, "S007")],
        WEEK_KIND: weeks,
    }


def _ask_week(
    database: sqlite3.Connection, station: str, begin: datetime.datetime, end: datetime.datetime, by_filter: bool
) -> Question:
    times = f"{begin:%Y-%m-%dT%H:%M:%S}.000Z", f"{end:%Y-%m-%dT%H:%M:%S}.000Z"
    statement = f"SELECT time, air_temp, humidity, value FROM {TABLE} WHERE station = ? AND time >= ? AND time <= ?"
    found = database.execute(statement, (station, *times))
    rows = tuple((_digits(time), *map(_as_written, numbers)) for time, *numbers in found)
    period = (
        f"<gml:TimePeriod><gml:beginPosition>{begin:%Y-%m-%dT%H:%M:%SZ}</gml:beginPosition>"
        f"<gml:endPosition>{end:%Y-%m-%dT%H:%M:%SZ}</gml:endPosition></gml:TimePeriod>"
    )
    chosen = f"procedure={station}"
    if by_filter:
        equal = f"<ogc:PropertyName>station</ogc:PropertyName><ogc:Literal>{station}</ogc:Literal>"
        chosen = f"result=<ogc:Filter><ogc:PropertyIsEqualTo>{equal}</ogc:PropertyIsEqualTo></ogc:Filter>"
    return Question(WEEK_KIND, f"{MEASUREMENT}&{chosen}&eventTime={period}", station, rows)  # type: ignore[arg-type]


def _as_written(number: float) -> float:
    """What is left of a number in the 15 digits that both programs write."""
    return float(f"{number:.15g}")


def _digits(time: str) -> str:
    return re.sub(r"\D", "", time)[:14]
