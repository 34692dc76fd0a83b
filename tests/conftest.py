"""What every test shares: the report header says which GDAL the run saw; properties are tried on the same examples."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from hypothesis import HealthCheck, settings

# Neither the speed of the machine nor chance may decide: no example has a time limit, and all runs have the same ones.
unimportant = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=unimportant)
settings.load_profile("same")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Print the interpreter, GDAL and the drivers that tests use or skip for."""
    from osgeo import gdal, ogr

    wanted = ("ESRI Shapefile", "GPKG", "SQLite", "CSV", "OGR_VRT", "GeoJSON", "FlatGeobuf", "PostgreSQL")
    there = [name for name in wanted if ogr.GetDriverByName(name) is not None]
    missing = [name for name in wanted if name not in there]
    lines = [
        f"python: {sys.executable}",
        f"GDAL {gdal.VersionInfo('RELEASE_NAME')}: {', '.join(there)}",
    ]
    if missing:
        lines.append(f"GDAL drivers that are missing here: {', '.join(missing)}")
    return lines


@pytest.fixture(params=["compiled", "plain"])
def text_loops(request: pytest.FixtureRequest) -> Iterator[None]:
    """With the compiled loops, which must be there; and then as in an installation without a compiler."""
    from benchmarks.coordinates import without_text_loops
    from mapsos.columns.loops import find_text_loops

    assert find_text_loops() is not None
    with without_text_loops() if request.param == "plain" else nullcontext():
        yield


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Give the loggers back as they were: what prepares a process for serving takes them from those who watch.

    What it opens is closed.
    """
    loggers = [logging.getLogger(name) for name in (None, "mapsos", "mapsos.requests")]
    before = [(logger.level, logger.propagate, logger.disabled, list(logger.handlers)) for logger in loggers]
    yield
    for logger, (level, propagate, disabled, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.propagate = propagate
        logger.disabled = disabled
        for handler in logger.handlers:
            if handler not in handlers:
                handler.close()
        logger.handlers[:] = handlers
