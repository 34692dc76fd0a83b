"""Stores of keys in both databases, each new and empty."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapsos.access import gate as gates
from mapsos.access.store import KeyStore, open_store
from tests.support.keyed_service import Server, write_service
from tests.support.postgresql import Cluster, require_cluster

_numbers = itertools.count()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with require_cluster() as running:
        yield running


def make_location(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """The location of a new, empty store."""
    if kind == "sqlite":
        folder.chmod(0o700)
        return str(folder / "keys.db")
    running: Cluster = request.getfixturevalue("cluster")
    name = f"keys{next(_numbers)}"
    running.run(f"CREATE DATABASE {name}")
    return f"postgresql://tester@127.0.0.1:{running.port}/{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The location of a store, as MAPSOS_KEYS names it."""
    return make_location(request.param, tmp_path, request)


@pytest.fixture
def store(location: str) -> Iterator[KeyStore]:
    """A store without keys."""
    opened = open_store(location)
    opened.create()
    yield opened
    opened.database.close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    tmp_path.chmod(0o700)
    write_service(tmp_path, web="all")
    gates._share_store.cache_clear()
    made = Server(tmp_path, monkeypatch)
    yield made
    made.close()
    gates._share_store.cache_clear()
