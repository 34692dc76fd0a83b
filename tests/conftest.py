"""What every test shares: the report header says which GDAL the run saw; properties are tried on the same examples."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Neither the speed of the machine nor chance may decide: no example has a time limit, and all runs have the same ones.
unimportant = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=unimportant)
settings.load_profile("same")


GROUPS = {
    "tests/conformance/": "conformance",
    "tests/faults/": "faults",
    "tests/pages/test_browser.py": "chromium",
    "tests/pages/test_preview.py": "chromium",
    "tests/peers/": "peers",
    "tests/postgis/": "postgis",
    "tests/streaming/": None,
}
"""What one process tests alone: those that share what takes long to set up. None: each test by itself.

All other tests are grouped by their file, whose servers they share.
"""
FIRST = (
    "tests/rest/test_openapi.py",
    "tests/streaming/",
    "tests/postgis/",
    "tests/benchmarks/",
    "tests/faults/",
    "tests/pages/",
    "tests/peers/",
    "tests/conformance/",
    "tests/deployment/",
)
"""Begun first, so that nobody waits for them at the end; machines last of them, whose roots are made meanwhile."""
SLOW_SECONDS = 5.0


def find_group(nodeid: str) -> str:
    """Return the name of the group of a test; the tests of a group run in one process, one after the other."""
    path = nodeid.partition("::")[0]
    group = next((group for name, group in GROUPS.items() if path.startswith(name)), path)
    return nodeid if group is None else group


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in the order in which several processes are to begin them."""
    if getattr(config.option, "loadgroup", False):
        ranks = {name: rank for rank, name in enumerate(FIRST)}
        items.sort(key=lambda item: next((ranks[name] for name in FIRST if item.nodeid.startswith(name)), len(FIRST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give out tests by these groups. Those of marks that xdist has itself are lost with pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class GroupScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return find_group(nodeid)

    if config.getvalue("dist") != "loadgroup":
        return None
    config.option.loadscopereorder = False
    return GroupScheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that took long and are not marked slow, so that `script/test --fast` stays fast."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    long = {
        report.nodeid: report.duration
        for report in reports
        if getattr(report, "when", None) == "call" and report.duration > SLOW_SECONDS and "slow" not in report.keywords
    }
    if long:
        terminalreporter.section(f"not marked slow, but longer than {SLOW_SECONDS:g} s")
        for name, seconds in sorted(long.items(), key=lambda pair: -pair[1]):
            terminalreporter.line(f"{seconds:6.1f} s {name}")


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
    from mapsos.columns.loops import find_text_loops
    from tests.support.text_loops import without_text_loops

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
