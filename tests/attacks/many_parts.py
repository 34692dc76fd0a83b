"""Questions of many parts, and the rows that each selects."""

from __future__ import annotations

import csv
import io
import itertools

from tests.support.station_service import Reply

STATIONS = 1500
ROWS = [(f"S{n % STATIONS}", f"2001-01-{n % 28 + 1:02}T{n % 24:02}:00:00Z", float(n % 40)) for n in range(3000)]


def compare(operator: str, name: str, literal: object) -> str:
    parts = f"<PropertyName>{name}</PropertyName><Literal>{literal}</Literal>"
    return f"<PropertyIs{operator}>{parts}</PropertyIs{operator}>"


def resemble(pattern: str) -> str:
    parts = f"<PropertyName>station</PropertyName><Literal>{pattern}</Literal>"
    return f'<PropertyIsLike wildCard="*" singleChar="?" escape="!">{parts}</PropertyIsLike>'


def enclose(low: float, high: float) -> str:
    bounds = f"<LowerBoundary>{low}</LowerBoundary><UpperBoundary>{high}</UpperBoundary>"
    return f"<PropertyIsBetween><PropertyName>value</PropertyName>{bounds}</PropertyIsBetween>"


def join(word: str, *parts: str) -> str:
    return f"<{word}>{''.join(parts)}</{word}>"


def nest(word: str, parts: list[str]) -> str:
    nested = parts[0]
    for part in parts[1:]:
        nested = join(word, part, nested)
    return nested


def alternate(levels: int) -> str:
    """AND and OR in turn, which hold for the value 8 alone."""
    nested = compare("EqualTo", "value", 8)
    for level in range(levels):
        word, other = ("Or", compare("EqualTo", "value", 8)) if level % 2 else ("And", compare("LessThan", "value", 9))
        nested = join(word, other, nested)
    return nested


EIGHT = sum(value == 8 for _, _, value in ROWS)
FILTERS: dict[str, tuple[str, int]] = {
    "equals many numbers": (join("Or", *(compare("EqualTo", "value", n) for n in range(20, 660))), len(ROWS) // 2),
    "equals many fractions": (join("Or", *(compare("EqualTo", "value", n / 8) for n in range(640))), len(ROWS)),
    "equals many texts": (join("Or", *(compare("EqualTo", "station", f"S{n}") for n in range(600))), 1200),
    "equals many times": (join("Or", *(compare("EqualTo", "time", time) for _, time, _ in ROWS[:168])), len(ROWS)),
    "greater than many": (join("And", *(compare("GreaterThan", "value", -n) for n in range(600))), len(ROWS) - 75),
    "less than any of many": (join("Or", *(compare("LessThan", "value", -n) for n in range(600))), 0),
    "differs from many": (join("And", *(compare("NotEqualTo", "value", n) for n in range(1, 600))), 75),
    "between any of many": (join("Or", *(enclose(n, n + 0.5) for n in range(300))), len(ROWS)),
    "like any of many": (join("Or", *(resemble(f"S{n}*x") for n in range(600)), resemble("S1")), 2),
    "nested OR": (nest("Or", [compare("EqualTo", "value", n) for n in range(60)]), len(ROWS)),
    "nested AND": (nest("And", [compare("GreaterThan", "value", n - 60) for n in range(60)]), len(ROWS) - 0),
    "AND and OR in turn": (alternate(60), EIGHT),
    "nested NOT": ("<Not>" * 60 + compare("EqualTo", "value", 8) + "</Not>" * 60, EIGHT),
}


def count(reply: Reply) -> int:
    assert reply.text.startswith("time,"), reply.text[-300:]
    return sum(1 for _ in csv.reader(io.StringIO(reply.text))) - 1


MANY = range(1, 1000)
CONDITIONS: dict[str, tuple[str, int]] = {
    "IN of numbers": (f"numeric_value in ({','.join(map(str, range(999)))})", len(ROWS)),
    "NOT IN of numbers": (f"numeric_value not in ({','.join(map(str, MANY))})", 75),
    "IN of texts": (f"procedure in ({','.join(repr(f'S{n}') for n in MANY)})", 1998),
    "NOT IN of texts": (f"procedure not in ({','.join(repr(f'S{n}') for n in MANY)})", 1002),
    "OR": (" or ".join(f"numeric_value = {n}" for n in range(990)), len(ROWS)),
    "AND": (" and ".join(f"numeric_value <> {n}" for n in range(1, 990)), 75),
    "IN of times": (f"phenomenon_time in ({','.join(repr(time) for _, time, _ in ROWS[:990])})", len(ROWS)),
}


INSTANTS = [time for _, time, _ in ROWS[:168]]
QUESTIONS: dict[str, tuple[dict[str, str], int]] = {
    "instants": ({"eventTime": ",".join(itertools.islice(itertools.cycle(INSTANTS), 1000))}, len(ROWS)),
    "periods": ({"eventTime": ",".join(f"{time}/PT1M" for time in INSTANTS * 5)}, len(ROWS)),
    "instants in a rectangle": ({"eventTime": ",".join(INSTANTS * 5), "bbox": "-10,-10,90,90"}, len(ROWS)),
    "instants of a sensor": ({"eventTime": ",".join(INSTANTS * 5), "procedure": "S7"}, 2),
    "instants of many sensors": (
        {"eventTime": ",".join(INSTANTS), "procedure": ",".join(f"S{n}" for n in range(450))}, 900),
    "the newest of each sensor": ({"eventTime": "latest"}, STATIONS),
    "the newest, the oldest and instants": ({"eventTime": ",".join(["latest", "first", *INSTANTS])}, len(ROWS)),
    "sensors": ({"procedure": ",".join(f"S{n}" for n in range(1000))}, 2000),
    "sensors again and again": ({"procedure": ",".join(f"S{n % 1000}" for n in range(100_000))}, 2000),
    "features": ({"featureOfInterest": ",".join(f"S{n}" for n in range(1000))}, 2000),
}  # fmt: skip
