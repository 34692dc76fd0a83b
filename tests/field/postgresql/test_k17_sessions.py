"""No encoding or quoting rule of environment, role or connection string changes what a statement means (K17)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.postgresql import Cluster

from .sources import READER

PROGRAM = Path(__file__).with_name("read_one_station.py")
TABLE = r"""
CREATE TABLE quoted (station text, geom geometry);
INSERT INTO quoted VALUES ('S1', NULL), ('Ünïcödé €', NULL), (E'it''s \\', NULL), (E'€\\''', NULL);
"""
ROLE = {"standard_conforming_strings": "off", "backslash_quote": "on", "client_encoding": "GBK",
        "transform_null_equals": "on", "quote_all_identifiers": "on", "synchronize_seqscans": "on"}  # fmt: skip


@pytest.fixture(scope="module")
def _table(cluster: Cluster) -> None:
    cluster.run(TABLE)


@pytest.fixture(params=["role", "connection", "environment", "all"])
def settings(request: pytest.FixtureRequest, cluster: Cluster) -> object:
    """Where the odd settings are."""
    if request.param in ("role", "all"):
        cluster.run("".join(f"ALTER ROLE {READER} SET {name} = '{value}';" for name, value in ROLE.items()))
    yield request.param
    cluster.run(f"ALTER ROLE {READER} RESET ALL")


@pytest.mark.usefixtures("_table")
@pytest.mark.parametrize("encoding", ["GBK", "BIG5", "SJIS", "LATIN1", "SQL_ASCII"])
def test_strings_are_found_and_nothing_becomes_sql(cluster: Cluster, settings: str, encoding: str) -> None:
    environment = dict(os.environ)
    connection = cluster.connection(READER)
    if settings in ("environment", "all"):
        environment |= {"PGCLIENTENCODING": encoding, "PGOPTIONS": "-c backslash_quote=on"}
    if settings in ("connection", "all"):
        connection += f" client_encoding={encoding} options='-c backslash_quote=on -c standard_conforming_strings=off'"
    wanted = ["S1", "Ünïcödé €", "it's \\", "€\\'", "€\\' OR 1=1 --", "\u20ac\\') UNION SELECT 1 --"]
    done = subprocess.run(
        [sys.executable, PROGRAM, connection, *wanted],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [*(repr([text]) for text in wanted[:4]), "[]", "[]"]
