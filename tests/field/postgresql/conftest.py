"""A PostgreSQL server for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mapsos.operations.layers.facts import forget_facts
from mapsos.sources.pool import close_idle_readers
from tests.support.postgresql import Cluster, require_cluster

from .sources import READER


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running server with PostGIS and an account that may read what is created in ``public``."""
    with require_cluster({"log_statement": "all"}) as server:
        server.run(
            f"CREATE EXTENSION postgis; CREATE ROLE {READER} LOGIN; "
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {READER}"
        )
        yield server


@pytest.fixture
def connection(cluster: Cluster) -> Iterator[str]:
    """How mapsos connects; no connection and no fact of one test is seen by the next."""
    yield cluster.connection(READER)
    close_idle_readers()
    forget_facts()
