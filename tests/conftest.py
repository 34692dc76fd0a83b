"""What every test shares: the report header says which GDAL the run saw; properties are tried on the same examples."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import mapsos
from mapsos.text_loops import TextLoops, find_text_loops

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
def text_loops(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextLoops | None]:
    """The compiled loops, and then none: what an installation without a compiler has."""
    if request.param == "plain":
        monkeypatch.delattr(mapsos, "_text_loops", raising=False)
        monkeypatch.setitem(sys.modules, "mapsos._text_loops", None)
    find_text_loops.cache_clear()
    loops = find_text_loops()
    assert (loops is None) == (request.param == "plain")
    yield loops
    find_text_loops.cache_clear()


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
