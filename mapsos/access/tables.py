"""The tables of a store, the same in SQLite and PostgreSQL."""

from __future__ import annotations

VERSION = 1
"""The version of the tables, which the store states, for a later one that changes them."""

TABLES = (
    """CREATE TABLE IF NOT EXISTS mapsos_keys (
        name TEXT NOT NULL PRIMARY KEY,
        contact TEXT NOT NULL,
        note TEXT NOT NULL,
        created BIGINT NOT NULL,
        expires BIGINT,
        active INTEGER NOT NULL,
        may_write INTEGER NOT NULL,
        may_admin INTEGER NOT NULL,
        per_day BIGINT,
        maps TEXT,
        used BIGINT,
        used_from TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS mapsos_key_secrets (
        hash TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        starts TEXT NOT NULL,
        expires BIGINT)""",
    "CREATE INDEX IF NOT EXISTS mapsos_key_secrets_name ON mapsos_key_secrets (name)",
    """CREATE TABLE IF NOT EXISTS mapsos_key_counts (
        name TEXT NOT NULL,
        day BIGINT NOT NULL,
        n BIGINT NOT NULL,
        PRIMARY KEY (name, day))""",
    """CREATE TABLE IF NOT EXISTS mapsos_key_failures (
        address TEXT NOT NULL,
        minute BIGINT NOT NULL,
        n BIGINT NOT NULL,
        PRIMARY KEY (address, minute))""",
    """CREATE TABLE IF NOT EXISTS mapsos_key_log (
        time BIGINT NOT NULL,
        name TEXT NOT NULL,
        address TEXT NOT NULL,
        method TEXT NOT NULL,
        map TEXT NOT NULL,
        operation TEXT NOT NULL,
        status INTEGER NOT NULL,
        row_count BIGINT NOT NULL,
        byte_count BIGINT NOT NULL,
        ms DOUBLE PRECISION NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS mapsos_key_log_time ON mapsos_key_log (time)",
    """CREATE TABLE IF NOT EXISTS mapsos_key_state (
        name TEXT NOT NULL PRIMARY KEY,
        value BIGINT NOT NULL)""",
    f"INSERT INTO mapsos_key_state (name, value) VALUES ('version', {VERSION}), ('swept', 0) ON CONFLICT DO NOTHING",
)
"""Times are in microseconds since 1970 UTC, days and minutes are counted since then."""
